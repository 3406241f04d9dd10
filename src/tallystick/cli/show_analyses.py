"""What *features* and *analyse* show of their results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tallystick.cli.show_account import MOST, account
from tallystick.cli.terminal import Terminal, escape

if TYPE_CHECKING:
    from tallystick.jobs.analyse import Analysed
    from tallystick.jobs.features import Featured

__all__ = ["analysed", "featured"]

WORDS = 18  # letters of a line of words before it is wrapped


def featured(terminal: Terminal, result: Featured) -> None:
    """Show what was written."""
    account(terminal, result.input_report)
    terminal.say(
        f"{len(result.features):,} features of {result.rows:,} rows are in "
        f"[bold]{escape(str(result.output))}[/bold]; windows {result.fingerprint[:12]}."
    )


def analysed(terminal: Terminal, result: Analysed) -> None:
    """Show each analysis as a table, cut where it is long."""
    account(terminal, result.input_report)
    for one in result.analyses:
        terminal.say()
        rows = one.cells()
        if not rows:
            terminal.say(f"[bold]{escape(one.title)}[/bold]: none.")
            continue
        title = one.title + (f" (the first {MOST} of {len(rows):,})" if len(rows) > MOST else "")
        names = [name.replace("_", " ") for name in one.columns]
        left = len(one.align) - len(one.align.lstrip("l"))
        shown = _fitting(names, rows[:MOST], left, terminal.out.width)
        terminal.table(title, names[:shown], [row[:shown] for row in rows[:MOST]], left=left)
        if shown < len(names):
            terminal.note(f"Columns not shown, the terminal is too narrow: {', '.join(names[shown:])}.")
    lacking: dict[str, list[str]] = {}
    for name, missing in result.left_out.items():
        lacking.setdefault(", ".join(missing), []).append(name)
    for columns, names in lacking.items():
        terminal.note(f"Left out, for there is no {columns}: {', '.join(names)}.")
    if result.output:
        terminal.say(f"The tables are in [bold]{escape(str(result.output))}[/bold].")
    if result.report:
        terminal.say(f"The report is in [bold]{escape(str(result.report))}[/bold]; open it in a browser.")


def _fitting(names: Sequence[str], rows: Sequence[Sequence[str]], left: int, width: int) -> int:
    """Say how many columns fit side by side; the first `left` are words, which may be wrapped."""
    used = 0
    for i, name in enumerate(names):
        need = max(len(name), *(len(row[i]) for row in rows))
        used += (min(need, WORDS) if i < left else need) + 2
        if used - 2 > width and i >= max(left, 1):
            return i
    return len(names)
