"""Hyperparameters: names, defaults, checks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

from tallystick.errors import UsageError, did_you_mean

__all__ = ["matching_columns", "refused_by_library", "resolve"]


def resolve(learner: str, settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the defaults with the settings in their place, each in the type of its default.

    Raises UsageError for an unknown name and an invalid value: numbers must be finite and not negative,
    counts at least 1 (0 where the default is 0).

    >>> resolve("local_outlier_factor", {"neighbours": "30"}, {"neighbours": 20, "rows": 4000})
    {'neighbours': 30, 'rows': 4000}
    """
    for name in settings:
        if name not in defaults:
            raise UsageError(f'The learner "{learner}" has no setting "{name}".', _suggest(name, defaults))
    return {
        name: _read(learner, name, settings[name], default) if settings.get(name) is not None else default
        for name, default in defaults.items()
    }


def _suggest(name: str, defaults: Mapping[str, Any]) -> str:
    near = did_you_mean(name, defaults)
    every = f"There are: {', '.join(sorted(defaults))}."
    return every if near == every else f"{near} {every}"


def _read(learner: str, name: str, value: Any, default: Any) -> Any:
    """Read one value as the type of its default; a tuple also from numbers joined by commas."""
    if isinstance(default, str):
        return str(value)
    try:
        if isinstance(default, tuple):
            items = value.split(",") if isinstance(value, str) else value
            items = items if hasattr(items, "__iter__") else [items]
            return tuple(_number(item, default[0]) for item in items)
        return _number(value, default)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f'The setting "{name}" of "{learner}" cannot be {value!r}.', f"It is usually {default!r}."
        ) from error


def _number(value: Any, default: Any) -> Any:
    number = float(value)
    if not math.isfinite(number) or number < 0:
        raise ValueError
    if not isinstance(default, int):
        return number
    if number != int(number) or number < min(default, 1):
        raise ValueError
    return int(number)


def matching_columns(setting: str, patterns: str, names: Sequence[str], columns: int) -> list[bool]:
    """Return for each column whether a setting names it: names joined by commas, or patterns with `*`.

    A pattern may match none; an unknown name is a UsageError. Columns beyond `names` match nothing.

    >>> matching_columns("rising", "amount, *__ratio*", ("hour", "amount", "device__ratio__7d"), 4)
    [False, True, True, False]
    """
    wanted = [name for part in patterns.split(",") if (name := part.strip())]
    missing = sorted({name for name in wanted if "*" not in name} - set(names))
    if missing:
        raise UsageError(
            f"{setting}: there is no column {', '.join(missing)} to learn from.",
            did_you_mean(missing[0], names),
        )
    matches = [any(fnmatchcase(name, pattern) for pattern in wanted) for name in names]
    return matches + [False] * (columns - len(matches))


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
