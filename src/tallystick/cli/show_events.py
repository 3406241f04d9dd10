"""What verbs show of events: figures, thresholds and what they cost, rules tried, alerts and reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tallystick.cli.terminal import Terminal, escape

if TYPE_CHECKING:
    from tallystick.jobs.analyse import Analysed
    from tallystick.jobs.features import Featured

__all__ = ["alert", "analysed", "event_figures", "featured", "rules_tried", "scenarios", "thresholds"]

MOST = 12  # lines of a list that may be long
WORDS = 18  # letters of a line of words before it is wrapped


def share(value: float | None) -> str:
    """Write a share as people read it."""
    return "–" if value is None else f"{value:.1%}"


def number(value: float | None, digits: int = 3) -> str:
    """Write a number, or a dash for none."""
    return "–" if value is None else f"{value:,.{digits}f}"


def event_figures(terminal: Terminal, report: Mapping[str, Any], title: str) -> None:
    """Show the headline figures beside what knowing nothing gives, and what nobody could beat."""
    from tallystick.models import EVENT_FIGURES

    intervals, baseline = report.get("intervals", {}), report.get("baseline", {})
    oracle = report.get("oracle") or {}
    rows = []
    for key, words in EVENT_FIGURES:
        if report.get(key) is None:
            continue
        low, high = intervals.get(key) or (None, None)
        interval = "" if low is None else f"{low:.3f} to {high:.3f}"
        row = [words, number(report[key]), interval, number(baseline.get(key)) if key in baseline else ""]
        rows.append((*row, number(oracle[key]) if key in oracle else "") if oracle else tuple(row))
    names = ("figure", "value", "95 % interval", "by chance", *(["oracle"] if oracle else []))
    terminal.say()
    terminal.table(f"{title}: {report['rows']:,} rows, {report['events']:,} events", names, rows)


def thresholds(terminal: Terminal, policy: Mapping[str, Any]) -> None:
    """Show the two thresholds and what they will lead to."""
    expected = policy.get("expected") or {}
    rows = []
    for name, does in (("review", "a person looks"), ("decline", "declined")):
        threshold = policy[name]
        per_day = expected.get("alerts_per_day" if name == "review" else "declined_per_day")
        rows.append(
            (
                does,
                policy.get(f"{name}_wanted") or "",
                "never" if threshold is None else f"from {threshold:.4f}",
                "–" if per_day is None else f"{per_day:,.1f}",
            )
        )
    terminal.table("Thresholds", ("what happens", "wanted", "probability", "a day"), rows, left=2)
    if expected.get("recall") is None:
        terminal.say("No label says yes, so nobody knows how often the alerts are right.")
    elif expected.get("precision") is not None:
        terminal.say(
            f"Of what is flagged [bold]{share(expected['precision'])}[/bold] is fraud; "
            f"[bold]{share(expected['recall'])}[/bold] of the frauds are flagged."
        )
    money = expected.get("money")
    if money and money["fraud"] > 0:
        said = "saved" if money["saved"] >= 0 else "lost"
        terminal.say(
            f"In money: {money['stopped']:,.0f} of {money['fraud']:,.0f} stopped; with the cost of looking "
            f"and of good payments declined, {said} {abs(money['saved']):,.0f}."
        )
    for note in policy.get("notes", ()):
        terminal.note(note)


def scenarios(terminal: Terminal, report: Mapping[str, Any]) -> None:
    """Show how much of each kind of event is found."""
    found = report.get("by_scenario") or []
    if found:
        rows = [
            (one["scenario"], f"{one['events']:,}", share(one["recall"]), number(one["average_precision"]))
            for one in found
        ]
        terminal.table(
            "By scenario", ("scenario", "events", "flagged", "average precision against good"), rows
        )


def rules_tried(terminal: Terminal, tried: Sequence[Mapping[str, Any]]) -> None:
    """Show what each rule would have done on the past, alone and beside the model."""
    rows = [
        (
            str(one["rule"]),
            f"{one['hits']:,}",
            f"{one['frauds']:,}",
            share(one["precision"]),
            share(one["recall"]),
            f"{one['adds_hits']:,}",
            f"{one['adds_frauds']:,}",
        )
        for one in tried
    ]
    names = ("rule", "hits", "frauds", "precision", "recall", "adds hits", "adds frauds")
    terminal.table("Rules on the past, and what each adds to the model", names, rows)


def alert(terminal: Terminal, row: Mapping[str, Any]) -> None:
    """Show one alert as an investigator would want it."""
    when = f"{row['event_time']:%Y-%m-%d %H:%M}" if row.get("event_time") else ""
    terminal.say(
        f"[bold]{escape(row['action'])}[/bold]  {row['score']:.1%}  "
        f"[dim]{escape(str(row['id']))}  {when}[/dim]"
    )
    for reason in row["reasons"] or ():
        terminal.say(f"  {escape(reason['words'])}")
    terminal.say()


def featured(terminal: Terminal, result: Featured) -> None:
    """Show what was written."""
    from tallystick.cli.show import account

    account(terminal, result.intake)
    terminal.say(
        f"{len(result.features):,} features of {result.rows:,} rows are in "
        f"[bold]{escape(str(result.output))}[/bold]; windows {result.fingerprint[:12]}."
    )


def analysed(terminal: Terminal, result: Analysed) -> None:
    """Show each analysis as a table, cut where it is long."""
    from tallystick.cli.show import account

    account(terminal, result.intake)
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
            terminal.note(f"Not shown here for want of room: {', '.join(names[shown:])}.")
    lacking: dict[str, list[str]] = {}
    for name, missing in result.left_out.items():
        lacking.setdefault(", ".join(missing), []).append(name)
    for columns, names in lacking.items():
        terminal.note(f"Left out, for there is no {columns}: {', '.join(names)}.")
    if result.output:
        terminal.say(f"The tables are in [bold]{escape(str(result.output))}[/bold].")
    if result.page:
        terminal.say(f"The report is in [bold]{escape(str(result.page))}[/bold]; open it in a browser.")


def _fitting(names: Sequence[str], rows: Sequence[Sequence[str]], left: int, width: int) -> int:
    """Say how many columns fit side by side; the first `left` are words, which may be wrapped."""
    used = 0
    for i, name in enumerate(names):
        need = max(len(name), *(len(row[i]) for row in rows))
        used += (min(need, WORDS) if i < left else need) + 2
        if used - 2 > width and i >= max(left, 1):
            return i
    return len(names)
