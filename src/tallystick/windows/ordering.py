"""The order in which events are applied, and the order that recorded sequence numbers prove."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit
from numpy.typing import NDArray

from tallystick.errors import DataError

__all__ = ["order"]

Ints = NDArray[np.int64]


def order(
    time_us: Ints,
    label: NDArray[np.bool_],
    key: pa.Array,
    place: Ints,
    sequence: Ints | None = None,
    entities: Ints | None = None,
) -> Ints:
    """Return the rows (index, int64) in the order in which they are applied.

    By time (int64 microseconds; that of knowledge for a label event; the largest int64 for none), then label
    events before the others, then the key's UTF-8 bytes (null last), then the place. With `sequence`, int64
    (rows, E), 0 for none, and `entities`, codes of the same shape (-1 for none): an order in which each
    entity's numbers ascend, as near to the other as that leaves. DataError where the numbers contradict.

    >>> order(np.array([5, 5, 1]), np.array([False, True, False]), pa.array(["a", "b", "c"]), np.arange(3))
    array([2, 1, 0])
    """
    ranks = np.lexsort((place, _key_ranks(key), ~np.asarray(label, bool), time_us)).astype(np.int64)
    if sequence is None or entities is None or not len(ranks):
        return ranks
    return _replay(ranks, np.asarray(sequence, np.int64), np.asarray(entities, np.int64))


def _key_ranks(key: pa.Array) -> Ints:
    """Return numbers that compare as the keys' UTF-8 bytes do; equal keys get equal numbers."""
    coded = key.cast(pa.binary()).dictionary_encode()
    values = coded.dictionary
    ranks = np.empty(len(values) + 1, np.int64)
    ranks[pc.sort_indices(values).to_numpy()] = np.arange(len(values))
    ranks[-1] = len(values)
    found: Ints = ranks[coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
    return found


def _replay(ranks: Ints, sequence: Ints, entities: Ints) -> Ints:
    """Return a topological order: in each entity, each number comes after the one before it."""
    rows, kinds = sequence.shape
    position = np.empty(rows, np.int64)
    position[ranks] = np.arange(rows)
    after = np.full((rows, kinds), -1, np.int64)
    waits = np.zeros(rows, np.int64)
    for e in range(kinds):
        there = np.flatnonzero((entities[:, e] >= 0) & (sequence[:, e] > 0))
        chain = there[np.lexsort((sequence[there, e], entities[there, e]))]
        same = entities[chain[1:], e] == entities[chain[:-1], e]
        before, then = chain[:-1][same], chain[1:][same]
        twice = sequence[before, e] == sequence[then, e]
        if twice.any():
            row = int(then[twice][0])
            raise DataError(
                f"Recorded sequence numbers contradict each other: entity {int(entities[row, e])} of column "
                f"{e} has the number {int(sequence[row, e])} twice (row {row}).",
                "Leave the numbers out to have the order by time, or give those of one run.",
            )
        after[before, e] = then
        np.add.at(waits, then, 1)
    found = np.empty(rows, np.int64)
    done = _topological(ranks, position, after, waits, found)
    if done < rows:
        row = int(ranks[np.flatnonzero(waits[ranks] > 0)[0]])
        e = int(np.flatnonzero(entities[row] >= 0)[0])
        raise DataError(
            f"Recorded sequence numbers contradict each other: rows of entity {int(entities[row, e])} of "
            f"column {e} would each have to come before the other (row {row}).",
            "Leave the numbers out to have the order by time, or give those of one run.",
        )
    return found


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _topological(ranks: Any, position: Any, after: Any, waits: Any, found: Any) -> int:
    """Take rows by rank as soon as nothing that must come before them is left (Kahn, with a heap)."""
    rows = len(ranks)
    heap = np.empty(rows + 1, np.int64)  # positions in `ranks`, the smallest first
    size = 0
    done = 0
    for i in range(rows):
        if waits[ranks[i]] == 0:
            heap[size] = i  # ascending: already a heap
            size += 1
    while size:
        row = ranks[heap[0]]
        size -= 1
        last = heap[size]
        i = 0
        while True:
            child = 2 * i + 1
            if child >= size:
                break
            if child + 1 < size and heap[child + 1] < heap[child]:
                child += 1
            if heap[child] >= last:
                break
            heap[i] = heap[child]
            i = child
        heap[i] = last
        found[done] = row
        done += 1
        for e in range(after.shape[1]):
            then = after[row, e]
            if then < 0:
                continue
            waits[then] -= 1
            if waits[then] == 0:
                value = position[then]
                i = size
                size += 1
                while i > 0 and heap[(i - 1) // 2] > value:
                    heap[i] = heap[(i - 1) // 2]
                    i = (i - 1) // 2
                heap[i] = value
    return done
