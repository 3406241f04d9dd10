"""The report on amounts: figures as scikit-learn has them, honest intervals, nothing for nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn import metrics as reference

from tallystick.errors import DataError
from tallystick.evaluation import amount_report, interval


def made(n=600, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.gamma(2, 40, n)
    return truth, truth * 0.8 + rng.normal(8, 10, n)


def test_figures_are_the_fields_own():
    truth, predicted = made()
    report = amount_report("loss", truth, predicted, rounds=40)
    assert report["target"] == "amount"
    assert report["mae"] == pytest.approx(reference.mean_absolute_error(truth, predicted))
    assert report["rmse"] == pytest.approx(reference.root_mean_squared_error(truth, predicted))
    middle = reference.median_absolute_error(truth, predicted)
    assert report["median_absolute_error"] == pytest.approx(middle)
    assert report["r2"] == pytest.approx(reference.r2_score(truth, predicted))
    assert report["bias"] == pytest.approx((predicted - truth).mean())
    assert report["baseline"]["rmse"] == pytest.approx(truth.std())
    assert report["baseline"]["r2"] == pytest.approx(0)
    assert sum(report["residuals"]["counts"]) == len(truth)
    assert sum(part["rows"] for part in report["by_predicted"]) == len(truth)
    json.dumps(report, allow_nan=False)


@pytest.mark.parametrize("name", ["mae", "rmse", "median_absolute_error", "r2", "bias"])
def test_intervals_are_the_plain_bootstraps(name):
    truth, predicted = made(200)
    groups = np.arange(200) // 4
    metric = {
        "mae": reference.mean_absolute_error,
        "rmse": reference.root_mean_squared_error,
        "median_absolute_error": reference.median_absolute_error,
        "r2": reference.r2_score,
        "bias": lambda t, p: (p - t).mean(),
    }[name]
    plain = interval(metric, truth, predicted, seed=3, rounds=60, groups=groups)
    report = amount_report("loss", truth, predicted, seed=3, rounds=60, groups=groups)
    assert report["intervals"][name] == pytest.approx([plain["low"], plain["high"]])
    assert report["groups"] == 50


def test_a_constant_truth_has_no_r2():
    report = amount_report("loss", [2.0, 2.0, 2.0], [1.0, 2.0, 4.0], rounds=5)
    assert report["r2"] is None
    assert report["intervals"]["r2"] == [None, None]


def test_perfect_predictions_have_no_error():
    report = amount_report("loss", [1.0, 2.0], [1.0, 2.0], rounds=5)
    assert (report["mae"], report["r2"]) == (0.0, 1.0)
    assert sum(report["residuals"]["counts"]) == 2


@pytest.mark.parametrize(
    ("truth", "predicted", "words"),
    [([], [], "nothing to measure"), ([1.0], [1.0, 2.0], "do not fit"), ([1.0], [np.nan], "missing")],
)
def test_what_does_not_fit_is_refused(truth, predicted, words):
    with pytest.raises(DataError, match=words):
        amount_report("loss", truth, predicted)
