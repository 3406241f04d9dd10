"""A stream is the batch replay of its own sequences; in order it is the batch itself."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick import registry
from tallystick.config import Settings
from tallystick.contracts import Report
from tallystick.contracts.zones import LATEST
from tallystick.errors import DataError
from tallystick.feature_extraction import WINDOW_FEATURES
from tallystick.learning.records import Records, replay
from tallystick.learning.sequences import Recorded
from tallystick.scorer import Scorer
from tallystick.streams.frames import CONDITION_INPUTS, KIND, LABEL, RECORD, SENT
from tallystick.streams.state import StreamState
from tallystick.tasks.labels import event_times, flag_labels
from tallystick.windows import Windows

HOUR = 3_600_000_000
DELAY = 5 * HOUR
SOLUTION = registry.solution("fraud")
SCHEMA = pa.schema([(c.name, c.arrow) for c in SOLUTION.contract.columns if c.name != "sequence"])


@cache
def windows() -> Windows:
    assert SOLUTION.windows is not None
    held = {"event_time", "customer_id", "terminal_id", "amount"}
    return Windows.read(SOLUTION.windows, SOLUTION.window_roles).restrict(held)


def new_state() -> StreamState:
    scorer = Scorer("fraud", "fraud", SOLUTION.contract, (), Settings(), windows())
    return StreamState(scorer, SCHEMA, horizon=90 * 24 * HOUR, delay=DELAY)


def payments(rows: list[tuple[int, int, int, bool]]) -> tuple[pa.RecordBatch, pa.Array]:
    """Payments of (hour, card, terminal, fraud), named by their place."""
    columns: dict[str, Any] = {
        "transaction_id": pa.array([f"T{i:05}" for i in range(len(rows))]),
        "event_time": pa.array([hour * HOUR for hour, *_ in rows], pa.int64()).cast(
            pa.timestamp("us", "UTC")
        ),
        "customer_id": pa.array([f"C{card}" for _, card, _, _ in rows]),
        "terminal_id": pa.array([f"M{terminal}" for _, _, terminal, _ in rows]),
        "amount": pa.array([100 * (hour % 7 + card) for hour, card, _, _ in rows], pa.int64()),
        "is_fraud": pa.array([fraud for *_, fraud in rows]),
    }
    arrays = [columns.get(f.name, pa.nulls(len(rows), f.type)) for f in SCHEMA]
    batch = pa.RecordBatch.from_arrays(
        [a.cast(f.type) for a, f in zip(arrays, SCHEMA, strict=True)], schema=SCHEMA
    )
    return batch, batch.column("transaction_id")


def cut(rows: pa.RecordBatch, ids: pa.Array, cuts: list[int]) -> list[tuple[pa.RecordBatch, pa.Array]]:
    edges = sorted({0, len(rows), *(c for c in cuts if c < len(rows))})
    return [(rows.slice(a, b - a), ids.slice(a, b - a)) for a, b in pairwise(edges)]


def streamed(
    batch: pa.RecordBatch, ids: pa.Array, cuts: list[int]
) -> tuple[dict[str, list[float]], list[pa.RecordBatch], StreamState]:
    """The behaviour of each payment by its name, the log, and the state at its end."""
    ours, log, found = new_state(), [], {}
    for number, (rows, names) in enumerate(cut(batch, ids, cuts), 1):
        assert ours.check_keys(rows, number).fresh.all()
        applied = ours.apply(rows, names, np.arange(len(rows)))
        log.append(applied.log)
        values = applied.windowed.rows.column(WINDOW_FEATURES).to_pylist()
        found |= dict(zip(applied.ids.to_pylist(), values, strict=True))
        assert applied.ids.to_pylist() == names.to_pylist()
    return found, log, ours


def replayed(events: Records) -> dict[str, list[float]]:
    scorer = new_state().scorer
    windows = scorer.new_state()
    found: dict[str, list[float]] = {}
    for at, windowed in replay(events, lambda rows, labels: scorer.apply_windows(rows, windows, labels)):
        names = events.ids.take(pa.array(at)).to_pylist()
        found |= dict(zip(names, windowed.rows.column(WINDOW_FEATURES).to_pylist(), strict=True))
    return found


def events_of(batch: pa.RecordBatch, ids: pa.Array, until: int | None = None) -> Records:
    time = event_times(batch, "event_time")
    _, known = flag_labels(batch, time, SOLUTION.contract, DELAY)
    if until is not None:
        known = np.where(known <= until, known, LATEST)
    given = np.ones(len(batch), bool)
    return Records(SOLUTION.contract, batch, ids, given, time, {"is_fraud": known}, Report())


def own_sequences(batch: pa.RecordBatch, ids: pa.Array, log: list[pa.RecordBatch]) -> Records:
    """The batch replay that a log stands for."""
    whole = pa.concat_batches([part.select(["ts_id", KIND, "ts_sequence"]) for part in log])
    kind = whole.column(KIND).to_numpy()
    numbers = whole.column("ts_sequence").flatten().to_numpy().reshape(len(whole), -1)
    names = whole.column("ts_id").to_pylist()
    own = {n: numbers[i] for i, n in enumerate(names) if kind[i] == RECORD}
    of = {n: numbers[i] for i, n in enumerate(names) if kind[i] != RECORD}
    none = np.zeros(numbers.shape[1], np.int64)
    plain = events_of(batch, ids)
    labelled = np.array([n in of for n in ids.to_pylist()])
    place = batch.schema.get_field_index("is_fraud")
    return replace(
        plain,
        rows=batch.set_column(place, batch.schema.field(place), pa.array(labelled)),
        known={"is_fraud": np.where(labelled, plain.time + 1, LATEST)},
        recorded=Recorded(
            windows().entities,
            np.array([own[n] for n in ids.to_pylist()]),
            np.array([of.get(n, none) for n in ids.to_pylist()]),
        ),
    )


some_payments = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 3), st.integers(0, 2), st.booleans()),
    min_size=1,
    max_size=40,
)
some_cuts = st.lists(st.integers(1, 40), max_size=8)


def same(ours: dict[str, list[float]], theirs: dict[str, list[float]]) -> None:
    assert ours.keys() == theirs.keys()
    for name, values in ours.items():
        np.testing.assert_array_equal(np.array(values, float), np.array(theirs[name], float), err_msg=name)


@settings(max_examples=40)
@given(some_payments, some_cuts)
def test_in_order_a_stream_is_the_batch_and_one_at_a_time(
    rows: list[tuple[int, int, int, bool]], cuts: list[int]
) -> None:
    batch, ids = payments(sorted(rows, key=lambda row: row[0]))
    ours, _, _ = streamed(batch, ids, cuts)
    alone, _, _ = streamed(batch, ids, list(range(len(rows))))
    same(ours, alone)
    same(ours, replayed(events_of(batch, ids)))


@settings(max_examples=40)
@given(some_payments, some_cuts)
def test_out_of_order_a_stream_is_the_batch_replay_of_its_own_sequences(
    rows: list[tuple[int, int, int, bool]], cuts: list[int]
) -> None:
    batch, ids = payments(rows)
    ours, log, _ = streamed(batch, ids, cuts)
    alone, _, _ = streamed(batch, ids, list(range(len(rows))))
    same(ours, alone)  # how many came together changes nothing
    same(ours, replayed(own_sequences(batch, ids, log)))


@settings(max_examples=25)
@given(some_payments, some_cuts, st.integers(0, 8), st.booleans())
def test_a_fold_goes_on_from_a_snapshot_and_the_log_after_it(
    rows: list[tuple[int, int, int, bool]], cuts: list[int], kept: int, together: bool
) -> None:
    batch, ids = payments(rows)
    _, log, whole = streamed(batch, ids, cuts)
    first = new_state()
    for number, part in enumerate(log[:kept], 1):
        first.replay((number, part))
    again = new_state()
    again.fill(first.arrays(), kept)
    rest = list(enumerate(log[kept:], min(kept, len(log)) + 1))
    for part_of in [rest] if together and rest else [[one] for one in rest]:
        again.replay(*part_of)
    if not together:  # what lies where depends on what was applied together
        left, right = whole.arrays(), again.arrays()
        assert left.keys() == right.keys()
        for name in left:
            np.testing.assert_array_equal(left[name], right[name], err_msg=name)
    more, names = payments([*rows, (61, 0, 0, False), (70, 1, 1, True), (90, 0, 1, False)])
    new, named = more.slice(len(rows)), names.slice(len(rows))
    ours = again.apply(new, named, np.zeros(3, np.int64))
    theirs = whole.apply(new, named, np.zeros(3, np.int64))
    assert repr(ours.log.to_pydict()) == repr(theirs.log.to_pydict())  # NaN is no value to Arrow
    told = [one.windowed.rows.column(WINDOW_FEATURES).to_pylist() for one in (ours, theirs)]
    np.testing.assert_array_equal(*(np.array(one, float) for one in told))
    assert not again.check_keys(batch, 99).fresh.any()


def test_the_log_keeps_what_conditions_look_at_and_is_replayed_without_it_too() -> None:
    looked_at = list(windows().condition_inputs.values())
    batch, ids = payments([(hour, hour % 3, hour % 2, hour == 9) for hour in range(30)])
    found, log, _ = streamed(batch, ids, [7, 20])
    assert looked_at
    for part in log:
        assert part.schema.field(CONDITION_INPUTS).type == pa.list_(pa.float64(), len(looked_at))
        values = part.column(CONDITION_INPUTS).flatten().to_numpy().reshape(len(part), -1)
        for i in np.flatnonzero(part.column(KIND).to_numpy() == RECORD).tolist():
            theirs = np.array(found[part.column("ts_id")[i].as_py()], float)[looked_at]
            np.testing.assert_array_equal(values[i], theirs)
    bare = [part.drop_columns([CONDITION_INPUTS]) for part in log]  # as earlier versions kept it
    ends = []
    for kept in (log, bare, [log[0], *bare[1:]]):
        ends.append(new_state())
        ends[-1].replay(*enumerate(kept, 1))
    states = [end.arrays() for end in ends]
    for name in states[0]:
        for other in states[1:]:
            np.testing.assert_array_equal(states[0][name], other[name], err_msg=name)


def test_labels_count_from_when_they_are_known_and_once() -> None:
    batch, ids = payments([(0, 1, 1, True), (3, 1, 1, False), (6, 1, 1, False), (20, 1, 1, False)])
    _, log, ours = streamed(batch, ids, [1, 2, 3])
    kinds = [part.column(KIND).to_pylist() for part in log]
    assert kinds == [[RECORD], [RECORD], [LABEL, RECORD], [RECORD]]
    again = ours.label(batch.slice(0, 1), ids.slice(0, 1), np.zeros(1, np.int64))
    assert len(again.log) == 0
    sent = ours.label(batch.slice(1, 1), ids.slice(1, 1), np.zeros(1, np.int64))
    assert sent.log.column(KIND).to_pylist() == [SENT]
    assert len(sent.ids) == 0


def test_a_label_that_was_sent_takes_the_place_of_the_one_that_waits() -> None:
    batch, ids = payments([(0, 1, 1, True), (1, 1, 1, False), (30, 1, 1, False)])
    ours = new_state()
    ours.apply(batch.slice(0, 2), ids.slice(0, 2), np.zeros(2, np.int64))
    assert len(ours.pending) == 1
    ours.label(batch.slice(0, 1), ids.slice(0, 1), np.zeros(1, np.int64))
    assert len(ours.pending) == 0
    applied = ours.apply(batch.slice(2), ids.slice(2), np.zeros(1, np.int64))
    assert applied.log.column(KIND).to_pylist() == [RECORD]


def test_a_label_is_of_one_record_also_where_two_bear_the_same_name() -> None:
    # 100 days apart they are two; the label of the first is told in the entry in which the second stands.
    batch, _ = payments([(0, 1, 1, True), (2400, 1, 1, True), (2500, 1, 1, False), (2501, 1, 1, False)])
    ids = pa.array(["T", "T", "U", "V"])
    batch = batch.set_column(0, SCHEMA.field(0), ids.cast(SCHEMA.field(0).type))
    _, log, whole = streamed(batch.slice(0, 2), ids.slice(0, 2), [1])
    assert [part.column(KIND).to_pylist() for part in log] == [[RECORD], [LABEL, RECORD]]
    assert len(whole.pending) == 1
    again = new_state()
    again.replay(*enumerate(log, 1))
    assert len(again.pending) == 1
    ours = again.apply(batch.slice(2), ids.slice(2), np.zeros(2, np.int64))
    theirs = whole.apply(batch.slice(2), ids.slice(2), np.zeros(2, np.int64))
    assert ours.log.column(KIND).to_pylist() == [LABEL, RECORD, RECORD]
    assert repr(ours.log.to_pydict()) == repr(theirs.log.to_pydict())  # NaN is no value to Arrow


def test_what_is_read_of_the_log_is_enough_also_where_no_window_adds_up_money() -> None:
    entry = {"entity": "customer_id", "windows": "1d", "aggregates": ["count"]}
    counting = Windows.of({"features": [entry]}, SOLUTION.window_roles)
    batch, ids = payments([(0, 1, 1, True), (1, 2, 1, False)])
    place = SCHEMA.get_field_index("currency")
    batch = batch.set_column(place, SCHEMA.field(place), pa.array(["EUR", "JPY"], SCHEMA.field(place).type))
    ends = []
    for _ in range(2):
        scorer = Scorer("fraud", "fraud", SOLUTION.contract, (), Settings(), counting)
        ends.append(StreamState(scorer, SCHEMA, horizon=90 * 24 * HOUR, delay=DELAY))
    ends[0].check_keys(batch, 1)
    ends[1].replay((1, ends[0].apply(batch, ids, np.zeros(2, np.int64)).log))
    left, right = (end.arrays() for end in ends)
    assert bytes(left["windows/0.currencies"]) == b"USD EUR JPY"
    for name in left:
        np.testing.assert_array_equal(left[name], right[name], err_msg=name)


def test_records_are_read_in_full_where_they_are_wanted() -> None:
    batch, ids = payments([(0, 1, 1, True), (3, 1, 1, False), (6, 1, 1, True), (20, 1, 1, False)])
    _, log, ours = streamed(batch, ids, [1, 2])
    entries = list(enumerate(log, 1))
    assert [part.column(KIND).to_pylist() for part in log][-1] == [LABEL, RECORD, LABEL, RECORD]
    assert ours.read(*entries, whole=True).records == batch
    assert ours.read(*entries).records is None


def test_a_log_that_gives_other_sequences_is_refused() -> None:
    batch, ids = payments([(0, 1, 1, False), (1, 1, 1, False)])
    _, log, _ = streamed(batch, ids, [1])
    with pytest.raises(DataError, match="other sequences"):
        new_state().replay((1, log[1]))
