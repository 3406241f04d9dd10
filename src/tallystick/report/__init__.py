"""Reports as named sections of text, tables and chart data; pages, cards and terminals render them."""

from tallystick.report.blocks import Block, Chart, Details, Items, Section, Table, Text
from tallystick.report.markdown import markdown
from tallystick.report.nouns import Nouns

__all__ = [
    "Block",
    "Chart",
    "Details",
    "Items",
    "Nouns",
    "Section",
    "Table",
    "Text",
    "markdown",
]
