"""The options that verbs share, declared once."""

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
    "TaskNames",
    "Until",
    "WindowsFile",
    "pairs",
]


def _solutions(incomplete: str) -> list[str]:
    """Complete the name of a solution in the shell."""
    from tallystick.registry import names

    return [name for name in names("solutions") if name.startswith(incomplete)]


COMMON = "Everywhere"
READING = "Reading INPUT"

SolutionName = Annotated[
    str,
    typer.Argument(
        metavar="SOLUTION", help="complaints, fraud, …", autocompletion=_solutions, show_default=False
    ),
]
Input = Annotated[
    str,
    typer.Argument(
        metavar="INPUT",
        help="A file (.csv .tsv .parquet .jsonl .json, also .gz .zst), a folder, a glob, or - for stdin.",
        show_default=False,
    ),
]
ModelFolder = Annotated[
    str,
    typer.Option(
        "--model", metavar="DIR", help="The model folder; each task has its own in it.", show_default=False
    ),
]
TaskNames = Annotated[
    list[str] | None,
    typer.Option("--task", metavar="TASK", help="Only this task; may be given again.", show_default=False),
]
ReportFile = Annotated[
    str | None,
    typer.Option(
        "--report", metavar="FILE.html", help="Write a self-contained report page.", show_default=False
    ),
]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="DATE", help="Only rows from this time on.", show_default=False),
]
Until = Annotated[
    str | None,
    typer.Option("--until", metavar="DATE", help="Only rows before this time.", show_default=False),
]
WindowsFile = Annotated[
    str | None,
    typer.Option(
        "--windows",
        metavar="FILE",
        help="A file that declares behaviour in windows; the solution's own by default.",
        show_default=False,
    ),
]
History = Annotated[
    str | None,
    typer.Option(
        "--history", metavar="PATH", help="What came before INPUT, to warm the windows.", show_default=False
    ),
]
Labels = Annotated[
    str | None,
    typer.Option(
        "--labels", metavar="PATH", help="Labels of their own: key, label, known since.", show_default=False
    ),
]
RulesFile = Annotated[
    str | None,
    typer.Option("--rules", metavar="FILE", help="Rules beside the model.", show_default=False),
]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="THEIRS=OURS",
        help="Take a column of the file for one of ours; may be given again.",
        rich_help_panel=READING,
        show_default=False,
    ),
]
Quarantine = Annotated[
    str | None,
    typer.Option(
        "--quarantine", metavar="FILE", help="Where bad rows go.", rich_help_panel=READING, show_default=False
    ),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Refuse the input when any row is bad.", rich_help_panel=READING)
]
MaxQuarantine = Annotated[
    str | None,
    typer.Option(
        "--max-quarantine",
        metavar="SHARE",
        help="Refuse the input when more rows than this are bad: 1% or .01.",
        rich_help_panel=READING,
        show_default=False,
    ),
]
EngineName = Annotated[
    str, typer.Option("--engine", metavar="NAME", help="Where work runs.", rich_help_panel=COMMON)
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="DATE",
        help="The moment that counts as now; what is later is in the future.",
        rich_help_panel=COMMON,
        show_default=False,
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Change a setting; `tallystick config` lists them.",
        rich_help_panel=COMMON,
        show_default=False,
    ),
]
Config = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Read settings from this file.",
        rich_help_panel=COMMON,
        show_default=False,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say only what went wrong.", rich_help_panel=COMMON)]
Json = Annotated[
    bool,
    typer.Option("--json", help="One JSON document on stdout, all else on stderr.", rich_help_panel=COMMON),
]


def pairs(values: Sequence[str] | None, option: str) -> dict[str, Any]:
    """Split NAME=VALUE; UsageError names the option.

    >>> pairs(["zone=UTC"], "--set")
    {'zone': 'UTC'}
    """
    found: dict[str, Any] = {}
    for text in values or ():
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise UsageError(f'{option} "{text}" cannot be used.', f"Write it as {option} NAME=VALUE.")
        found[name.strip()] = value.strip()
    return found
