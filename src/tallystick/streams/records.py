"""Look-up of the records that later labels belong to, in the log and in the history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.contracts.conforming import conformed
from tallystick.store import Store
from tallystick.streams.frames import KIND, RECORD, logged

__all__ = ["HISTORY", "History", "RecordLookup", "partition_by_key"]

#: Where a key of the history was met: before the first entry.
HISTORY: Final = 0
PART = 8192  # records of a history that are kept together, at most about: one is read for a label
KEPT = 16  # entries in memory, where a record is looked for before the log is asked


@dataclass(frozen=True)
class History:
    """The history of a stream: number of records, and those a label may belong to, in parts by key."""

    records: int
    parts: Iterable[pa.RecordBatch] = ()


def partition_by_key(rows: pa.RecordBatch, ids: pa.Array) -> Iterator[pa.RecordBatch]:
    """Put the records of a history into parts by key, as the log keeps entries; at least one part."""
    parts = max(1, -(-len(rows) // PART))
    place = np.array([_part(name, parts) for name in ids.to_pylist()], np.int64)
    order = np.argsort(place, kind="stable")
    ends = np.searchsorted(place[order], np.arange(parts + 1))
    for part in range(parts):
        mine = pa.array(order[ends[part] : ends[part + 1]])
        n = len(mine)
        yield logged(
            rows.take(mine), ids.take(mine), np.full(n, RECORD, np.int8), None, np.zeros(n, np.int64)
        )


def _part(name: str, parts: int) -> int:
    return crc32(name.encode()) % parts


class RecordLookup:
    """Finds records. parts: how many the history has; schema: of the clean rows. One thread uses it."""

    def __init__(self, store: Store, stream: str, schema: pa.Schema, parts: int = 0) -> None:
        self._store, self._stream, self._schema, self._parts = store, stream, schema, parts
        self._recent: dict[int, pa.RecordBatch] = {}

    def keep(self, number: int, log: pa.RecordBatch) -> None:
        """Remember an entry that is about to be committed."""
        self._recent[number] = log
        self._recent.pop(number - KEPT, None)

    def find(self, entries: NDArray[np.int64], keys: Sequence[str]) -> Mapping[int, pa.RecordBatch]:
        """Return, by its place among the keys, the record of each that is still kept.

        entries: int64 (keys,), the entry in which each key was met, HISTORY for one that came before.
        """
        wanted: dict[int, list[int]] = {}
        for i, (entry, key) in enumerate(zip(entries.tolist(), keys, strict=True)):
            if entry != HISTORY:
                wanted.setdefault(entry, []).append(i)
            elif self._parts:
                wanted.setdefault(-_part(key, self._parts), []).append(i)
        found: dict[int, pa.RecordBatch] = {}
        for number, places in wanted.items():
            log = self._recent.get(number)
            if log is None:
                log = self._store.entry(self._stream, number)
            if log is None:
                continue
            records = log.filter(pc.equal(log.column(KIND), RECORD))
            rows = conformed(records, self._schema)
            where = pc.index_in(pa.array([keys[i] for i in places]), records.column("ts_id")).to_pylist()
            found |= {i: rows.slice(at, 1) for i, at in zip(places, where, strict=True) if at is not None}
        return found
