"""What a report is made of: sections of text, lists, tables and chart data. No Plotly, no HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

__all__ = ["Block", "Chart", "Details", "Items", "Section", "Table", "Text", "part"]


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph of plain text; one that is not `brief` is left out by narrow media (terminal, card)."""

    words: str
    brief: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A bulleted list."""

    items: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a caption; the first column names the row, cells are text ready to be read.

    align: a letter for each column, `l` or `r`; by default all but the first are numbers. brief: the columns
    that narrow media (terminal, card) show; () for all, None for a table that they leave out.

    >>> Table("Actions", ["Action", "Rows", "Meaning"], [["auto", "3", "none"]], brief=(0, 1)).narrow().rows
    [['auto', '3']]
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    align: str = ""
    brief: tuple[int, ...] | None = ()

    @property
    def alignment(self) -> str:
        """A letter for each column."""
        return self.align or "l" + "r" * (len(self.header) - 1)

    def narrow(self) -> Table:
        """Return the table with its brief columns alone."""
        if not self.brief:
            return self
        return Table(
            self.caption,
            [self.header[i] for i in self.brief],
            [[row[i] for i in self.brief] for row in self.rows],
            "".join(self.alignment[i] for i in self.brief),
        )


@dataclass(frozen=True, slots=True)
class Chart:
    """The data of a chart under a caption; `kind` says which renderer draws it.

    data: plain values, the renderer's arguments by name; words: what the chart shows, for those who cannot
    see it. A `wide` chart keeps a readable width on small screens and scrolls sideways there.
    """

    kind: str
    data: Mapping[str, Any]
    caption: str
    words: str = ""
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Details:
    """Blocks that are folded away under a summary; no charts, which must be visible to be drawn."""

    summary: str
    blocks: Sequence[Text | Table]


Block: TypeAlias = Text | Items | Table | Chart | Details


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the blocks below it; sections may hold sections.

    `name` identifies the section within a report, such as `figures`; `title` is for people.
    """

    name: str
    title: str
    blocks: Sequence[Block] = ()
    sections: Sequence[Section] = field(default=())


def part(report: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return the named values of a report, those that it has.

    >>> part({"a": 1, "b": 2}, "a", "c")
    {'a': 1}
    """
    return {name: report[name] for name in names if name in report}
