"""Thresholds: each wish is met by the lowest score that may, and no pair of them is cheaper."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import DataError, UsageError
from tallystick.evaluation import Costs, Thresholds, Wish, choose_thresholds, outcome

ROWS = st.lists(
    st.tuples(st.booleans(), st.integers(0, 8), st.integers(0, 2), st.integers(0, 50)),
    min_size=1,
    max_size=40,
)


def columns(rows):
    truth, score, day, amount = zip(*rows, strict=True)
    return np.array(truth), np.array(score) / 8, len(set(day)), np.array(amount, float)


@given(
    ROWS,
    st.sampled_from(["alerts_per_day=3", "false_positive_rate=.2", "precision=.6", "recall=.5", "score=.5"]),
)
def test_a_wish_is_met_as_low_as_it_may(rows, wish):
    truth, score, days, amount = columns(rows)
    found = choose_thresholds(truth, score, days, amount, wish, "score=1").review
    asked = Wish.parse(wish)

    def holds(threshold):
        flagged = score >= threshold
        return {
            "alerts_per_day": (flagged & (score < 1)).sum() <= asked.value * days,
            "false_positive_rate": (flagged & ~truth).sum() <= asked.value * (~truth).sum(),
            "precision": not flagged.any() or truth[flagged].mean() >= asked.value,
            "recall": truth.any() and (flagged & truth).sum() >= asked.value * truth.sum(),
            "score": threshold >= asked.value,
        }[asked.name]

    if asked.name == "score":
        assert found == asked.value
        return
    met = [t for t in np.unique(score).tolist() if holds(t)]
    if asked.name == "recall":
        assert found == (min(max(met), 1.0) if met else None)
    else:
        assert found == (min(met) if met else None)


@given(ROWS, st.sampled_from([0.0, 1.0, 4.0]), st.sampled_from([0.1, 0.9]), st.sampled_from([0.5, 1.0]))
def test_no_pair_of_thresholds_is_cheaper(rows, look, upset, caught):
    truth, score, days, amount = columns(rows)
    costs = Costs(review_cost=look, good_declined_share=upset, good_declined_fixed=0.5, caught_share=caught)
    found = choose_thresholds(truth, score, days, amount, "cost", "cost", costs)
    steps = [*np.unique(score).tolist(), None]
    every = [
        outcome(truth, score, days, amount, review, decline, costs)["money"]["cost"]
        for decline in steps
        for review in steps
        if decline is None or review is None or review <= decline
    ]
    assert found.expected["money"]["cost"] == pytest.approx(min(every), abs=1e-6)
    given_decline = choose_thresholds(truth, score, days, amount, "cost", "score=.8", costs)
    best = min(
        outcome(truth, score, days, amount, review, 0.8, costs)["money"]["cost"]
        for review in (0.8, *(t for t in steps[:-1] if t <= 0.8))
    )
    assert given_decline.expected["money"]["cost"] == pytest.approx(best, abs=1e-6)


@given(ROWS, st.sampled_from(["alerts_per_day=1", "precision=.99", "cost", "score=.9"]))
def test_review_is_never_above_decline(rows, review):
    truth, score, days, amount = columns(rows)
    found = choose_thresholds(truth, score, days, amount, review, "score=.5")
    assert found.review is None or found.review <= found.decline == 0.5


def test_alerts_are_what_is_left_when_some_is_declined():
    score = np.linspace(0.01, 1, 100)
    found = choose_thresholds(score > 0.9, score, 1, review="alerts_per_day=20", decline="score=.9")
    assert found.expected["declined"] == 11
    assert found.expected["alerts"] == 20
    assert found.expected["money"] is None


def test_what_cannot_be_reached_is_said():
    truth, score = np.array([False, False, True]), np.array([0.9, 0.5, 0.1])
    found = choose_thresholds(truth, score, 1, decline="precision=.9", review="alerts_per_day=0")
    assert (found.review, found.decline, found.flags_from) == (None, None, np.inf)
    assert [note.split(":")[0] for note in found.notes] == [
        "No score declines with precision=0.9 (at least this share of fraud among them)",
        "No score is looked at with alerts_per_day=0 (at most so many payments a day)",
    ]


def test_they_survive_json():
    found = choose_thresholds([True, False], [0.9, 0.2], 2, [10.0, 5.0])
    again = Thresholds.of(json.loads(json.dumps(found.to_dict(), allow_nan=False)))
    assert again == found
    assert again.review_wanted == "alerts_per_day=100"


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ("alerts=100", "alerts_per_day"),
        ("precison=.9", 'Did you mean "precision"'),
        ("precision", "precision=.9"),
        ("precision=1.5", "between 0 and 1"),
        ("alerts_per_day=-1", "0 or more"),
        ("alerts_per_day=many", "alerts_per_day=100"),
        ("cost=5", "takes no number"),
    ],
)
def test_a_wish_that_makes_no_sense_names_those_that_do(wish, said):
    with pytest.raises(UsageError) as caught:
        choose_thresholds([True], [0.5], 1, review=wish)
    assert said in str(caught.value)


def test_what_does_not_fit_is_refused():
    with pytest.raises(UsageError, match="needs the amounts"):
        choose_thresholds([True], [0.5], 1, review="cost")
    with pytest.raises(DataError, match="do not fit"):
        choose_thresholds([True], [0.5, 0.6], 1)
    with pytest.raises(UsageError, match="may not lie above"):
        Thresholds(0.9, 0.5)
    with pytest.raises(UsageError, match='have no "rewiev"'):
        Thresholds.of({"rewiev": 0.5})
    assert Wish.parse(" precision = 95% ") == Wish("precision", 0.95)
