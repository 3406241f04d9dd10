"""The parts that every verb shows: the account of the records, counts, shares."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tallystick.cli.terminal import Terminal

if TYPE_CHECKING:
    from tallystick.contracts import Report

__all__ = ["MOST", "account", "share", "tally"]

MOST = 12  # lines of a list that may be long


def share(value: float | None) -> str:
    """Write a share as people read it."""
    return "–" if value is None else f"{value:.1%}"


def account(terminal: Terminal, report: Report) -> None:
    """Show that every record is accounted for, and what is wrong with the bad ones."""
    from tallystick.contracts import REASONS

    terminal.say(
        f"{report.rows_in:,} rows in = [bold]{report.rows_clean:,}[/bold] clean + "
        f"{report.rows_quarantined:,} in quarantine + {report.rows_duplicate:,} duplicate"
    )
    if report.rows_quarantined:
        rows = [
            (code, f"{count:,}", REASONS[code], report.examples.get(code, ""))
            for code, count in sorted(report.reasons.items(), key=lambda item: (-item[1], item[0]))
        ]
        terminal.say()
        terminal.table("In quarantine", ("reason", "rows", "which means", "for example"), rows, left=4)
    if report.ignored:
        names = ", ".join(report.ignored[:MOST]) + (", …" if len(report.ignored) > MOST else "")
        terminal.note(f"Columns that are not used: {names}")
    for note in report.notes:
        terminal.note(note)


def tally(terminal: Terminal, title: str, counts: Counter[str]) -> None:
    """Show counts, the largest first."""
    from tallystick.report.formatting import shares

    most = counts.most_common(MOST)
    rest = sum(counts.values()) - sum(count for _, count in most)
    if rest:
        most.append(("others", rest))
    parts = shares([count for _, count in most])
    rows = [(name, f"{count:,}", of) for (name, count), of in zip(most, parts, strict=True)]
    terminal.table(title, ("", "rows", "share"), rows)
