"""The kernel against the slow, obvious reference: value by value, over random declarations and streams."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.windows.conftest import batch, declare
from tests.windows.reference import US, Reference, local

from tallystick.windows import WindowState

ZONE = "America/New_York"
MINUTE, HOUR, DAY = US["m"], US["h"], US["d"]

WRITTEN = {
    "ordinary": "amount < 220",
    "lagos": "place == 'Lagos'",
    "dark": "hour < 6 and not weekend",
    "fraud": "known_fraud",
    "ordinary_fraud": "known_fraud and amount < 220",
    "odd": "known_fraud or amount > 500",
}


def major(row: Any) -> float:
    if row["amount"] is None:
        return math.nan
    return row["amount"] / 10.0 ** {"JPY": 0, "KWD": 3}.get(row.get("currency"), 2)


def dark(row: Any, _: bool) -> bool:
    return local(row, ZONE).hour < 6 and local(row, ZONE).weekday() < 5


CONDITIONS = {
    "ordinary": lambda row, _: major(row) < 220,
    "lagos": lambda row, _: row["place"] == "Lagos",
    "dark": dark,
    "fraud": lambda _, known: known,
    "ordinary_fraud": lambda row, known: known and major(row) < 220,
    "odd": lambda row, known: known or major(row) > 500,
}

PLAIN = ["count", "since_last", "since_first", "since_run_start", "distinct device_id", "distinct place"]
VALUES = [f"{kind} {column}" for kind in ("sum", "mean", "std", "min", "max", "ratio", "trimmed_mean",
          "ratio_trimmed") for column in ("amount", "v1")]  # fmt: skip


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    groups = []
    entities = ["customer_id", "terminal_id", ["customer_id", "terminal_id"], "device_id"]
    for number in range(draw(st.integers(1, 4))):
        mode = draw(st.sampled_from(["tiled", "exact"]))
        group: dict[str, Any] = {
            "entity": draw(st.sampled_from(entities)),
            "windows": draw(
                st.lists(st.sampled_from(["5m", "1h", "1d", "7d"]), min_size=1, max_size=3, unique=True)
            ),
            "aggregates": draw(
                st.lists(st.sampled_from(PLAIN + VALUES), min_size=1, max_size=6, unique=True)
            ),
            "mode": mode,
            "tiles": draw(st.sampled_from([1, 2, 5, 30])),
            "cap": draw(st.sampled_from([1, 2, 3, 7, 1024])),
            "gap": draw(st.sampled_from(["1m", "2h", "3d"])),
            "trim": draw(st.sampled_from([0, 0.1, 0.25, 0.4])),
            "suffix": f"n{number}",
        }
        if draw(st.booleans()):
            group["where"] = draw(st.sampled_from(sorted(WRITTEN)))
            group["aggregates"].append("share")
        elif draw(st.booleans()) and group["entity"] not in [
            g["entity"] for g in groups if "first_seen" in g["aggregates"]
        ]:
            group["aggregates"].append("first_seen")
        if draw(st.booleans()) and "first_seen" not in group["aggregates"]:
            group["delay"] = draw(st.sampled_from(["1m", "1h", "1d", "3d"]))
            group["aggregates"].append("risk")
        if draw(st.integers(0, 3)) == 0:
            group["include_current"] = True
        groups.append(group)
    return {"conditions": WRITTEN, "features": groups}


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[bool]]:
    """Rows near each other and far apart, late, at the same time, with gaps, extremes, nulls and labels."""
    amounts = st.one_of(
        st.integers(-30_000, 100_000), st.sampled_from([10**15, -(10**15), 10**15 - 1, 0, 1, -1, None])
    )
    steps = st.sampled_from(
        [0, 0, 1, -1, MINUTE // 2, -MINUTE, 5 * MINUTE, -HOUR, HOUR - 1, DAY, -2 * DAY, 9 * DAY]
    )
    few = draw(st.booleans())
    rows: list[dict[str, Any]] = []
    labels: list[bool] = []
    time = draw(st.sampled_from([0, -3 * DAY, 1_520_000_000 * US["s"], 17]))
    for _ in range(draw(st.integers(1, 40))):
        if rows and draw(st.integers(0, 5)) == 0:
            paid = draw(
                st.sampled_from([row for row, label in zip(rows, labels, strict=True) if not label] or rows)
            )
            rows.append(paid)
            labels.append(True)
            continue
        time += draw(steps) + draw(st.integers(0, 3)) * draw(st.sampled_from([0, 1, MINUTE]))
        rows.append({
            "event_time": None if draw(st.integers(0, 19)) == 0 else time,
            "customer_id": draw(st.sampled_from(["a"] if few else ["a", "b", "ü", None])),
            "terminal_id": draw(st.sampled_from(["t"] if few else ["t", "u", "", None])),
            "device_id": draw(st.sampled_from(["d", "e", "f", None])),
            "amount": draw(amounts),
            "currency": draw(st.sampled_from(["USD", "USD", "USD", "JPY", "KWD", None])),
            "v1": draw(st.one_of(st.none(), st.integers(-500, 500).map(lambda x: x / 8), st.just(1e6))),
            "place": draw(st.sampled_from(["Lagos", "Oslo", None])),
        })  # fmt: skip
        labels.append(False)
    return rows, labels


def bits(array: np.ndarray[Any, Any]) -> bytes:
    return np.where(np.isnan(array), np.nan, array).tobytes()


def agree(ours: float, theirs: float, name: str) -> bool:
    if math.isnan(ours) or math.isnan(theirs):
        return math.isnan(ours) and math.isnan(theirs)
    return math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-3) if "_v1__" in name else ours == theirs


LIMITS = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@LIMITS
@given(documents(), streams())
def test_every_value_is_the_reference_s(document: dict[str, Any], stream: Any) -> None:
    rows, labels = stream
    windows = declare(document)
    applied = WindowState(windows, ZONE).apply(batch(rows), np.array(labels))
    reference = Reference(document, CONDITIONS)
    for i, (row, label) in enumerate(zip(rows, labels, strict=True)):
        features, sequence, late = reference.apply(row, label)
        assert list(applied.sequence[i]) == sequence
        assert bool(applied.late[i]) == late
        for name, ours in zip(windows.names, applied.features[i].tolist(), strict=True):
            if not agree(ours, features[name], name):
                pytest.fail(f"row {i}, {name}: {ours!r}, but by the reference {features[name]!r}")


@LIMITS
@given(documents(), streams(), st.lists(st.integers(0, 40), max_size=4))
def test_any_split_gives_the_same_bits_with_the_state_saved_between(
    document: dict[str, Any], stream: Any, cuts: list[int]
) -> None:
    rows, labels = stream
    windows = declare(document)
    whole = WindowState(windows, ZONE).apply(batch(rows), np.array(labels))
    one_by_one, parts = WindowState(windows, ZONE), WindowState(windows, ZONE)
    alone = [one_by_one.apply(batch([r]), np.array([x])) for r, x in zip(rows, labels, strict=True)]
    assert bits(np.concatenate([a.features for a in alone])) == bits(whole.features)
    assert np.array_equal(np.concatenate([a.sequence for a in alone]), whole.sequence)
    assert np.array_equal(np.concatenate([a.late for a in alone]), whole.late)
    edges = sorted({0, len(rows), *(c for c in cuts if c < len(rows))})
    found = []
    for begin, end in itertools.pairwise(edges):
        found.append(parts.apply(batch(rows[begin:end]), np.array(labels[begin:end])).features)
        parts = WindowState.load(declare(windows.to_dict()), parts.arrays())
    assert bits(np.concatenate(found)) == bits(whole.features)
    assert parts.left_early == one_by_one.left_early
