"""Output rows: one for each window, group and value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["SCHEMA", "ClosedWindow", "as_batch"]

TIME = pa.timestamp("us", tz="UTC")

#: number: the row's place among all that were given out, from 1, the same after a restart; start and end: of
#: the window, end not included; keys: JSON of what the group is known by; other: true for what the groups
#: beyond the bound have together; value: null where no row has one, money in major units; rows: of the group
#: in the window; exact: false where a distinct count met its bound, and may be more; trend: slope in units a
#: period; expected: what the past lets one expect; anomaly: robust score of the difference.
SCHEMA = pa.schema(
    [
        ("number", pa.int64()),
        ("name", pa.string()),
        ("start", TIME),
        ("end", TIME),
        ("keys", pa.string()),
        ("other", pa.bool_()),
        ("value_name", pa.string()),
        ("value", pa.float64()),
        ("rows", pa.int64()),
        ("exact", pa.bool_()),
        ("trend", pa.float64()),
        ("expected", pa.float64()),
        ("anomaly", pa.float64()),
        ("is_anomaly", pa.bool_()),
    ]
)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClosedWindow:
    """One window of one aggregate: its groups in a fixed order, and for each of them all values.

    values, trend, expected, anomaly: float64 (values, groups), NaN unknown; exact: bool (values, groups);
    limit: beyond which a score is an anomaly.
    """

    name: str
    value_names: tuple[str, ...]
    start: int
    end: int
    keys: list[str]
    other: NDArray[np.bool_]
    rows: NDArray[np.int64]
    values: Floats
    exact: NDArray[np.bool_]
    trend: Floats
    expected: Floats
    anomaly: Floats
    limit: float


def as_batch(closed: Sequence[ClosedWindow], first: int) -> pa.RecordBatch:
    """Write windows as rows, window by window, group by group; first: the number of the first row."""
    if not closed:
        return pa.RecordBatch.from_pylist([], SCHEMA)
    sizes = np.array([one.values.size for one in closed])
    rows = int(sizes.sum())
    anomaly = _flat(closed, "anomaly")
    unknown = np.isnan(anomaly)
    limits = np.repeat([one.limit for one in closed], sizes)
    groups = [np.repeat(np.arange(len(one.keys)), len(one.value_names)) for one in closed]
    columns: list[Any] = [
        pa.array(np.arange(first, first + rows)),
        _spread([one.name for one in closed], sizes),
        pa.array(np.repeat(np.array([one.start for one in closed], np.int64), sizes)).cast(TIME),
        pa.array(np.repeat(np.array([one.end for one in closed], np.int64), sizes)).cast(TIME),
        _keys(closed, groups),
        pa.array(np.concatenate([one.other[g] for one, g in zip(closed, groups, strict=True)])),
        _value_names(closed),
        _numbers(_flat(closed, "values")),
        pa.array(np.concatenate([one.rows[g] for one, g in zip(closed, groups, strict=True)])),
        pa.array(_flat(closed, "exact")),
        _numbers(_flat(closed, "trend")),
        _numbers(_flat(closed, "expected")),
        _numbers(anomaly),
        pa.array(np.abs(anomaly) > limits, mask=unknown),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _flat(closed: Sequence[ClosedWindow], part: str) -> NDArray[Any]:
    """Put a part of all windows one behind the other, the values of a group together."""
    return np.concatenate([getattr(one, part).T.ravel() for one in closed])


def _numbers(values: Floats) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))


def _spread(texts: Sequence[str], sizes: NDArray[np.int64]) -> pa.Array:
    return pa.array(texts, pa.string()).take(pa.array(np.repeat(np.arange(len(texts)), sizes)))


def _keys(closed: Sequence[ClosedWindow], groups: Sequence[NDArray[np.int64]]) -> pa.Array:
    before = np.cumsum([0, *(len(one.keys) for one in closed)])
    texts = pa.array([key for one in closed for key in one.keys], pa.string())
    return texts.take(pa.array(np.concatenate([g + b for g, b in zip(groups, before[:-1], strict=True)])))


def _value_names(closed: Sequence[ClosedWindow]) -> pa.Array:
    """Repeat each window's names of values, group after group."""
    known: dict[tuple[str, ...], int] = {}
    texts: list[str] = []
    parts = []
    for one in closed:
        if one.value_names not in known:
            known[one.value_names] = len(texts)
            texts += one.value_names
        place = known[one.value_names]
        parts.append(np.tile(np.arange(place, place + len(one.value_names)), len(one.keys)))
    return pa.array(texts, pa.string()).take(pa.array(np.concatenate(parts)))
