"""The decision: what is written for one record and one task, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.rules.routing import ROUTE

__all__ = [
    "REASON",
    "TIME",
    "decision_schema",
    "mapped",
    "nulls",
    "numbers",
    "picked",
    "repeated",
]

FEW = 16
TIME = pa.timestamp("us", tz="UTC")
#: What moved a decision: a feature, its value, what it added to the score, and that in words.
REASON = pa.struct(
    [("feature", pa.string()), ("value", pa.float64()), ("effect", pa.float64()), ("words", pa.string())]
)
#: The number that each entity gave to an event: entity column to number.
SEQUENCE = pa.map_(pa.string(), pa.int64())
_PAIR = pa.struct([SEQUENCE.key_field, SEQUENCE.item_field])
_KINDS = {np.dtype(np.float64).char: pa.float64(), np.dtype(np.int64).char: pa.int64()}


def decision_schema(*, reasons: bool = True, all_scores: bool = False) -> pa.Schema:
    """Return the columns of decisions, in the order in which they are written: the same for every task.

    >>> decision_schema().names[:5]
    ['id', 'event_time', 'task', 'label', 'score']
    """
    fields = [
        ("id", pa.string()),
        ("event_time", TIME),
        ("task", pa.string()),
        ("label", pa.string()),
        ("score", pa.float64()),
        ("action", pa.string()),
        ("route", ROUTE),
        *([("reasons", pa.list_(REASON))] if reasons else []),
        ("model", pa.string()),
        # Entity column to number; null for a solution that declares no windows.
        ("sequence", SEQUENCE),
        ("late", pa.bool_()),
        *([("scores", pa.map_(pa.string(), pa.float64()))] if all_scores else []),
    ]
    return pa.schema(fields)


@lru_cache(maxsize=64)
def repeated(value: str | bool, rows: int) -> pa.Array:
    """Return one value over and over; arrays never change, so one serves all batches of a size."""
    return pa.repeat(pa.scalar(value), rows)


def numbers(values: NDArray[np.float64] | NDArray[np.int64]) -> pa.Array:
    """Return an array of numbers as they lie in memory, faster than `pa.array` sees that it can.

    >>> numbers(np.array([0.5])).to_pylist()
    [0.5]
    """
    return pa.Array.from_buffers(_KINDS[values.dtype.char], len(values), [None, pa.py_buffer(values)])


def mapped(offsets: pa.Buffer, keys: pa.Array, values: NDArray[np.int64]) -> pa.Array:
    """Return maps from text to whole number; offsets: int32, where each row's entries begin, and the end."""
    pairs = pa.Array.from_buffers(_PAIR, len(keys), [None], children=[keys, numbers(values)])
    return pa.Array.from_buffers(SEQUENCE, offsets.size // 4 - 1, [None, offsets], children=[pairs])


def picked(values: Sequence[str], array: pa.Array, codes: NDArray[np.int64]) -> pa.Array:
    """Turn codes into what they stand for; of a few rows by hand, since a `take` costs more than they do."""
    if len(codes) == 1:
        return repeated(values[int(codes[0])], 1)
    if len(codes) <= FEW:
        return pa.array([values[code] for code in codes.tolist()], pa.string())
    return array.take(pa.array(codes))


@lru_cache(maxsize=32)
def nulls(kind: pa.DataType, rows: int) -> pa.Array:
    """Return so many nulls; arrays never change, so one serves all batches of a size."""
    return pa.nulls(rows, kind)
