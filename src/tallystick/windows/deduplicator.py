"""Deduplication: which keys have come before, within a horizon of event times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray

from tallystick.errors import DataError

__all__ = ["FRESH", "NO_TIME", "OUTSIDE", "Deduplicator"]

#: What `check` returns for a key that is new, and for one too old to tell.
FRESH: Final = -1
OUTSIDE: Final = -2
#: The time of a record that has none.
NO_TIME: Final = int(np.iinfo(np.int64).max)

_LEAST: Final = 1024
_FIELDS: Final = 4  # two halves of the hash, the event time, the place


@njit(nogil=True, cache=True, inline="always")  # type: ignore[untyped-decorator]
def _mixed(value: Any) -> Any:
    """Finish a hash as SplitMix64 does."""
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _hashes(data: Any, offsets: Any, out: Any) -> None:
    """Hash texts to 128 bits: FNV-1a from two beginnings, finished twice; the first half is never 0."""
    for i in range(len(out)):
        one, two = np.uint64(0xCBF29CE484222325), np.uint64(0x9AE16A3B2F90404F)
        for place in range(offsets[i], offsets[i + 1]):
            byte = np.uint64(data[place])
            one = (one ^ byte) * np.uint64(0x100000001B3)
            two = (two ^ byte) * np.uint64(0x9E3779B97F4A7C15)
            two = two ^ (two >> np.uint64(29))
        out[i, 0] = np.int64(_mixed(one) | np.uint64(1))
        out[i, 1] = np.int64(_mixed(two))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _check(
    table: Any,
    counters: Any,
    hashes: Any,
    valid: Any,
    times: Any,
    places: Any,
    horizon: Any,
    out: Any,
    start: Any,
) -> Any:
    """Check keys from `start` on; return where it stopped because the table is full, or their number.

    counters: entries in use, the newest event time, the time before which entries were let go.
    """
    mask = len(table) - 1
    room = len(table) - len(table) // 3
    for i in range(start, len(out)):
        if not valid[i]:
            out[i] = FRESH
            continue
        if counters[0] >= room:
            return i
        time = times[i]
        if time != NO_TIME and counters[2] > 0 and time < counters[2] + horizon:
            out[i] = OUTSIDE
            continue
        slot = np.int64(np.uint64(hashes[i, 0]) >> np.uint64(8)) & mask
        found = np.int64(FRESH)
        while table[slot, 0] != 0:
            if table[slot, 0] == hashes[i, 0] and table[slot, 1] == hashes[i, 1]:
                first = table[slot, 2]
                near = horizon < 0 or first == NO_TIME or time == NO_TIME
                if near or (first - time <= horizon and time - first <= horizon):
                    found = table[slot, 3]
                    break
            slot = (slot + 1) & mask
        out[i] = found
        if found == FRESH:
            table[slot, 0], table[slot, 1] = hashes[i, 0], hashes[i, 1]
            table[slot, 2], table[slot, 3] = time, places[i]
            counters[0] += 1
            if time != NO_TIME and time > counters[1]:
                counters[1] = time
    return len(out)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _find(table: Any, hashes: Any, valid: Any, out: Any) -> None:
    """Find where keys came last."""
    mask = len(table) - 1
    for i in range(len(out)):
        out[i] = FRESH
        if not valid[i]:
            continue
        slot = np.int64(np.uint64(hashes[i, 0]) >> np.uint64(8)) & mask
        while table[slot, 0] != 0:
            if table[slot, 0] == hashes[i, 0] and table[slot, 1] == hashes[i, 1]:
                out[i] = max(out[i], table[slot, 3])
            slot = (slot + 1) & mask


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _moved(entries: Any, table: Any) -> None:
    """Put entries into a table that has room for them."""
    mask = len(table) - 1
    for i in range(len(entries)):
        if entries[i, 0] == 0:
            continue
        slot = np.int64(np.uint64(entries[i, 0]) >> np.uint64(8)) & mask
        while table[slot, 0] != 0:
            slot = (slot + 1) & mask
        table[slot] = entries[i]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _purged(table: Any, before: Any) -> Any:
    """Let go of the entries that are older than `before`, in place; return how many stay.

    Runs of entries without a gap are gone through from their first on: what stays moves up within its run.
    """
    mask, kept, gap = len(table) - 1, 0, 0
    while table[gap, 0] != 0:
        gap += 1
    for i in range(gap + 1, gap + len(table)):
        at = i & mask
        one, two, time, place = table[at, 0], table[at, 1], table[at, 2], table[at, 3]
        if one == 0:
            continue
        table[at, 0] = 0
        if time != NO_TIME and time < before:
            continue
        slot = np.int64(np.uint64(one) >> np.uint64(8)) & mask
        while table[slot, 0] != 0:
            slot = (slot + 1) & mask
        table[slot, 0], table[slot, 1], table[slot, 2], table[slot, 3] = one, two, time, place
        kept += 1
    return kept


class Deduplicator:
    """The keys of the past, as 128-bit hashes with their event times and places.

    horizon: two records of one key that lie further apart (microseconds of event time) are two; None: they
    are one, however far apart. Keys older than two horizons before the newest are let go when room is wanted:
    of a record so old that its key might have been among them `check` says OUTSIDE.

    >>> deduplicator = Deduplicator(horizon=100)
    >>> deduplicator.check(pa.array(["a", "b", "a", "a"]), np.array([0, 5, 50, 200]), np.arange(4)).tolist()
    [-1, -1, 0, -1]
    """

    def __init__(self, horizon: int | None) -> None:
        self.horizon = horizon
        self._table = np.zeros((_LEAST, _FIELDS), np.int64)
        self._counters = np.zeros(3, np.int64)

    def __len__(self) -> int:
        return int(self._counters[0])

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""
        return self._table.nbytes

    def check(self, keys: pa.Array, times: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return FRESH, OUTSIDE, or the place of the record that a row repeats: int64 (rows,).

        keys: text, null where a record has none, which is never a duplicate; times: microseconds, NO_TIME
        where there is none; places: from 0 up.
        """
        hashes, valid = _hashed(keys)
        times = times.view()
        times.flags.writeable = False  # as most are: for another kind another kernel is compiled, at once
        out = np.empty(len(keys), np.int64)
        horizon = -1 if self.horizon is None else self.horizon
        done = 0
        while True:
            done = _check(self._table, self._counters, hashes, valid, times, places, horizon, out, done)
            if done == len(out):
                return out
            self._make_room()

    def find(self, keys: pa.Array) -> NDArray[np.int64]:
        """Return the place at which each key came last, FRESH where it was not: int64 (rows,)."""
        hashes, valid = _hashed(keys)
        out = np.empty(len(keys), np.int64)
        _find(self._table, hashes, valid, out)
        return out

    def _make_room(self) -> None:
        """Let go of what is too old; take twice the room where that does not free a quarter of it."""
        if self.horizon is not None:
            before = int(self._counters[1]) - 2 * self.horizon
            kept = _purged(self._table, before)
            if kept < self._counters[0]:
                self._counters[0], self._counters[2] = kept, max(before, 1)
        if self._counters[0] > len(self._table) // 2:  # of two thirds that may be in use
            entries, self._table = self._table, np.zeros((2 * len(self._table), _FIELDS), np.int64)
            _moved(entries, self._table)

    def arrays(self, *, copy: bool = True) -> dict[str, NDArray[Any]]:
        """Return the state as plain arrays, from which `load` makes it anew.

        copy: False gives them as they lie in memory, where the next `check` changes them.
        """
        horizon = -1 if self.horizon is None else self.horizon
        return {
            "entries": self._table.copy() if copy else self._table,
            # the name under which snapshots have always kept the counters
            "told": np.array([*self._counters, len(self._table), horizon], np.int64),
        }

    @classmethod
    def load(cls, arrays: Mapping[str, NDArray[Any]]) -> Deduplicator:
        """Read what `arrays` gave."""
        if "told" not in arrays or "entries" not in arrays:
            raise DataError("This is no state of a deduplicator: `told` or `entries` is missing.")
        used, newest, before, room, horizon = (int(one) for one in arrays["told"])
        deduplicator = cls(None if horizon < 0 else horizon)
        deduplicator._counters[:] = used, newest, before
        entries = arrays["entries"]
        if len(entries) == room:
            deduplicator._table = np.array(entries, np.int64)
        else:  # as earlier versions kept it: without what is empty
            deduplicator._table = np.zeros((room, _FIELDS), np.int64)
            _moved(np.ascontiguousarray(entries), deduplicator._table)
        return deduplicator


def _hashed(keys: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the hashes of texts, and which of them are there."""
    if keys.type not in (pa.string(), pa.large_string()):
        keys = keys.cast(pa.large_string())
    kind = np.int64 if keys.type == pa.large_string() else np.int32
    _, offsets, data = keys.buffers()
    ends = np.zeros(1, np.int64) if offsets is None else np.frombuffer(offsets, kind)
    ends = ends[keys.offset : keys.offset + len(keys) + 1]
    letters = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    hashes = np.empty((len(keys), 2), np.int64)
    _hashes(letters, ends, hashes)
    valid = keys.is_valid().to_numpy(zero_copy_only=False) if keys.null_count else np.ones(len(keys), bool)
    return hashes, valid
