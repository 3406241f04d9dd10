"""Tracks that only count or add up money go through the kernel block by block; no value shows it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.windows.conftest import TYPES, declare

from tallystick.windows import WindowState, layout, plan

DAY = 86_400_000_000
DECLARED = {
    "conditions": {"high": "customer_id__ratio_trimmed_amount__30d >= 1.5"},
    "features": [
        {"entity": "customer_id", "windows": ["30d"], "aggregates": ["ratio_trimmed amount"], "cap": 32},
        {"entity": "customer_id", "windows": ["1h", "1d", "7d"],
         "aggregates": ["count", "sum amount", "mean amount"]},
        {"entity": "customer_id", "windows": ["30d"], "aggregates": ["ratio amount"],
         "include_current": True},
        {"entity": "customer_id", "windows": ["3d"],
         "aggregates": ["std amount", "max amount", "first_seen"]},
        {"entity": "customer_id", "windows": ["14d"], "aggregates": ["count", "share"], "where": "high"},
        {"entity": "terminal_id", "windows": ["1d", "7d"], "aggregates": ["risk"], "delay": "2d"},
        {"entity": "terminal_id", "windows": ["7d"], "aggregates": ["count", "mean amount"], "delay": "5h"},
        {"entity": "terminal_id", "windows": ["1d"], "aggregates": ["count", "distinct customer_id"]},
        {"entity": "terminal_id", "windows": ["28d"], "aggregates": ["count"], "where": "known_fraud"},
    ],
}  # fmt: skip


def stream(rows: int, seed: int = 1) -> tuple[pa.RecordBatch, np.ndarray]:
    """Payments of a few cards: most in order, some late, tied, without an entity, a time or an amount."""
    rng = np.random.default_rng(seed)
    time = np.sort(rng.integers(0, 60 * DAY, rows)) // 60_000_000 * 60_000_000
    late = rng.random(rows) < 0.05
    time[late] -= rng.integers(0, 10 * DAY, int(late.sum()))
    labels = rng.random(rows) < 0.02
    columns: dict[str, Any] = {
        "event_time": pa.array(time, mask=rng.random(rows) < 0.01).cast(TYPES["event_time"]),
        "customer_id": pa.array(rng.integers(0, 40, rows), mask=rng.random(rows) < 0.01).cast(pa.string()),
        "terminal_id": pa.array(rng.integers(0, 25, rows)).cast(pa.string()),
        "amount": pa.array(rng.integers(-500, 20_000, rows), mask=rng.random(rows) < 0.02),
        "currency": pa.array(np.where(rng.random(rows) < 0.03, "JPY", "USD")),
    }
    return pa.RecordBatch.from_pydict(columns), labels


def applied(batches: list[int], threads: int = 1) -> tuple[bytes, list[list[int]], list[bool]]:
    rows, labels = stream(sum(batches))
    state, found, at = WindowState(declare(DECLARED)), [], 0
    for size in batches:
        found.append(state.apply(rows.slice(at, size), labels[at : at + size], threads))
        at += size
    features = np.concatenate([one.features for one in found])
    assert np.isfinite(features).any(axis=0).all()  # nothing is compared that is never there
    sequence = np.concatenate([one.sequence for one in found])
    return features.tobytes(), sequence.tolist(), np.concatenate([one.late for one in found]).tolist()


def test_blocks_of_rows_give_the_bits_of_one_row_after_the_other() -> None:
    assert applied([6000]) == applied([1] * 300 + [7] * 100 + [1000] * 5)


def test_kinds_of_entities_side_by_side_give_the_same_bits() -> None:
    assert applied([5000], threads=2) == applied([5000])


def test_plain_tracks_give_the_bits_that_any_track_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = {int(shape) for part in declare(DECLARED).plans for shape in part.tracks[:, layout.T_SHAPE]}
    assert shapes == {layout.S_OTHER, layout.S_COUNTS, layout.S_MONEY}
    ours = applied([6000])
    monkeypatch.setattr(plan.Track, "shape", lambda _: layout.S_OTHER)
    assert applied([6000]) == ours


def test_times_too_far_off_for_a_float_fall_into_the_same_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {"entity": "customer_id", "windows": ["1s"], "aggregates": ["count", "sum amount"]}
    windows = declare({"tiles": 4000, "features": [wanted]})
    steps = np.random.default_rng(3).integers(0, 2_000, 4000).cumsum()
    columns = {
        "event_time": pa.array(2**62 + steps).cast(TYPES["event_time"]),
        "customer_id": pa.array(["a"] * len(steps)),
        "amount": pa.array(np.arange(len(steps))),
    }
    rows = pa.RecordBatch.from_pydict(columns)
    ours = WindowState(windows).apply(rows).features.tobytes()
    monkeypatch.setattr(plan.Track, "shape", lambda _: layout.S_OTHER)
    assert WindowState(declare(windows.to_dict())).apply(rows).features.tobytes() == ours
