"""Comparisons on arrays, for conditions; a comparison with an unknown value is never true.

Each is elementwise and exact, so that a row comes out alone as it does among others.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["WrongKindError", "among", "as_numbers", "divide", "numbers", "same", "texts", "true", "unequal"]

Array = NDArray[Any]
Flags = NDArray[np.bool_]


class WrongKindError(Exception):
    """A value is of another kind than what it is compared with."""


def numbers(values: Array, name: str) -> Array:
    """Return numbers or flags as they are, objects (numbers, flags, None) as float64 with NaN; no texts.

    >>> numbers(np.array([True, None], object), "night").tolist()
    [1.0, nan]
    """
    if values.dtype.kind in "fiub":
        return values
    if values.dtype.kind == "O":
        found = values.tolist()
        if all(value is None or isinstance(value, float | int) for value in found):
            return np.array([np.nan if value is None else float(value) for value in found], np.float64)
    raise WrongKindError(f"{name} is a text, not a number.")


def texts(values: Array, name: str) -> Array:
    """Return texts as objects; no numbers."""
    if values.dtype.kind == "O":
        return values
    if values.dtype.kind == "U":
        return values.astype(object)
    raise WrongKindError(f"{name} is a number, not a text.")


def true(values: Array, name: str) -> Flags:
    """Say where a flag is known and true.

    >>> true(np.array([1.0, 0.0, np.nan]), "night").tolist()
    [True, False, False]
    """
    if values.dtype.kind == "b":
        return values
    found = numbers(values, name)
    return (found < 0) | (found > 0)


def same(values: Array, text: str | Array, unequal: bool = False) -> Flags:
    """Say where texts are equal to one, or each to its own (or not), and known.

    >>> same(np.array(["a", "b", None], object), "a", unequal=True).tolist()
    [False, True, False]
    """
    mine = values.tolist()
    if isinstance(text, str):
        if unequal:
            return np.array([isinstance(x, str) and x != text for x in mine], np.bool_)
        return np.array([x == text for x in mine], np.bool_)
    pairs = zip(mine, text.tolist(), strict=True)
    return np.array(
        [isinstance(x, str) and isinstance(y, str) and (x != y) is unequal for x, y in pairs], np.bool_
    )


def unequal(x: Array, y: Array | float) -> Flags:
    """Say where two numbers differ and both are known."""
    return np.less(x, y) | np.greater(x, y)


def among(
    values: Array, name: str, text: Collection[str] | None, number: Collection[float] | None, outside: bool
) -> Flags:
    """Say where a value is one of a set (or, `outside`, is none of them), and known.

    >>> among(np.array([1.0, 2.0, np.nan]), "x", None, frozenset({1.0}), outside=True).tolist()
    [False, True, False]
    """
    if values.dtype.kind in "OU" and text is not None:
        if outside:
            return np.array([isinstance(x, str) and x not in text for x in values.tolist()], np.bool_)
        return np.array([x in text for x in values.tolist()], np.bool_)
    if number is None:
        raise WrongKindError(f"{name} is a number, and the list holds texts.")
    found = numbers(values, name).tolist()  # no NaN is in a set
    if outside:
        return np.array([x not in number and x == x for x in found], np.bool_)  # NaN is not itself
    return np.array([x in number for x in found], np.bool_)


def as_numbers(members: Collection[str]) -> frozenset[float] | None:
    """Read texts as numbers; None where one is none.

    >>> sorted(as_numbers(["1", "2.5"]) or []), as_numbers(["1", "nan"])
    ([1.0, 2.5], None)
    """
    try:
        found = frozenset(float(member) for member in members)
    except ValueError:
        return None
    return found if all(map(np.isfinite, found)) else None


def divide(x: Any, y: Any) -> Any:
    """Divide; by zero nothing is known: NaN."""
    found = np.divide(x, y)
    return np.where(np.equal(y, 0), np.nan, found)
