"""The log of a stream as an input: its records and labels, in the order in which it applied them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.contracts import Report, written
from tallystick.contracts.conforming import conformed
from tallystick.contracts.zones import LATEST
from tallystick.errors import DataError
from tallystick.learning.records import Records
from tallystick.learning.sequences import Recorded
from tallystick.store import Store
from tallystick.streams.frames import KIND, RECORD, SENT
from tallystick.tasks import Solution
from tallystick.tasks.labels import event_times, flag_labels

__all__ = ["log_records", "log_table"]


def log_records(
    uri: str, solution: Solution, columns: Collection[str], delay: int, before: Records | None = None
) -> Records:
    """Read a state into memory as records; DataError where it holds nothing of the solution.

    columns: of the contract; delay: how long after its event a label becomes known where nothing says when,
    microseconds; before: what had warmed the stream, which comes first then. Labels count where the stream
    applied them, and nowhere else.
    """
    contract = solution.contract
    schema = pa.schema([(c.name, c.arrow) for c in contract.columns if c.name in columns])
    with _opened(uri) as store:
        parts = [entry.events for entry in store.entries(solution.name, whole=True)]
        head = store.head(solution.name)
    if not parts or head is None:
        raise DataError(f"{uri} holds no records of {solution.name}.", "Name the state of a stream that ran.")
    warmed = head.facts.get("history")
    if warmed and before is None and head.facts.get("entities"):
        raise DataError(
            f"The stream of {uri} was warmed by {warmed:,} earlier records, which its log does not hold.",
            "Name them, so that its windows begin where they did: --history PATH.",
        )
    rows = pa.concat_batches([conformed(part, schema) for part in parts])
    ids = pa.concat_arrays([part.column("ts_id") for part in parts])
    record = np.concatenate([part.column(KIND).to_numpy() for part in parts]) == RECORD
    entities = tuple(head.facts.get("entities", ()))
    sequence = _sequences(parts, len(entities))
    mine, labels = np.flatnonzero(record), np.flatnonzero(~record)
    records, named = rows.take(pa.array(mine)), ids.take(pa.array(mine))
    time = event_times(records, contract.event_time)
    truth, _ = flag_labels(records, time, contract, delay)
    known, own = np.full(len(mine), LATEST), sequence[mine]
    given = np.ones(len(mine), bool)
    if before is not None:
        dated = before.time[before.time < LATEST]
        end = int(dated.max(initial=0)) + 1  # what became known later waited, and is in the log if it came
        records = pa.concat_batches([conformed(before.rows, schema), records])
        named = pa.concat_arrays([before.ids, named])
        time, truth = np.concatenate([before.time, time]), np.concatenate([before.answers, truth])
        earlier = before.known[before.flag] if before.flag else np.full(len(before), LATEST)
        known = np.concatenate([np.where(earlier < end, earlier, LATEST), known])
        own = np.concatenate([np.zeros((len(before), len(entities)), np.int64), own])
        given = np.concatenate([np.zeros(len(before), bool), given])
    of_label = np.zeros((len(named), len(entities)), np.int64)
    if len(labels):
        # By name and event time: beyond the horizon of duplicates another record may bear the same name.
        place = {one: i for i, one in enumerate(zip(named.to_pylist(), time.tolist(), strict=True))}
        moments = event_times(rows.take(pa.array(labels)), contract.event_time).tolist()
        of = np.array(
            [place.get(one, -1) for one in zip(ids.take(pa.array(labels)).to_pylist(), moments, strict=True)]
        )
        there = of >= 0
        truth[of[there]] = 1
        known[of[there]] = np.minimum(time[of[there]], LATEST - 2) + 1  # the sequences say where it counts
        of_label[of[there]] = sequence[labels[there]]
    n, moments_of = len(mine), {}
    if contract.labels and contract.labels[0] in records.schema.names:
        label = contract.labels[0]
        moments_of = {label: known}
        if pa.types.is_boolean(records.schema.field(label).type):
            column = pa.array(truth == 1, mask=np.isnan(truth))
            at = records.schema.get_field_index(label)
            records = records.set_column(at, records.schema.field(label), column)
    return Records(
        contract,
        records,
        named,
        given,
        time,
        moments_of,
        Report(rows_in=n, rows_clean=n),
        Recorded(entities, own, of_label) if entities else None,
        numbered_last=before is not None,
    )


def log_table(uri: str, solution: Solution, settings: Settings) -> pa.Table:
    """Read the records of a state as a file of clean rows would hold them, with the labels that were sent."""
    contract = solution.contract
    schema = pa.schema([(c.name, c.arrow) for c in contract.columns])
    with _opened(uri) as store:
        parts = [entry.events for entry in store.entries(solution.name, whole=True)]
    if not parts:
        raise DataError(f"{uri} holds no records of {solution.name}.", "Name the state of a stream that ran.")
    sent = {
        name: moment
        for part in parts
        for name, kind, moment in zip(
            *(part.column(name).to_pylist() for name in ("ts_id", KIND, "ts_arrived")), strict=True
        )
        if kind == SENT
    }
    found = []
    for part in parts:
        part = part.filter(pc.equal(part.column(KIND), RECORD))
        rows = conformed(part, schema)
        if sent and contract.known_at is not None:
            rows = _labelled(rows, part.column("ts_id"), sent, contract.labels[0], contract.known_at)
        found.append(written(rows, contract.columns, settings, typed=True))
    return pa.Table.from_batches(found)


def _labelled(
    rows: pa.RecordBatch, ids: pa.Array, sent: Mapping[str, int], label: str, known_at: str
) -> pa.RecordBatch:
    """Put labels that came by themselves into their records: the event, known from their arrival on."""
    moments = pa.array([sent.get(name) for name in ids.to_pylist()], pa.int64())
    hit = moments.is_valid()
    for name, value in ((label, pa.scalar(True)), (known_at, moments)):
        place = rows.schema.get_field_index(name)
        given = value.cast(rows.schema.field(place).type)
        rows = rows.set_column(place, rows.schema.field(place), pc.if_else(hit, given, rows.column(place)))
    return rows


def _sequences(parts: list[pa.RecordBatch], entities: int) -> NDArray[np.int64]:
    found: list[Any] = []
    for part in parts:
        place = part.schema.get_field_index("ts_sequence")
        flat = np.zeros(0, np.int64) if place < 0 else part.column(place).flatten().to_numpy()
        found.append(
            np.zeros((len(part), entities), np.int64) if place < 0 else flat.reshape(len(part), entities)
        )
    return np.concatenate(found)


@contextmanager
def _opened(uri: str) -> Iterator[Store]:
    store = Store.open(uri, create=False)
    try:
        yield store
    finally:
        store.close()
