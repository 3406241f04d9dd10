"""Commands of the command line; each calls one job and imports it only then."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import typer

import tallystick
from tallystick.cli.options import (
    Config,
    From,
    History,
    Input,
    Json,
    Labels,
    ModelFolder,
    Quiet,
    ReportFile,
    RulesFile,
    Set,
    SolutionName,
    TaskNames,
    Until,
    WindowsFile,
    pairs,
)
from tallystick.cli.terminal import Terminal
from tallystick.cli.verbs import Result, verb
from tallystick.errors import UsageError

__all__ = ["app"]

Shown = tuple[Result, Callable[[], None]]

app = typer.Typer(
    name="tallystick",
    help="Turn banking records into decisions, each with its reasons.",
    epilog="Start with: tallystick demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich help costs more time than all else that --help does
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _option(name: str, metavar: str, help_text: str) -> Any:
    return typer.Option(name, metavar=metavar, help=help_text, show_default=False)


def _version(show: bool) -> None:
    if show:
        typer.echo(f"tallystick {tallystick.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Turn banking records into decisions, each with its reasons."""


@verb(app, kernels=True)
def demo(
    terminal: Terminal,
    options: dict[str, Any],
    solution: SolutionName = "complaints",
    input: Annotated[
        str | None, _option("--input", "PATH", "Use these records; synthetic ones by default.")
    ] = None,
    dir: Annotated[str, typer.Option("--dir", metavar="DIR", help="Output folder.")] = "tallystick-demo",
) -> Shown:
    """Run a solution from end to end: generate, validate, train, score, report."""
    from tallystick.cli import show
    from tallystick.cli.live import Live
    from tallystick.jobs.demo import demo as job

    result = job(solution, input=input, dir=dir, show=partial(Live, terminal), **options)
    return result, partial(show.demonstrated, terminal, result)


@verb(app)
def simulate(
    terminal: Terminal,
    options: dict[str, Any],
    solution: SolutionName,
    rows: Annotated[int, _option("--rows", "N", "Number of records.")],
    output: Annotated[str, _option("--output", "PATH", "Output file.")],
    seed: Annotated[
        int | None, _option("--seed", "S", "Random seed; the same seed gives the same records.")
    ] = None,
    preset: Annotated[
        str, typer.Option("--preset", metavar="P", help="Named set of generator parameters.")
    ] = "default",
) -> Shown:
    """Generate synthetic records."""
    from tallystick.cli import show
    from tallystick.jobs.simulate import simulate as job

    result = job(solution, rows=rows, output=output, seed=seed, preset=preset, **options)
    return result, partial(show.simulated, terminal, result, solution)


@verb(app, reading=True)
def validate(
    terminal: Terminal,
    options: dict[str, Any],
    solution: SolutionName,
    source: Input,
    output: Annotated[str | None, _option("--output", "CLEAN", "Output file for the clean rows.")] = None,
) -> Shown:
    """Check records against the contract and report every violation."""
    from tallystick.cli import show
    from tallystick.jobs.validate import validate as job

    result = job(solution, source, output=output, **options)
    return result, partial(show.validated, terminal, result, solution, source, options)


@verb(app, reading=True, kernels=True)
def features(
    terminal: Terminal,
    options: dict[str, Any],
    solution: SolutionName,
    source: Input,
    output: Annotated[str, _option("--output", "PATH", "Output file.")],
    windows: WindowsFile = None,
    history: History = None,
    labels: Labels = None,
) -> Shown:
    """Compute window features, each as known at the time of its row."""
    from tallystick.cli import show_analyses
    from tallystick.jobs.features import features as job

    result = job(solution, source, output=output, windows=windows, history=history, labels=labels, **options)
    return result, partial(show_analyses.featured, terminal, result)


@verb(app, reading=True, kernels=True)
def analyse(
    terminal: Terminal,
    options: dict[str, Any],
    solution: SolutionName,
    source: Input,
    analysis: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ANALYSIS]...", help="Analyses to run; all by default.", show_default=False),
    ] = None,
    output: Annotated[str | None, _option("--output", "PATH", "Output folder for the tables.")] = None,
    labels: Labels = None,
    report: ReportFile = None,
) -> Shown:
    """Run exploratory analyses: tables and charts."""
    from tallystick.cli import show_analyses
    from tallystick.jobs.analyse import analyse as job

    result = job(solution, source, analysis or (), output=output, labels=labels, report=report, **options)
    return result, partial(show_analyses.analysed, terminal, result)


@verb(app, reading=True, kernels=True)
def train(
    terminal: Terminal,
    options: dict[str, Any],
    solution: SolutionName,
    source: Input,
    model: ModelFolder,
    task: TaskNames = None,
    learner: Annotated[str | None, _option("--learner", "L", "Learner; each task has a default.")] = None,
    learner_set: Annotated[
        list[str] | None,
        _option("--learner-set", "NAME=VALUE", "Set a hyperparameter; repeatable."),
    ] = None,
    features: Annotated[str | None, _option("--features", "A,B", "Feature columns; all by default.")] = None,
    windows: WindowsFile = None,
    history: History = None,
    labels: Labels = None,
    from_: From = None,
    until: Until = None,
) -> Shown:
    """Train models on labelled records and save them as a bundle."""
    from tallystick.cli import show
    from tallystick.jobs.train import train as job

    names = [name.strip() for name in (features or "").split(",") if name.strip()]
    result = job(
        solution, source, model=model, task=task or (), learner=learner,
        learner_set=pairs(learner_set, "--learner-set"), features=names,
        windows=windows, history=history, labels=labels, from_=from_, until=until, **options,
    )  # fmt: skip
    kept = options | {"labels": labels, "history": history}
    return result, partial(show.trained, terminal, result, solution, source, model, kept)


@verb(app, reading=True, kernels=True)
def evaluate(
    terminal: Terminal,
    options: dict[str, Any],
    solution: SolutionName,
    source: Input,
    model: ModelFolder,
    task: TaskNames = None,
    split: Annotated[
        str | None,
        _option(
            "--split",
            "S",
            "Refit on each fold of a split: random, stratified, grouped, time, or one of the solution's own.",
        ),
    ] = None,
    rules: RulesFile = None,
    history: History = None,
    labels: Labels = None,
    from_: From = None,
    until: Until = None,
    report: ReportFile = None,
) -> Shown:
    """Evaluate a model on records that it was not trained on."""
    from tallystick.cli import show
    from tallystick.jobs.evaluate import evaluate as job

    result = job(
        solution, source, model=model, task=task or (), split=split, rules=rules,
        history=history, labels=labels, from_=from_, until=until, report=report, **options,
    )  # fmt: skip
    kept = options | {"labels": labels, "history": history}
    return result, partial(show.evaluated, terminal, result, solution, source, model, kept)


@verb(app, reading=True, kernels=True)
def score(
    terminal: Terminal,
    options: dict[str, Any],
    solution: SolutionName,
    source: Input,
    model: ModelFolder,
    output: Annotated[str, _option("--output", "PATH", "Output file for the decisions.")],
    task: TaskNames = None,
    rules: RulesFile = None,
    history: History = None,
    labels: Labels = None,
    all_scores: Annotated[
        bool, typer.Option("--all-scores", help="Include the probability of every class.")
    ] = False,
    reasons: Annotated[
        bool, typer.Option("--reasons/--no-reasons", help="Include the reasons of each decision.")
    ] = True,
) -> Shown:
    """Score records with a trained model: label, action, route, reasons."""
    from tallystick.cli import show
    from tallystick.jobs.score import score as job

    result = job(
        solution, source, model=model, output=output, task=task or (), rules=rules,
        history=history, labels=labels, all_scores=all_scores, reasons=reasons, **options,
    )  # fmt: skip
    return result, partial(show.scored, terminal, result)


@verb(app, reading=True, kernels=True)
def stream(
    terminal: Terminal,
    options: dict[str, Any],
    solution: SolutionName,
    source: Annotated[
        str, _option("--source", "URI", "Input: a growing file or folder, -, kafka://, a database table.")
    ],
    sink: Annotated[
        list[str],
        _option(
            "--sink",
            "URI",
            "Output of decisions: .jsonl, .csv, folder/, kafka://, a database table, https://; repeatable.",
        ),
    ],
    model: ModelFolder,
    state: Annotated[
        str | None,
        _option(
            "--state",
            "URI",
            "Database of the stream's log and state; state.db in the model folder by default.",
        ),
    ] = None,
    task: TaskNames = None,
    rules: RulesFile = None,
    history: History = None,
    labels: Annotated[str | None, _option("--labels", "URI", "Labels as a second stream.")] = None,
    rate: Annotated[
        float | None, _option("--rate", "N", "Replay the source at N records per second.")
    ] = None,
    max_events: Annotated[int | None, _option("--max-events", "N", "Stop after N records.")] = None,
    until_idle: Annotated[bool, typer.Option("--until-idle", help="Stop when no input is left.")] = False,
    forget_sink: Annotated[
        list[str] | None,
        _option("--forget-sink", "NAME", "Discard the position of a sink that is no longer used."),
    ] = None,
    shadow: Annotated[
        str | None, _option("--shadow", "DIR", "Shadow model: scored and stored, never delivered.")
    ] = None,
    notify: Annotated[str | None, _option("--notify", "FILE", "Notification rules (YAML).")] = None,
    aggregates: Annotated[
        str | None,
        _option("--aggregates", "FILE", "Definitions of aggregates over windows of the stream (YAML)."),
    ] = None,
    aggregates_sink: Annotated[
        str | None, _option("--aggregates-sink", "URI", "Output of the aggregates' rows.")
    ] = None,
    metrics: Annotated[
        str | None, _option("--metrics", "[HOST:]PORT", "Serve Prometheus metrics; 0 picks a free port.")
    ] = None,
    report: Annotated[
        str | None, _option("--report", "FILE.html", "Write a report page when the stream ends.")
    ] = None,
    all_scores: Annotated[
        bool, typer.Option("--all-scores", help="Include the probability of every class.")
    ] = False,
    reasons: Annotated[
        bool, typer.Option("--reasons/--no-reasons", help="Include the reasons of each decision.")
    ] = True,
) -> Shown:
    """Score records as they arrive, each exactly once, and resume after a crash."""
    from tallystick.streams.memory import limit_heaps

    limit_heaps()  # before what is imported starts threads

    from tallystick.cli import show_stream
    from tallystick.cli.live import Live
    from tallystick.jobs.stream import stream as job

    if terminal.as_json and "-" in sink:
        raise UsageError("--json and --sink - both write to standard output.", "Name a file for one of them.")
    result = job(
        solution, source=source, sink=sink, model=model, state=state, task=task or (), rules=rules,
        history=history, labels=labels, rate=rate, max_events=max_events, until_idle=until_idle,
        forget_sink=forget_sink or (), shadow=shadow, notify=notify, aggregates=aggregates,
        aggregates_sink=aggregates_sink, metrics=metrics, report=report, all_scores=all_scores,
        reasons=reasons, show=partial(Live, terminal),
        say=terminal.note, **options,
    )  # fmt: skip
    page = None if result.report is None else str(result.report)
    return result, partial(show_stream.streamed, terminal, result.figures, sinks=result.sinks, page=page)


@app.command()
def config(set_: Set = None, config: Config = None, quiet: Quiet = False, json_: Json = False) -> None:
    """Show all settings and the source of each value."""
    from tallystick.cli import show
    from tallystick.jobs.settings import settings as job

    result = job(config=config, set=pairs(set_, "--set"))
    terminal = Terminal(as_json=json_, quiet=quiet)
    terminal.result(result.to_dict())
    show.configured(terminal, result)
