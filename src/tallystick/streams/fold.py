"""The state of a stream: a fold of its log, that goes on from a snapshot by replaying what came after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.contracts.conforming import conformed
from tallystick.contracts.zones import LATEST
from tallystick.errors import DataError, TallystickError
from tallystick.scorer import Behaved, Scorer
from tallystick.scorer.labels import own_labels
from tallystick.scorer.scorer import times
from tallystick.streams.frames import KIND, LABEL, RECORD, SENT, TOLD, logged
from tallystick.streams.pending import Pending
from tallystick.windows import WindowState
from tallystick.windows.seen import FRESH, OUTSIDE, Seen

__all__ = ["Applied", "Fold", "Kept", "Met"]


@dataclass(frozen=True)
class Met:
    """Which rows are new, which repeat another, and which are too old to tell: bool (rows,) each."""

    fresh: NDArray[np.bool_]
    again: NDArray[np.bool_]
    outside: NDArray[np.bool_]


@dataclass(frozen=True)
class Applied:
    """What applying rows gave: the batch that the log keeps, and the records with behaviour and names."""

    log: pa.RecordBatch
    behaved: Behaved
    ids: pa.Array


@dataclass(frozen=True)
class Kept:
    """Entries of the log, taken apart.

    log: as it was kept; rows, ids, label, entry: its clean rows, what they are called, which are labels, and
    in which entries they stand; records, names, time, known: of those that are no labels, with their event
    times and when their own labels become known, LATEST for never.
    """

    log: pa.RecordBatch
    rows: pa.RecordBatch
    ids: pa.Array
    label: NDArray[np.bool_]
    entry: NDArray[np.int64]
    records: pa.RecordBatch
    names: pa.Array
    time: NDArray[np.int64]
    known: NDArray[np.int64]


class Fold:
    """Window state, the keys that were met and the labels that wait, as one.

    scorer: whose windows count; schema: of the clean rows, the same at every call; horizon: of duplicates, in
    microseconds, None for no limit; delay: how long after its event a label becomes known where nothing says
    when, microseconds. One thread uses it.
    """

    def __init__(self, scorer: Scorer, schema: pa.Schema, *, horizon: int | None, delay: int) -> None:
        self.scorer, self.schema, self.delay = scorer, schema, delay
        self.seen = Seen(horizon)
        self.labelled = Seen(horizon)  # records whose label has been applied: it counts once
        self.pending = Pending()

    @property
    def state(self) -> WindowState | None:
        """The window state."""
        return self.scorer.state

    def meet(self, rows: pa.RecordBatch, entry: int | NDArray[np.int64]) -> Met:
        """Look for the keys of records; those that are new stand, or will, in an entry of the log."""
        contract = self.scorer.solution.contract
        return self._meet(rows, times(rows, contract.event_time), entry)

    def _meet(self, rows: pa.RecordBatch, time: NDArray[np.int64], entry: int | NDArray[np.int64]) -> Met:
        contract, n = self.scorer.solution.contract, len(rows)
        if contract.key is None or contract.key not in rows.schema.names:
            return Met(np.ones(n, bool), np.zeros(n, bool), np.zeros(n, bool))
        entries = entry if isinstance(entry, np.ndarray) else np.full(n, entry)
        found = self.seen.meet(rows.column(contract.key), time, entries)
        return Met(found == FRESH, found >= 0, found == OUTSIDE)

    def apply(self, rows: pa.RecordBatch, ids: pa.Array, arrived: NDArray[np.int64]) -> Applied:
        """Apply records in the order in which they arrived, and the labels that are due between them."""
        contract = self.scorer.solution.contract
        label = np.zeros(len(rows), bool)
        names = ids
        if self.state is not None and contract.labels:
            time = times(rows, contract.event_time)
            truth, known = own_labels(rows, time, contract, self.delay)
            rows, names, label = self.pending.joined(rows, ids, time, truth, known)
            rows, names, label = self._once(rows, names, label)
        moments = arrived
        if label.any():
            moments = np.zeros(len(rows), np.int64)
            moments[~label] = arrived
        return self._apply(rows, names, np.where(label, LABEL, RECORD).astype(np.int8), moments, ids)

    def label(self, rows: pa.RecordBatch, ids: pa.Array, arrived: NDArray[np.int64]) -> Applied:
        """Apply labels that were sent by themselves: rows of records that turned out to be the event."""
        self.pending.forget(ids, times(rows, self.scorer.solution.contract.event_time))
        new = self._first_labels(rows, ids)
        rows, ids, arrived = rows.filter(pa.array(new)), ids.filter(pa.array(new)), arrived[new]
        return self._apply(rows, ids, np.full(len(rows), SENT, np.int8), arrived, ids.slice(0, 0))

    def labelled_before(self, rows: pa.RecordBatch, ids: pa.Array, which: NDArray[np.bool_]) -> None:
        """Hear of records whose label was applied before the stream began: it counts once."""
        keep = pa.array(which)
        self._first_labels(rows.filter(keep), ids.filter(keep))

    def _once(
        self, rows: pa.RecordBatch, ids: pa.Array, label: NDArray[np.bool_]
    ) -> tuple[pa.RecordBatch, pa.Array, NDArray[np.bool_]]:
        """Leave out labels that were applied already."""
        if not label.any():
            return rows, ids, label
        some = pa.array(label)
        first = self._first_labels(rows.filter(some), ids.filter(some))
        if first.all():
            return rows, ids, label
        stays = ~label
        stays[np.flatnonzero(label)[first]] = True
        keep = pa.array(stays)
        return rows.filter(keep), ids.filter(keep), label[stays]

    def _first_labels(self, rows: pa.RecordBatch, ids: pa.Array) -> NDArray[np.bool_]:
        """Say which records get their label for the first time."""
        time = times(rows, self.scorer.solution.contract.event_time)
        # A key may come again as another record; one too old to tell is taken for new: a label is not lost.
        both = pc.binary_join_element_wise(ids, pa.array(time).cast(pa.string()), "@")
        return np.asarray(self.labelled.meet(both, time, np.zeros(len(ids), np.int64)) < 0)

    def _apply(
        self,
        rows: pa.RecordBatch,
        names: pa.Array,
        kind: NDArray[np.int8],
        arrived: NDArray[np.int64],
        ids: pa.Array,
    ) -> Applied:
        label = kind != RECORD
        behaved = self.scorer.behave(rows, label if label.any() else None)
        return Applied(logged(rows, names, kind, behaved.applied, arrived, behaved.told), behaved, ids)

    def replay(self, *entries: tuple[int, pa.RecordBatch]) -> pa.RecordBatch:
        """Apply entries of the log again, in one go; return their records without labels.

        Raises DataError where that gives other sequences than were kept.
        """
        return self.reapply(self.read(*entries))

    def read(self, *entries: tuple[int, pa.RecordBatch]) -> Kept:
        """Take entries of the log apart for `reapply`; any thread may, since it looks at no state."""
        contract = self.scorer.solution.contract
        log = _joined([log for _, log in entries])
        rows, ids = conformed(log, self.schema), log.column("ts_id")
        entry = np.repeat([number for number, _ in entries], [len(one) for _, one in entries])
        label = log.column(KIND).to_numpy() != RECORD
        if not label.any():
            records, names = rows, ids
        else:
            keep = pa.array(~label)
            records, names = rows.filter(keep), ids.filter(keep)
        time = times(records, contract.event_time)
        known = np.full(len(records), LATEST)
        if self.state is not None and contract.labels:
            truth, told = own_labels(records, time, contract, self.delay)
            known = np.where(truth == 1, told, LATEST)
        return Kept(log, rows, ids, label, entry, records, names, time, known)

    def reapply(self, kept: Kept) -> pa.RecordBatch:
        """Apply what `read` gave; see `replay`."""
        contract, label = self.scorer.solution.contract, kept.label
        some = bool(label.any())
        with ThreadPoolExecutor(1) as beside:  # windows look at neither keys nor waiting labels
            applying = beside.submit(self._to_windows, kept, label if some else None)
            self._meet(kept.records, kept.time, kept.entry[~label] if some else kept.entry)
            if self.state is not None and contract.labels:
                self.pending.replay(kept.records, kept.names, kept.time, kept.known)
                if some:
                    sent, of = kept.ids.filter(pa.array(label)), kept.rows.filter(pa.array(label))
                    self.pending.forget(sent, times(of, contract.event_time))
                    self._first_labels(of, sent)
            applying.result()
        return kept.records

    def _to_windows(self, kept: Kept, labels: NDArray[np.bool_] | None) -> None:
        """Apply rows of the log to the windows again."""
        if self.state is None:
            return
        log = kept.log
        told = _told(log, len(self.state.windows.told))
        made = self.state.apply(kept.rows, labels, self.scorer.settings.cores(), told=told).sequence
        before = (
            log.column("ts_sequence")
            .flatten()
            .to_numpy()
            .reshape(len(log), made.shape[1] if len(log) == 0 else -1)
        )
        if not np.array_equal(before, made):
            entry = kept.entry
            strange = entry if before.shape != made.shape else entry[(before != made).any(axis=1)]
            raise DataError(
                f"Entry {strange[0]} of the log gives other sequences than it was kept with.",
                "The log or its snapshot is damaged, or of another stream. Begin a new one: --state.",
            )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return copies of all of it as plain arrays, from which `fill` goes on."""
        found: dict[str, NDArray[Any]] = {}
        parts: dict[str, Any] = {"seen": self.seen, "labelled": self.labelled, "pending": self.pending}
        if self.state is not None:
            parts["windows"] = self.state
        for name, part in parts.items():
            found |= {f"{name}/{key}": array for key, array in part.arrays().items()}
        return found

    def fill(self, arrays: Mapping[str, NDArray[Any]], number: int) -> WindowState | None:
        """Take over what `arrays` gave; return the window state, which the scorer is to use.

        number: the entry up to which it holds, for errors.
        """
        own: dict[str, dict[str, NDArray[Any]]] = {}
        for name, array in arrays.items():
            part, _, key = name.partition("/")
            own.setdefault(part, {})[key] = array
        try:
            self.seen, self.labelled = Seen.load(own["seen"]), Seen.load(own["labelled"])
            self.pending = Pending.load(own["pending"])
        except (KeyError, ValueError) as error:
            raise TallystickError(
                f"The snapshot at entry {number} cannot be read: {error}.",
                "Begin a new state with --state, or restore the store from a copy.",
            ) from None
        windows = self.scorer.windows
        return None if windows is None else WindowState.load(windows, own.get("windows", {}))


def _told(log: pa.RecordBatch, width: int) -> NDArray[np.float64] | None:
    """Return what conditions looked at, None where not all of the log holds it."""
    if not width:
        return np.empty((len(log), 0))
    place = log.schema.get_field_index(TOLD)
    if place < 0 or log.column(place).null_count or log.schema.field(place).type.list_size != width:
        return None
    found: NDArray[np.float64] = log.column(place).flatten().to_numpy().reshape(-1, width)
    return found


def _joined(logs: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Put batches of the log together, each of which lacks the columns in which it held nothing."""
    if len(logs) == 1:
        return logs[0]
    table = pa.concat_tables([pa.Table.from_batches([log]) for log in logs], promote_options="default")
    found = table.combine_chunks().to_batches()
    return found[0] if found else logs[0]
