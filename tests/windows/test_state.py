"""State as arrays: saved, loaded, refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from tests.windows.conftest import batch, declare

from tallystick.errors import DataError, UsageError
from tallystick.windows import WindowState

DECLARED = {"features": [
    {"entity": "customer_id", "windows": ["1h"], "aggregates": ["count", "sum amount",
     "distinct terminal_id"]},
    {"entity": ["customer_id", "terminal_id"], "windows": ["1h"], "aggregates": ["count"]},
]}  # fmt: skip
ROWS = [
    {"event_time": i, "customer_id": f"kü{i % 3}", "terminal_id": "t", "amount": i, "currency": "EUR"}
    for i in range(20)
]


def test_arrays_are_plain_numbers_and_make_the_state_anew() -> None:
    windows = declare(DECLARED)
    on = WindowState(windows, "Europe/Berlin", "EUR")
    on.allowed_lateness_us = 7
    on.apply(batch(ROWS))
    arrays = on.arrays()
    assert {a.dtype.kind for a in arrays.values()} <= {"i", "u"}
    again = WindowState.load(windows, arrays)
    assert (again.zone, again.currency, again.allowed_lateness_us) == ("Europe/Berlin", "EUR", 7)
    later = [{**row, "event_time": row["event_time"] + 5} for row in ROWS]
    assert again.apply(batch(later)).features.tobytes() == on.apply(batch(later)).features.tobytes()


def test_saving_leaves_the_state_free_to_go_on() -> None:
    on = WindowState(declare(DECLARED))
    on.apply(batch(ROWS))
    kept = on.arrays()
    before = {name: array.copy() for name, array in kept.items()}
    on.apply(batch(ROWS))
    assert all(np.array_equal(before[name], array) for name, array in kept.items())


def test_another_declaration_s_state_is_refused() -> None:
    arrays = WindowState(declare(DECLARED)).arrays()
    with pytest.raises(DataError, match="another declaration"):
        WindowState.load(declare({**DECLARED, "tiles": 10}), arrays)
    with pytest.raises(DataError, match="no window state"):
        WindowState.load(declare(DECLARED), {})


def test_no_rows_and_no_features_are_fine() -> None:
    assert WindowState(declare(DECLARED)).apply(batch([])).features.shape == (0, 4)
    assert WindowState(declare({"features": []})).apply(batch(ROWS)).features.shape == (20, 0)


@pytest.mark.parametrize("where", ["known_fraud and amount == 'x'", "known_fraud and place > 2"])
def test_what_cannot_be_asked_is_refused_each_time(where: str) -> None:
    declared = {"conditions": {"odd": where}, "features": [
        {"entity": "customer_id", "windows": "1h", "aggregates": ["count"], "where": "odd"}]}  # fmt: skip
    on = WindowState(declare(declared))
    if "place" in where:
        on.apply(batch(ROWS[:1]))  # where nothing is known, nothing is amiss
    rows = batch([{**ROWS[0], "place": "Kyiv"}])
    for _ in range(3):
        with pytest.raises(UsageError):
            on.apply(rows)


def test_a_missing_column_is_named() -> None:
    rows = pa.RecordBatch.from_pydict(
        {"event_time": pa.array([0], pa.timestamp("us", "UTC")), "custmer_id": ["a"]}
    )
    with pytest.raises(UsageError, match='"customer_id"'):
        WindowState(declare(DECLARED)).apply(rows)


def test_money_that_is_no_whole_minor_units_is_refused() -> None:
    rows = batch(ROWS).set_column(4, "amount", pa.array([1.5] * 20))
    with pytest.raises(UsageError, match="minor units"):
        WindowState(declare(DECLARED)).apply(rows)


def test_rows_that_are_taken_in_again_leave_the_same_state() -> None:
    declared = {
        "conditions": {"high": "customer_id__ratio_amount__1h >= 1.2"},
        "features": [
            *DECLARED["features"],
            {"entity": "customer_id", "windows": ["1h"], "aggregates": ["mean amount", "ratio amount"]},
            {"entity": "terminal_id", "windows": ["1h"], "aggregates": ["count", "since_last"]},
            {"entity": "terminal_id", "windows": ["1h"], "aggregates": ["count", "share"], "where": "high"},
        ],
    }
    windows = declare(declared)
    rows = batch([{**row, "event_time": (7 * i % 20) * 60_000_000} for i, row in enumerate(ROWS)])
    labels = np.arange(20) % 5 == 4
    first, again, other = WindowState(windows), WindowState(windows), WindowState(windows)
    applied = first.apply(rows, labels)
    assert applied.condition_inputs.shape == (20, 1)
    assert (applied.condition_inputs >= 1.2).any()
    more = again.apply(rows, labels, condition_inputs=applied.condition_inputs)
    np.testing.assert_array_equal(more.sequence, applied.sequence)
    np.testing.assert_array_equal(more.late, applied.late)
    other.apply(rows, labels, condition_inputs=np.zeros((20, 1)))  # what they looked at counts
    after = first.apply(rows).features
    np.testing.assert_array_equal(after, again.apply(rows).features)
    assert not np.array_equal(after, other.apply(rows).features, equal_nan=True)
