"""Labels that came with their records, held until the stream reaches the time they became known."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.contracts.zones import LATEST
from tallystick.streams.frames import packed, unpacked

__all__ = ["Pending"]

_TIME = "ts_time"  # the event time of a waiting record, LATEST where it has none
_BEFORE = int(np.iinfo(np.int64).min)


class Pending:
    """Records that are known to have been the event, by the moment from which that is known.

    A label counts before the first record whose time, or that of any before it, is not earlier: so a stream
    that comes in order applies labels where a batch does.
    """

    def __init__(self) -> None:
        self._rows: pa.RecordBatch | None = None
        self._known = np.zeros(0, np.int64)
        # By when each is known, then by the UTF-8 of what it names: the order in which they count.
        self._order: list[tuple[int, bytes]] = []
        self._newest = _BEFORE

    def __len__(self) -> int:
        return len(self._known)

    def joined(
        self,
        rows: pa.RecordBatch,
        ids: pa.Array,
        time: NDArray[np.int64],
        truth: NDArray[np.float64],
        known: NDArray[np.int64],
    ) -> tuple[pa.RecordBatch, pa.Array, NDArray[np.bool_]]:
        """Put the labels that are due between records; return all rows, their names, which are labels.

        rows: records in the order in which they arrived, of one schema over all calls; ids: what they are
        called; time: their event times, microseconds, LATEST where there is none; truth and known: as of
        `tasks.labels.flag_labels`.
        """
        n = len(rows)
        yes = np.flatnonzero((truth == 1) & (known < LATEST))
        reached = np.maximum.accumulate(np.maximum(np.where(time < LATEST, time, _BEFORE), self._newest))
        if n:
            self._newest = int(reached[-1])
        nothing_due = not len(self) or not n or self._known[0] > reached[-1]
        if not len(yes) and nothing_due:
            return rows, ids, np.zeros(n, bool)
        new = self._keep(rows.take(pa.array(yes)), ids.take(pa.array(yes)), time[yes], known[yes])
        waiting = self._rows
        if waiting is None:
            return rows, ids, np.zeros(n, bool)
        # Before which record each label counts: those of this batch after the record that they are of.
        before = np.searchsorted(reached, self._known, side="left")
        if len(yes):
            before = np.maximum(before, np.where(new >= 0, yes[new] + 1, 0))
        due = np.flatnonzero(before < n)
        if not len(due):
            return rows, ids, np.zeros(n, bool)
        place = np.concatenate([before[due], np.arange(n)])
        label = np.concatenate([np.ones(len(due), bool), np.zeros(n, bool)])
        # Labels of one place keep their order here: by when they became known, then by name.
        index = np.lexsort((np.arange(len(place)), ~label, place))
        released = waiting.take(pa.array(due))
        bare = released.select(rows.schema.names)
        both = pa.concat_batches([bare, rows]).take(pa.array(index))
        names = pa.concat_arrays([released.column("ts_id"), ids]).take(pa.array(index))
        self._drop(due)
        return both, names, label[index]

    def replay(
        self, rows: pa.RecordBatch, ids: pa.Array, time: NDArray[np.int64], known: NDArray[np.int64]
    ) -> None:
        """Take in records that were applied before and release nothing; known: the latest time means none."""
        yes = pa.array(np.flatnonzero(known < LATEST))
        self._keep(rows.take(yes), ids.take(yes), time[known < LATEST], known[known < LATEST])
        self.reach(time)

    def reach(self, time: NDArray[np.int64]) -> None:
        """Advance to the event times of records that were applied before."""
        self._newest = max(self._newest, int(time[time < LATEST].max(initial=_BEFORE)))

    def forget(self, ids: pa.Array, time: NDArray[np.int64]) -> None:
        """Remove labels that were applied otherwise, by name and event time of their records.

        A name alone does not tell: beyond the horizon of duplicates another record may bear it.
        """
        if self._rows is None or not len(ids):
            return
        gone = set(zip(ids.to_pylist(), time.tolist(), strict=True))
        own = zip(self._rows.column("ts_id").to_pylist(), self._rows.column(_TIME).to_pylist(), strict=True)
        self._drop(np.array([i for i, one in enumerate(own) if one in gone], int))

    def _keep(
        self, rows: pa.RecordBatch, ids: pa.Array, time: NDArray[np.int64], known: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Add labels where they will count; return which of the new ones each now is, -1 for older ones."""
        if not len(rows):
            return np.full(len(self), -1)
        more = rows.append_column("ts_id", ids).append_column(_TIME, pa.array(time))
        both = more if self._rows is None else pa.concat_batches([self._rows, more])
        new = list(zip(known.tolist(), (name.encode() for name in ids.to_pylist()), strict=True))
        index, before = list(range(len(self._order))), len(self._order)
        for i in sorted(range(len(new)), key=new.__getitem__):
            place = bisect_right(self._order, new[i])
            self._order.insert(place, new[i])
            index.insert(place, before + i)
        self._rows = both.take(pa.array(index))
        self._known = np.concatenate([self._known, known])[index]
        found: NDArray[np.int64] = np.maximum(np.array(index, np.int64) - before, -1)
        return found

    def _drop(self, index: NDArray[np.int64]) -> None:
        if self._rows is None or not len(index):
            return
        stays = np.ones(len(self), bool)
        stays[index] = False
        self._known = self._known[stays]
        self._order = [one for one, stay in zip(self._order, stays.tolist(), strict=True) if stay]
        self._rows = self._rows.filter(pa.array(stays)) if stays.any() else None

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the state as plain arrays, from which `load` makes it anew."""
        found: dict[str, NDArray[Any]] = {"newest": np.array([self._newest], np.int64), "known": self._known}
        return found if self._rows is None else found | {"rows": packed(self._rows)}

    @classmethod
    def load(cls, arrays: Mapping[str, NDArray[Any]]) -> Pending:
        """Restore what `arrays` returned."""
        pending = cls()
        pending._newest, pending._known = int(arrays["newest"][0]), np.array(arrays["known"], np.int64)
        if "rows" in arrays:
            pending._rows = unpacked(arrays["rows"])
            names = [name.encode() for name in pending._rows.column("ts_id").to_pylist()]
            pending._order = list(zip(pending._known.tolist(), names, strict=True))
        return pending
