"""A replay of existing records, at a constant rate or as fast as they are read."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import closing
from typing import cast

import numpy as np
from numpy.typing import NDArray

from tallystick.connectors import Chunk, Source
from tallystick.errors import DataError
from tallystick.streams.source import Position, SourceBase, SourceBatch
from tallystick.streams.sources.growing_file import split

__all__ = ["Replay"]


class Replay(SourceBase):
    """Gives the records of an input that is read once, in its order, and ends with it.

    rate: records a second; the n-th is due n / rate seconds after the first take, whatever happened before
    (an open loop: who is late does not shift what follows), and has arrived when it was due. None: all is
    due at once. Broken records keep their moment too.
    """

    def __init__(self, source: Source, name: str, rate: float | None) -> None:
        self.name = name
        self._source = source
        self._rate = rate
        self._chunks = cast("Generator[Chunk, None, None]", source.chunks())
        self._held: Chunk | None = None
        self._given = self._first = 0
        self._began = 0.0
        self._began_at = 0
        self._over = False

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes about the input so far."""
        return self._source.notes

    @property
    def ended(self) -> bool:
        """Whether all was given."""
        return self._over

    def seek(self, position: Position | None) -> None:
        """Pass over what was given before; DataError where the input holds less."""
        self._given = self._first = _records(position)
        left = self._given
        while left:
            chunk = self._next()
            if chunk is None:
                raise DataError(
                    f"{self._source.location.path} holds fewer than the {self._given:,} records that were "
                    "given before.",
                    "Put the whole file back, or begin with a state of its own.",
                )
            count = _count(chunk)
            self._held = None if count <= left else _after(chunk, left)
            left -= min(left, count)

    def take(self, most: int, wait: float) -> Sequence[SourceBatch]:
        """Return what is due, at most about `most` records."""
        ends = time.monotonic() + wait
        if not self._began:
            self._held = self._next()  # what reading the first block takes is not waited for
            self._began, self._began_at = time.monotonic(), time.time_ns() // 1000
        while not self._over:
            due = self._due()
            if due > 0:
                return self._take(min(due, most))
            until = self._began + (self._given - self._first) / (self._rate or 1)
            time.sleep(max(0.0, min(until, ends) - time.monotonic()))
            if until > ends:
                return []
        return []

    def lag(self) -> int | None:
        """Return how many records are due; at least one waits as long as it has not ended."""
        if self._over:
            return 0
        return max(1, self._due()) if self._began and self._rate else 1

    def close(self) -> None:
        """Close the input."""
        with closing(self._chunks):
            self._over = True

    def _due(self) -> int:
        """Return how many records are due and not given."""
        if self._rate is None:
            return 1 << 62
        passed = time.monotonic() - self._began
        return int(passed * self._rate) + 1 - (self._given - self._first)

    def _take(self, most: int) -> list[SourceBatch]:
        found: list[SourceBatch] = []
        while most > 0 and self._held is not None:
            chunk, rest = split(self._held, most - min(len(self._held.broken), most - 1))
            count = _count(chunk)
            arrived = self._arrived(chunk)
            self._given += count
            most -= count
            found.append(SourceBatch(chunk, arrived, {"records": self._given}))
            self._held = rest
            self._held = self._next()
        self._over = self._held is None
        return found

    def _arrived(self, chunk: Chunk) -> NDArray[np.int64]:
        """Return when each record was due, in microseconds; those between them that are broken count."""
        if self._rate is None:
            return np.full(len(chunk.records), time.time_ns() // 1000, np.int64)
        place = np.arange(len(chunk.records), dtype=np.float64) + (self._given - self._first)
        if chunk.broken:
            place += np.searchsorted(sorted(one.record for one in chunk.broken), chunk.records)
        return self._began_at + (place * (1e6 / self._rate)).astype(np.int64)

    def _next(self) -> Chunk | None:
        """Return the chunk that was held, or read the next one that has a record."""
        held, self._held = self._held, None
        if held is not None:
            return held
        return next((chunk for chunk in self._chunks if _count(chunk)), None)


def _records(position: Position | None) -> int:
    """Return how many records a position counts; that of a followed file holds the last one's number."""
    if position is None:
        return 0
    if "file" in position:
        state = position["file"]
        return max(int(state.get("given", 0)), int(state["records"]["record"]) - 1)
    if "records" not in position:
        raise DataError(
            "A folder that was followed cannot be replayed from where that stopped.",
            "Leave --rate out, or begin with a state of its own.",
        )
    return int(position["records"])


def _count(chunk: Chunk) -> int:
    return int(chunk.rows.num_rows) + len(chunk.broken)


def _after(chunk: Chunk, count: int) -> Chunk:
    """Leave out the first records of a chunk, broken ones counted."""
    numbers = sorted([*chunk.records.tolist(), *(one.record for one in chunk.broken)])
    last = numbers[count - 1]
    start = int(np.searchsorted(chunk.records, last, "right"))
    broken = tuple(one for one in chunk.broken if one.record > last)
    return Chunk(chunk.rows.slice(start), chunk.name, chunk.records[start:], broken)
