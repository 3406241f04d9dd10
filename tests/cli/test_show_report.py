"""Reports in a terminal: the outcome first, then tables that are cut where they are long."""

from __future__ import annotations

import io

from rich.console import Console

from tallystick.cli.show_report import show_report
from tallystick.cli.terminal import Terminal
from tallystick.evaluation import amount_report, segments_report
from tallystick.report import Nouns


def shown(report, **more):
    terminal = Terminal()
    terminal.out = Console(file=io.StringIO(), width=80, highlight=False)
    show_report(terminal, report, Nouns(), **more)
    return terminal.out.file.getvalue()


def test_the_outcome_comes_first_and_columns_are_brief():
    text = shown(amount_report("loss", [1.0, 2.0, 6.0], [1.5, 2.5, 4.0], rounds=5))
    assert text.startswith("Predictions for 3 records are off by 1 on average")
    assert "Meaning" not in text
    assert "mean predicted" in text
    assert max(map(len, text.splitlines())) <= 80


def test_long_tables_are_cut_and_say_so():
    report = segments_report("group", [[float(i != j) for j in range(20)] for i in range(20)])
    assert "Segments (the first 12 of 20)" in shown(report)
    assert "Quality" not in shown(report, only=("segments",))
