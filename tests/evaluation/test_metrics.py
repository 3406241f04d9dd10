"""Figures: scikit-learn says the same, where it says anything."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from tallystick.errors import DataError
from tallystick.evaluation import HEADLINE, classify
from tallystick.evaluation.ranking import Ranking


def drawn(seed, rows, k, *, coarse=False):
    """Make truth and probabilities; coarse ones have many ties."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(k, size=rows, p=rng.dirichlet(np.ones(k)))
    raw = rng.gamma(0.5, size=(rows, k)) + np.eye(k)[truth] * rng.random((rows, 1))
    if coarse:
        raw = np.ceil(raw * 2)
    return truth, raw / raw.sum(axis=1, keepdims=True)


@given(st.integers(0, 10_000), st.integers(2, 60), st.integers(2, 6), st.booleans())
@settings(max_examples=80, deadline=None)
def test_figures_agree_with_scikit_learn(seed, rows, k, coarse):
    truth, p = drawn(seed, rows, k, coarse=coarse)
    names = [f"class {c}" for c in range(k)]
    found = classify(truth, p, names)
    decided, present = p.argmax(axis=1), np.unique(truth)
    at = {"labels": present, "zero_division": 0}
    expected = {
        "rows": rows,
        "accuracy": reference.accuracy_score(truth, decided),
        "balanced_accuracy": reference.recall_score(truth, decided, average="macro", **at),
        "log_loss": reference.log_loss(truth, p, labels=range(k)),
        "brier": ((p - np.eye(k)[truth]) ** 2).sum(axis=1).mean(),
    }
    for average in ("macro", "weighted"):
        for name in ("precision", "recall", "f1"):
            score = getattr(reference, f"{name}_score")
            expected[f"{name}_{average}"] = score(truth, decided, average=average, **at)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-12), name
    assert (
        found["confusion"]["counts"] == reference.confusion_matrix(truth, decided, labels=range(k)).tolist()
    )
    areas, precisions = [], []
    for c, row in enumerate(found["per_class"]):
        positive = truth == c
        assert (row["class"], row["support"]) == (names[c], positive.sum())
        if 0 < positive.sum() < rows:
            areas.append(reference.roc_auc_score(positive, p[:, c]))
            precisions.append(reference.average_precision_score(positive, p[:, c]))
            assert row["roc_auc"] == pytest.approx(areas[-1], abs=1e-12)
            assert row["average_precision"] == pytest.approx(precisions[-1], abs=1e-12)
        else:
            assert row["roc_auc"] is None
            assert row["average_precision"] is None
    if areas:
        assert found["roc_auc"] == pytest.approx(np.mean(areas))
        assert found["average_precision"] == pytest.approx(np.mean(precisions))


def test_brier_is_scikit_learns_multiclass_score():
    truth, p = drawn(5, 200, 4)
    theirs = reference.brier_score_loss(truth, p, labels=range(4))
    assert classify(truth, p, list("abcd"))["brier"] == pytest.approx(theirs)


@given(st.integers(0, 10_000), st.booleans())
@settings(max_examples=40, deadline=None)
def test_weighted_ranking_equals_repeated_rows(seed, coarse):
    truth, p = drawn(seed, 30, 3, coarse=coarse)
    times = np.random.default_rng(seed).integers(0, 3, size=30)
    by_weight = Ranking.of(truth, p).measure(times)
    by_rows = Ranking.of(np.repeat(truth, times), np.repeat(p, times, axis=0)).measure()
    np.testing.assert_allclose(by_weight.roc_auc, by_rows.roc_auc)
    np.testing.assert_allclose(by_weight.average_precision, by_rows.average_precision)


def test_unknown_classes_count_as_errors():
    p = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.5, 0.5]]
    by_code = classify([0, 1, -1, -1], p, ["card", "loan"])
    by_name = classify([0, 1, 2, 2], p, ["card", "loan", "crypto"])
    assert by_code["accuracy"] == by_name["accuracy"] == 0.5
    assert by_code["recall_macro"] == by_name["recall_macro"] == pytest.approx(2 / 3)
    assert by_code["log_loss"] == by_name["log_loss"] > 10
    row = by_code["per_class"][2]
    assert (row["class"], row["support"], row["predicted"]) == ("(unknown to the model)", 2, 0)
    assert (row["precision"], row["recall"], row["f1"]) == (None, 0.0, 0.0)


def test_a_class_absent_from_truth_does_not_enter_macro_figures():
    p = [[0.9, 0.1, 0.0], [0.2, 0.1, 0.7], [0.3, 0.7, 0.0]]
    found = classify([0, 0, 1], p, ["a", "b", "c"])
    assert found["recall_macro"] == 0.75
    assert found["per_class"][2] == {
        "class": "c",
        "support": 0,
        "predicted": 1,
        "precision": 0.0,
        "recall": None,
        "f1": 0.0,
        "roc_auc": None,
        "average_precision": None,
    }


def test_undefined_values_are_null_and_json_is_strict():
    found = classify([0, 0], [[1.0, 0.0], [0.9, 0.1]], ["a", "b"])
    assert found["roc_auc"] is None
    assert found["average_precision"] is None
    assert found["log_loss"] >= 0
    json.dumps(found, allow_nan=False)
    assert set(HEADLINE) <= set(found)


def test_decisions_and_their_scores_may_be_given():
    p = [[0.6, 0.4], [0.6, 0.4]]
    found = classify([1, 1], p, ["a", "b"], predicted=[1, 1], confidence=[1.0, 1.0])
    assert found["accuracy"] == 1.0
    assert found["ece"] == 0.0
    assert classify([1, 1], p, ["a", "b"], predicted=[1, 1])["ece"] == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("truth", "p", "classes", "said"),
    [
        ([], np.zeros((0, 2)), ["a", "b"], "nothing to measure"),
        ([0], [[0.5, 0.5], [0.5, 0.5]], ["a", "b"], "do not fit"),
        ([0], [[0.5, 0.5]], ["a"], "do not fit 1 classes"),
        ([0], [[np.nan, 0.5]], ["a", "b"], "none missing"),
        ([0], [[1.5, 0.5]], ["a", "b"], "between 0 and 1"),
        ([2], [[0.5, 0.5]], ["a", "b"], "among 2 classes"),
    ],
)
def test_what_does_not_fit_is_refused(truth, p, classes, said):
    with pytest.raises(DataError, match=said):
        classify(np.array(truth, int), p, classes)
