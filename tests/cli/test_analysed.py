"""What analyse shows: tables that fit the terminal, and what was left out in one line for each reason."""

from __future__ import annotations

import io

from rich.console import Console

from tallystick.cli.show_analyses import analysed
from tallystick.cli.terminal import Terminal
from tallystick.contracts import Report
from tallystick.jobs.analyse import Analysed, AnalysisTable


def shown(tables, width=80, **more):
    terminal = Terminal()
    terminal.out = Console(file=io.StringIO(), width=width, highlight=False)
    terminal.err = Console(file=io.StringIO(), width=200, highlight=False)
    analysed(terminal, Analysed(Report(), tuple(tables), **more))
    return terminal.out.file.getvalue(), terminal.err.file.getvalue()


def table(rows=1):
    row = {
        "place": "[red]x",
        "reason": "word " * 12,
        **{f"sum_{i}": 1234.5 for i in range(8)},
        "share": 0.004,
    }
    kinds = ("text", "text", *["number"] * 8, "share")
    return AnalysisTable("one", "A title", "", tuple(row), [row] * rows, kinds)


def test_a_wide_table_loses_its_last_columns_and_says_so():
    out, err = shown([table()])
    assert max(map(len, out.splitlines())) <= 80
    assert out.count("1,234.50") == 5
    assert "Columns not shown, the terminal is too narrow: sum 5, sum 6, sum 7, share." in err
    assert "[red]x" in out  # a name is no markup
    out, err = shown([table()], width=200)
    assert "0.40\N{NO-BREAK SPACE}%" in out
    assert "Not shown" not in err


def test_long_tables_are_cut_and_empty_ones_told():
    out, _ = shown([table(30), AnalysisTable("two", "Nothing", "", ("a",), [], ("text",))])
    assert "A title (the first 12 of 30)" in out
    assert "Nothing: none." in out


def test_what_was_left_out_is_told_once_for_each_reason():
    _, err = shown([], left_out={"by_hour": ["is_fraud"], "by_day": ["is_fraud"], "by_place": ["place"]})
    assert "Left out, for there is no is_fraud: by_hour, by_day." in err
    assert "Left out, for there is no place: by_place." in err
