"""Sections as Markdown: names cannot break a table, and what is not there leaves no line."""

from __future__ import annotations

from tallystick.report import Chart, Details, Items, Section, Table, Text, markdown


def test_every_block_but_charts_is_written():
    section = Section(
        "how",
        "How",
        [
            Text(" By hand. ", brief=True),
            Text("Too long."),
            Items(["one", "two"]),
            Chart("bars", {}, "A chart"),
            Table("Rows", ["a|b", "n", "meaning"], [["x|y\nz", "3", "long"]], brief=(0, 1)),
            Table("None", ["a"], []),
            Table("Pages alone", ["a"], [["b"]], brief=None),
            Details("More", [Text("Folded.", brief=True)]),
        ],
        [Section("inner", "Inner")],
    )
    assert markdown("Card", "", [section]) == (
        "# Card\n\n## How\n\nBy hand.\n\n- one\n- two\n\n"
        "| a\\|b | n |\n| --- | ---: |\n| x\\|y z | 3 |\n\nFolded.\n\n### Inner\n"
    )
