"""Write docs/reference.md from the code: commands and options, settings, columns, reason codes.

A test compares what stands there with what this would write.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from typer.main import get_command

from tallystick import registry
from tallystick.cli import app
from tallystick.config import Settings, describe
from tallystick.contracts import REASONS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference.md"


def lines() -> Iterator[str]:
    """Yield the page, line by line."""
    yield "# Reference"
    yield ""
    yield "Written by `scripts/make_reference.py` from the code; change the code, then run it."
    yield ""
    yield "## Commands"
    command = get_command(app)
    for name, verb in command.commands.items():  # type: ignore[attr-defined]
        arguments = [p.name.upper() for p in verb.params if p.param_type_name == "argument"]
        yield ""
        yield f"### tallystick {' '.join([name, *arguments])}".replace("SOURCE", "INPUT")
        yield ""
        yield verb.help
        yield ""
        yield "| option | what for |"
        yield "|---|---|"
        for option in verb.params:
            if option.param_type_name != "option" or option.name == "help":
                continue
            spelt = " / ".join([*option.opts, *option.secondary_opts])
            value = f" {option.metavar}" if option.metavar else ""
            needed = " Needed." if option.required else ""
            yield f"| `{spelt}{value}` | {option.help}{needed} |"
    yield ""
    yield "## Settings"
    yield ""
    yield (
        "The later wins: built-in value, `tallystick.toml` in the working folder (or `--config FILE`), "
        "`TALLYSTICK_NAME` in the environment, `--set NAME=VALUE`."
    )
    yield ""
    yield "| name | built in | what for |"
    yield "|---|---|---|"
    for setting in describe(Settings(), {}):
        value = "" if setting.value in (None, "") else f"`{setting.value}`"
        yield f"| `{setting.name}` | {value} | {setting.doc} |"
    for name in registry.names("solutions"):
        contract = registry.solution(name).contract
        yield ""
        yield f"## Columns of {name}"
        yield ""
        yield (
            f"Version {contract.version} of the contract. Names are compared by letters and digits alone, so "
            "`Date received` is `date_received`. The key is "
            f"`{contract.key}`, the event time `{contract.event_time}`."
        )
        yield ""
        yield "| ours | type | what it is | also known as |"
        yield "|---|---|---|---|"
        for column in contract.columns:
            after = "; known only after the event" if column.after_event else ""
            aliases = ", ".join(f"`{alias}`" for alias in column.aliases)
            yield f"| `{column.name}` | {column.type} | {column.doc}{after} | {aliases} |"
    yield ""
    yield "## Reason codes of the quarantine"
    yield ""
    yield "| code | which means |"
    yield "|---|---|"
    for code, sentence in REASONS.items():
        if code != "ok":
            yield f"| `{code}` | {sentence} |"
    yield ""
    yield "## Exit codes"
    yield ""
    yield "| code | when |"
    yield "|---|---|"
    yield "| 0 | done; bad rows are in quarantine and counted |"
    yield "| 2 | an option, a name or a path is wrong |"
    yield "| 3 | the data is refused: no usable row, a needed column missing, or more bad rows than allowed |"
    yield "| 130 | stopped with Ctrl-C; nothing half-written stays |"
    yield "| 1 | anything else |"


def render() -> str:
    """Return the whole page."""
    return "\n".join(lines()) + "\n"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(render(), encoding="utf-8")
