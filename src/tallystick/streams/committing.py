"""The thread that commits: what was decided, its input and where the sources stand, in one transaction."""

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
from tallystick.streams.delivery import Deliverer, own
from tallystick.streams.reading import SourceReader
from tallystick.streams.stats import Stats
from tallystick.streams.worker import Worker

__all__ = ["CommitRequest", "Committer"]

QUEUE = 4  # entries that wait to be committed
TEND = 1.0  # seconds between looks at marks and retention when it is quiet
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
    """Commits entries in their order, then tells sources and sinks.

    aggregates: delivers rows of windowed aggregates, if there are any; notifier: woken where there are
    notices; keep_days: of retention, 0 for ever.
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
        self._noted: dict[tuple[str, int], str] = {}
        self._tended = time.monotonic()
        self._cleared = -CLEAR

    @property
    def _all_sinks(self) -> list[Deliverer]:
        return [*self._sinks, *([self._aggregates] if self._aggregates is not None else [])]

    @property
    def waiting(self) -> int:
        """Entries that wait."""
        return self.queue.qsize()

    def put(self, made: CommitRequest) -> None:
        """Hand on an entry; waits while the store is behind. Raises what stopped the thread."""
        self._rested.clear()
        self.hand(made)

    def rest(self, wait: float) -> bool:
        """Wait up to so many seconds until all that was put is committed, or never will be; say whether."""
        return self._rested.wait(wait)

    def finish(self) -> None:
        """Commit what is left, and end; raises what stopped the thread."""
        super().finish()
        if self.error is not None:
            raise self.error

    def run(self) -> None:
        """Commit what comes; in quiet moments keep the marks and the retention."""
        try:
            while True:
                try:
                    made = self.queue.get(timeout=TEND)
                except Empty:
                    self._tend()
                    continue
                if made is None:
                    return
                self._commit(made)
                if self.queue.empty():  # one thread puts, and waits: what it puts after this counts anew
                    self._rested.set()
                if time.monotonic() - self._tended > TEND:
                    self._tend(committed=True)
        except BaseException as error:  # handed to the thread that scores
            self.error = error
            self._rested.set()

    def _commit(self, made: CommitRequest) -> None:
        marks = self._marks()
        entry = replace(made.entry, at=time.time_ns() // 1000, marks=marks)
        self._claim.commit(entry)
        self.number = entry.number
        self._marked |= {name: number for name, (number, _) in marks.items()}
        decisions = own(entry.decisions)
        self._stats.committed(
            decisions,
            made.arrived,
            time.time_ns() // 1000,
            bad=len(entry.bad),
            duplicates=entry.duplicates,
            late=made.late,
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
            self._aggregates.put(entry.number, none if made.aggregates is None else made.aggregates)

    def _marks(self) -> dict[str, tuple[int, dict[str, object] | None]]:
        standing = {one.name_of_sink: one.standing for one in self._all_sinks}
        return {name: at for name, at in standing.items() if at[0] > self._marked[name]}

    def _tend(self, *, committed: bool = False) -> None:
        """Keep marks and lease alive; let go of old days; notice what stopped a sink."""
        self._tended = time.monotonic()
        for sink in self._all_sinks:
            if sink.error is not None:
                raise sink.error
        for reader in self._readers.values():
            for place, note in enumerate(reader.source.notes):
                last = self._noted.get((reader.source.name, place))
                if note != last:  # new, or it counts on
                    self._noted[reader.source.name, place] = note
                    self._stats.said(note, last)
        self._stats.noted(
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

    def kept(self, aggregates: Deliverer | None) -> int:
        """Return up to which entry all is kept that is not made again after a snapshot of it."""
        return self.number if aggregates is None else min(self.number, self._marked[aggregates.name_of_sink])

    def lag(self) -> int | None:
        """Return how many records wait at the sources, None where that is not known."""
        known = [reader.lag for reader in self._readers.values()]
        return None if not known or any(one is None for one in known) else sum(one or 0 for one in known)

    def flush_marks(self) -> None:
        """Keep the marks that came after the last commit, and say what is to be said."""
        self._tend()
