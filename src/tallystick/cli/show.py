"""What each verb shows of its result."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING, Any

from tallystick.cli import show_events
from tallystick.cli.show_events import share
from tallystick.cli.terminal import Terminal, escape

if TYPE_CHECKING:
    from tallystick.contracts import Report
    from tallystick.jobs.demo import Demonstrated
    from tallystick.jobs.evaluate import Evaluated
    from tallystick.jobs.score import Scores
    from tallystick.jobs.settings import Configured
    from tallystick.jobs.simulate import Simulated
    from tallystick.jobs.train import Trained
    from tallystick.jobs.validate import Validated

__all__ = ["configured", "demonstrated", "evaluated", "scored", "simulated", "trained", "validated"]

MOST = 12  # lines of a list that may be long


def command(*parts: str) -> str:
    """Write a command as one would type it."""
    return " ".join(part if part.isupper() else shlex.quote(part) for part in ("tallystick", *parts))


def account(terminal: Terminal, report: Report) -> None:
    """Show that every record is accounted for, and what is wrong with the bad ones."""
    from tallystick.contracts import REASONS

    terminal.say(
        f"{report.rows_in:,} rows in = [bold]{report.rows_clean:,}[/bold] clean + "
        f"{report.rows_quarantined:,} in quarantine + {report.rows_duplicate:,} duplicate"
    )
    if report.rows_quarantined:
        rows = [
            (code, f"{count:,}", REASONS[code])
            for code, count in sorted(report.reasons.items(), key=lambda item: (-item[1], item[0]))
        ]
        terminal.say()
        terminal.table("In quarantine", ("reason", "rows", "which means"), rows, left=3)
    if report.ignored:
        names = ", ".join(report.ignored[:MOST]) + (", …" if len(report.ignored) > MOST else "")
        terminal.note(f"Columns that are not used: {names}")
    for note in report.notes:
        terminal.note(note)


def validated(terminal: Terminal, result: Validated, solution: str, source: str) -> None:
    """Show what the contract says."""
    account(terminal, result.intake)
    if result.output:
        terminal.say(f"Clean rows are in [bold]{escape(str(result.output))}[/bold].")
    terminal.say()
    terminal.next_steps(command("train", solution, str(result.output or source), "--model", "model"))


def simulated(terminal: Terminal, result: Simulated, solution: str) -> None:
    """Show what was written."""
    terminal.say(
        f"{result.rows:,} records are in [bold]{escape(str(result.output))}[/bold], seed {result.seed}."
    )
    for note in result.notes:
        terminal.say(note)
    terminal.say()
    terminal.next_steps(command("train", solution, str(result.output), "--model", "model"))


def trained(terminal: Terminal, result: Trained, solution: str, source: str, model: str) -> None:
    """Show what was learned, and how good it is on rows that were not learned from."""
    account(terminal, result.intake)
    for task in result.tasks:
        training = task.manifest["training"]
        span = f", {training['from'][:10]} to {training['until'][:10]}" if training["from"] else ""
        left_out = ", ".join(f"{count:,} {why}" for why, count in training["left_out"].items() if count)
        terminal.say()
        terminal.say(f"[bold]{solution}: {task.task}[/bold] is in [bold]{escape(str(task.folder))}[/bold]")
        terminal.say(
            f"Learned by {task.manifest['learner']['title']} from {training['rows']:,} rows{span}"
            + (f"; left out: {left_out}." if left_out else ".")
        )
        outcome(
            terminal,
            task.manifest["figures"],
            task.manifest["policy"],
            "Each row scored by a model that did not see it",
        )
    terminal.say()
    terminal.next_steps(
        command("evaluate", solution, source, "--model", model, "--report", "report.html"),
        command("score", solution, source, "--model", model, "--output", "decisions.csv"),
    )


def outcome(terminal: Terminal, report: dict[str, Any], policy: dict[str, Any], title: str) -> None:
    """Show how good a task is, and what its decisions come to."""
    if "events" not in report:
        figures(terminal, report, title)
        automation(terminal, policy)
        return
    show_events.event_figures(terminal, report, title)
    show_events.thresholds(terminal, policy)


def figures(terminal: Terminal, report: dict[str, Any], title: str) -> None:
    """Show the headline figures with their intervals."""
    from tallystick.models import FIGURES

    intervals = report.get("intervals", {})
    rows = []
    for key, words in FIGURES:
        value = report.get(key)
        low, high = intervals.get(key) or (None, None)
        shown = "–" if value is None else f"{value:.3f}"
        rows.append((words, shown, "" if low is None else f"{low:.3f} to {high:.3f}"))
    terminal.say()
    terminal.table(title, ("figure", "value", "95 % interval"), rows)


def automation(terminal: Terminal, policy: dict[str, Any]) -> None:
    """Show what is decided without a person."""
    if policy["threshold"] is None:
        terminal.say("No decision is sure enough to be taken without a person.")
        return
    terminal.say(
        f"Decided without a person: [bold]{share(policy['automation'])}[/bold], "
        f"of these right [bold]{share(policy['accuracy'])}[/bold] (score from {policy['threshold']:.3f})."
    )


def evaluated(terminal: Terminal, result: Evaluated, solution: str, source: str, model: str) -> None:
    """Show how good the model is."""
    account(terminal, result.intake)
    for task, report in result.reports.items():
        how = "; ".join(f"{name}: {value}" for name, value in report["split"].items())
        terminal.say()
        terminal.say(f"[bold]{solution}: {task}[/bold], {report['rows']:,} rows. {escape(how)}.")
        measured(terminal, report)
    if result.page:
        terminal.say()
        terminal.say(f"The report is in [bold]{escape(str(result.page))}[/bold]; open it in a browser.")
    terminal.say()
    terminal.next_steps(command("score", solution, source, "--model", model, "--output", "decisions.csv"))


def measured(terminal: Terminal, report: dict[str, Any]) -> None:
    """Show the report on one task."""
    title = "On rows that it was not learned from"
    if "events" not in report:
        figures(terminal, report, title)
        classes(terminal, report)
        automation(terminal, report["threshold"])
        return
    show_events.event_figures(terminal, report, title)
    show_events.scenarios(terminal, report)
    if report.get("rules"):
        show_events.rules_tried(terminal, report["rules"])
    chosen = report["thresholds"]
    policy = {
        **{name: chosen[name]["threshold"] for name in ("review", "decline")},
        **{f"{name}_wanted": chosen[name]["wanted"] for name in ("review", "decline")},
    }
    show_events.thresholds(terminal, policy | {"expected": chosen["together"], "notes": chosen["notes"]})


def classes(terminal: Terminal, report: dict[str, Any]) -> None:
    """Show each class, the most frequent first."""
    rows = sorted(report["per_class"], key=lambda row: -row["support"])
    shown = [
        (row["class"], f"{row['support']:,}", *(share(row[k]) for k in ("precision", "recall", "f1")))
        for row in rows[:MOST]
    ]
    title = "Classes" if len(rows) <= MOST else f"The {MOST} most frequent of {len(rows)} classes"
    terminal.table(title, ("class", "rows", "precision", "recall", "F1"), shown)


def scored(terminal: Terminal, result: Scores) -> None:
    """Show what was decided."""
    account(terminal, result.intake)
    terminal.say()
    titles = {"labels": "Decided", "actions": "Action", "departments": "Department", "priorities": "Priority"}
    for name, counts in result.counts.items():
        tally(terminal, titles[name], counts)
    terminal.say(f"{result.decisions:,} decisions are in [bold]{escape(str(result.output))}[/bold].")


def tally(terminal: Terminal, title: str, counts: Counter[str]) -> None:
    """Show counts, the largest first."""
    total = sum(counts.values())
    rows = [(name, f"{count:,}", share(count / total)) for name, count in counts.most_common(MOST)]
    rest = total - sum(count for _, count in counts.most_common(MOST))
    if rest:
        rows.append(("others", f"{rest:,}", share(rest / total)))
    terminal.table(title, ("", "rows", "share"), rows)


def demonstrated(terminal: Terminal, result: Demonstrated) -> None:
    """Show the whole way in short, with three decisions to look at."""
    what = "simulated records" if result.simulated else "your records"
    account(terminal, result.trained.intake)
    for task in result.trained.tasks:
        title = f"{task.task}, on {what} that the model did not see"
        outcome(terminal, task.manifest["figures"], task.manifest["policy"], title)
        terminal.say()
    for report in result.evaluated.reports.values():
        if report.get("rules"):
            show_events.rules_tried(terminal, report["rules"])
    for name, title in (("labels", "Decided"), ("actions", "Action"), ("departments", "Department")):
        if name in result.scored.counts:
            tally(terminal, title, result.scored.counts[name])
    for example in result.examples:
        decision(terminal, example) if "looked_at" in example else show_events.alert(terminal, example)
    if result.streamed is not None:
        from tallystick.cli.show_stream import streamed

        terminal.say("[bold]What came later, decided as it came[/bold]")
        streamed(terminal, result.streamed.figures)
        terminal.say()
    rows = [(str(path), words) for path, words in result.files()]
    terminal.table("Files", ("", ""), rows, left=2)
    model = str(result.folder / "model")
    terminal.next_steps(
        command("demo", result.solution, "--input", "YOUR.csv"),
        command("train", result.solution, "YOUR.csv", "--model", model),
    )


def decision(terminal: Terminal, row: dict[str, Any]) -> None:
    """Show one decision as a person at a desk would want it."""
    words = ", ".join(
        f"{one['feature']} ({one['effect']:+.2f})" for one in row["reasons"] if one["effect"] is not None
    )
    text = " ".join(str(row["looked_at"]).split())
    terminal.say(f"[dim]{escape(row['id'])}[/dim]  {escape(text[:150])}{'…' if len(text) > 150 else ''}")
    terminal.say(
        f"  [bold]{escape(str(row['label']))}[/bold] {share(row['score'])}, {row['action']}"
        + (
            f", to {escape(row['route']['department'])} ({row['route']['priority']})"
            if row.get("route")
            else ""
        )
    )
    terminal.say(f"  because of {escape(words)}" if words else "  nothing to read in it")
    terminal.say()


def configured(terminal: Terminal, result: Configured) -> None:
    """Show the settings."""
    rows = [
        (one.name, "" if one.value is None else str(one.value), one.origin, one.doc)
        for one in result.settings
    ]
    terminal.table("Settings", ("name", "value", "from", "what for"), rows, left=4)
    terminal.say("Change one with --set NAME=VALUE, TALLYSTICK_NAME in the environment, or tallystick.toml.")
