"""Over time: days add up, and a card is found when its first flagged fraud comes."""

from __future__ import annotations

import numpy as np
import pytest

from tallystick.evaluation import average_precision
from tallystick.evaluation.over_time import HOUR, detection, over_time


def made(n=600, days=9, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < 0.1
    score = np.clip(rng.random(n) * 0.7 + truth * 0.3, 0, 1)
    return rng.integers(100, 100 + days, n), truth, score, rng.integers(0, 40, n)


def test_each_day_is_measured_alone():
    day, truth, score, _ = made()
    flagged, declined = score > 0.6, score > 0.8
    further = dict.fromkeys(range(100, 108), 0.25)
    points = over_time(day, truth, score, flagged, declined, {"extra": further})
    assert [point["day"] for point in points][:2] == ["1970-04-11", "1970-04-12"]
    for i, point in enumerate(points):
        today = day == 100 + i
        assert point["rows"] == today.sum()
        assert point["events"] == truth[today].sum()
        assert point["alerts"] == (today & flagged & ~declined).sum()
        assert point["declined"] == (today & declined).sum()
        assert point["recall"] == pytest.approx(flagged[today & truth].mean())
        assert point["precision"] == pytest.approx(truth[today & flagged].mean())
        assert point["average_precision"] == pytest.approx(average_precision(truth[today], score[today]))
        assert point["extra"] == (0.25 if i < 8 else None)


def test_years_are_taken_some_days_at_a_time():
    day, truth, score, _ = made(3000, 1000)
    points = over_time(day, truth, score, score > 0.5, score > 2)
    assert len(points) <= 400
    assert points[0]["days"] == 3
    assert sum(point["rows"] for point in points) == 3000
    assert over_time(day[:0], truth[:0], score[:0], truth[:0], truth[:0]) == []


def test_detection_is_what_a_walk_over_the_cards_says():
    rng = np.random.default_rng(3)
    n = 400
    truth, flagged = rng.random(n) < 0.3, rng.random(n) < 0.4
    card, time = rng.integers(-1, 30, n), rng.integers(0, 500, n) * HOUR
    amount = rng.integers(1, 90, n).astype(float)
    waited, before, lost, undetected, never = [], [], 0.0, 0, 0.0
    for each in range(30):
        mine = np.flatnonzero(truth & (card == each))
        mine = mine[np.argsort(time[mine], kind="stable")]
        hits = np.flatnonzero(flagged[mine])
        if not len(hits):
            undetected += len(mine)
            never += amount[mine].sum()
            continue
        waited.append((time[mine[hits[0]]] - time[mine[0]]) / HOUR)
        before.append(hits[0])
        lost += amount[mine[: hits[0]]].sum()
    found = detection(truth, flagged, card, time, amount)
    assert found["detected"] == len(waited)
    assert found["cards"] == len(set(card[truth & (card >= 0)].tolist()))
    assert found["hours"]["median"] == np.median(waited)
    assert found["hours"]["mean"] == pytest.approx(np.mean(waited))
    assert found["frauds_before"]["mean"] == pytest.approx(np.mean(before))
    assert found["amount_before"] == pytest.approx(lost)
    assert found["frauds_undetected"] == undetected
    assert found["amount_undetected"] == pytest.approx(never)
    assert never > 0


def test_without_fraud_there_is_nothing_to_detect():
    none = np.zeros(2, bool)
    found = detection(none, none, np.array([0, 1]), np.array([0, 1]), None)
    assert (found["cards"], found["share"], found["hours"]["mean"]) == (0, None, None)
