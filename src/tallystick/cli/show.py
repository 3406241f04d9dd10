"""What each verb shows of its result."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tallystick.cli.show_account import account, share, tally
from tallystick.cli.show_report import fitted, nouns_of, show_report
from tallystick.cli.terminal import Terminal, escape

if TYPE_CHECKING:
    from tallystick.jobs.demo import Demonstrated
    from tallystick.jobs.evaluate import Evaluated
    from tallystick.jobs.score import Scores
    from tallystick.jobs.settings import Configured
    from tallystick.jobs.simulate import Simulated
    from tallystick.jobs.train import Trained
    from tallystick.jobs.validate import Validated

__all__ = ["configured", "demonstrated", "evaluated", "scored", "simulated", "trained", "validated"]


#: Options that say how an input is read: whatever reads the same one needs them as well.
WRITTEN = (
    "header",
    "quote",
    "escape",
    "encoding",
    "decimal",
    "date_order",
    "epoch",
    "step",
)  # how values are written
SAME_INPUT = ("map", "table", "labels", "history", "set", "config")
#: Stands for a file that only the user can name.
NEW = "NEW.csv"


def command(*parts: str) -> str:
    """Write a command as one would type it, each part in the quotes that a shell needs."""
    return shlex.join(("tallystick", *parts))


def carried(options: Mapping[str, Any], *names: str) -> list[str]:
    """Write the options of a command that the next one needs too, in the order of their names here.

    >>> carried({"map": {"Card No.": "customer_id"}, "labels": None}, "map", "labels")
    ['--map', 'Card No.=customer_id']
    """
    parts: list[str] = []
    for name in names:
        value = options.get(name)
        if isinstance(value, Mapping):
            value = [f"{key}={one}" for key, one in value.items()]
        for one in [value] if isinstance(value, str) else value or ():
            parts += [f"--{name}", str(one)]
    return parts


def validated(
    terminal: Terminal, result: Validated, solution: str, source: str, options: Mapping[str, Any]
) -> None:
    """Show what the contract says."""
    account(terminal, result.input_report)
    if result.output:
        terminal.say(f"Clean rows are in [bold]{escape(str(result.output))}[/bold].")
    terminal.say()
    if result.output:  # clean rows have our names, and are written in our way
        own = {name: value for name, value in (options.get("set") or {}).items() if name not in WRITTEN}
        options = {"set": own, "config": options.get("config")}
    kept = carried(options, *SAME_INPUT)
    terminal.next_steps(command("train", solution, str(result.output or source), *kept, "--model", "model"))


def simulated(terminal: Terminal, result: Simulated, solution: str) -> None:
    """Show what was written."""
    terminal.say(
        f"{result.rows:,} records are in [bold]{escape(str(result.output))}[/bold], seed {result.seed}."
    )
    for note in result.notes:
        terminal.say(note)
    terminal.say()
    terminal.next_steps(command("train", solution, str(result.output), "--model", "model"))


def trained(
    terminal: Terminal, result: Trained, solution: str, source: str, model: str, options: Mapping[str, Any]
) -> None:
    """Show what was learned, and how good it is on rows that were not learned from."""
    from tallystick.evaluation.binary_words import cold_words

    account(terminal, result.input_report)
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
        cold = cold_words(training)
        if cold:
            terminal.say(f"{cold[0].upper()}{cold[1:]} (--history, a longer input, or shorter --windows).")
        terminal.say("Each row scored by a model that did not see it:")
        fitted(terminal, task.manifest, solution)
    terminal.say()
    kept = carried(options, *SAME_INPUT)
    terminal.next_steps(
        command("evaluate", solution, source, *kept, "--model", model, "--report", "report.html"),
        _score_new(solution, source, model, options),
    )


def _score_new(solution: str, source: str, model: str, options: Mapping[str, Any]) -> str:
    """Propose to score rows that the model was not trained on, which only the user can name.

    Where windows look back, what it was trained on came before them.
    """
    from tallystick import registry

    looks_back = registry.solution(solution).windows is not None and source != "-"
    kept = carried(options, "map", "table", *(("labels",) if looks_back else ()), "set", "config")
    before = ("--history", source) if looks_back else ()
    return command("score", solution, NEW, *kept, *before, "--model", model, "--output", "decisions.csv")


def evaluated(
    terminal: Terminal, result: Evaluated, solution: str, source: str, model: str, options: Mapping[str, Any]
) -> None:
    """Show how good the model is."""
    account(terminal, result.input_report)
    for task, report in result.reports.items():
        how = "; ".join(f"{name}: {value}" for name, value in report["split"].items())
        terminal.say()
        terminal.say(f"[bold]{solution}: {task}[/bold], {report['rows']:,} rows. {escape(how)}.")
        show_report(terminal, report, nouns_of(solution))
    if result.report:
        terminal.say()
        terminal.say(f"The report is in [bold]{escape(str(result.report))}[/bold]; open it in a browser.")
    terminal.say()
    terminal.next_steps(_score_new(solution, source, model, options))


def scored(terminal: Terminal, result: Scores) -> None:
    """Show what was decided."""
    account(terminal, result.input_report)
    terminal.say()
    titles = {
        "labels": "Label, decided or proposed",
        "actions": "Action",
        "departments": "Department",
        "priorities": "Priority",
    }
    for name, counts in result.counts.items():
        tally(terminal, titles[name], counts)
    if result.trained_on:
        terminal.say(
            f"{result.trained_on:,} of these rows ({share(result.trained_on_share)}) are rows that the model "
            "was trained on, or near copies of them: of these it decides more, and is right more often, than "
            "of new rows. What to expect of new ones is what evaluate says."
        )
    terminal.say(f"{result.decisions:,} decisions are in [bold]{escape(str(result.output))}[/bold].")


def demonstrated(terminal: Terminal, result: Demonstrated) -> None:
    """Show a demo in short: figures, counts, and three decisions as examples."""
    what = "simulated records" if result.simulated else "your records"
    account(terminal, result.trained.input_report)
    for task in result.trained.tasks:
        terminal.say(f"[bold]{task.task}[/bold], on {what} that the model did not see:")
        fitted(terminal, task.manifest, result.solution)
        terminal.say()
    for report in result.evaluated.reports.values():
        show_report(terminal, report, nouns_of(result.solution), only=("rules",))
    for name, title in (
        ("labels", "Label, decided or proposed"),
        ("actions", "Action"),
        ("departments", "Department"),
    ):
        if name in result.scored.counts:
            tally(terminal, title, result.scored.counts[name])
    for example in result.examples:
        decision(terminal, example) if "looked_at" in example else alert(terminal, example)
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
