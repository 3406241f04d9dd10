"""The thread that commits decisions, their input and the positions of sources in one transaction."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from queue import Empty

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.notify import Notifier
from tallystick.store import Claim, Entry, Store
from tallystick.streams.delivery import Deliverer, without_shadow
from tallystick.streams.reading import SourceReader
from tallystick.streams.stats import Stats
from tallystick.streams.worker import Worker

__all__ = ["CommitRequest", "Committer"]

QUEUE = 4  # entries that wait to be committed
MAINTAIN_EVERY = 1.0  # seconds between two saves of marks and retention runs
CLEARING = 0.2  # seconds for it each time
CLEAR = 60.0  # seconds between clearings of old days


@dataclass(frozen=True)
class CommitRequest:
    """An entry to be committed; arrived: of each decision that is delivered; late: records that came late."""

    entry: Entry
    arrived: NDArray[np.int64]
    late: int
    aggregates: pa.RecordBatch | None = None


class Committer(Worker[CommitRequest]):
    """Commits entries in their order, then notifies sources and sinks.

    aggregates: delivers rows of windowed aggregates, if there are any; notifier: woken by
    notifications; keep_days: of retention, 0 for ever.
    """

    def __init__(
        self,
        store: Store,
        stream: str,
        claim: Claim,
        stats: Stats,
        readers: Mapping[str, SourceReader],
        sinks: Sequence[Deliverer],
        *,
        aggregates: Deliverer | None = None,
        notifier: Notifier | None = None,
        keep_days: int = 0,
        number: int = 0,
    ) -> None:
        super().__init__("commit", QUEUE)
        self.number = number
        self._store, self._stream, self._claim, self._stats = store, stream, claim, stats
        self._readers, self._sinks, self._aggregates = readers, list(sinks), aggregates
        self._notifier = notifier
        self._keep_days = keep_days
        self._rested = threading.Event()
        self._rested.set()
        self._marked = {one.name_of_sink: one.number for one in self._all_sinks}
        self._source_notes: dict[tuple[str, int], str] = {}
        self._maintained = time.monotonic()
        self._cleared = -CLEAR

    @property
    def _all_sinks(self) -> list[Deliverer]:
        return [*self._sinks, *([self._aggregates] if self._aggregates is not None else [])]

    @property
    def waiting(self) -> int:
        """Entries that wait."""
        return self.queue.qsize()

    def put(self, request: CommitRequest) -> None:
        """Queue an entry; waits while the store is behind. Raises the error that stopped the thread."""
        self._rested.clear()
        self.hand(request)

    def rest(self, wait: float) -> bool:
        """Wait at most `wait` seconds until all that is queued is committed, or failed; return whether."""
        return self._rested.wait(wait)

    def finish(self) -> None:
        """Commit the rest, and end; raises the error that stopped the thread."""
        super().finish()
        if self.error is not None:
            raise self.error

    def run(self) -> None:
        """Commit what is queued; when it is quiet, save marks and apply retention."""
        try:
            while True:
                try:
                    request = self.queue.get(timeout=MAINTAIN_EVERY)
                except Empty:
                    self._maintain()
                    continue
                if request is None:
                    return
                self._commit(request)
                if self.queue.empty():  # one thread puts, and waits: what it puts after this counts anew
                    self._rested.set()
                if time.monotonic() - self._maintained > MAINTAIN_EVERY:
                    self._maintain(committed=True)
        except BaseException as error:  # handed to the thread that scores
            self.error = error
            self._rested.set()

    def _commit(self, request: CommitRequest) -> None:
        marks = self._marks()
        entry = replace(request.entry, at=time.time_ns() // 1000, marks=marks)
        self._claim.commit(entry)
        self.number = entry.number
        self._marked |= {name: number for name, (number, _) in marks.items()}
        decisions = without_shadow(entry.decisions)
        self._stats.committed(
            decisions,
            request.arrived,
            time.time_ns() // 1000,
            bad=len(entry.bad),
            duplicates=entry.duplicates,
            late=request.late,
        )
        if self._notifier is not None and entry.notices:
            self._notifier.wake()
        for name, position in entry.positions.items():
            if name in self._readers:
                self._readers[name].committed(position)
        for sink in self._sinks:
            sink.put(entry.number, decisions)
        if self._aggregates is not None:
            # An entry that completed nothing moves the number on all the same: snapshots wait for it.
            none = decisions.slice(0, 0)
            self._aggregates.put(entry.number, none if request.aggregates is None else request.aggregates)

    def _marks(self) -> dict[str, tuple[int, dict[str, object] | None]]:
        standing = {one.name_of_sink: one.standing for one in self._all_sinks}
        return {name: at for name, at in standing.items() if at[0] > self._marked[name]}

    def _maintain(self, *, committed: bool = False) -> None:
        """Save marks, renew the lease, remove expired days; raise the error of a sink."""
        self._maintained = time.monotonic()
        for sink in self._all_sinks:
            if sink.error is not None:
                raise sink.error
        for reader in self._readers.values():
            for place, note in enumerate(reader.source.notes):
                last = self._source_notes.get((reader.source.name, place))
                if note != last:  # new, or it counts on
                    self._source_notes[reader.source.name, place] = note
                    self._stats.add_note(note, last)
        self._stats.set_backlog(
            lag=self.lag(),
            queued=self.waiting,
            marks={one.name_of_sink: self.number - one.number for one in self._all_sinks},
            notices=None if self._notifier is None else self._notifier.counts,
        )
        if not committed:
            marks = self._marks()
            if marks:
                self._claim.mark(marks)
                self._marked |= {name: number for name, (number, _) in marks.items()}
        if self._keep_days and time.monotonic() - self._cleared > CLEAR:
            before = time.time_ns() // 86_400_000_000_000 - self._keep_days
            until = time.monotonic() + CLEARING
            while time.monotonic() < until:  # small steps, so that commits go on
                if not self._store.clear(self._stream, before):
                    self._cleared = time.monotonic()
                    break

    def last_safe_entry(self, aggregates: Deliverer | None) -> int:
        """Return the last entry whose results would not be lost by a snapshot of it."""
        return self.number if aggregates is None else min(self.number, self._marked[aggregates.name_of_sink])

    def lag(self) -> int | None:
        """Return how many records wait at the sources, None where that is unknown."""
        known = [reader.lag for reader in self._readers.values()]
        return None if not known or any(one is None for one in known) else sum(one or 0 for one in known)

    def flush_marks(self) -> None:
        """Save the marks that came after the last commit, and update statistics."""
        self._maintain()
