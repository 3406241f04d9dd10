"""The options that verbs share, and the `RunContext` that they resolve to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, TypedDict, Unpack
from zoneinfo import ZoneInfo

from tallystick import registry
from tallystick.config import load, share
from tallystick.connectors import TablePlace, place, resolved, shown
from tallystick.errors import UsageError, did_you_mean
from tallystick.inputs.context import OTHER_INPUTS, Progress, Quiet, RunContext

__all__ = [
    "Common",
    "Moment",
    "Reading",
    "moment",
    "refuse_inside_model",
    "refuse_same_path",
    "refuse_unused_maps",
    "run_context",
    "stamp",
]

Moment = str | date | datetime


class Common(TypedDict, total=False):
    """Options of every verb."""

    engine: str
    as_of: Moment | None
    set: Mapping[str, Any] | None
    config: str | Path | None
    progress: Progress | None


class Reading(Common, total=False):
    """Options of every verb that reads an INPUT."""

    map: Mapping[str, str] | None
    table: Mapping[str, Any] | None
    quarantine: str | Path | TablePlace | None
    strict: bool
    max_quarantine: float | str | None


def run_context(verb: str, **options: Unpack[Reading]) -> RunContext:
    """Check the options of a verb; UsageError says what is wrong with one."""
    for name in sorted(set(options) - set(Reading.__annotations__)):
        raise UsageError(f'{verb} has no argument "{name}".', did_you_mean(name, Reading.__annotations__))
    settings, _ = load(options.get("config"), options.get("set"))
    engine = registry.engine(options.get("engine") or "local")
    if verb in engine.cannot:
        raise UsageError(
            f"The engine {engine.name} cannot {verb}.", f"Leave --engine out to {verb} on this machine."
        )
    as_of = options.get("as_of")
    quarantine = options.get("quarantine")
    tables = options.get("table") or {}
    mapping, mappings = _mappings(options.get("map") or {}, {*OTHER_INPUTS, *tables})
    return RunContext(
        settings=settings,
        engine=engine,
        as_of=None if as_of is None else moment(as_of, settings.zone, "as_of", end_of_day=True),
        progress=options.get("progress") or Quiet(),
        mapping=mapping,
        mappings=mappings,
        tables=tables,
        quarantine=place(quarantine, "quarantine") if quarantine else None,
        strict=bool(options.get("strict")),
        max_quarantine=_share(options.get("max_quarantine")),
    )


def _mappings(
    given: Mapping[str, str], others: Collection[str]
) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Take `--map labels:THEIRS=OURS` apart from what is said of INPUT."""
    mapping: dict[str, str] = {}
    mappings: dict[str, dict[str, str]] = {}
    for theirs, ours in given.items():
        name, sign, rest = theirs.partition(":")
        if sign and name in others and rest:
            mappings.setdefault(name, {})[rest] = ours
        else:
            mapping[theirs] = ours
    return mapping, mappings


def refuse_unused_maps(context: RunContext, **given: Any) -> None:
    """Raise UsageError where --map speaks of an input that was not given; given: by name, None for none."""
    for name, columns in context.mappings.items():
        if given.get(name) is None and name not in context.tables:
            theirs, ours = next(iter(columns.items()))
            raise UsageError(
                f"--map {name}:{theirs}={ours}: there is no --{name} whose columns it could name.",
                f"Give --{name} PATH, or leave this --map out.",
            )


def refuse_inside_model(model: str | Path, **paths: str | Path | TablePlace | None) -> None:
    """Raise UsageError when a file that is to be written lies in the model folder."""
    folder = Path(model).resolve()
    for name, path in paths.items():
        if path is not None and Path(resolved(path)).is_relative_to(folder):
            raise UsageError(
                f"{name}: {shown(path)} lies in the model folder {model}.", "Name another place for it."
            )


def refuse_same_path(
    inputs: Mapping[str, Any], outputs: Mapping[str, str | Path | TablePlace | None]
) -> None:
    """Raise UsageError when a file that is to be written is one that is read, or is to be written twice.

    inputs and outputs: paths by the name of their option; frames and None are passed over.
    """
    seen: dict[str, str] = {
        resolved(value): name
        for name, value in inputs.items()
        if isinstance(value, (str, Path)) and str(value) not in ("", "-")
    }
    for name, value in outputs.items():
        if value is None:
            continue
        other = seen.setdefault(resolved(value), name)
        if other != name:
            raise UsageError(
                f"{shown(value)} is named for both --{other} and --{name}.",
                "Name another place for one of them.",
            )


def moment(value: Moment, zone: str, name: str, *, end_of_day: bool = False) -> datetime:
    """Turn a day or a time into a moment in UTC; a naive one is of the zone.

    A day means its start, or its last microsecond with `end_of_day`.

    >>> moment("2024-01-31", "Europe/Berlin", "from").isoformat()
    '2024-01-30T23:00:00+00:00'
    """
    if isinstance(value, str):
        try:
            value = (
                date.fromisoformat(value)
                if len(value) == len("2024-01-31")
                else datetime.fromisoformat(value)
            )
        except ValueError:
            raise UsageError(
                f'{name.replace("_", "-")}: "{value}" is no day and no time.',
                "Write it as 2024-01-31 or 2024-01-31T12:00:00.",
            ) from None
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
        if end_of_day:
            value += timedelta(days=1, microseconds=-1)
    if value.tzinfo is None:
        value = value.replace(tzinfo=ZoneInfo(zone))
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise UsageError(f"{name}: {value.isoformat()} lies outside the years 1 to 9999.") from None


def stamp(micros: int) -> str:
    """Write a moment as manifests do.

    >>> stamp(1_500_000)
    '1970-01-01T00:00:01Z'
    """
    return datetime.fromtimestamp(int(micros) / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _share(value: float | str | None) -> float | None:
    """Read `1%` or `.01`."""
    if value is None:
        return None
    try:
        return share(value)
    except ValueError:
        raise UsageError(f'max-quarantine: "{value}" is no share.', "Write it as 1% or .01.") from None
