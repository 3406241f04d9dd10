"""The summary of a stream that has ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tallystick.cli.live_format import milliseconds, printable, span
from tallystick.cli.show_account import tally
from tallystick.cli.terminal import Terminal, escape

if TYPE_CHECKING:
    from tallystick.streams.stats_snapshot import Alert, StreamSnapshot

__all__ = ["streamed"]

NEWEST = 3  # alerts that are shown as examples


def streamed(
    terminal: Terminal, seen: StreamSnapshot, *, sinks: Sequence[str] = (), page: str | None = None
) -> None:
    """Show what came of a stream: the account, how quick it was, what was decided, the newest alerts.

    sinks: where the decisions are, without secrets; page: the file of the charts.
    """
    records = seen.events + seen.bad + seen.duplicates
    if not records:
        terminal.say(f"No record came in {span(seen.elapsed)}.")
        _notes(terminal, seen)
        return
    terminal.say(
        f"{records:,} records in = [bold]{seen.events:,}[/bold] scored + {seen.bad:,} in quarantine + "
        f"{seen.duplicates:,} duplicate"
    )
    late = f"; {seen.late:,} came late and were scored as well" if seen.late else ""
    terminal.say(
        f"In {span(seen.elapsed)}, while records came [bold]{seen.rate:,.0f}[/bold] events a second{late}."
    )
    _notes(terminal, seen)
    terminal.say()
    if seen.latency.count:
        took = seen.latency
        shares = (("half", took.p50), ("90 %", took.p90), ("99 %", took.p99), ("99.9 %", took.p999))
        rows = [(f"{name} within", milliseconds(value)) for name, value in shares]
        rows.append(("the longest", milliseconds(took.longest)))
        terminal.table("From arrival to committed decision", ("", "latency"), rows)
    for task, actions in seen.actions.items():
        tally(terminal, f"{task}: action", Counter(actions))
        labels = seen.labels.get(task, {})
        if not set(labels) <= {"yes", "no", "(none)"}:
            tally(terminal, f"{task}: decided", Counter(labels))
    if seen.departments:
        tally(terminal, "Department", Counter(seen.departments))
    _alerts(terminal, seen)
    for channel, states in seen.notices.items():
        words = ", ".join(f"{count:,} {state}" for state, count in states.items() if count)
        if words:
            terminal.say(f"Notices by {escape(channel)}: {words}.")
    for sink in sinks:
        terminal.say(f"The decisions are in [bold]{escape(sink)}[/bold].")
    if page:
        terminal.say(f"The charts are in [bold]{escape(page)}[/bold]; open it in a browser.")


def _alerts(terminal: Terminal, seen: StreamSnapshot) -> None:
    if not seen.alerted:
        terminal.say("No decision needs a person.")
        return
    newest = list(reversed(seen.alerts))[:NEWEST]
    which = f", the newest {len(newest)}" if seen.alerted > len(newest) else ""
    terminal.say(f"[bold]{seen.alerted:,}[/bold] {'alert' if seen.alerted == 1 else 'alerts'}{which}:")
    for alert in newest:
        _alert(terminal, alert)
    terminal.say()


def _alert(terminal: Terminal, alert: Alert) -> None:
    score = "" if alert.score is None else f"  {alert.score:.1%}"
    terminal.say(
        f"  [bold]{escape(alert.action)}[/bold]{score}  [dim]{escape(printable(alert.id))}  "
        f"{milliseconds(alert.latency)}[/dim]"
    )
    named = None if alert.label in ("yes", "no") else alert.label
    for words in alert.reasons or [word for word in (named, alert.department) if word]:
        terminal.say(f"    {escape(printable(words))}")


def _notes(terminal: Terminal, seen: StreamSnapshot) -> None:
    for note in seen.notes:
        terminal.note(printable(note.words) + (f" ({note.times:,} times)" if note.times > 1 else ""))
