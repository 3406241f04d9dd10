"""Window passes over parts of a table against one state over all of it, bit for bit."""

from __future__ import annotations

import pickle
import zlib
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.windows.conftest import batch, declare
from tests.windows.test_against_reference import ZONE, documents, streams

from tallystick.errors import UsageError
from tallystick.windows import WindowPass, WindowResult, WindowState

LATENESS = 60_000_000


@st.composite
def chained(draw: st.DrawFn) -> dict[str, Any]:
    """Declarations of which some entries have conditions on features of others."""
    document = draw(documents())
    names = [name for name in declare(document).names if "+" not in name]
    if not names:
        return document
    looked_at = draw(st.sampled_from(names))
    document["conditions"] = {
        **document["conditions"],
        "relative": f"{looked_at} >= 1 and amount > 0",
        "relative_fraud": f"known_fraud and not ({looked_at} >= 2)",
    }
    for number, entity in enumerate(["device_id", "terminal_id", ["terminal_id", "customer_id"]]):
        for where in draw(st.lists(st.sampled_from(["relative", "relative_fraud"]), unique=True)):
            document["features"].append({
                "entity": entity, "windows": ["1h", "7d"], "where": where, "suffix": f"c{number}",
                "aggregates": ["count", "share", "since_last"],
            })  # fmt: skip
    return document


def partitions(rows: pa.RecordBatch, leader: str, parts: int) -> list[np.ndarray]:
    """Put the rows into parts by the leader's hash; those without one wherever they fall."""
    values = rows.column(leader).to_pylist()
    of = [i % parts if v is None else zlib.crc32(v.encode()) % parts for i, v in enumerate(values)]
    return [np.flatnonzero(np.array(of) == part) for part in range(parts)]


def run(
    one: WindowPass, rows: pa.RecordBatch, labels: np.ndarray, inputs: dict[str, np.ndarray]
) -> WindowResult:
    """Run one pass as another process would: it and its state arrive pickled, rows come in two batches."""
    one = pickle.loads(pickle.dumps(one))
    state, found = one.open(ZONE, "USD", LATENESS), []
    for cut in (slice(0, len(rows) // 2), slice(len(rows) // 2, len(rows))):
        state = pickle.loads(pickle.dumps(state))
        mine = {name: inputs[name][cut] for name in one.inputs}
        found.append(state.apply(rows.slice(cut.start, cut.stop - cut.start), labels[cut], mine))
    return WindowResult(*(np.concatenate([getattr(part, name) for part in found])
                     for name in ("features", "sequence", "late", "condition_inputs")))  # fmt: skip


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(chained(), streams(), st.integers(1, 4))
def test_passes_over_parts_give_what_one_state_gives(
    document: dict[str, Any], stream: tuple[list[dict[str, Any]], list[bool]], parts: int
) -> None:
    windows, rows, labels = declare(document), batch(stream[0]), np.array(stream[1])
    state = WindowState(windows, ZONE)
    state.allowed_lateness_us = LATENESS
    whole = state.apply(rows, labels)
    features = np.full_like(whole.features, -7.0)
    sequence, late = np.full_like(whole.sequence, -7), np.zeros(len(rows), np.bool_)
    inputs: dict[str, np.ndarray] = {}
    for one in windows.passes():
        assert set(one.inputs) <= inputs.keys()
        inputs |= {name: np.full(len(rows), -7.0) for name in one.outputs}
        places = [windows.names.index(name) for name in one.features]
        for index in partitions(rows, one.leader, parts):
            taken = rows.take(pa.array(index)).select(sorted({*one.columns, "currency"}))
            mine = {name: values[index] for name, values in inputs.items()}
            applied = run(one, taken, labels[index], mine)
            features[np.ix_(index, places)] = applied.features
            late[index] |= applied.late
            for i, name in enumerate(one.outputs):
                inputs[name][index] = applied.condition_inputs[:, i]
            if one.numbers:
                sequence[index, windows.entities.index(one.leader)] = applied.sequence[:, 0]
    assert np.array_equal(features.view(np.int64), whole.features.view(np.int64))
    assert np.array_equal(sequence, whole.sequence)
    assert np.array_equal(late, whole.late)
    for i, name in enumerate(windows.condition_inputs):
        assert inputs[name].tobytes() == whole.condition_inputs[:, i].tobytes()


def test_each_feature_and_entity_is_of_one_pass() -> None:
    windows = declare({
        "conditions": {"busy": "customer_id__count__1d > 3"},
        "features": [
            {"entity": "customer_id", "windows": "1d", "aggregates": "count"},
            {"entity": ["customer_id", "device_id"], "windows": "1d", "aggregates": "first_seen"},
            {"entity": "customer_id", "windows": "7d", "aggregates": "count", "where": "busy"},
            {"entity": "terminal_id", "windows": "7d", "aggregates": "sum amount", "where": "busy"},
        ],
    })  # fmt: skip
    found = windows.passes()
    assert [(one.leader, one.numbers) for one in found] == [
        ("customer_id", True), ("device_id", True), ("customer_id", False), ("terminal_id", True),
    ]  # fmt: skip
    assert sorted(name for one in found for name in one.features) == sorted(windows.names)
    assert [one.inputs for one in found] == [(), (), ("customer_id__count__1d",), ("customer_id__count__1d",)]
    assert found[3].columns == ("amount", "event_time", "terminal_id")
    assert found[1].columns == ("device_id", "event_time")


def test_a_pass_that_lacks_a_column_says_so() -> None:
    windows = declare({"features": [{"entity": "customer_id", "windows": "1d", "aggregates": "count"}]})
    with pytest.raises(UsageError, match="event_time"):
        windows.passes()[0].open().apply(pa.record_batch({"customer_id": ["a"]}))


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(chained(), streams())
def test_a_state_that_was_pickled_goes_on_as_it_was(
    document: dict[str, Any], stream: tuple[list[dict[str, Any]], list[bool]]
) -> None:
    windows, rows, labels = declare(document), batch(stream[0]), np.array(stream[1])
    state, half = WindowState(windows, ZONE), len(rows) // 2
    state.apply(rows.slice(0, half), labels[:half])
    again = pickle.loads(pickle.dumps(state))
    ours, theirs = (one.apply(rows.slice(half), labels[half:]) for one in (state, again))
    assert ours.features.tobytes() == theirs.features.tobytes()
    assert ours.sequence.tobytes() == theirs.sequence.tobytes()
    assert all(array.tobytes() == again.arrays()[name].tobytes() for name, array in state.arrays().items())
