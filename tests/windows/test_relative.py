"""Conditions that look at features: taken as the row, payment or label, is applied."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.windows.conftest import batch, declare

from tallystick.errors import UsageError
from tallystick.windows import WindowState

HOUR, DAY = 3_600_000_000, 86_400_000_000
DOCUMENT = {
    "conditions": {
        "high": "amount >= 2 * customer_id__mean_amount__2d",
        "usual_fraud": "known_fraud and not (amount >= 2 * customer_id__mean_amount__2d)",
    },
    "features": [
        {"entity": "customer_id", "windows": "7d", "aggregates": "count", "where": "high", "tiles": 7},
        {"entity": "customer_id", "windows": "2d", "aggregates": ["mean amount", "count"], "tiles": 2},
        {"entity": "terminal_id", "windows": "7d", "aggregates": "count", "where": "usual_fraud", "tiles": 7},
        {"entity": "terminal_id", "windows": "7d", "aggregates": "count", "tiles": 7},
    ],
}
Row = dict[str, Any]


class Slow:
    """Lists and loops: what each entity has applied, looked through for every row."""

    def __init__(self) -> None:
        self.payments: list[Row] = []
        self.frauds: list[Row] = []

    def seen(self, past: list[Row], entity: str, row: Row, days: int) -> list[Row]:
        """Those of an entity in the tiles (of a day) that end with the row's own, as far as they are kept."""
        mine = [p for p in past if p[entity] == row[entity]]
        applied = [p["event_time"] // DAY for p in self.payments + self.frauds if p[entity] == row[entity]]
        tile = row["event_time"] // DAY
        frontier = max([tile, *applied])
        return [p for p in mine if frontier - days < p["event_time"] // DAY <= tile]

    def apply(self, row: Row, label: bool) -> list[float]:
        usual = self.seen(self.payments, "customer_id", row, 2)
        mean = sum(p["amount"] for p in usual) / 100 / len(usual) if usual else math.nan
        high = row["amount"] / 100 >= 2 * mean
        told = [
            len([p for p in self.seen(self.payments, "customer_id", row, 7) if p["high"]]),
            mean,
            len(usual),
            len(self.seen([f for f in self.frauds if f["ordinary"]], "terminal_id", row, 7)),
            len(self.seen(self.payments, "terminal_id", row, 7)),
        ]
        if label:
            self.frauds.append({**row, "ordinary": not high})
            return [math.nan] * len(told)
        self.payments.append({**row, "high": high})
        return told


@st.composite
def streams(draw: st.DrawFn) -> list[tuple[Row, bool]]:
    found: list[tuple[Row, bool]] = []
    time = 400 * DAY
    for _ in range(draw(st.integers(1, 40))):
        time += draw(st.sampled_from([0, 1, HOUR, 9 * HOUR, DAY, 3 * DAY, 12 * DAY]))
        paid = [row for row, label in found if not label]
        if paid and draw(st.integers(0, 3)) == 0:
            found.append((draw(st.sampled_from(paid)), True))
            continue
        late = draw(st.sampled_from([0, 0, 0, 5 * HOUR, 2 * DAY, 9 * DAY]))
        row = {
            "event_time": time - late,
            "customer_id": draw(st.sampled_from("ab")),
            "terminal_id": draw(st.sampled_from("xy")),
            "amount": draw(st.sampled_from([100, 150, 1000, 5000, -300])),
        }
        found.append((row, False))
    return found


@settings(max_examples=150)
@given(stream=streams(), cut=st.integers(1, 40))
def test_a_condition_on_a_feature_agrees_with_the_slow_way(stream: list[tuple[Row, bool]], cut: int) -> None:
    slow = Slow()
    wanted = np.array([slow.apply(row, label) for row, label in stream])
    windows = declare(DOCUMENT)
    state = WindowState(windows)
    rows, labels = batch([row for row, _ in stream]), np.array([label for _, label in stream])
    found = np.vstack(
        [
            state.apply(rows.slice(start, cut), labels[start : start + cut]).features
            for start in range(0, len(stream), cut)
        ]
    )
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    whole = WindowState(windows).apply(rows, labels)
    assert whole.features.tobytes() == found.tobytes()
    # Each entity numbers each of its events once, labels too, whatever turn its features take.
    for place, name in enumerate(windows.entities):
        count: dict[str, int] = {}
        for (row, _), number in zip(stream, whole.sequence[:, place], strict=True):
            count[row[name]] = count.get(row[name], 0) + 1
            assert number == count[row[name]]


def test_a_state_saved_in_the_middle_goes_on_the_same() -> None:
    rows = batch(
        [
            {"event_time": i * HOUR, "customer_id": "a", "terminal_id": "x", "amount": 100 + i % 7 * 200}
            for i in range(60)
        ]
    )
    windows = declare(DOCUMENT)
    whole = WindowState(windows).apply(rows).features
    first = WindowState(windows)
    first.apply(rows.slice(0, 33))
    again = WindowState.load(windows, first.arrays())
    assert again.apply(rows.slice(33)).features.tobytes() == whole[33:].tobytes()
    assert {array.dtype.kind for array in first.arrays().values()} <= {"i", "u"}


def test_features_keep_the_order_in_which_they_are_declared() -> None:
    assert declare(DOCUMENT).names[0] == "customer_id__count__7d__high"
    assert declare(DOCUMENT).names[-1] == "terminal_id__count__7d"


def test_an_entry_goes_when_what_its_condition_looks_at_is_not_there() -> None:
    kept = declare(DOCUMENT).restrict(["event_time", "terminal_id", "amount"]).names
    assert kept == ("terminal_id__count__7d",)


def test_conditions_in_a_chain_are_refused() -> None:
    document = {
        "conditions": DOCUMENT["conditions"] | {"busy": "customer_id__count__7d__high > 2"},
        "features": [
            *DOCUMENT["features"],
            {"entity": "customer_id", "windows": "1d", "aggregates": "count", "where": "busy"},
        ],
    }
    with pytest.raises(UsageError, match="whose own condition looks at a feature"):
        declare(document)


def test_a_batch_that_is_refused_leaves_no_trace() -> None:
    rows = batch([{"event_time": 1, "customer_id": "a", "terminal_id": "x", "amount": 100}])
    state, fresh = WindowState(declare(DOCUMENT)), WindowState(declare(DOCUMENT))
    with pytest.raises(UsageError, match="terminal_id"):
        state.apply(rows.drop_columns(["terminal_id"]))
    done, wanted = state.apply(rows), fresh.apply(rows)
    assert done.features.tobytes() == wanted.features.tobytes()
    assert done.sequence.tolist() == wanted.sequence.tolist()
