"""Write docs/reference.md from the code: commands, settings, columns, learners, words of files, codes.

A test compares what stands there with what this would write.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from typer.main import get_command

from tallystick import registry
from tallystick.cli import app
from tallystick.conditions.condition import DERIVED
from tallystick.config import Settings, describe
from tallystick.contracts import REASONS, Column, Contract
from tallystick.evaluation.thresholds import WISHES
from tallystick.rules.rules_file import PARTS
from tallystick.windows.groups import AGGREGATES, DEFAULTS

#: What an aggregate of windows takes, in words.
KINDS = {"": "the events themselves", "value": "money or a number", "text": "a text of another column"}
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
        arguments = [argument(p) for p in verb.params if p.param_type_name == "argument"]
        yield ""
        yield f"### tallystick {' '.join([name, *arguments])}"
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
    yield from contracts()
    yield from learners()
    yield from windows()
    yield from decisions()
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


def contracts() -> Iterator[str]:
    """Yield the columns that each solution knows, and the makes of file."""
    for name in registry.names("solutions"):
        found = registry.solution(name)
        yield ""
        yield f"## Columns of {name}"
        yield ""
        yield from columns(found.contract)
        if found.contract.formats:
            yield ""
            yield f"### Makes of file that {name} knows"
            yield ""
            yield (
                "Recognised by their headings, all of which are there. A time that counts is read in its "
                "steps, from the setting `epoch` on."
            )
            yield ""
            yield "| make | headings | names that it alone uses | what counts, in steps of |"
            yield "|---|---|---|---|"
            for make in found.contract.formats:
                names = ", ".join(f"`{theirs}` is `{ours}`" for theirs, ours in make.names)
                counted = f"`{make.time}`, {make.step}" if make.step else ""
                yield f"| {make.name} | {ticks(make.columns)} | {names} | {counted} |"
        if found.labels is not None:
            yield ""
            yield f"### Columns of a file of labels for {name} (`--labels`)"
            yield ""
            yield from columns(found.labels)


def columns(contract: Contract) -> Iterator[str]:
    """Yield one contract as a table."""
    time = "" if contract.event_time is None else f", the event time `{contract.event_time}`"
    yield (
        f"Version {contract.version} of the contract. Names are compared by letters and digits alone, so "
        f"`Date received` is `date_received`. The key is `{contract.key}`{time}."
    )
    yield ""
    yield "| ours | type | what it is | also known as |"
    yield "|---|---|---|---|"
    for column, *others in runs(contract.columns):
        after = "; known only after the event" if column.after_event else ""
        until = f" … `{others[-1].name}`" if others else ""
        yield f"| `{column.name}`{until} | {column.type} | {column.doc}{after} | {ticks(column.aliases)} |"


def learners() -> Iterator[str]:
    """Yield the learners, with their settings where they name them."""
    yield ""
    yield "## Learners"
    yield ""
    yield "For `--learner`. Settings with their usual values, as the bundle's manifest says them."
    yield ""
    yield "| learner | what it is | learns from | labels | settings |"
    yield "|---|---|---|---|---|"
    for name in registry.names("learners"):
        learner = registry.learner(name)
        usual: dict[str, Any] = getattr(
            importlib.import_module(f"tallystick.learners.{name}"), "DEFAULTS", {}
        )
        settings = ", ".join(
            f"`{key}`" if value in (None, "") else f"`{key}` {written(value)}" for key, value in usual.items()
        )
        needed = "needed" if learner.needs_labels else "not looked at"
        takes = ", ".join(sorted({"sparse": "texts", "dense": "tables"}[one] for one in learner.takes))
        yield f"| `{name}` | {learner.title} | {takes} | {needed} | {settings} |"


def windows() -> Iterator[str]:
    """Yield the words of a declaration of windows."""
    yield ""
    yield "## Words of a windows file"
    yield ""
    yield (
        "[fraud.md](fraud.md#windows) explains each key. Top level: `features` (a list of entries), "
        "`conditions` (name: condition), `money` (columns of money, `amount`), and the words below that have "
        "a built-in value, for all entries at once."
    )
    yield ""
    yield "| word of an entry | built in |"
    yield "|---|---|"
    for word in ("entity", "windows", "aggregates"):
        yield f"| `{word}` | needed |"
    for word in ("where", "delay", "suffix"):
        yield f"| `{word}` | none |"
    for word, value in DEFAULTS.items():
        yield f"| `{word}` | {written(value)} |"
    yield ""
    yield "| aggregate | of |"
    yield "|---|---|"
    for name, of in AGGREGATES.items():
        kind = KINDS[of]
        yield f"| `{name}{' COLUMN' if of else ''}` | {kind} |"


def decisions() -> Iterator[str]:
    """Yield how thresholds are wished for, what rules may do, and the names that conditions know."""
    yield ""
    yield "## Thresholds"
    yield ""
    yield "For the settings `review` and `decline`, such as `--set review=alerts_per_day=100`."
    yield ""
    yield "| wish | which means |"
    yield "|---|---|"
    for name, words in WISHES.items():
        yield f"| `{name}{'' if name == 'cost' else '=N'}` | {words} |"
    yield ""
    yield "## Words of a rules file"
    yield ""
    yield "| word | what it is |"
    yield "|---|---|"
    yield "| `lists` | name: a list of values, or a file with one value a line; may be left out |"
    yield f"| `rules` | the rules in their order, each with {ticks(PARTS)}; the first that holds decides |"
    yield f"| `action` | {ticks(registry.solution('fraud').tasks[0].policy.actions)} |"
    yield ""
    yield (
        "A condition knows the contract's columns, features of behaviour by their names, and "
        f"{ticks(DERIVED)}; `known(LABEL)` only in a windows file (fraud: `known_fraud`)."
    )
    yield ""
    yield "## Analyses"
    yield ""
    yield "| solution | analysis | what it shows | columns that it needs |"
    yield "|---|---|---|---|"
    for name in registry.names("solutions"):
        for analysis in registry.solution(name).analyses:
            yield f"| {name} | `{analysis.name}` | {analysis.title} | {ticks(analysis.columns)} |"


def argument(parameter: Any) -> str:
    """Write an argument as one gives it; in brackets where it may be left out."""
    name = parameter.metavar or parameter.name.upper()
    return name if parameter.required or name.startswith("[") else f"[{name}]"


def runs(of: Iterable[Column]) -> Iterator[list[Column]]:
    """Yield columns, those together that differ in a number alone (`v1`, `v2` …)."""
    for _, group in groupby(of, key=lambda column: (re.sub(r"\d+$", "", column.name), column.type)):
        yield list(group)


def ticks(names: Iterable[str]) -> str:
    """Join names as code."""
    return ", ".join(f"`{name}`" for name in names)


def written(value: object) -> str:
    """Write a built-in value as one does in a file or on the command line."""
    if isinstance(value, tuple):
        return ", ".join(written(one) for one in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def render() -> str:
    """Return the whole page."""
    return "\n".join(lines()) + "\n"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(render(), encoding="utf-8")
