"""Reports of tasks in a terminal: the outcome in words and the brief tables of their sections."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from tallystick.cli.show_account import MOST
from tallystick.cli.terminal import Terminal, escape

if TYPE_CHECKING:
    from tallystick.report import Nouns, Table

__all__ = ["fitted", "nouns_of", "show_report"]

FEW = 4  # so few more lines are not worth a cut


def nouns_of(solution: str) -> Nouns:
    """Return the words that a solution uses."""
    from tallystick import registry

    return registry.solution(solution).nouns


def fitted(terminal: Terminal, manifest: Mapping[str, Any], solution: str) -> None:
    """Show what the manifest of a bundle says of its task: figures, and what its decisions come to."""
    from tallystick.evaluation import with_policy

    report = with_policy(manifest["figures"], manifest["policy"])
    show_report(terminal, {"task": manifest["task"], **report}, nouns_of(solution))


def show_report(
    terminal: Terminal, report: Mapping[str, Any], nouns: Nouns, *, only: Collection[str] = ()
) -> None:
    """Show a report; only: names of sections, all brief ones and the outcome when empty."""
    from tallystick.evaluation import outcome_words, sections
    from tallystick.report import Table, Text

    if not only:
        terminal.say(escape(outcome_words(report, nouns)))
        terminal.say()
    for section in sections(report, nouns, brief=True):
        if only and section.name not in only:
            continue
        for block in section.blocks:
            if isinstance(block, Text) and block.brief:
                terminal.note(block.words)
            elif isinstance(block, Table) and block.brief is not None and block.rows:
                _table(terminal, block.narrow())


def _table(terminal: Terminal, table: Table) -> None:
    """Show a table, cut where it is long."""
    title = table.caption
    rows = table.rows if len(table.rows) < MOST + FEW else table.rows[:MOST]
    if len(rows) < len(table.rows):
        title += f" (the first {MOST} of {len(table.rows):,})"
    left = len(table.alignment) - len(table.alignment.lstrip("l"))
    terminal.table(title, [_lower(name) for name in table.header], rows, left=left)


def _lower(name: str) -> str:
    """Write a heading in lower case, but for acronyms.

    >>> _lower("Score from"), _lower("ROC-AUC"), _lower("F1")
    ('score from', 'ROC-AUC', 'F1')
    """
    return name[:1].lower() + name[1:] if name[1:2].islower() or name[1:2] == " " else name
