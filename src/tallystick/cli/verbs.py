"""Registration of commands: shared options, progress, JSON and text output."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Protocol

import typer

from tallystick.cli.options import (
    AsOf,
    Config,
    EngineName,
    Json,
    Map,
    MaxQuarantine,
    Quarantine,
    Quiet,
    Set,
    Strict,
    Tables,
    pairs,
)
from tallystick.cli.terminal import Terminal, logging_to_stderr

__all__ = ["Result", "verb"]

READING = {
    "map_": (Map, None),
    "table": (Tables, None),
    "quarantine": (Quarantine, None),
    "strict": (Strict, False),
}
READING |= {"max_quarantine": (MaxQuarantine, None)}
COMMON = {
    "engine": (EngineName, "local"),
    "as_of": (AsOf, None),
    "set_": (Set, None),
    "config": (Config, None),
}
SHOWING = {"quiet": (Quiet, False), "json_": (Json, False)}


class Result(Protocol):
    """Result of a job."""

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""


def verb(
    app: typer.Typer, *, reading: bool = False, kernels: bool = False
) -> Callable[[Callable[..., tuple[Result, Callable[[], None]]]], Callable[..., None]]:
    """Register a function of (terminal, shared options, its own arguments) as a command.

    The function returns the job's result and a callable that prints it. reading: it reads an INPUT; kernels:
    it needs compiled kernels.
    """

    def register(function: Callable[..., tuple[Result, Callable[[], None]]]) -> Callable[..., None]:
        own = list(inspect.signature(function, eval_str=True).parameters.values())[2:]
        shared = {**(READING if reading else {}), **COMMON}

        def command(**arguments: Any) -> None:
            terminal = Terminal(as_json=arguments.pop("json_"), quiet=arguments.pop("quiet"))
            options = _options({name: arguments.pop(name) for name in shared})
            with terminal:
                if kernels:
                    _ready(terminal)
                result, show = function(terminal, options | {"progress": terminal}, **arguments)
            terminal.result(result.to_dict())
            show()

        extra = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
            for name, (kind, default) in {**shared, **SHOWING}.items()
        ]
        keyword = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
        command.__signature__ = inspect.Signature([*keyword, *extra])  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in [*keyword, *extra]}
        command.__name__, command.__doc__ = function.__name__, function.__doc__
        app.command()(command)
        return command

    return register


def _options(arguments: dict[str, Any]) -> dict[str, Any]:
    """Parse shared options into keyword arguments of a job, and start the log."""
    from tallystick.config import load

    options = {name.rstrip("_"): value for name, value in arguments.items() if value is not None}
    for name in {"map", "set", "table"} & set(options):
        options[name] = pairs(options[name], f"--{name}")
    settings, _ = load(options.get("config"), options.get("set"))
    logging_to_stderr(settings.log_level, settings.log_format)
    return options


def _ready(terminal: Terminal) -> None:
    """Compile the kernels on first use, with a note."""
    from tallystick.jobs.prepare import prepare, prepared

    if not prepared():
        terminal.note("Compiling the kernels, once; this takes about half a minute …")
        prepare()
