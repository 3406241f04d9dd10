"""Settings: small frozen values, each with one name in the file, the environment and on the command line.

Order, the later wins: built-in value, `tallystick.toml` in the working folder (or `--config FILE`),
`TALLYSTICK_NAME` in the environment, `--set NAME=VALUE`.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tallystick import durations
from tallystick.errors import UsageError, did_you_mean

__all__ = ["Setting", "Settings", "describe", "event_words", "load", "share"]

FILE = "tallystick.toml"
PREFIX = "TALLYSTICK_"


def _doc(text: str, default: Any) -> Any:
    return field(default=default, metadata={"doc": text})


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, with its built-in value.

    >>> Settings().zone
    'UTC'
    """

    zone: str = _doc("Time zone of times that name none; it also decides what night and weekend are", "UTC")
    date_order: str = _doc("How 03/04/2024 is read: month-first or day-first", "month-first")
    decimal: str = _doc("What stands before the decimals of a number: point or comma", "point")
    currency: str = _doc("Currency of amounts that name none (ISO 4217)", "USD")
    epoch: str = _doc("The day from which a file that counts steps starts", "1970-01-01")
    step: str = _doc("Length of one step in a file that counts them; by the format when empty", "")
    encoding: str = _doc("Encoding of text files: auto, or a name that Python knows", "auto")
    placeholders: str = _doc(
        "Values that mean missing, beside N/A, NaN, None, -, unknown and the like; separated by commas: 0,99",
        "",
    )
    header: str = _doc(
        "Whether delimited text begins with column names: yes or no; with no they are column_1, column_2, …",
        "yes",
    )
    quote: str = _doc("The sign that encloses values of delimited text", '"')
    escape: str = _doc("How a quote within quotes is written: doubled or backslash", "doubled")
    accuracy: float | None = _doc(
        "How often a decision taken without a person should be right; as the model was trained when empty, "
        "and .95 in training",
        None,
    )
    accuracy_by: str = _doc(
        "Where that accuracy should hold: all (in all together, and .9 in each class) or class (in each "
        "class); as the model was trained when empty, and all in training",
        "",
    )
    automation: float | None = _doc(
        "Share of decisions taken without a person; when given, it takes the place of accuracy", None
    )
    capacity: float | None = _doc(
        "Share of records that are acted on, for tasks whose capacity is limited; the task's own when empty",
        None,
    )
    reasons: str = _doc(
        "Which decisions are explained: alerts (those on which something is done) or all", "alerts"
    )
    routing: str = _doc("Routing file; the solution's own when empty", "")
    rules: str = _doc("File of rules beside the model; none when empty", "")
    review: str = _doc(
        "When a person looks at an event: alerts_per_day=N, false_positive_rate=S, precision=S, recall=S, "
        "score=S or cost; as the model was trained when empty, and false_positive_rate=.005 in training",
        "",
    )
    decline: str = _doc(
        "When an event is refused, in the same words; as the model was trained when empty, and precision=.9 "
        "in training",
        "",
    )
    review_cost: float = _doc("What it costs that a person looks at one alert, in major units", 5.0)
    decline_cost: float = _doc("What it costs to refuse a good payment, as a share of its amount", 0.1)
    label_delay: str = _doc(
        "How long after its event a label becomes known where nothing says when, such as 7d; the solution's "
        "own when empty",
        "",
    )
    good_after: str = _doc(
        "How long after its event an event without a label counts as good, such as 60d, for labels that name "
        "frauds alone; never when empty",
        "",
    )
    event: str = _doc(
        "Which values of a yes-or-no label mean yes, such as fraud, 4837,10.4 or fraud/genuine; without the "
        "second part all others mean no",
        "",
    )
    listed: str = _doc(
        "What a file of labels without a label column says of all that it lists, such as fraud or no; it is "
        "refused when empty",
        "",
    )
    seed: int = _doc("Seed of all that is drawn by chance", 0)
    threads: int = _doc("Threads of the kernels; all cores when 0", 0)
    batch_rows: int = _doc("Rows that travel together", 4096)
    allowed_lateness: str = _doc(
        "By how much an event of a stream may come after a later one of its entity and not be called late, "
        "such as 30s; not at all when empty",
        "",
    )
    retention: str = _doc(
        "How long a stream keeps its log and its decisions, such as 90d; for ever when empty", ""
    )
    snapshot_every: int = _doc("Events of a stream between two snapshots of its state", 500_000)
    lease: int = _doc("Seconds after which another process may take over the state of a silent one", 10)
    durability: str = _doc(
        "What a committed decision outlives: power (a loss of power) or process (a killed process)", "power"
    )
    log_format: str = _doc("How the log on stderr is written: text or json", "text")
    log_level: str = _doc("How much of the log is written: debug, info, warning or error", "warning")

    def cores(self) -> int:
        """Say how many threads the kernels may use, at least one."""
        return self.threads or len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else [0])

    def with_values(self, values: Mapping[str, Any], where: str) -> Settings:
        """Return a copy with some settings changed; `where` names their origin in an error.

        >>> Settings().with_values({"accuracy": ".9"}, "--set").accuracy
        0.9
        """
        types = {f.name: str(f.type) for f in fields(self)}
        changed: dict[str, Any] = {}
        for name, value in values.items():
            key = name.replace("-", "_")
            if key not in types:
                raise UsageError(
                    f'{where}: there is no setting "{name}".',
                    did_you_mean(key, types) + " `tallystick config` shows them all.",
                )
            changed[key] = _parse(key, value, types[key], where)
        return replace(self, **changed)


def _parse(name: str, value: Any, kind: str, where: str) -> Any:
    """Turn what a person wrote into the setting's type, and check what can be checked alone."""
    try:
        if name.endswith("_cost"):
            parsed: Any = float(value)
            if not 0 <= parsed < 1e12:
                raise ValueError("a cost is a number from 0 up")
        elif kind.startswith("float"):
            parsed = None if value in ("", None) else share(value)
        elif kind == "int":
            parsed, least = int(str(value)), 1 if name in ("batch_rows", "snapshot_every", "lease") else 0
            if not least <= parsed < 2**32:
                raise ValueError(f"it must not be below {least}, nor above 4294967295")
        else:
            parsed = str(value).strip().upper() if name == "currency" else str(value)
    except ValueError as error:
        raise UsageError(f'{where}: {name}="{value}" cannot be used: {error}.') from None
    _check(name, parsed, where)
    return parsed


def share(value: Any) -> float:
    """Read a share: `.95`, `0.95` or `95%`; ValueError says what is wanted.

    >>> share("95%")
    0.95
    """
    text = str(value).strip()
    try:
        number = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        raise ValueError("a share such as .95 or 95% is wanted") from None
    if not 0 <= number <= 1:
        raise ValueError("a share lies between 0 and 1")
    return number


@lru_cache(maxsize=16)
def event_words(setting: str) -> tuple[frozenset[str], frozenset[str] | None]:
    """Read `fraud/genuine`: the values that mean yes, and those that mean no; None: every other one.

    Values are compared without regard to case; raises ValueError for what names no value, or one twice.

    >>> sorted(event_words("10.4, 4837")[0]), event_words("ja/nein")[1]
    (['10.4', '4837'], frozenset({'nein'}))
    """
    first, slash, second = setting.partition("/")
    yes, no = (
        frozenset(word for value in part.split(",") if (word := value.strip().casefold()))
        for part in (first, second)
    )
    if not yes or (slash and not no):
        raise ValueError("values are missing")
    if yes & no:
        raise ValueError(f'"{min(yes & no)}" cannot mean both')
    return yes, no if slash else None


CHOICES = {
    "accuracy_by": ("all", "class"),
    "date_order": ("month-first", "day-first"),
    "reasons": ("alerts", "all"),
    "durability": ("power", "process"),
    "decimal": ("point", "comma"),
    "header": ("yes", "no"),
    "quote": ('"', "'"),
    "escape": ("doubled", "backslash"),
    "log_format": ("text", "json"),
    "log_level": ("debug", "info", "warning", "error"),
}

#: Settings that are lengths of time, or empty.
LENGTHS = ("allowed_lateness", "good_after", "label_delay", "retention", "step")


def _check(name: str, value: Any, where: str) -> None:
    if name in CHOICES and value not in CHOICES[name] and value != getattr(Settings(), name):
        raise UsageError(f'{where}: {name}="{value}" cannot be used.', did_you_mean(value, CHOICES[name]))
    if name == "zone":
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise UsageError(
                f'{where}: there is no time zone "{value}".',
                "Names are those of the IANA list, such as Europe/Berlin.",
            ) from None
    if name == "currency" and not re.fullmatch("[A-Z]{3}", value):
        raise UsageError(
            f'{where}: currency="{value}" is no currency code.', "Codes have three letters: EUR."
        )
    if name in LENGTHS and value:
        try:
            durations.parse(value)
        except ValueError:
            raise UsageError(
                f'{where}: {name}="{value}" is not a length of time.',
                "Write seconds, minutes, hours, days or weeks as 30s, 15m, 1h, 7d or 2w.",
            ) from None
    if name == "event" and value:
        try:
            event_words(value)
        except ValueError as error:
            raise UsageError(
                f'{where}: event="{value}" cannot be used: {error}.', "Write it as fraud or fraud/genuine."
            ) from None
    if name == "epoch":
        try:
            date.fromisoformat(value)
        except ValueError:
            raise UsageError(f'{where}: epoch="{value}" is no day.', "Write it as 2024-01-31.") from None
    if name == "encoding" and value != "auto":
        try:
            "".encode(value)
        except LookupError:
            raise UsageError(
                f'{where}: there is no encoding "{value}".',
                "For example: auto, utf-8, latin-1, cp1252, utf-16.",
            ) from None


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it stands: its value, what it is for, and where the value came from."""

    name: str
    value: Any
    origin: str
    doc: str


def load(
    file: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[Settings, dict[str, str]]:
    """Read the settings from all places; the second value says where each changed one came from.

    Raises UsageError when a named file is missing or a name or value is wrong.
    """
    environment = os.environ if environment is None else environment
    settings = Settings()
    origins: dict[str, str] = {}
    path = Path(file) if file else Path(FILE)
    if file and not path.is_file():
        raise UsageError(f'There is no settings file "{file}".', "Leave --config out, or name a TOML file.")
    if path.is_file():
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"{path} cannot be read as TOML: {error}.") from None
        settings = settings.with_values(values, str(path))
        origins |= {name.replace("-", "_"): str(path) for name in values}
    known = {f.name for f in fields(Settings)}
    for variable, value in environment.items():
        name = variable.removeprefix(PREFIX).lower()
        if variable.startswith(PREFIX) and name in known:
            settings = settings.with_values({name: value}, variable)
            origins[name] = variable
    for name, value in (overrides or {}).items():
        settings = settings.with_values({name: value}, "--set")
        origins[name.replace("-", "_")] = "--set"
    return settings, origins


def describe(settings: Settings, origins: Mapping[str, str]) -> list[Setting]:
    """List every setting with its value and origin, in the order of the class."""
    return [
        Setting(f.name, getattr(settings, f.name), origins.get(f.name, "built in"), str(f.metadata["doc"]))
        for f in fields(settings)
    ]
