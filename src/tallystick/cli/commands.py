"""The verbs of the command line. Each asks one job and shows its result; heavy imports wait until then."""

from __future__ import annotations

from typing import Annotated, Any

import typer

import tallystick
from tallystick.cli.options import (
    AsOf,
    Config,
    EngineName,
    From,
    Input,
    Json,
    Map,
    MaxQuarantine,
    ModelFolder,
    Quarantine,
    Quiet,
    ReportFile,
    Set,
    SolutionName,
    Strict,
    TaskNames,
    Until,
    pairs,
)
from tallystick.cli.terminal import Terminal, logging_to_stderr

__all__ = ["app"]

app = typer.Typer(
    name="tallystick",
    help="Records into decisions: complaints classified, routed and explained.",
    epilog="Start with: tallystick demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich help costs more time than all else that --help does
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
    """Records into decisions: complaints classified, routed and explained."""


def _options(**given: Any) -> dict[str, Any]:
    """Turn what was typed into the options of a job, and start the log."""
    from tallystick.config import load

    options = {k: v for k, v in given.items() if v is not None}
    for name in {"map", "set"} & set(options):
        options[name] = pairs(options[name], f"--{name}")
    settings, _ = load(options.get("config"), options.get("set"))
    logging_to_stderr(settings.log_level, settings.log_format)
    return options


def _ready(terminal: Terminal) -> None:
    """Compile the kernels when that has not been done, and say so: the only time that anyone waits for it."""
    from tallystick.jobs.prepare import prepare, prepared

    if not prepared():
        terminal.note("Compiling the kernels, once; this takes about half a minute …")
        prepare()


@app.command()
def demo(
    solution: SolutionName = "complaints",
    input: Annotated[
        str | None,
        typer.Option(
            "--input", metavar="PATH", help="Your own records instead of simulated ones.", show_default=False
        ),
    ] = None,
    dir: Annotated[
        str, typer.Option("--dir", metavar="DIR", help="Where everything goes.")
    ] = "tallystick-demo",
    engine: EngineName = "local",
    as_of: AsOf = None,
    set_: Set = None,
    config: Config = None,
    quiet: Quiet = False,
    json_: Json = False,
) -> None:
    """Do the main job from start to report."""
    from tallystick.cli import show
    from tallystick.jobs.demo import demo as job

    options = _options(engine=engine, as_of=as_of, set=set_, config=config)
    with Terminal(as_json=json_, quiet=quiet) as terminal:
        _ready(terminal)
        result = job(solution, input=input, dir=dir, progress=terminal, **options)
    terminal.result(result.to_dict())
    show.demonstrated(terminal, result)


@app.command()
def simulate(
    solution: SolutionName,
    rows: Annotated[int, typer.Option("--rows", metavar="N", help="How many records.", show_default=False)],
    output: Annotated[
        str, typer.Option("--output", metavar="PATH", help="The file to write.", show_default=False)
    ],
    seed: Annotated[
        int | None,
        typer.Option("--seed", metavar="S", help="The same seed, the same records.", show_default=False),
    ] = None,
    preset: Annotated[str, typer.Option("--preset", metavar="P", help="Which kind of records.")] = "default",
    engine: EngineName = "local",
    as_of: AsOf = None,
    set_: Set = None,
    config: Config = None,
    quiet: Quiet = False,
    json_: Json = False,
) -> None:
    """Write records like a bank's own that are nobody's."""
    from tallystick.cli import show
    from tallystick.jobs.simulate import simulate as job

    options = _options(engine=engine, as_of=as_of, set=set_, config=config)
    with Terminal(as_json=json_, quiet=quiet) as terminal:
        result = job(
            solution, rows=rows, output=output, seed=seed, preset=preset, progress=terminal, **options
        )
    terminal.result(result.to_dict())
    show.simulated(terminal, result, solution)


@app.command()
def validate(
    solution: SolutionName,
    source: Input,
    output: Annotated[
        str | None,
        typer.Option("--output", metavar="CLEAN", help="Write the clean rows here.", show_default=False),
    ] = None,
    map_: Map = None,
    quarantine: Quarantine = None,
    strict: Strict = False,
    max_quarantine: MaxQuarantine = None,
    engine: EngineName = "local",
    as_of: AsOf = None,
    set_: Set = None,
    config: Config = None,
    quiet: Quiet = False,
    json_: Json = False,
) -> None:
    """Check records: what is clean, what is not, and why."""
    from tallystick.cli import show
    from tallystick.jobs.validate import validate as job

    options = _options(
        map=map_, quarantine=quarantine, strict=strict, max_quarantine=max_quarantine,
        engine=engine, as_of=as_of, set=set_, config=config,
    )  # fmt: skip
    with Terminal(as_json=json_, quiet=quiet) as terminal:
        result = job(solution, source, output=output, progress=terminal, **options)
    terminal.result(result.to_dict())
    show.validated(terminal, result, solution, source)


@app.command()
def train(
    solution: SolutionName,
    source: Input,
    model: ModelFolder,
    task: TaskNames = None,
    learner: Annotated[
        str | None,
        typer.Option(
            "--learner", metavar="L", help="How to learn; the task's own by default.", show_default=False
        ),
    ] = None,
    features: Annotated[
        str | None,
        typer.Option("--features", metavar="A,B", help="Columns to learn from.", show_default=False),
    ] = None,
    from_: From = None,
    until: Until = None,
    map_: Map = None,
    quarantine: Quarantine = None,
    strict: Strict = False,
    max_quarantine: MaxQuarantine = None,
    engine: EngineName = "local",
    as_of: AsOf = None,
    set_: Set = None,
    config: Config = None,
    quiet: Quiet = False,
    json_: Json = False,
) -> None:
    """Learn from labelled records, and keep a bundle."""
    from tallystick.cli import show
    from tallystick.jobs.train import train as job

    options = _options(
        map=map_, quarantine=quarantine, strict=strict, max_quarantine=max_quarantine,
        engine=engine, as_of=as_of, set=set_, config=config,
    )  # fmt: skip
    names = [name.strip() for name in (features or "").split(",") if name.strip()]
    with Terminal(as_json=json_, quiet=quiet) as terminal:
        _ready(terminal)
        result = job(
            solution, source, model=model, task=task or (), learner=learner, features=names,
            from_=from_, until=until, progress=terminal, **options,
        )  # fmt: skip
    terminal.result(result.to_dict())
    show.trained(terminal, result, solution, source, model)


@app.command()
def evaluate(
    solution: SolutionName,
    source: Input,
    model: ModelFolder,
    task: TaskNames = None,
    split: Annotated[
        str | None,
        typer.Option(
            "--split",
            metavar="S",
            help="Fit anew on parts: random, stratified, grouped, time. Without it the model as it is.",
            show_default=False,
        ),
    ] = None,
    from_: From = None,
    until: Until = None,
    report: ReportFile = None,
    map_: Map = None,
    quarantine: Quarantine = None,
    strict: Strict = False,
    max_quarantine: MaxQuarantine = None,
    engine: EngineName = "local",
    as_of: AsOf = None,
    set_: Set = None,
    config: Config = None,
    quiet: Quiet = False,
    json_: Json = False,
) -> None:
    """Measure a model on rows it was not learned from."""
    from tallystick.cli import show
    from tallystick.jobs.evaluate import evaluate as job

    options = _options(
        map=map_, quarantine=quarantine, strict=strict, max_quarantine=max_quarantine,
        engine=engine, as_of=as_of, set=set_, config=config,
    )  # fmt: skip
    with Terminal(as_json=json_, quiet=quiet) as terminal:
        _ready(terminal)
        result = job(
            solution, source, model=model, task=task or (), split=split,
            from_=from_, until=until, report=report, progress=terminal, **options,
        )  # fmt: skip
    terminal.result(result.to_dict())
    show.evaluated(terminal, result, solution, source, model)


@app.command()
def score(
    solution: SolutionName,
    source: Input,
    model: ModelFolder,
    output: Annotated[
        str, typer.Option("--output", metavar="PATH", help="The decisions.", show_default=False)
    ],
    task: TaskNames = None,
    all_scores: Annotated[
        bool, typer.Option("--all-scores", help="Also the probability of every class.")
    ] = False,
    reasons: Annotated[bool, typer.Option("--reasons/--no-reasons", help="What moved each decision.")] = True,
    map_: Map = None,
    quarantine: Quarantine = None,
    strict: Strict = False,
    max_quarantine: MaxQuarantine = None,
    engine: EngineName = "local",
    as_of: AsOf = None,
    set_: Set = None,
    config: Config = None,
    quiet: Quiet = False,
    json_: Json = False,
) -> None:
    """Decide every record: label, action, route, reasons."""
    from tallystick.cli import show
    from tallystick.jobs.score import score as job

    options = _options(
        map=map_, quarantine=quarantine, strict=strict, max_quarantine=max_quarantine,
        engine=engine, as_of=as_of, set=set_, config=config,
    )  # fmt: skip
    with Terminal(as_json=json_, quiet=quiet) as terminal:
        _ready(terminal)
        result = job(
            solution, source, model=model, output=output, task=task or (), all_scores=all_scores,
            reasons=reasons, progress=terminal, **options,
        )  # fmt: skip
    terminal.result(result.to_dict())
    show.scored(terminal, result)


@app.command()
def config(set_: Set = None, config: Config = None, quiet: Quiet = False, json_: Json = False) -> None:
    """Show every setting and where its value came from."""
    from tallystick.cli import show
    from tallystick.jobs.settings import settings as job

    result = job(config=config, set=pairs(set_, "--set"))
    terminal = Terminal(as_json=json_, quiet=quiet)
    terminal.result(result.to_dict())
    show.configured(terminal, result)
