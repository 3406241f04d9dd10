"""Intervals of events: as the plain bootstrap draws them, cards together."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from tallystick.evaluation import interval
from tallystick.evaluation.binary_intervals import event_intervals
from tallystick.evaluation.days import DAY
from tallystick.evaluation.scored_rows import ScoredRows


def made(n=1200, seed=0, cards=120):
    rng = np.random.default_rng(seed)
    card = rng.integers(0, cards, n)
    truth = rng.random(n) < np.where(card < 20, 0.4, 0.02)
    score = np.clip(rng.random(n) * 0.6 + truth * rng.random(n) * 0.6, 0, 1)
    return ScoredRows.of(truth, score, entity=card, time=rng.integers(0, 7 * DAY, n))


def test_they_are_the_plain_bootstraps():
    rows = made()
    found = event_intervals(rows, rows.score > 0.5, {}, seed=4, rounds=120)
    plain = interval(average_precision_score, rows.truth, rows.score, seed=4, rounds=120, groups=rows.groups)
    assert found["intervals"]["average_precision"] == pytest.approx([plain["low"], plain["high"]])
    recall = interval(
        lambda t, p: (t & p).sum() / t.sum(),
        rows.truth,
        rows.score > 0.5,
        seed=4,
        rounds=120,
        groups=rows.groups,
    )
    assert found["intervals"]["recall"] == pytest.approx([recall["low"], recall["high"]])


def test_cards_that_hang_together_make_it_wider():
    rng = np.random.default_rng(2)
    truth = rng.random(200) < 0.3
    score = np.clip(rng.random(200) * 0.7 + truth * 0.3, 0, 1)
    nine = np.arange(200).repeat(9)
    rows = ScoredRows.of(truth[nine], score[nine], groups=nine)
    alone = ScoredRows.of(rows.truth, rows.score)
    wide, narrow = (
        event_intervals(each, each.score > 0.5, {}, seed=1, rounds=200)["intervals"]["average_precision"]
        for each in (rows, alone)
    )
    assert 2.4 < (wide[1] - wide[0]) / (narrow[1] - narrow[0]) < 3.6


class Doubled:
    """A measure of rows: the sum of their weights."""

    def __init__(self, resamples):
        self.resamples = resamples

    def value(self, times=None):
        return 2.0 * times.sum()

    def by_day(self):
        return {}


def test_a_solutions_own_measure_is_drawn_where_it_can_be():
    rows = made()
    found = event_intervals(rows, rows.truth, {"a": Doubled(True), "b": Doubled(False)}, seed=1, rounds=5)[
        "intervals"
    ]
    assert "b" not in found
    assert found["a"][0] > len(rows.truth)


def test_many_rows_take_fewer_rounds():
    truth = np.arange(400_000) % 100 == 0
    rows = ScoredRows.of(truth, truth * 0.5)
    found = event_intervals(rows, truth, {}, seed=0, rounds=1000)
    assert found["rounds"] == 67
    assert found["intervals"]["recall"] == [1.0, 1.0]
