"""What a page is made of: text, tables, charts, and what unfolds. Here all text is escaped."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import plotly.graph_objects as go

__all__ = ["Block", "Chart", "Details", "Section", "Table", "Text", "data_script"]


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph.

    >>> Text("5 < 6").html("t")
    '<p>5 &lt; 6</p>'
    """

    words: str

    def html(self, key: str) -> str:  # noqa: ARG002 - the same call for every kind of block
        """Give the paragraph."""
        return f"<p>{html.escape(self.words)}</p>"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a caption; the first column names the row, cells are text ready to be read.

    `align` has a letter for each column, `l` or `r`; by default all but the first are numbers.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    align: str = ""

    def html(self, key: str) -> str:
        """Give the table in a region that scrolls by itself and can be reached by keyboard."""
        if not self.rows:
            return f"<p>{html.escape(self.caption)}: none.</p>"
        align = self.align or "l" + "r" * (len(self.header) - 1)
        kinds = ["" if letter == "l" else ' class="n"' for letter in align]
        head = "".join(
            f'<th scope="col"{kind}>{html.escape(name)}</th>'
            for name, kind in zip(self.header, kinds, strict=True)
        )
        lines = []
        for row in self.rows:
            first, *others = (html.escape(cell) for cell in row)
            cells = "".join(f"<td{kind}>{cell}</td>" for cell, kind in zip(others, kinds[1:], strict=True))
            lines.append(f'<tr><th scope="row">{first}</th>{cells}</tr>')
        body = "\n".join(lines)
        return (
            f'<div class="scroll" role="region" tabindex="0" aria-labelledby="{key}">\n<table>\n'
            f'<caption id="{key}">{html.escape(self.caption)}</caption>\n'
            f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</div>"
        )


@dataclass(frozen=True, slots=True)
class Chart:
    """A Plotly figure with a caption; `words` says for those who cannot see it what it shows.

    A `wide` chart keeps a readable width on small screens and scrolls sideways there.
    """

    figure: go.Figure
    caption: str
    words: str = ""
    wide: bool = False

    def html(self, key: str) -> str:
        """Give the place where the figure is drawn, and its data beside it."""
        kind = "chart wide" if self.wide else "chart"
        height = int(self.figure.layout.height or 380)
        scroll = ' tabindex="0" role="region" aria-label="Chart, scrolls sideways"' if self.wide else ""
        return (
            f'<figure>\n<div class="scroll"{scroll}><div class="{kind}" id="{key}" role="img" '
            f'aria-label="{html.escape(self.words or self.caption)}" data-chart="{key}-data" '
            f'style="height:{height}px"></div></div>\n'
            f"<figcaption>{html.escape(self.caption)}</figcaption>\n"
            f"{data_script(f'{key}-data', self.figure.to_json(validate=False, engine='json'))}\n</figure>"
        )


@dataclass(frozen=True, slots=True)
class Details:
    """Blocks that are folded away under a summary; not for charts, which need to be seen to be drawn."""

    summary: str
    blocks: Sequence[Text | Table]

    def html(self, key: str) -> str:
        """Give the summary and what unfolds."""
        inner = "\n".join(block.html(f"{key}-{i}") for i, block in enumerate(self.blocks, 1))
        return f"<details>\n<summary>{html.escape(self.summary)}</summary>\n{inner}\n</details>"


Block: TypeAlias = Text | Table | Chart | Details


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it; sections may hold sections."""

    title: str
    blocks: Sequence[Block] = ()
    sections: Sequence[Section] = field(default=())

    def html(self, key: str, level: int = 2) -> str:
        """Give the section with its headings from `level` on."""
        inner = [block.html(f"{key}-{i}") for i, block in enumerate(self.blocks, 1)]
        inner += [section.html(f"{key}-s{i}", level + 1) for i, section in enumerate(self.sections, 1)]
        return (
            f'<section id="{key}" aria-labelledby="{key}-title">\n'
            f'<h{level} id="{key}-title">{html.escape(self.title)}</h{level}>\n'
            + "\n".join(inner)
            + "\n</section>"
        )


def data_script(key: str, data: Any) -> str:
    """Embed JSON (a text that is JSON already, or plain values) so that nothing in it can end the element.

    >>> data_script("d", {"name": "</script>"})
    '<script type="application/json" id="d">{"name": "\\\\u003c/script\\\\u003e"}</script>'
    """
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, allow_nan=False)
    for mark in "<>&\u2028\u2029":  # outside of strings JSON has none of these
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return f'<script type="application/json" id="{html.escape(key)}">{text}</script>'
