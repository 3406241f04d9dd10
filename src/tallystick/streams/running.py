"""Recovers, runs and shuts down a stream."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from queue import Queue
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.contracts import Contract
from tallystick.errors import TallystickError, UsageError
from tallystick.notify import Notifier, Notify
from tallystick.store import Claim, Store
from tallystick.streams.aggregates import Aggregates, AggregateState
from tallystick.streams.committing import Committer
from tallystick.streams.delivery import Deliverer, without_shadow
from tallystick.streams.interpreter import short_thread_turns
from tallystick.streams.loop import Loop, ScorerProvider, StopCondition
from tallystick.streams.reading import CheckedBatches, SourceReader
from tallystick.streams.records import History, RecordLookup
from tallystick.streams.recovery import check_facts, recover
from tallystick.streams.sink import StreamSink
from tallystick.streams.snapshots import Snapshots
from tallystick.streams.source import StreamSource
from tallystick.streams.state import StreamState
from tallystick.streams.stats import Stats

__all__ = ["StreamInputs", "StreamOutputs", "StreamRun"]

Mark = tuple[int, dict[str, Any] | None]
INBOX = 8  # batches that are read ahead


@dataclass(frozen=True)
class StreamInputs:
    """Sources of records and labels, what their columns mean, and how many records to read.

    needs: columns without which the first records are refused → what for.
    """

    records: StreamSource
    labels: StreamSource | None = None
    mapping: Mapping[str, str] | None = None
    most: int | None = None
    as_of: datetime | None = None
    labels_mapping: Mapping[str, str] | None = None
    needs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StreamOutputs:
    """Sinks of decisions and aggregates, and notifications."""

    sinks: Sequence[StreamSink] = ()
    aggregates: Aggregates | None = None
    aggregates_sink: StreamSink | None = None
    notify: Notify | None = None
    notifier: Notifier | None = None

    def all_sinks(self) -> list[StreamSink]:
        """Return the sinks of decisions and that of aggregates."""
        return [*self.sinks, *([] if self.aggregates_sink is None else [self.aggregates_sink])]


@dataclass
class StreamRun:
    """One stream, owned by this process while it lasts.

    warm: called where nothing is kept yet, to apply the history to the state; returns that history, None
    without any; warmed: whether there is one; keep_days: of retention, 0 for ever; forgotten: names of sinks
    for which nothing is to be kept any more.
    """

    store: Store
    stream: str
    state: StreamState
    settings: Settings
    inputs: StreamInputs
    outputs: StreamOutputs
    stats: Stats
    facts: Mapping[str, Any]
    warm: Callable[[StreamState], History | None] = field(default=lambda _: None)
    warmed: bool = False
    ending: StopCondition = field(default_factory=StopCondition)
    keep_days: int = 0
    forgotten: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.recovered = 0
        self.loop: Loop | None = None
        self._stopped = False
        self._from_snapshot = False
        self._aggregates: AggregateState | None = None
        self._replayed_aggregates: list[tuple[int, pa.RecordBatch]] = []

    def stop(self) -> None:
        """Stop reading; what was read is kept."""
        self._stopped = True
        if self.loop is not None:
            self.loop.stop()

    def run(self, models: Callable[[StreamState], ScorerProvider]) -> None:
        """Run to the end. models: what scores, made once the state is recovered."""
        try:
            claim = self.store.claim(self.stream, lease=self.settings.lease)
            with _lease_held(claim, self.settings.lease):
                self._run(claim, models)
        finally:
            places = (self.inputs.records, self.inputs.labels, *self.outputs.all_sinks())
            for one in places:  # also where it came to nothing
                with suppress(Exception):
                    if one is not None:
                        one.close()

    def _run(self, claim: Claim, models: Callable[[StreamState], ScorerProvider]) -> None:
        head = self.store.head(self.stream)
        if head is not None:
            check_facts(head, self.facts, self.store.uri_shown)
        if self.outputs.aggregates is not None:
            self._aggregates = self.outputs.aggregates.state(self.settings.zone, self.settings.currency)
        fresh = head is None or (head.number == 0 and not head.facts)
        number = 0 if fresh else self._recover()
        parts = 0 if head is None else int(head.facts.get("history_parts", 0))
        if fresh:
            before = self.warm(self.state)
            if before is not None:
                parts = claim.keep_history(before.parts)
            # A beginning that was killed may have left the snapshot of another history.
            if before is not None or self.store.snapshot(self.stream) is not None:
                claim.save_snapshot(0, self.state.arrays())
            # Last: what is killed before this begins anew.
            claim.remember(**self.facts, history=before and before.records, history_parts=parts)
        elif self.warmed:
            self.stats.add_note(
                "The state has records already: --history is for a new one, and was not read."
            )
        positions = head.positions if head is not None else {}
        marks = dict(head.marks) if head is not None else {}
        self._forget(claim, marks)
        self._note_missing_sinks(marks, number)
        schema = self.state.scorer.schema
        deliverers = [Deliverer(one, schema, self.stream, claim.renew) for one in self.outputs.sinks]
        for one in deliverers:
            at, mark = marks.get(one.name_of_sink, (0, None))
            one.catch_up(self.store, at, mark, number)
        aggregating = self._aggregate_deliverer(marks, number, claim)
        # What a sink still needs is not cleared away: so each is known before the first entry.
        sinks = [*deliverers, *([aggregating] if aggregating else [])]
        claim.mark({one.name_of_sink: one.standing for one in sinks})
        inbox: Queue[CheckedBatches | SourceReader] = Queue(INBOX)
        readers = self._readers(inbox, positions)
        committer = Committer(
            self.store,
            self.stream,
            claim,
            self.stats,
            {reader.source.name: reader for reader in readers},
            deliverers,
            aggregates=aggregating,
            notifier=self.outputs.notifier,
            keep_days=self.keep_days,
            number=number,
        )
        snapshots = Snapshots(
            claim,
            every=self.settings.snapshot_every,
            ready=lambda: committer.last_safe_entry(aggregating),
            add_note=self.stats.add_note,
            threads=self.settings.cores(),
        )
        self.loop = Loop(
            self.state,
            RecordLookup(self.store, self.stream, self.state.schema, parts),
            models(self.state),
            inbox,
            readers,
            committer,
            snapshots,
            number,
            self.ending,
            None if self.outputs.notify is None else self.outputs.notify.notices,
            self._aggregates,
        )
        if self._stopped:
            self.loop.stop()
        for thread in (committer, snapshots, *sinks):
            thread.start()
        done = False
        with _notifying(self.outputs.notifier), short_thread_turns():
            try:
                self.loop.run()
                done = True
            finally:
                self._finish(claim, committer, snapshots, sinks, done)

    def _sink_names(self) -> set[str]:
        return {one.name for one in self.outputs.all_sinks()}

    def _forget(self, claim: Claim, marks: dict[str, Mark]) -> None:
        """Drop the marks of sinks that are gone for good; UsageError for one that is here."""
        here = self._sink_names()
        for name in self.forgotten:
            if name in here:
                raise UsageError(f"{name} is a sink of this run and cannot be forgotten.", "Leave one out.")
            if marks.pop(name, None) is None:  # as after a restart, so no error
                others = ", ".join(sorted(set(marks) - here)) or "no sink but those that are here"
                self.stats.add_note(f"Nothing is kept for {name}; something is for {others}.")
        claim.forget(*self.forgotten)

    def _note_missing_sinks(self, marks: Mapping[str, Mark], number: int) -> None:
        """Add a note for each sink of an earlier run for which decisions are kept."""
        for name, (at, _) in marks.items():
            if name not in self._sink_names() and at < number:
                kept = "what it lacks is kept for it (--forget-sink NAME ends that)"
                self.stats.add_note(f"{name} is not delivered to now; {kept}.")
        if self._aggregates is not None and number and not self._from_snapshot and self.recovered:
            self.stats.add_note(
                f"Aggregates begin with entry {self.recovered + 1}: windows that were open then hold a part."
            )

    def _finish(
        self, claim: Claim, committer: Committer, snapshots: Snapshots, sinks: Sequence[Deliverer], done: bool
    ) -> None:
        """Commit what was scored; without an error save a snapshot, so that the next start is quick."""
        ended = False
        try:
            if not done:
                for one in sinks:
                    one.abandon()  # one that waits for its receiver would keep the error waiting
            committer.finish()
            for one in sinks:
                one.finish()
                if one.error is not None:
                    raise one.error
            committer.flush_marks()
            snapshots.finish()
            loop = self.loop
            for note in self._aggregates.notes() if done and self._aggregates is not None else ():
                self.stats.add_note(note)
            if done and loop is not None and loop.number > max(snapshots.number, self.recovered):
                claim.save_snapshot(loop.number, loop.arrays())
            ended = True
        finally:
            for one in sinks if not ended else ():
                one.abandon()
            snapshots.finish()
            for one in sinks:
                one.finish()
                one.sink.close()

    def _recover(self) -> int:
        """Recover the state, and the aggregates, to the end of the log."""
        decided: Iterator[tuple[int, pa.RecordBatch]] | None = None

        def replayed(number: int, rows: pa.RecordBatch) -> None:
            """Make the rows of aggregates again that this entry completed."""
            nonlocal decided
            if self._aggregates is None or not len(rows):
                return
            if decided is None:
                decided = self.store.decisions(self.stream, number - 1, self.state.scorer.schema)
            entry, batch = next(decided)
            while entry < number:
                entry, batch = next(decided)
            decisions = without_shadow(batch)
            first = decisions.take(pa.array(np.arange(0, len(decisions), len(decisions) // len(rows))))
            made = self._aggregates.apply(rows, first)
            if made is not None:
                self._replayed_aggregates.append((number, made))

        self.recovered, number = recover(
            self.store,
            self.stream,
            self.state,
            replayed=None if self._aggregates is None else replayed,  # none: many entries at once
            filled=self._load_aggregates,
        )
        return number

    def _load_aggregates(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        declared = self.outputs.aggregates
        self._from_snapshot = True
        if declared is not None:
            settings = self.settings
            self._aggregates = AggregateState.load(declared, arrays, settings.zone, settings.currency)

    def _aggregate_deliverer(self, marks: Mapping[str, Any], last: int, claim: Claim) -> Deliverer | None:
        """Begin where the sink of aggregates stands, with the rows that the replay made again."""
        sink, declared = self.outputs.aggregates_sink, self.outputs.aggregates
        if sink is None or declared is None:
            return None
        deliverer = Deliverer(sink, declared.schema, self.stream, claim.renew)
        at, mark = marks.get(deliverer.name_of_sink, (0, None))
        deliverer.resume(at, mark, last)
        for number, rows in self._replayed_aggregates:
            if number > deliverer.number:
                deliverer.deliver(number, [rows])
        return deliverer

    def _readers(
        self, inbox: Queue[CheckedBatches | SourceReader], positions: Mapping[str, Any]
    ) -> list[SourceReader]:
        contract, labels, inputs = self.state.scorer.contract, self.state.labels, self.inputs
        readers = [self._reader(inputs.records, contract, self.state.schema, inbox, positions, inputs.most)]
        if inputs.labels is not None and labels is not None:
            columns = pa.schema([(column.name, column.arrow) for column in labels.columns])
            of = readers[0]
            readers.append(self._reader(inputs.labels, labels, columns, inbox, positions, None, of))
        return readers

    def _reader(
        self,
        source: StreamSource,
        contract: Contract,
        schema: pa.Schema,
        inbox: Queue[CheckedBatches | SourceReader],
        positions: Mapping[str, Any],
        most: int | None,
        after: SourceReader | None = None,
    ) -> SourceReader:
        labels = source is self.inputs.labels
        return SourceReader(
            source,
            contract,
            schema,
            self.settings,
            inbox,
            mapping=self.inputs.labels_mapping if labels else self.inputs.mapping,
            needs={} if labels else self.inputs.needs,
            labels=labels,
            limit=most,
            position=positions.get(source.name),
            after=after,
            as_of=self.inputs.as_of,
        )


@contextmanager
def _notifying(notifier: Notifier | None) -> Iterator[None]:
    """Send notifications while the stream runs, and the rest for a moment after it."""
    if notifier is None:
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=notifier.run, args=(stop,), name="tallystick-notify", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=30)


@contextmanager
def _lease_held(claim: Claim, lease: float) -> Iterator[None]:
    """Renew the lease while the block runs, also where nothing is committed for long, as in recovery."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(lease / 3):
            with suppress(TallystickError):  # the next commit says what is wrong
                claim.renew()

    thread = threading.Thread(target=renew, name="tallystick-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        claim.release()
