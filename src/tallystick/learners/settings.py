"""What a learner may be told, with what it takes where it is told nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

from tallystick.errors import UsageError, did_you_mean

__all__ = ["chosen", "named", "refused_by_library"]


def chosen(learner: str, given: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """Put the settings that were given over the usual ones, each in the type of the usual one.

    Raises UsageError for a setting that there is not, and for a value that cannot be: all are numbers, none
    is below zero, and counts begin at one (at zero where that is usual).

    >>> chosen("local_outlier_factor", {"neighbours": "30"}, {"neighbours": 20, "rows": 4000})
    {'neighbours': 30, 'rows': 4000}
    """
    for name in given:
        if name not in usual:
            raise UsageError(f'The learner "{learner}" has no setting "{name}".', _there_are(name, usual))
    return {
        name: _read(learner, name, given[name], value) if given.get(name) is not None else value
        for name, value in usual.items()
    }


def _there_are(name: str, usual: Mapping[str, Any]) -> str:
    near = did_you_mean(name, usual)
    every = f"There are: {', '.join(sorted(usual))}."
    return every if near == every else f"{near} {every}"


def _read(learner: str, name: str, given: Any, usual: Any) -> Any:
    """Read one value as the type of the usual one; a tuple also from numbers joined by commas."""
    if isinstance(usual, str):
        return str(given)
    try:
        if isinstance(usual, tuple):
            parts = given.split(",") if isinstance(given, str) else given
            return tuple(
                _number(part, usual[0]) for part in (parts if hasattr(parts, "__iter__") else [parts])
            )
        return _number(given, usual)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f'The setting "{name}" of "{learner}" cannot be {given!r}.', f"It is usually {usual!r}."
        ) from error


def _number(given: Any, usual: Any) -> Any:
    number = float(given)
    if not math.isfinite(number) or number < 0:
        raise ValueError
    if not isinstance(usual, int):
        return number
    if number != int(number) or number < min(usual, 1):
        raise ValueError
    return int(number)


def named(setting: str, wanted: str, names: Sequence[str], columns: int) -> list[bool]:
    """Say which of so many columns a setting names: names joined by commas, or patterns with `*`.

    A pattern may meet none; a name that is none is a UsageError. Columns beyond `names` have none.

    >>> named("rising", "amount, *__ratio*", ("hour", "amount", "card__ratio__7d"), 4)
    [False, True, True, False]
    """
    asked = [name for part in wanted.split(",") if (name := part.strip())]
    missing = sorted({name for name in asked if "*" not in name} - set(names))
    if missing:
        raise UsageError(
            f"{setting}: there is no column {', '.join(missing)} to learn from.",
            did_you_mean(missing[0], names),
        )
    found = [any(fnmatchcase(name, one) for one in asked) for name in names]
    return found + [False] * (columns - len(found))


@contextmanager
def refused_by_library(learner: str) -> Iterator[None]:
    """Turn a library's own refusal of a setting's value into UsageError; other errors pass."""
    try:
        yield
    except ValueError as error:
        # By name: importing them would load libraries that this learner may not use.
        if type(error).__name__ not in ("InvalidParameterError", "XGBoostError"):
            raise
        lines = [line for line in str(error).splitlines() if line and "Stack trace" not in line]
        raise UsageError(
            f'The learner "{learner}" cannot learn with these settings: {lines[0]}', "Change the setting."
        ) from error
