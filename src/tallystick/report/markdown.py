"""Sections as Markdown, for model cards. Charts are left out: cards hold words and figures."""

from __future__ import annotations

from collections.abc import Sequence

from tallystick.report.blocks import Block, Details, Items, Section, Table, Text

__all__ = ["markdown"]


def markdown(title: str, lead: str, sections: Sequence[Section]) -> str:
    """Write a document of sections; only brief text and the brief columns of tables.

    >>> print(markdown("Card", "For a test.", [Section("how", "How", [Items(["by hand"])])]))
    # Card
    <BLANKLINE>
    For a test.
    <BLANKLINE>
    ## How
    <BLANKLINE>
    - by hand
    <BLANKLINE>
    """
    parts = [f"# {title}", lead.strip(), *(text for section in sections for text in _section(section, 2))]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(section: Section, level: int) -> list[str]:
    below = [text for inner in section.sections for text in _section(inner, level + 1)]
    return [
        f"{'#' * level} {section.title}",
        *(text for block in section.blocks for text in _block(block)),
        *below,
    ]


def _block(block: Block) -> list[str]:
    if isinstance(block, Text):
        return [block.words.strip()] if block.brief else []
    if isinstance(block, Items):
        return ["\n".join(f"- {item}" for item in block.items)]
    if isinstance(block, Details):
        return [text for inner in block.blocks for text in _block(inner)]
    if isinstance(block, Table) and block.rows and block.brief is not None:
        return [_table(block.narrow())]
    return []


def _table(table: Table) -> str:
    marks = ["---:" if letter == "r" else "---" for letter in table.alignment]
    rows = [table.header, *table.rows]
    lines = ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "| " + " | ".join(marks) + " |", *lines[1:]])


def _cell(text: str) -> str:
    """Keep a name from breaking the table."""
    return text.replace("|", "\\|").replace("\n", " ")
