"""The thread that reads a source and checks its records, a bounded step ahead of scoring."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from queue import Full, Queue

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.connectors import Chunk
from tallystick.contracts import ColumnMapping, Contract, Faults
from tallystick.contracts.conforming import conformed
from tallystick.errors import DataError
from tallystick.inputs.nested import with_members
from tallystick.inputs.quarantine import quarantined_chunk
from tallystick.streams.batches import join_batches, join_numbers
from tallystick.streams.source import Position, SourceBatch, StreamSource

__all__ = ["CheckedBatch", "CheckedBatches", "SourceReader", "record_count"]

WAIT = 0.1  # seconds that a source is asked to wait; a stop is heard of between
FEW = 512  # records taken at once after which the reader waits until more are wanted
QUIET = 1.0  # seconds without a record after which a source that knows no lag has no backlog
NAMINGS = 256  # sets of column names that are remembered; JSON records may have any


@dataclass(frozen=True, slots=True)
class CheckedBatch:
    """Records after the contract: clean rows, where they were, what was bad, and the source's position.

    labels: they are labels of earlier records; number: int64 (rows,), their numbers in the source; taken: all
    records, bad ones too.
    """

    labels: bool
    source: str
    rows: pa.RecordBatch
    name: str
    number: NDArray[np.int64]
    arrived: NDArray[np.int64]
    taken: int
    bad: pa.Table
    position: Position


#: What is handed on together: a step of the work takes all of it.
CheckedBatches = list[CheckedBatch]


class SourceReader(threading.Thread):
    """Takes from one source until it is stopped, it ends, or enough has come.

    schema: of the clean rows; most: records to take at once; limit: in all, None for no end;
    after: whose backlog is taken first; needs: columns without which the first records are refused.
    """

    def __init__(
        self,
        source: StreamSource,
        contract: Contract,
        schema: pa.Schema,
        settings: Settings,
        out: Queue[CheckedBatches | SourceReader],
        *,
        mapping: Mapping[str, str] | None = None,
        labels: bool = False,
        most: int = 8192,
        limit: int | None = None,
        position: Position | None = None,
        after: SourceReader | None = None,
        as_of: datetime | None = None,
        needs: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(name=f"tallystick-read-{'labels' if labels else 'records'}", daemon=True)
        self.source, self.labels, self.error = source, labels, None
        self.lag: int | None = None
        self.ended = False
        self._contract, self._schema, self._settings, self._out = contract, schema, settings, out
        self._paths = [name for name in mapping or () if "." in name]
        self._mapping, self._most, self._left, self._position = mapping, most, limit, position
        self._as_of, self._after, self._needs = as_of, after, needs or {}
        self._begun = position is not None
        self._namings: dict[tuple[str, ...], ColumnMapping | None] = {}
        self.wanted = threading.Event()
        self._stopping = threading.Event()
        self._idle = False
        self._quiet_since: float | None = None
        self._kept: Position | None = None

    error: BaseException | None

    @property
    def quiet(self) -> float:
        """Seconds for which the source has had nothing; 0 while its last records are being queued."""
        since = self._quiet_since
        return 0.0 if since is None else time.monotonic() - since

    @property
    def behind(self) -> bool:
        """Whether there is a backlog that was there before this began."""
        if self.ended or (self.lag is not None and self.lag < self._most):
            return False
        return self.lag is not None or self.quiet < QUIET

    def committed(self, position: Position) -> None:
        """Pass a committed position on to the source at its next read."""
        self._kept = position

    def stop(self, *, idle: bool = False) -> None:
        """Stop reading; idle: after a last record without an end, since nothing is appended any more."""
        self._idle = idle
        self._stopping.set()

    def run(self) -> None:
        """Read, check and queue batches; the last item of the queue is the thread itself."""
        try:
            self.source.seek(self._position)
            while self._after is not None and self._after.behind and not self._stopping.wait(WAIT):
                pass  # a label must not overtake the record that it is of
            while not self._stopping.is_set() and self._left != 0:
                most = self._most if self._left is None else min(self._most, self._left)
                given = self.source.take(most, WAIT)
                if given:
                    self._quiet_since = None
                rows = 0
                self.wanted.clear()
                for reads in self._reads(given):
                    rows += record_count(reads)
                    if not self._hand_on(reads):
                        break
                self.lag = self.source.lag()
                if not given and self._quiet_since is None:
                    self._quiet_since = time.monotonic()
                kept, self._kept = self._kept, None
                if kept is not None:
                    self.source.committed(kept)
                if self.source.ended:
                    break
                if 0 < rows < FEW:  # what comes while it is worked on is taken together
                    self.wanted.wait(WAIT)
            if self._idle and self._left != 0:
                for reads in self._reads(self.source.take_rest(self._most)):
                    self._put(reads)
        except BaseException as error:  # handed to the thread that waits for it
            self.error = error
        self.ended = True
        self._put(self)

    def _hand_on(self, reads: CheckedBatches) -> bool:
        """Queue batches; False where that was given up, and no later batch may be queued either."""
        if self._left is not None:
            self._left = max(0, self._left - record_count(reads))
        return self._put(reads)

    def _put(self, thing: CheckedBatches | SourceReader) -> bool:
        """Queue an item, waiting while the queue is full: back-pressure."""
        while True:
            try:
                self._out.put(thing, timeout=WAIT)
                return True
            except Full:
                # Not committed, so it comes again; but then nothing that lies behind it may be: positions
                # only go on, and would pass over it.
                kept = self._idle or not self.source.comes_again
                if self._stopping.is_set() and not (kept or isinstance(thing, SourceReader)):
                    return False

    def _reads(self, taken: Sequence[SourceBatch]) -> Iterator[CheckedBatches]:
        """Check what was read; a few records of several places are queued together."""
        if sum(len(batch.chunk.rows) for batch in taken) >= FEW:
            yield from (self._check([batch]) for batch in taken)
        elif taken:
            alike = groupby(taken, lambda batch: batch.chunk.rows.schema)
            yield [checked for _, group in alike for checked in self._check(list(group))]

    def _check(self, group: Sequence[SourceBatch]) -> CheckedBatches:
        """Check records of several places that have the same columns at once, as quick as those of one."""
        rows = join_batches([batch.chunk.rows for batch in group])
        if self._paths and len(rows):
            rows = with_members(rows, self._paths)
        column_mapping = self._naming(tuple(rows.schema.names)) if len(rows) else None
        if column_mapping is None:
            clean, kept, bad = _empty(self._schema), np.empty(0, np.int64), Faults.none()
        else:
            # Each record is judged by its own arrival: what lies after it is in the future.
            arrived = join_numbers([batch.arrived for batch in group])
            checked = self._contract.check(
                rows, column_mapping, self._settings, as_of=self._as_of or arrived, labels_wanted=self.labels
            )
            clean, kept, bad = conformed(checked.rows, self._schema), checked.kept, checked.bad
        reads, start = [], 0
        for batch in group:
            chunk = batch.chunk
            stop = start + len(chunk.rows)
            if column_mapping is None:
                bad = _unknown_records(chunk)
            first, last = np.searchsorted(kept, (start, stop)).tolist()
            own = slice(None) if last - first == len(chunk.records) else kept[first:last] - start
            reads.append(
                CheckedBatch(
                    self.labels,
                    self.source.name,
                    clean.slice(first, last - first),
                    chunk.name,
                    chunk.records[own],
                    batch.arrived[own],
                    len(chunk.records) + len(chunk.broken),
                    quarantined_chunk(chunk, bad if column_mapping is None else bad.between(start, stop)),
                    batch.position,
                )
            )
            start = stop
        return reads

    def _naming(self, names: tuple[str, ...]) -> ColumnMapping | None:
        """Return the column mapping; None where no column is known, once some were."""
        if names not in self._namings:
            try:
                column_mapping: ColumnMapping | None = self._contract.resolve(names, self._mapping)
                if column_mapping is not None and not self._begun:
                    column_mapping.require(self._needs)  # later ones without them are decided by a person
            except DataError:
                if not self._begun:
                    raise  # from the first record on nothing is known: the wrong file, the wrong topic
                column_mapping = None
            if len(self._namings) >= NAMINGS:
                self._namings.pop(next(iter(self._namings)))
            self._begun = True
            self._namings[names] = column_mapping
        return self._namings[names]


def record_count(reads: CheckedBatches) -> int:
    """Return how many records were taken, bad ones too."""
    return sum(read.taken for read in reads)


def _unknown_records(chunk: Chunk) -> Faults:
    """Return the fault that all records of a chunk have where no column of theirs is known."""
    n = len(chunk.records)  # records without any member have no row
    message = f"None of its columns is known: {', '.join(chunk.rows.schema.names[:8])}."
    return Faults(np.arange(n), ("unknown_record",) * n, (None,) * n, (None,) * n, (message,) * n)


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)
