"""Which records come again under the same key: relational work, so that every engine answers the same."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa

__all__ = ["duplicates", "repeated"]

LATE = 2**63 - 1


def repeated(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Find the records of keys that come more than once: few of many.

    frame: columns `key` (text, no nulls), `time` (int64 microseconds, null: none), `place` (int64, rises with
    the place). Returns the three columns, the largest time for none, in the order of time and place by key.
    """
    return (
        frame.with_columns(time=nw.coalesce(nw.col("time"), nw.lit(LATE)))
        .filter(nw.len().over("key") > 1)
        .select("key", "time", "place")
        .sort("key", "time", "place")
    )


def duplicates(records: pa.Table, horizon: int | None) -> pa.Table:
    """Say which of the records that `repeated` found are to be set apart.

    The first by time stays, a record without a time comes last, then the place decides. horizon: records of
    one key that lie further apart (microseconds) are two; None: never. Returns `place` of each record to set
    apart and `kept`, the place of the one that stays, in the order of places.

    >>> found = pa.table({"key": ["a", "a", "a"], "time": [0, 5, 99], "place": [2, 0, 1]})
    >>> duplicates(found, horizon=10).to_pydict()
    {'place': [0], 'kept': [2]}
    """
    key = records.column("key").combine_chunks().dictionary_encode().indices.to_numpy()
    time, place = records.column("time").to_numpy(), records.column("place").to_numpy()
    left = np.arange(len(key))
    apart, kept = [left[:0]], [left[:0]]
    while len(left):
        first = np.flatnonzero(np.diff(key[left], prepend=-1) != 0)
        stays = left[first][np.searchsorted(first, np.arange(len(left)), side="right") - 1]
        near = np.ones(len(left), bool)
        if horizon is not None:
            near = (time[left] == LATE) | (time[left] - time[stays] <= horizon)
        again = near & (left != stays)
        apart.append(left[again])
        kept.append(stays[again])
        left = left[~near]
    which, by = np.concatenate(apart), np.concatenate(kept)
    order = np.argsort(place[which], kind="stable")
    return pa.table({"place": place[which][order], "kept": place[by][order]})
