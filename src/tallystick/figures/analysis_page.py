"""Analyses as a page: what to read from each, its figure where it has one, and its table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from tallystick.figures.page import page
from tallystick.report import Block, Chart, Details, Section, Table, Text

__all__ = ["Analysed", "analysis_page"]

OPEN = 15  # tables of so many rows stand open; longer ones unfold


class Analysed(Protocol):
    """What a page needs of an analysis: `cells` are its rows as people read them, `align` a letter each."""

    name: str
    title: str
    note: str
    columns: tuple[str, ...]
    rows: Any

    @property
    def align(self) -> str:
        """A letter for each column: l for words, r for numbers."""

    def cells(self) -> list[list[str]]:
        """Each row as texts ready to be read."""

    def to_dict(self) -> dict[str, Any]:
        """The analysis as plain values."""


def analysis_page(
    analyses: Sequence[Analysed],
    charts: Mapping[str, Callable[[Any], Any]],
    *,
    title: str = "Analyses",
) -> str:
    """Make the page of analyses; `charts` has for names of analyses what makes a figure of their rows."""
    sections = []
    for one in analyses:
        blocks: list[Block] = [Text(one.note)] if one.note else []
        if one.name in charts and one.rows:
            figure = charts[one.name](one.rows).to_plotly_json()
            blocks.append(
                Chart("plotly", {"data": figure}, "Drawn from the table below.", one.title, wide=True)
            )
        header = [name.replace("_", " ").capitalize() for name in one.columns]
        table = Table(one.title, header, one.cells(), one.align)
        count = len(one.rows)
        blocks.append(table if count <= OPEN else Details(f"The table, {count:,} rows", [table]))
        sections.append(Section(one.name, one.title, blocks))
    names = ", ".join(section.title[:1].lower() + section.title[1:] for section in sections)
    return page(
        f"{title} \N{EN DASH} analyses",
        sections,
        lead=f"What the records say by themselves, {len(sections)} ways: {names}."
        if sections
        else "No analysis could run on these records.",
        data={"analyses": {one.name: one.to_dict() for one in analyses}},
    )
