"""The state of a stream: made by its log, and recovered from a snapshot and the entries after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.contracts import Contract
from tallystick.contracts.conforming import conformed
from tallystick.contracts.zones import LATEST
from tallystick.errors import DataError, TallystickError
from tallystick.scorer import Scorer, WindowedBatch
from tallystick.streams.batches import filter_rows
from tallystick.streams.frames import CONDITION_INPUTS, KIND, LABEL, RECORD, SENT, logged
from tallystick.streams.pending import Pending
from tallystick.tasks.labels import event_times, flag_labels
from tallystick.windows import WindowState
from tallystick.windows.deduplicator import FRESH, OUTSIDE, Deduplicator

__all__ = ["AppliedRows", "DedupResult", "ReplayRows", "StreamState"]


@dataclass(frozen=True)
class DedupResult:
    """Which rows are new, which repeat an earlier key, and which are too old to tell: bool (rows,) each."""

    fresh: NDArray[np.bool_]
    repeated: NDArray[np.bool_]
    too_old: NDArray[np.bool_]


@dataclass(frozen=True)
class AppliedRows:
    """Rows that were applied: the batch for the log, and the records with window features and ids."""

    log: pa.RecordBatch
    windowed: WindowedBatch
    ids: pa.Array


@dataclass(frozen=True)
class ReplayRows:
    """Entries of the log, ready to be replayed: the columns that the state reads, and some rows in full.

    log: that, and what the log adds; rows: the clean columns among it; label, entry, time: which rows are
    labels, in which entries they stand, their event times; keys: of the rows that are no labels, the records;
    wait, known: records whose own labels become known, and when; waiting: their rows in full; records: all
    records in full, where that is wanted.
    """

    log: pa.RecordBatch
    rows: pa.RecordBatch
    label: NDArray[np.bool_]
    entry: NDArray[np.int64]
    time: NDArray[np.int64]
    keys: pa.Array | None
    wait: NDArray[np.int64]
    known: NDArray[np.int64]
    waiting: pa.RecordBatch
    records: pa.RecordBatch | None = None


class StreamState:
    """Window state, known keys and labels that are not due yet.

    scorer: whose windows count; schema: of the clean rows, the same at every call; horizon: of duplicates, in
    microseconds, None for no limit; delay: how long after its event a label becomes known where nothing says
    when, microseconds; labels: the contract of labels that are sent by themselves. One thread uses it.
    """

    def __init__(
        self,
        scorer: Scorer,
        schema: pa.Schema,
        *,
        horizon: int | None,
        delay: int,
        labels: Contract | None = None,
    ) -> None:
        self.scorer, self.schema, self.delay, self.labels = scorer, schema, delay, labels
        self.window_state = scorer.new_state()
        self.seen = Deduplicator(horizon)
        self.labelled = Deduplicator(horizon)  # records whose label has been applied: it counts once
        self.pending = Pending()

    def check_keys(self, rows: pa.RecordBatch, entry: int | NDArray[np.int64]) -> DedupResult:
        """Look up the keys of records; new ones belong to an entry of the log from now on."""
        contract = self.scorer.contract
        return self._check_keys(_column(rows, contract.key), event_times(rows, contract.event_time), entry)

    def _check_keys(
        self, keys: pa.Array | None, time: NDArray[np.int64], entry: int | NDArray[np.int64]
    ) -> DedupResult:
        n = len(time)
        if keys is None:
            return DedupResult(np.ones(n, bool), np.zeros(n, bool), np.zeros(n, bool))
        entries = entry if isinstance(entry, np.ndarray) else np.full(n, entry)
        found = self.seen.check(keys, time, entries)
        return DedupResult(found == FRESH, found >= 0, found == OUTSIDE)

    def apply(self, rows: pa.RecordBatch, ids: pa.Array, arrived: NDArray[np.int64]) -> AppliedRows:
        """Apply records in the order in which they arrived, and the labels that are due between them."""
        contract = self.scorer.contract
        label = np.zeros(len(rows), bool)
        names = ids
        if self.window_state is not None and contract.labels:
            time = event_times(rows, contract.event_time)
            truth, known = flag_labels(rows, time, contract, self.delay)
            rows, names, label = self.pending.joined(rows, ids, time, truth, known)
            rows, names, label = self._without_repeats(rows, names, label)
        moments = arrived
        if label.any():
            moments = np.zeros(len(rows), np.int64)
            moments[~label] = arrived
        return self._apply(rows, names, np.where(label, LABEL, RECORD).astype(np.int8), moments, ids)

    def label(self, rows: pa.RecordBatch, ids: pa.Array, arrived: NDArray[np.int64]) -> AppliedRows:
        """Apply labels that were sent by themselves: rows of records that turned out to be the event."""
        self.pending.forget(ids, event_times(rows, self.scorer.contract.event_time))
        new = self._first_labels(rows, ids)
        rows, ids, arrived = filter_rows(new, rows, ids, arrived)
        return self._apply(rows, ids, np.full(len(rows), SENT, np.int8), arrived, ids.slice(0, 0))

    def mark_labelled(self, rows: pa.RecordBatch, ids: pa.Array, which: NDArray[np.bool_]) -> None:
        """Mark records whose label was applied before the stream began: a label counts once."""
        self._first_labels(*filter_rows(which, rows, ids))

    def _without_repeats(
        self, rows: pa.RecordBatch, ids: pa.Array, label: NDArray[np.bool_]
    ) -> tuple[pa.RecordBatch, pa.Array, NDArray[np.bool_]]:
        """Drop labels that were applied already."""
        if not label.any():
            return rows, ids, label
        stays = ~label
        stays[label] = self._first_labels(*filter_rows(label, rows, ids))
        rows, ids, label = filter_rows(stays, rows, ids, label)
        return rows, ids, label

    def _first_labels(self, rows: pa.RecordBatch, ids: pa.Array) -> NDArray[np.bool_]:
        """Return which records get their label for the first time."""
        time = event_times(rows, self.scorer.contract.event_time)
        # A key may come again as another record; one too old to tell is taken for new: a label is not lost.
        both = pc.binary_join_element_wise(ids, pa.array(time).cast(pa.string()), "@")
        return np.asarray(self.labelled.check(both, time, np.zeros(len(ids), np.int64)) < 0)

    def _apply(
        self,
        rows: pa.RecordBatch,
        names: pa.Array,
        kind: NDArray[np.int8],
        arrived: NDArray[np.int64],
        ids: pa.Array,
    ) -> AppliedRows:
        label = kind != RECORD
        windowed = self.scorer.apply_windows(rows, self.window_state, label if label.any() else None)
        sequences, inputs = windowed.applied, windowed.condition_inputs
        return AppliedRows(logged(rows, names, kind, sequences, arrived, inputs), windowed, ids)

    def replay(self, *entries: tuple[int, pa.RecordBatch]) -> None:
        """Apply entries of the log again, in one go.

        Raises DataError where that gives other sequences than were kept.
        """
        self.reapply(self.read(*entries))

    def read(self, *entries: tuple[int, pa.RecordBatch], whole: bool = False) -> ReplayRows:
        """Prepare entries of the log for `reapply`; thread-safe, since it reads no state.

        whole: with their records in full.
        """
        contract, columns = self.scorer.contract, self._replayed_columns
        parts, own = (
            [one for _, one in entries],
            {*columns.names, "ts_sequence", CONDITION_INPUTS, "ts_id", KIND},
        )
        log = _joined([one.select([name for name in one.schema.names if name in own]) for one in parts])
        rows, label = conformed(log, columns), log.column(KIND).to_numpy() != RECORD
        entry = np.repeat([number for number, _ in entries], [len(one) for one in parts])
        time, known = event_times(rows, contract.event_time), np.full(len(log), LATEST)
        if self.window_state is not None and contract.labels:
            truth, due = flag_labels(rows, time, contract, self.delay)
            known = np.where((truth == 1) & ~label, due, LATEST)
        keys = _column(rows, contract.key)
        if keys is not None and label.any():
            keys = keys.filter(pa.array(~label))
        wait = np.flatnonzero(known < LATEST)
        records = _records(parts, self.schema) if whole else None
        return ReplayRows(
            log,
            rows,
            label,
            entry,
            time,
            keys,
            wait,
            known[wait],
            _rows_of(parts, wait, self.schema),
            records,
        )

    @cached_property
    def _replayed_columns(self) -> pa.Schema:
        """The clean columns that the state reads of every row."""
        contract, windows = self.scorer.contract, self.scorer.windows
        names = {contract.key, contract.event_time, contract.known_at, *contract.labels[:1]}
        if windows is not None:
            names |= {*windows.entities, *windows.columns, windows.currency}
        return pa.schema([field for field in self.schema if field.name in names])

    def reapply(self, kept: ReplayRows) -> None:
        """Apply what `read` gave; see `replay`."""
        label, time, entry, ids = kept.label, kept.time, kept.entry, kept.log.column("ts_id")
        some = bool(label.any())
        with ThreadPoolExecutor(1) as pool:  # windows look at neither keys nor waiting labels
            applying = pool.submit(self._replay_windows, kept, label if some else None)
            self._check_keys(kept.keys, time[~label] if some else time, entry[~label] if some else entry)
            names = ids.take(pa.array(kept.wait))
            self.pending.replay(kept.waiting, names, time[kept.wait], kept.known)
            self.pending.reach(time[~label] if some else time)
            if some:
                of, sent = filter_rows(label, kept.rows, ids)
                self.pending.forget(sent, time[label])
                self._first_labels(of, sent)
            applying.result()

    def _replay_windows(self, kept: ReplayRows, labels: NDArray[np.bool_] | None) -> None:
        """Apply rows of the log to the windows again."""
        if self.window_state is None:
            return
        log = kept.log
        inputs = _condition_inputs(log, len(self.window_state.windows.condition_inputs))
        sequence = self.window_state.apply(
            kept.rows, labels, self.scorer.settings.cores(), condition_inputs=inputs
        ).sequence
        before = (
            log.column("ts_sequence")
            .flatten()
            .to_numpy()
            .reshape(len(log), sequence.shape[1] if len(log) == 0 else -1)
        )
        if not np.array_equal(before, sequence):
            entry = kept.entry
            strange = entry if before.shape != sequence.shape else entry[(before != sequence).any(axis=1)]
            raise DataError(
                f"Entry {strange[0]} of the log gives other sequences than it was kept with.",
                "The log or its snapshot is damaged, or of another stream. Begin a new one: --state.",
            )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all of it as plain arrays, from which `fill` goes on, as they lie in memory.

        What is applied later changes them.
        """
        parts = {
            "seen": self.seen.arrays(copy=False),
            "labelled": self.labelled.arrays(copy=False),
            "pending": self.pending.arrays(),
        }
        if self.window_state is not None:
            parts["windows"] = self.window_state.arrays(copy=False)
        return {f"{name}/{key}": array for name, part in parts.items() for key, array in part.items()}

    def fill(self, arrays: Mapping[str, NDArray[Any]], number: int) -> None:
        """Restore what `arrays` returned.

        number: the entry up to which it holds, for errors.
        """
        own: dict[str, dict[str, NDArray[Any]]] = {}
        for name, array in arrays.items():
            part, _, key = name.partition("/")
            own.setdefault(part, {})[key] = array
        try:
            self.seen, self.labelled = Deduplicator.load(own["seen"]), Deduplicator.load(own["labelled"])
            self.pending = Pending.load(own["pending"])
        except (KeyError, ValueError) as error:
            raise TallystickError(
                f"The snapshot at entry {number} cannot be read: {error}.",
                "Begin a new state with --state, or restore the store from a copy.",
            ) from None
        windows, before = self.scorer.windows, self.window_state
        if windows is not None and before is not None:
            self.window_state = WindowState.load(windows, own.get("windows", {}))
            self.window_state.allowed_lateness_us = before.allowed_lateness_us


def _condition_inputs(log: pa.RecordBatch, width: int) -> NDArray[np.float64] | None:
    """Return the inputs of conditions, None where a part of the log lacks them."""
    if not width:
        return np.empty((len(log), 0))
    place = log.schema.get_field_index(CONDITION_INPUTS)
    if place < 0 or log.column(place).null_count or log.schema.field(place).type.list_size != width:
        return None
    found: NDArray[np.float64] = log.column(place).flatten().to_numpy().reshape(-1, width)
    return found


def _column(rows: pa.RecordBatch, name: str | None) -> pa.Array | None:
    return rows.column(name) if name in rows.schema.names else None


def _rows_of(parts: Sequence[pa.RecordBatch], rows: NDArray[np.int64], schema: pa.Schema) -> pa.RecordBatch:
    """Return some rows of batches of the log, numbered through, clean: all columns of each."""
    ends = np.cumsum([len(one) for one in parts])
    found = [
        conformed(one.take(pa.array(of - (end - len(one)))), schema)
        for one, end, of in zip(parts, ends, np.split(rows, np.searchsorted(rows, ends[:-1])), strict=True)
    ]
    return pa.concat_batches(found)


def _records(parts: Sequence[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    """Return all rows of batches of the log that are no labels, clean."""
    return pa.concat_batches(
        conformed(one.filter(pc.equal(one.column(KIND), RECORD)), schema) for one in parts
    )


def _joined(logs: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Put batches of the log together, each of which lacks the columns in which it held nothing."""
    if len(logs) == 1:
        return logs[0]
    table = pa.concat_tables([pa.Table.from_batches([log]) for log in logs], promote_options="default")
    found = table.combine_chunks().to_batches()
    return found[0] if found else logs[0]
