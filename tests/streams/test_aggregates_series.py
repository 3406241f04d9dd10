"""What is expected of a series, what is odd, and where it goes; against plain NumPy and SciPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from tallystick.streams.aggregates.declaration import Value, Watch
from tallystick.streams.aggregates.series import Series

HERE = np.array([True])


def run(
    values: list[float], kind: str = "mean", rows: int = 100, **watch: float
) -> list[tuple[float, float, float]]:
    said = {"season": 1, "past": 10, "least": 3, "limit": 5.0, "trend": 6} | watch
    series = Series(Watch((0,), **said), (Value(kind, kind),), room=1)
    found = []
    for period, value in enumerate(values):
        parts = series.update(period, np.array([[value]]), np.array([rows]), HERE)
        found.append(tuple(part.item() for part in parts))
    return found


def test_scores_are_those_of_iglewicz_and_hoaglin() -> None:
    values = np.random.default_rng(3).normal(50, 4, 40).tolist()
    values[20] = math.nan
    found = run(values)
    for i, (_, expected, score) in enumerate(found):
        past = [x for x in values[max(0, i - 10) : i] if x == x]
        if len(past) < 3:
            assert math.isnan(expected)
            continue
        assert expected == np.median(past)
        if i == 20:
            assert math.isnan(score)
        else:
            spread = stats.median_abs_deviation(past, scale="normal")
            assert score == pytest.approx((values[i] - np.median(past)) / spread)


def test_trends_are_theil_and_sens() -> None:
    values = (np.arange(30) * 2.5 + np.random.default_rng(4).normal(0, 3, 30)).tolist()
    values[12], values[25] = math.nan, 900.0
    for i, (trend, _, _) in enumerate(run(values)):
        places = [j for j in range(max(0, i - 5), i + 1) if values[j] == values[j]]
        if len(places) < 3:
            assert math.isnan(trend)
        else:
            assert trend == pytest.approx(stats.theilslopes([values[j] for j in places], places).slope)
    assert run(values)[-1][0] == pytest.approx(2.5, abs=2.5)  # the wild one does not carry it away


def test_a_season_compares_with_the_same_hour_of_other_days() -> None:
    day = [10.0, 10.0, 500.0, 10.0]
    values = [x + i % 3 for i, x in enumerate(day * 8)]
    plain = run(values, past=8, least=4)
    seasonal = run(values, season=4, past=5, least=3)
    assert all(abs(score) < 5 for *_, score in seasonal[16:])
    assert any(abs(score) > 5 for *_, score in plain[16:])
    assert run([*values, 500.0], season=4, past=5)[-1][2] > 100  # at an hour that has 10


def test_chance_alone_is_no_anomaly_of_small_counts_and_shares() -> None:
    assert run([5.0] * 12 + [8.0], "count")[-1][2] == pytest.approx(3 / math.sqrt(5))
    assert run([0.0] * 12 + [3.0], "distinct")[-1][2] == pytest.approx(3)
    few, many = (run([0.0] * 12 + [0.5], "share", rows=rows)[-1][2] for rows in (2, 1000))
    assert few < 2 < 100 < many
    assert run([7.0] * 12 + [7.0])[-1][2] == 0
    assert run([7.0] * 12 + [7.1])[-1][2] == 1000  # a mean that never moved
    assert run([7.0] * 12 + [6.9])[-1][2] == -1000


def test_where_most_of_the_past_is_one_value_the_mean_difference_counts() -> None:
    past = [7.0, 7.0, 7.0, 9.0, 7.0, 7.0, 7.0, 7.0, 7.0, 7.0]
    assert run([*past, 8.0])[-1][2] == pytest.approx(1 / (1.2533141373155 * 0.2))


def test_false_alarms_are_rare() -> None:
    random = np.random.default_rng(5)
    for kind, values in (("count", random.poisson(3, 3000)), ("count", random.poisson(400, 3000))):
        scores = [score for *_, score in run(values.astype(float).tolist(), kind, past=30, least=10)]
        assert sum(abs(score) > 5 for score in scores if score == score) <= 3
    assert run([*random.poisson(400, 40).astype(float).tolist(), 0.0], "count", past=30)[-1][2] < -10
