"""Options shared by several commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from tallystick.errors import UsageError

__all__ = [
    "AsOf",
    "Config",
    "EngineName",
    "From",
    "History",
    "Input",
    "Json",
    "Labels",
    "Map",
    "MaxQuarantine",
    "ModelFolder",
    "Quarantine",
    "Quiet",
    "ReportFile",
    "RulesFile",
    "Set",
    "SolutionName",
    "Strict",
    "Tables",
    "TaskNames",
    "Until",
    "WindowsFile",
    "pairs",
]


def _solutions(incomplete: str) -> list[str]:
    """Complete the name of a solution (shell completion)."""
    from tallystick.registry import names

    return [name for name in names("solutions") if name.startswith(incomplete)]


COMMON = "Common options"
READING = "Input options"

SolutionName = Annotated[
    str,
    typer.Argument(
        metavar="SOLUTION",
        help="Name of a solution: complaints, fraud, …",
        autocompletion=_solutions,
        show_default=False,
    ),
]
Input = Annotated[
    str,
    typer.Argument(
        metavar="INPUT",
        help="File: .csv, .tsv, .parquet, .jsonl, .ndjson, .json (or .gz, .zst, .zip); folder, glob, or -.",
        show_default=False,
    ),
]
ModelFolder = Annotated[
    str,
    typer.Option(
        "--model", metavar="DIR", help="Model folder, with one subfolder per task.", show_default=False
    ),
]
TaskNames = Annotated[
    list[str] | None,
    typer.Option("--task", metavar="TASK", help="Only this task; repeatable.", show_default=False),
]
ReportFile = Annotated[
    str | None,
    typer.Option(
        "--report", metavar="FILE.html", help="Write a self-contained HTML report.", show_default=False
    ),
]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="DATE", help="Only records at or after this time.", show_default=False),
]
Until = Annotated[
    str | None,
    typer.Option("--until", metavar="DATE", help="Only records before this time.", show_default=False),
]
WindowsFile = Annotated[
    str | None,
    typer.Option(
        "--windows",
        metavar="FILE",
        help="Window declarations (YAML); the solution's own by default.",
        show_default=False,
    ),
]
History = Annotated[
    str | None,
    typer.Option(
        "--history",
        metavar="PATH",
        help="Records before INPUT, to initialise the window features.",
        show_default=False,
    ),
]
Labels = Annotated[
    str | None,
    typer.Option(
        "--labels",
        metavar="PATH",
        help="Labels as a separate table: key, label, time known.",
        show_default=False,
    ),
]
RulesFile = Annotated[
    str | None,
    typer.Option("--rules", metavar="FILE", help="Business rules (YAML).", show_default=False),
]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="THEIRS=OURS",
        help="Map an input column to a contract column; repeatable. For other inputs: labels:THEIRS=OURS, "
        "history:THEIRS=OURS, TABLE:THEIRS=OURS.",
        rich_help_panel=READING,
        show_default=False,
    ),
]
Tables = Annotated[
    list[str] | None,
    typer.Option(
        "--table",
        metavar="NAME=PATH",
        help="A further table of the solution, whose rows are joined to those of INPUT; repeatable.",
        rich_help_panel=READING,
        show_default=False,
    ),
]
Quarantine = Annotated[
    str | None,
    typer.Option(
        "--quarantine",
        metavar="FILE",
        help="Output file for quarantined rows.",
        rich_help_panel=READING,
        show_default=False,
    ),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Fail when any row is quarantined.", rich_help_panel=READING)
]
MaxQuarantine = Annotated[
    str | None,
    typer.Option(
        "--max-quarantine",
        metavar="SHARE",
        help="Fail when a larger share of rows is quarantined: 1% or .01.",
        rich_help_panel=READING,
        show_default=False,
    ),
]
EngineName = Annotated[
    str, typer.Option("--engine", metavar="NAME", help="Engine that runs the work.", rich_help_panel=COMMON)
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="DATE",
        help="Treat this time as now; later event times are in the future.",
        rich_help_panel=COMMON,
        show_default=False,
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Set a setting; repeatable; `tallystick config` lists them.",
        rich_help_panel=COMMON,
        show_default=False,
    ),
]
Config = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Settings file (TOML).",
        rich_help_panel=COMMON,
        show_default=False,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print errors only.", rich_help_panel=COMMON)]
Json = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print the result as one JSON document on stdout; messages go to stderr.",
        rich_help_panel=COMMON,
    ),
]


def pairs(values: Sequence[str] | None, option: str) -> dict[str, Any]:
    """Parse NAME=VALUE arguments; UsageError names the option.

    >>> pairs(["zone=UTC"], "--set")
    {'zone': 'UTC'}
    """
    values_by_name: dict[str, Any] = {}
    for text in values or ():
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise UsageError(f'{option} "{text}" cannot be used.', f"Write it as {option} NAME=VALUE.")
        values_by_name[name.strip()] = value.strip()
    return values_by_name
