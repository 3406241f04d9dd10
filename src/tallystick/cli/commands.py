"""The verbs of the command line. Each asks one job; heavy imports wait until then."""

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
    help="Records into decisions: complaints classified and routed, payments scored, each with reasons.",
    epilog="Start with: tallystick demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich help costs more time than all else that --help does
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _option(name: str, metavar: str, words: str) -> Any:
    return typer.Option(name, metavar=metavar, help=words, show_default=False)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tallystick {tallystick.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Records into decisions: complaints classified and routed, payments scored, each with reasons."""


@verb(app, kernels=True)
def demo(
    terminal: Terminal,
    options: dict[str, Any],
    solution: SolutionName = "complaints",
    input: Annotated[str | None, _option("--input", "PATH", "Your own records, not simulated ones.")] = None,
    dir: Annotated[str, typer.Option("--dir", metavar="DIR", help="Where all goes.")] = "tallystick-demo",
) -> Shown:
    """Do the main job from start to report."""
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
    rows: Annotated[int, _option("--rows", "N", "How many records.")],
    output: Annotated[str, _option("--output", "PATH", "The file to write.")],
    seed: Annotated[int | None, _option("--seed", "S", "The same seed, the same records.")] = None,
    preset: Annotated[str, typer.Option("--preset", metavar="P", help="Which kind of records.")] = "default",
) -> Shown:
    """Write records like a bank's own that are nobody's."""
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
    output: Annotated[str | None, _option("--output", "CLEAN", "Write the clean rows here.")] = None,
) -> Shown:
    """Check records: what is clean, what is not, and why."""
    from tallystick.cli import show
    from tallystick.jobs.validate import validate as job

    result = job(solution, source, output=output, **options)
    return result, partial(show.validated, terminal, result, solution, source)


@verb(app, reading=True, kernels=True)
def features(
    terminal: Terminal,
    options: dict[str, Any],
    solution: SolutionName,
    source: Input,
    output: Annotated[str, _option("--output", "PATH", "The file to write.")],
    windows: WindowsFile = None,
    history: History = None,
    labels: Labels = None,
) -> Shown:
    """Write behaviour in windows, as it was known at the time of each row."""
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
        typer.Argument(metavar="[ANALYSIS]...", help="Which ones; all without a name.", show_default=False),
    ] = None,
    output: Annotated[str | None, _option("--output", "PATH", "A folder for the tables.")] = None,
    labels: Labels = None,
    report: ReportFile = None,
) -> Shown:
    """Look into records: tables and figures of what happened."""
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
    learner: Annotated[
        str | None, _option("--learner", "L", "How to learn; the task's own by default.")
    ] = None,
    learner_set: Annotated[
        list[str] | None,
        _option("--learner-set", "NAME=VALUE", "Tell the learner something; may be given again."),
    ] = None,
    features: Annotated[str | None, _option("--features", "A,B", "Columns to learn from.")] = None,
    windows: WindowsFile = None,
    history: History = None,
    labels: Labels = None,
    from_: From = None,
    until: Until = None,
) -> Shown:
    """Learn from labelled records, and keep a bundle."""
    from tallystick.cli import show
    from tallystick.jobs.train import train as job

    names = [name.strip() for name in (features or "").split(",") if name.strip()]
    result = job(
        solution, source, model=model, task=task or (), learner=learner,
        learner_set=pairs(learner_set, "--learner-set"), features=names,
        windows=windows, history=history, labels=labels, from_=from_, until=until, **options,
    )  # fmt: skip
    return result, partial(show.trained, terminal, result, solution, source, model)


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
            "Fit anew on parts: random, stratified, grouped, time; for fraud also handbook, prequential.",
        ),
    ] = None,
    rules: RulesFile = None,
    history: History = None,
    labels: Labels = None,
    from_: From = None,
    until: Until = None,
    report: ReportFile = None,
) -> Shown:
    """Measure a model on rows it was not learned from."""
    from tallystick.cli import show
    from tallystick.jobs.evaluate import evaluate as job

    result = job(
        solution, source, model=model, task=task or (), split=split, rules=rules,
        history=history, labels=labels, from_=from_, until=until, report=report, **options,
    )  # fmt: skip
    return result, partial(show.evaluated, terminal, result, solution, source, model)


@verb(app, reading=True, kernels=True)
def score(
    terminal: Terminal,
    options: dict[str, Any],
    solution: SolutionName,
    source: Input,
    model: ModelFolder,
    output: Annotated[str, _option("--output", "PATH", "The decisions.")],
    task: TaskNames = None,
    rules: RulesFile = None,
    history: History = None,
    labels: Labels = None,
    all_scores: Annotated[
        bool, typer.Option("--all-scores", help="Also the probability of every class.")
    ] = False,
    reasons: Annotated[bool, typer.Option("--reasons/--no-reasons", help="What moved each.")] = True,
) -> Shown:
    """Decide every record: label, action, route, reasons."""
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
    source: Annotated[str, _option("--source", "URI", "A growing file or folder, -, kafka://, a table.")],
    sink: Annotated[
        list[str],
        _option("--sink", "URI", "Where decisions go: .jsonl, .csv, folder/, kafka://, a table, https://."),
    ],
    model: ModelFolder,
    state: Annotated[
        str | None, _option("--state", "URI", "Where the log is kept; state.db in the model folder.")
    ] = None,
    task: TaskNames = None,
    rules: RulesFile = None,
    history: History = None,
    labels: Annotated[str | None, _option("--labels", "URI", "Labels as a stream of their own.")] = None,
    rate: Annotated[
        float | None, _option("--rate", "N", "Replay the source at this many records a second.")
    ] = None,
    max_events: Annotated[int | None, _option("--max-events", "N", "End after this many records.")] = None,
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="End when all that is there has been decided.")
    ] = False,
    forget_sink: Annotated[
        list[str] | None, _option("--forget-sink", "NAME", "Keep nothing more for a sink that is gone.")
    ] = None,
    shadow: Annotated[
        str | None, _option("--shadow", "DIR", "A second model that decides beside, unheard.")
    ] = None,
    notify: Annotated[str | None, _option("--notify", "FILE", "Who is told of what, and how.")] = None,
    aggregates: Annotated[
        str | None, _option("--aggregates", "FILE", "What is added up over windows of the stream.")
    ] = None,
    aggregates_sink: Annotated[
        str | None, _option("--aggregates-sink", "URI", "Where the rows of --aggregates go.")
    ] = None,
    metrics: Annotated[
        str | None, _option("--metrics", "[HOST:]PORT", "Serve Prometheus metrics; 0 takes a free port.")
    ] = None,
    report: Annotated[str | None, _option("--report", "FILE.html", "Charts of the run, at its end.")] = None,
    all_scores: Annotated[
        bool, typer.Option("--all-scores", help="Also the probability of every class.")
    ] = False,
    reasons: Annotated[bool, typer.Option("--reasons/--no-reasons", help="What moved each.")] = True,
) -> Shown:
    """Decide records while they arrive, each once; a killed stream goes on where it was."""
    from tallystick.streams.memory import few_heaps

    few_heaps()  # before what is imported starts threads

    from tallystick.cli import show_stream
    from tallystick.cli.live import Live
    from tallystick.jobs.stream import stream as job

    if terminal.as_json and "-" in sink:
        raise UsageError("--json and --sink - both want standard output.", "Name a file for one of them.")
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
    """Show every setting and where its value came from."""
    from tallystick.cli import show
    from tallystick.jobs.settings import settings as job

    result = job(config=config, set=pairs(set_, "--set"))
    terminal = Terminal(as_json=json_, quiet=quiet)
    terminal.result(result.to_dict())
    show.configured(terminal, result)
