"""Bootstrap: the quick way is the plain way, groups are drawn whole, and intervals cover."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from tallystick.errors import DataError, UsageError
from tallystick.evaluation import classify, interval, paired_interval
from tallystick.evaluation.bootstrap import counted_intervals, weights
from tallystick.evaluation.metrics import COUNTED


def labelled(rows, seed=0, right=0.7, k=4):
    rng = np.random.default_rng(seed)
    truth = rng.choice(k, size=rows, p=np.arange(1, k + 1) / np.arange(1, k + 1).sum())
    return truth, np.where(rng.random(rows) < right, truth, rng.integers(k, size=rows))


def plain_f1(truth, predicted):
    return f1_score(truth, predicted, average="macro", labels=np.unique(truth), zero_division=0)


def test_values_are_those_of_classify():
    truth, predicted = labelled(300)
    found = counted_intervals(truth, predicted, seed=0, rounds=20)
    expected = classify(truth, np.eye(4)[predicted], list("abcd"))
    for name in COUNTED:
        assert found[name]["value"] == pytest.approx(expected[name], abs=1e-12), name
        assert found[name]["low"] <= found[name]["value"] <= found[name]["high"]


def test_counting_and_drawing_rows_give_the_same_interval():
    truth, predicted = labelled(250)
    quick = interval("f1_macro", truth, predicted, seed=1, rounds=4000)
    plain = interval(plain_f1, truth, predicted, seed=2, rounds=800)
    assert quick["value"] == pytest.approx(plain["value"])
    width = plain["high"] - plain["low"]
    assert quick["low"] == pytest.approx(plain["low"], abs=width / 10)
    assert quick["high"] == pytest.approx(plain["high"], abs=width / 10)


def test_rows_that_hang_together_are_drawn_together():
    truth, predicted = labelled(100)
    truth, predicted = np.repeat(truth, 9), np.repeat(predicted, 9)
    groups = np.repeat(np.arange(100), 9)
    alone = interval("accuracy", truth, predicted, seed=1)
    together = interval("accuracy", truth, predicted, seed=1, groups=groups)
    by_function = interval(lambda t, p: float((t == p).mean()), truth, predicted, seed=1, groups=groups)
    wide, narrow = together["high"] - together["low"], alone["high"] - alone["low"]
    assert 2.4 < wide / narrow < 3.6  # copies of nine: three times as uncertain
    assert by_function["high"] - by_function["low"] == pytest.approx(wide, rel=0.15)


def test_groups_of_one_are_no_groups():
    truth, predicted = labelled(120)
    assert interval("f1_macro", truth, predicted, seed=3) == interval(
        "f1_macro", truth, predicted, seed=3, groups=np.arange(120)[::-1]
    )


def test_a_mean_has_the_width_of_its_standard_error():
    numbers = np.random.default_rng(0).normal(size=400)
    found = interval("mean", numbers, seed=0)
    assert (found["high"] - found["low"]) / 2 == pytest.approx(1.96 * numbers.std() / 20, rel=0.1)
    assert found["low"] < found["value"] < found["high"]


def test_nineteen_intervals_in_twenty_hold_the_truth():
    """Accuracy .8 by construction: of 300 intervals about 285 should hold it."""
    held = 0
    for seed in range(300):
        right = np.random.default_rng(seed).random(200) < 0.8
        found = interval("accuracy", np.zeros(200, int), (~right).astype(int), seed=seed, rounds=300)
        held += found["low"] <= 0.8 <= found["high"]
    assert 270 <= held <= 297


def test_pairs_see_a_difference_that_two_intervals_hide():
    truth, a = labelled(400, right=0.8)
    b = a.copy()
    wrong = np.flatnonzero(a != truth)[:15]
    b[wrong] = truth[wrong]
    apart = [interval("accuracy", truth, p, seed=1) for p in (a, b)]
    assert apart[0]["high"] > apart[1]["low"]
    found = paired_interval("accuracy", truth, a, b, seed=1)
    assert found["value"] == pytest.approx(15 / 400)
    assert (found["a"], found["b"]) == (apart[0]["value"], apart[1]["value"])
    assert found["low"] > 0
    assert found["above_zero"] == 1
    back = paired_interval("accuracy", truth, b, a, seed=1)
    assert (back["value"], back["above_zero"]) == (pytest.approx(-15 / 400), 0)
    same = paired_interval("f1_macro", truth, a, a, seed=1)
    assert (same["value"], same["low"], same["high"], same["above_zero"]) == (0, 0, 0, 0.5)


def test_pairs_of_groups_are_wider():
    truth, a = labelled(100)
    b = labelled(100, seed=9)[1]
    truth, a, b = (np.repeat(column, 4) for column in (truth, a, b))
    alone = paired_interval("f1_macro", truth, a, b, seed=1)
    together = paired_interval("f1_macro", truth, a, b, seed=1, groups=np.repeat(np.arange(100), 4))
    assert together["high"] - together["low"] > 1.6 * (alone["high"] - alone["low"])


def test_the_same_seed_gives_the_same_interval():
    truth, predicted = labelled(90)
    first, again, other = (interval("f1_macro", truth, predicted, seed=seed) for seed in (4, 4, 5))
    assert first == again != other


def test_weights_draw_groups_whole():
    for times in weights(6, seed=0, rounds=5, groups=["a", "b", "b", "c", "c", "c"]):
        assert times[1] == times[2]
        assert times[3] == times[4] == times[5]
        assert times[0] + times[1] + times[3] == 3


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(UsageError, match="f1_macro"):
        interval("f1_makro", [0], [0], seed=0)
    with pytest.raises(UsageError, match="needs 2 arrays"):
        interval("accuracy", [0], seed=0)
    with pytest.raises(UsageError, match="There is no figure"):
        paired_interval("roc_auc", [0], [0], [0], seed=0)
    with pytest.raises(DataError, match="no row"):
        interval("accuracy", [], [], seed=0)
    with pytest.raises(DataError, match="differ in length"):
        interval("accuracy", [0], [0, 1], seed=0)
    with pytest.raises(DataError, match="start at 0"):
        interval("accuracy", [-1], [0], seed=0)
    with pytest.raises(DataError, match="2 groups do not fit 3 rows"):
        interval("accuracy", [0, 1, 0], [0, 1, 1], seed=0, groups=["a", "b"])
