"""Latencies in steps: near where it says so, exact at the bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.streams.stats_latency import (
    EDGES,
    chart_bars,
    count_latencies,
    cumulative_counts,
    quantiles,
    summarise,
)

SECOND = 1_000_000


@given(st.lists(st.integers(2, 2**44), min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.99, 0.999]))
def test_percentiles_are_near(values: list[int], share: float) -> None:
    latency = np.sort(np.array(values, np.int64))
    true = latency[max(int(np.ceil(share * len(latency) - 1e-9)) - 1, 0)] / 1000
    found = quantiles(count_latencies(latency)[None], (share,))[0, 0]
    assert abs(found - true) <= 0.02 * true


@given(st.lists(st.integers(-5, 2**50), max_size=60))
def test_counts_hold_all_latencies_and_no_percentile_passes_the_longest(values: list[int]) -> None:
    counts = count_latencies(np.array(values, np.int64))
    assert counts.sum() == len(values)
    if values and min(values) > 0:
        found = summarise(counts, sum(values), max(values))
        assert found.p50 <= found.p90 <= found.p99 <= found.p999 <= found.longest == max(values) / 1000
        assert found.mean == pytest.approx(sum(values) / len(values) / 1000)


@pytest.mark.parametrize("place", [300, 500, 801])
def test_bounds_are_exact(place: int) -> None:
    edge = int(EDGES[place])
    counts = count_latencies(np.array([edge, edge + 1]))
    assert np.flatnonzero(counts).tolist() == [place - 1, place]


def test_bounds_for_prometheus_rise_and_hold_what_they_say() -> None:
    latency = np.array([100, 256, 257, 4_096, 4_097, 200 * SECOND])
    bounds = dict(cumulative_counts(count_latencies(latency)))
    assert list(bounds) == sorted(bounds)
    for bound, count in bounds.items():
        assert count == (latency <= round(bound * 1e6)).sum(), bound


def test_the_chart_has_an_edge_more_than_bars_and_loses_nothing() -> None:
    edges, counts = chart_bars(count_latencies(np.array([900, 5_000, 5_100, 70_000])))
    assert len(edges) == len(counts) + 1
    assert edges[0] <= 0.9 <= edges[1]
    assert edges[-2] <= 70 <= edges[-1]
    assert sum(counts) == 4
    assert chart_bars(count_latencies(np.array([], np.int64))) == ((), ())
