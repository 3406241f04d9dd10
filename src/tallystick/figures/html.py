"""Sections as HTML. All text is escaped here; charts are drawn by their kind."""

from __future__ import annotations

import html
import json
from typing import Any

from tallystick.figures.charts import draw
from tallystick.report import Block, Chart, Details, Items, Section, Table, Text

__all__ = ["data_script", "render_block", "render_section"]


def render_section(section: Section, key: str, level: int = 2) -> str:
    """Give a section with its headings from `level` on; `key` begins the ids of all that is in it."""
    inner = [render_block(block, f"{key}-{i}") for i, block in enumerate(section.blocks, 1)]
    inner += [render_section(one, f"{key}-s{i}", level + 1) for i, one in enumerate(section.sections, 1)]
    return (
        f'<section id="{key}" aria-labelledby="{key}-title">\n'
        f'<h{level} id="{key}-title">{html.escape(section.title)}</h{level}>\n'
        + "\n".join(inner)
        + "\n</section>"
    )


def render_block(block: Block, key: str) -> str:
    """Give one block.

    >>> render_block(Text("5 < 6"), "t")
    '<p>5 &lt; 6</p>'
    """
    if isinstance(block, Text):
        return f"<p>{html.escape(block.words)}</p>"
    if isinstance(block, Items):
        return "<ul>" + "".join(f"<li>{html.escape(item)}</li>" for item in block.items) + "</ul>"
    if isinstance(block, Table):
        return _table(block, key)
    if isinstance(block, Chart):
        return _chart(block, key)
    return _details(block, key)


def _table(table: Table, key: str) -> str:
    """Give the table in a region that scrolls by itself and can be reached by keyboard."""
    if not table.rows:
        return f"<p>{html.escape(table.caption)}: none.</p>"
    kinds = ["" if letter == "l" else ' class="n"' for letter in table.alignment]
    head = "".join(
        f'<th scope="col"{kind}>{html.escape(name)}</th>'
        for name, kind in zip(table.header, kinds, strict=True)
    )
    lines = []
    for row in table.rows:
        first, *others = (html.escape(cell) for cell in row)
        cells = "".join(f"<td{kind}>{cell}</td>" for cell, kind in zip(others, kinds[1:], strict=True))
        lines.append(f'<tr><th scope="row">{first}</th>{cells}</tr>')
    body = "\n".join(lines)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-labelledby="{key}">\n<table>\n'
        f'<caption id="{key}">{html.escape(table.caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</div>"
    )


def _chart(chart: Chart, key: str) -> str:
    """Give the place where the figure is drawn, and its data beside it."""
    figure = draw(chart)
    kind = "chart wide" if chart.wide else "chart"
    height = int(figure.layout.height or 380)
    scroll = ' tabindex="0" role="region" aria-label="Chart, scrolls sideways"' if chart.wide else ""
    return (
        f'<figure>\n<div class="scroll"{scroll}><div class="{kind}" id="{key}" role="img" '
        f'aria-label="{html.escape(chart.words or chart.caption)}" data-chart="{key}-data" '
        f'style="height:{height}px"></div></div>\n'
        f"<figcaption>{html.escape(chart.caption)}</figcaption>\n"
        f"{data_script(f'{key}-data', figure.to_json(validate=False, engine='json'))}\n</figure>"
    )


def _details(details: Details, key: str) -> str:
    """Give the summary and what unfolds."""
    inner = "\n".join(render_block(block, f"{key}-{i}") for i, block in enumerate(details.blocks, 1))
    return f"<details>\n<summary>{html.escape(details.summary)}</summary>\n{inner}\n</details>"


def data_script(key: str, data: Any) -> str:
    """Embed JSON (a text that is JSON already, or plain values) so that nothing in it can end the element.

    >>> data_script("d", {"name": "</script>"})
    '<script type="application/json" id="d">{"name": "\\\\u003c/script\\\\u003e"}</script>'
    """
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, allow_nan=False)
    for mark in "<>&\u2028\u2029":  # outside of strings JSON has none of these
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return f'<script type="application/json" id="{html.escape(key)}">{text}</script>'
