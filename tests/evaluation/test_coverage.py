"""Coverage: thresholds keep what they promise, ties stay together, few rows prove little."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import UsageError
from tallystick.evaluation import Coverage

ROWS = st.lists(st.tuples(st.integers(0, 10), st.booleans()), min_size=1, max_size=80)


def columns(rows):
    score, right = zip(*rows, strict=True)
    return np.array(score) / 10, np.array(right)


@given(ROWS)
def test_each_score_accepts_all_rows_at_or_above_it(rows):
    score, right = columns(rows)
    coverage = Coverage.of(score, right)
    assert coverage.scores.tolist() == sorted(set(score.tolist()), reverse=True)
    for threshold in (*coverage.scores.tolist(), 0.05, 0.0, 1.0):
        taken = score >= threshold
        outcome = coverage.outcome(threshold)
        assert outcome["accepted"] == taken.sum()
        assert outcome["automation"] == pytest.approx(taken.mean())
        assert outcome["wrong"] == (taken & ~right).sum()
        assert outcome["accuracy"] == (pytest.approx(right[taken].mean()) if taken.any() else None)
        assert outcome["review_accuracy"] == (pytest.approx(right[~taken].mean()) if (~taken).any() else None)


@given(ROWS, st.sampled_from([0.5, 0.8, 0.9, 0.95]))
def test_the_threshold_for_an_accuracy_is_the_lowest_that_keeps_it(rows, wanted):
    score, right = columns(rows)
    coverage = Coverage.of(score, right)
    threshold = coverage.threshold_for(accuracy=wanted)
    for candidate in coverage.scores.tolist():
        taken = score >= candidate
        holds = (taken & ~right).sum() + 1 <= (1 - wanted) * (taken.sum() + 1) + 1e-9
        if threshold is None or candidate < threshold:
            assert not holds
        elif candidate == threshold:
            assert holds
    if threshold is not None:
        assert right[score >= threshold].mean() >= wanted


@pytest.mark.parametrize(("rows", "enough"), [(3, False), (18, False), (19, True)])
def test_few_rows_do_not_show_much(rows, enough):
    found = Coverage.of([0.9] * rows, [True] * rows).threshold_for(accuracy=0.95)
    assert (found == 0.9) is enough


def test_an_early_mistake_does_not_cost_coverage():
    score = np.linspace(1, 0.5, 400)
    right = np.ones(400, bool)
    right[0] = False
    assert Coverage.of(score, right).threshold_for(accuracy=0.95) == 0.5


def test_it_holds_on_rows_that_were_not_seen():
    """Chosen on half of the rows, the accuracy on the other half is the wanted one, in the mean."""
    kept = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        score = rng.random(300)
        right = rng.random(300) < 0.6 + 0.4 * score
        threshold = Coverage.of(score[:150], right[:150]).threshold_for(accuracy=0.9)
        if threshold is not None and (score[150:] >= threshold).any():
            kept.append(right[150:][score[150:] >= threshold].mean())
    assert len(kept) > 100
    assert np.mean(kept) >= 0.9


@given(ROWS, st.floats(0, 1))
def test_automation_is_met_as_nearly_as_ties_allow(rows, share):
    score, right = columns(rows)
    coverage = Coverage.of(score, right)
    threshold = coverage.threshold_for(automation=share)
    got = 0.0 if threshold is None else (score >= threshold).mean()
    possible = [0.0, *(coverage.accepted / len(rows))]
    assert abs(got - share) <= min(abs(p - share) for p in possible) + 1e-12


def test_the_ends_of_automation():
    coverage = Coverage.of([0.9, 0.4], [True, False])
    assert coverage.threshold_for(automation=1) == 0.0
    assert coverage.threshold_for(automation=0) is None
    assert coverage.outcome(None) == {
        "threshold": None,
        "rows": 2,
        "accepted": 0,
        "automation": 0.0,
        "accuracy": None,
        "wrong": 0,
        "review_accuracy": 0.5,
    }
    assert coverage.accuracy_at(0) is None


@pytest.mark.parametrize("aims", [{}, {"accuracy": 0.9, "automation": 0.5}, {"accuracy": 1.1}])
def test_one_aim_and_a_share(aims):
    with pytest.raises(UsageError, match="one aim"):
        Coverage.of([0.5], [True]).threshold_for(**aims)


def test_the_curve_is_short_ends_with_all_rows_and_tells_no_luck():
    rng = np.random.default_rng(0)
    score = rng.random(5000)
    curve = Coverage.of(score, rng.random(5000) < score).curve()
    assert len(curve["score"]) == len(curve["coverage"]) == len(curve["accuracy"]) <= 200
    assert curve["coverage"][0] >= 0.01
    assert curve["coverage"][-1] == 1
    assert np.all(np.diff(curve["coverage"]) > 0)
    assert len(Coverage.of([0.5, 0.4], [True, False]).curve()["score"]) == 2
