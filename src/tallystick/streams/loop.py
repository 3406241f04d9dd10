"""The loop of a stream: scores what has arrived and queues it for commit; larger batches under load."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, Queue
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.errors import TallystickError
from tallystick.scorer import Scorer
from tallystick.store import Entry
from tallystick.streams.batches import filter_rows, join_arrays, join_batches, join_numbers
from tallystick.streams.committing import CommitRequest, Committer
from tallystick.streams.delivery import SHADOW
from tallystick.streams.frames import KIND, RECORD
from tallystick.streams.quarantine import LATE, UNKNOWN, quarantined_records
from tallystick.streams.reading import CheckedBatch, CheckedBatches, SourceReader, record_count
from tallystick.streams.records import RecordLookup
from tallystick.streams.snapshots import Snapshots
from tallystick.streams.source import Position
from tallystick.streams.state import AppliedRows, StreamState

__all__ = ["Loop", "ScorerProvider", "StopCondition"]

WAIT = 0.05
ROWS = 16_384  # records that are scored and committed together, at most about
LIGHT = 512  # records of a small batch: no step begins before the next step is free
GRACE = 3.0  # seconds to wait at the end for a source that is being read
IDLE = 0.5  # seconds without a record after which a source that has none left is idle
IDLE_UNKNOWN = 3.0  # the same of a source that cannot say what it has


class ScorerProvider(Protocol):
    """Provides the scorer, which may change between two batches."""

    def current(self) -> tuple[Scorer, Scorer | None]:
        """Return the scorer, and that of a shadow model: stored, never delivered."""


class Aggregating(Protocol):
    """Windowed aggregates of what is scored."""

    def apply(self, rows: pa.RecordBatch, decisions: pa.RecordBatch) -> pa.RecordBatch | None:
        """Add clean rows with their decisions; return the rows of windows that this closed."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the state as plain arrays."""


@dataclass(frozen=True, slots=True)
class StopCondition:
    """When a stream stops by itself: when all sources are idle, or never."""

    until_idle: bool = False


@dataclass
class Loop:
    """One running stream; `run` ends when the sources end, or after `stop`.

    records: finds the record that a label is of; inbox: filled by the readers; number: the last entry of
    the log; notices: the notifications that decisions cause.
    """

    state: StreamState
    records: RecordLookup
    models: ScorerProvider
    inbox: Queue[CheckedBatches | SourceReader]
    readers: Sequence[SourceReader]
    committer: Committer
    snapshots: Snapshots
    number: int
    ending: StopCondition = field(default_factory=StopCondition)
    notices: Callable[[pa.RecordBatch], list[tuple[str, dict[str, Any]]]] | None = None
    aggregates: Aggregating | None = None

    def __post_init__(self) -> None:
        self._stopping = threading.Event()
        self._held: CheckedBatches | None = None
        self._light = True

    def stop(self) -> None:
        """Stop reading; what was read is committed and delivered."""
        self._stopping.set()

    def run(self) -> None:
        """Run until the end; raises the error of any thread."""
        for reader in self.readers:
            reader.start()
        try:
            while True:
                # Looked at also where records never cease to come.
                if self._stopping.is_set() or any(one.error is not None for one in self.readers):
                    for reader in self.readers:
                        reader.stop()
                reads = self._next()
                if reads:
                    self._process(reads)
                    continue
                if self.committer.error is not None:
                    raise self.committer.error
                ended = all(reader.ended for reader in self.readers)
                if ended and self._held is None and self.inbox.empty():
                    break
                finished = self._finished()
                if self._stopping.is_set() or finished:
                    for reader in self.readers:
                        reader.stop(idle=finished and not self._stopping.is_set())
        finally:
            for reader in self.readers:
                reader.stop()
            for reader in self.readers:
                self._join_reader(reader)
                with suppress(Exception):  # what went wrong before is what matters
                    reader.source.close()
        if not self._stopping.is_set():
            self._raise_readers()

    def _join_reader(self, reader: SourceReader) -> None:
        """Wait for a reader to end; after an error it may wait for room in the inbox, which this empties."""
        until = time.monotonic() + GRACE
        while reader.is_alive() and time.monotonic() < until:
            with suppress(Empty):
                self.inbox.get_nowait()
            reader.join(WAIT)

    def _raise_readers(self) -> None:
        for reader in self.readers:
            if reader.error is not None:
                raise reader.error

    def _finished(self) -> bool:
        """Return whether all sources have ended, or are idle where that ends the stream."""
        records = [reader for reader in self.readers if not reader.labels]
        if any(reader.error is not None for reader in self.readers):
            return True
        if all(reader.ended for reader in records):
            return all(reader.ended or _idle(reader) for reader in self.readers)
        return self.ending.until_idle and all(reader.ended or _idle(reader) for reader in self.readers)

    def _next(self) -> CheckedBatches:
        """Return the batches that have arrived, records or labels, up to a bound."""
        reads: CheckedBatches = []
        # Few records at a time wait for each other: one transaction is synced for all that came meanwhile.
        if self._light and not self.committer.rest(WAIT):
            return []
        if self._held is not None:
            reads, self._held = self._held, None
        wait = 0.0 if reads else WAIT
        if self._light or self.inbox.empty():
            for reader in self.readers:
                reader.wanted.set()
        while record_count(reads) < ROWS:
            try:
                item = self.inbox.get(timeout=wait) if wait else self.inbox.get_nowait()
            except Empty:
                break
            wait = 0.0
            if isinstance(item, SourceReader):
                continue
            if reads and item[0].labels != reads[0].labels:
                self._held = item
                break
            reads = reads + item
        self._light = record_count(reads) < LIGHT
        return reads

    def _process(self, reads: CheckedBatches) -> None:
        """Score what was read, and queue it for commit."""
        self.number += 1
        scorer, shadow = self.models.current()
        self.state.scorer = scorer
        applied, bad, repeated = self._apply_labels(reads) if reads[0].labels else self._apply_records(reads)
        decisions = scorer.decide(applied.windowed, applied.ids)
        late = applied.windowed.late
        arrived = _arrived(applied)
        aggregates = None
        if self.aggregates is not None and not reads[0].labels:
            aggregates = self.aggregates.apply(
                applied.windowed.rows, _main_decisions(decisions, len(scorer.predictors))
            )
        notices = self.notices(decisions) if self.notices is not None and len(decisions) else []
        arrived_each = np.repeat(arrived, len(scorer.predictors))
        all_decisions, moments = decisions, arrived_each
        if shadow is not None and len(applied.ids):
            all_decisions = _with_shadow(decisions, shadow.decide(applied.windowed, applied.ids))
            moments = np.concatenate([arrived_each, np.repeat(arrived, len(shadow.predictors))])
        entry = Entry(
            number=self.number,
            at=0,
            events=applied.log,
            rows=len(applied.ids),
            decisions=all_decisions,
            arrived=moments,
            bad=bad,
            positions=_positions(reads),
            marks={},
            notices=notices,
            duplicates=repeated,
        )
        self.records.keep(self.number, applied.log)
        self.committer.put(
            CommitRequest(entry, arrived_each, 0 if late is None else int(late.sum()), aggregates)
        )
        if self.snapshots.wanted(len(applied.log)):
            self.snapshots.put(self.number, self.arrays())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the state as plain arrays, as they lie in memory: what is applied later changes them."""
        arrays = self.state.arrays()
        if self.aggregates is not None:
            arrays |= {f"aggregates/{name}": array for name, array in self.aggregates.arrays().items()}
        return arrays

    def _apply_records(self, reads: CheckedBatches) -> tuple[AppliedRows, pa.Table, int]:
        """Apply records, each key once; return them, the quarantine, and how many were repeated."""
        rows, names, moments, bad, repeated = [], [], [], [], 0
        time_column = self.state.scorer.contract.event_time or ""  # without one nothing is too late
        for read in reads:
            checked = self.state.check_keys(read.rows, self.number)
            repeated += int(checked.repeated.sum())
            bad.append(read.bad)
            if checked.too_old.any():
                bad.append(_quarantined(read, checked.too_old, LATE, time_column))
            ids = self.state.scorer.ids(read.rows, read.name, read.number)
            fresh, ids, arrived = filter_rows(checked.fresh, read.rows, ids, read.arrived)
            rows.append(fresh)
            names.append(ids)
            moments.append(arrived)
        applied = self.state.apply(join_batches(rows), join_arrays(names), join_numbers(moments))
        return applied, pa.concat_tables(bad), repeated

    def _apply_labels(self, reads: CheckedBatches) -> tuple[AppliedRows, pa.Table, int]:
        """Apply labels that were sent by themselves to the records that they belong to."""
        contract = self.state.labels
        if contract is None or contract.key is None:
            raise TallystickError(f"{self.state.scorer.solution} takes no labels of their own.")
        bad, rows, ids, moments = [], [], [], []
        for read in reads:
            bad.append(read.bad)
            key = read.rows.column(contract.key)
            yes = pc.equal(read.rows.column(contract.labels[0]).cast(pa.float64()), 1).fill_null(False)
            place = self.state.seen.find(key)
            wanted = np.flatnonzero(yes.to_numpy(zero_copy_only=False))
            known = wanted[place[wanted] >= 0]
            names = key.take(pa.array(known)).to_pylist()
            found = self.records.find(place[known], names)
            unknown = np.isin(np.arange(len(key)), np.delete(wanted, np.isin(wanted, known[list(found)])))
            if unknown.any():
                bad.append(_quarantined(read, unknown, UNKNOWN, contract.key))
            for i in sorted(found):
                rows.append(found[i])
                ids.append(names[i])
                moments.append(int(read.arrived[known[i]]))
        schema = self.state.schema
        empty = pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)
        applied = self.state.label(
            pa.concat_batches([empty, *rows]), pa.array(ids, pa.string()), np.array(moments, np.int64)
        )
        return applied, pa.concat_tables(bad), 0


def _idle(reader: SourceReader) -> bool:
    if reader.lag is None:
        return reader.quiet > IDLE_UNKNOWN
    return reader.lag == 0 and reader.quiet > IDLE


def _arrived(applied: AppliedRows) -> NDArray[np.int64]:
    """Return when each record arrived, without labels."""
    record = applied.log.column(KIND).to_numpy() == RECORD
    arrived: NDArray[np.int64] = applied.log.column("ts_arrived").to_numpy()[record]
    return arrived


def _positions(reads: Sequence[CheckedBatch]) -> dict[str, Position]:
    """Return where each source stands after what was read."""
    return {read.source: read.position for read in reads}


def _main_decisions(decisions: pa.RecordBatch, models: int) -> pa.RecordBatch:
    """Return the decisions of the main task, one for each record."""
    return decisions if models == 1 else decisions.take(pa.array(np.arange(0, len(decisions), models)))


def _with_shadow(decisions: pa.RecordBatch, shadow: pa.RecordBatch) -> pa.RecordBatch:
    """Append the decisions of a shadow model, under a task of its own."""
    names = [f"{one}{SHADOW}" for one in shadow.column("task").to_pylist()]
    place = shadow.schema.get_field_index("task")
    marked = shadow.set_column(place, shadow.schema.field(place), pa.array(names, pa.string()))
    return pa.concat_batches([decisions, marked.select(decisions.schema.names).cast(decisions.schema)])


def _quarantined(read: CheckedBatch, which: NDArray[np.bool_], code: str, column: str) -> pa.Table:
    """Return quarantine rows of some of the records."""
    return quarantined_records(read.rows.filter(pa.array(which)), read.name, read.number[which], code, column)
