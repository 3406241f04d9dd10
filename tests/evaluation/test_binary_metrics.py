"""Figures of events: scikit-learn says the same, ties and all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from tallystick.errors import DataError
from tallystick.evaluation import average_precision, roc_auc
from tallystick.evaluation.binary_metrics import Curve, confusion, decided, probability_figures

ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 12)), min_size=1, max_size=80)


def columns(rows):
    truth, score = zip(*rows, strict=True)
    return np.array(truth), np.array(score) / 12


@given(ROWS)
def test_ranking_is_scikit_learns(rows):
    truth, score = columns(rows)
    if truth.any():
        expected = reference.average_precision_score(truth, score)
        assert average_precision(truth, score) == pytest.approx(expected, abs=1e-12)
    else:
        assert average_precision(truth, score) is None
    if truth.any() and not truth.all():
        assert roc_auc(truth, score) == pytest.approx(reference.roc_auc_score(truth, score), abs=1e-12)
    else:
        assert roc_auc(truth, score) is None


@given(ROWS, st.sampled_from([0.0, 0.001, 0.05, 0.3, 1.0]))
def test_recall_at_a_false_positive_rate_is_the_best_allowed(rows, rate):
    truth, score = columns(rows)
    found = Curve.of(truth, score).recall_at(rate)
    if not truth.any():
        assert found["recall"] is None
        return
    best = 0.0
    for threshold in np.unique(score):
        flagged = score >= threshold
        if (flagged & ~truth).sum() <= rate * (~truth).sum():
            best = max(best, flagged[truth].mean())
    assert found["recall"] == pytest.approx(best)
    if found["threshold"] is not None:
        assert (score >= found["threshold"])[truth].mean() == pytest.approx(best)


@given(ROWS, st.integers(0, 12))
def test_figures_of_decisions_are_scikit_learns(rows, at):
    truth, score = columns(rows)
    flagged = score >= at / 12
    found = decided(confusion(truth, flagged))
    assert found["accuracy"] == pytest.approx(reference.accuracy_score(truth, flagged))
    assert found["balanced_accuracy"] == pytest.approx(
        reference.recall_score(truth, flagged, average="macro", labels=np.unique(truth), zero_division=0)
    )
    for name in ("precision", "recall", "f1"):
        expected = getattr(reference, f"{name}_score")(truth, flagged, zero_division=np.nan)
        assert found[name] == (None if np.isnan(expected) else pytest.approx(expected)), name
    expected = reference.f1_score(truth, flagged, average="weighted", zero_division=0)
    assert found["f1_weighted"] == pytest.approx(expected)


def test_losses_are_scikit_learns():
    rng = np.random.default_rng(0)
    truth, score = rng.random(500) < 0.3, rng.random(500)
    score[0], truth[0] = 0.0, True  # sure and wrong: clipped, not infinite
    found = probability_figures(truth, score)
    assert found["brier"] == pytest.approx(reference.brier_score_loss(truth, score))
    assert found["log_loss"] == pytest.approx(reference.log_loss(truth, score))
    share = [truth[(score > b / 15) & (score <= (b + 1) / 15)] for b in range(15)]
    said = [score[(score > b / 15) & (score <= (b + 1) / 15)] for b in range(15)]
    gaps = [len(t) / 500 * abs(t.mean() - s.mean()) for t, s in zip(share, said, strict=True)]
    assert found["ece"] == pytest.approx(sum(gaps), abs=0.003)  # the score of 0 lies below the first bin


@given(ROWS)
def test_points_of_the_curves_are_on_them(rows):
    truth, score = columns(rows)
    curve = Curve.of(truth, score)
    for point in curve.precision_recall():
        flagged = score >= point["threshold"]
        assert point["precision"] == pytest.approx(truth[flagged].mean())
        assert point["recall"] == pytest.approx(flagged[truth].mean())
    for point in curve.roc()[1:]:
        flagged = score >= point["threshold"]
        assert point["false_positive_rate"] == pytest.approx(flagged[~truth].mean())
        assert point["recall"] == pytest.approx(flagged[truth].mean())


def test_many_rows_make_few_points_from_end_to_end():
    rng = np.random.default_rng(1)
    truth = rng.random(50_000) < 0.02
    curve = Curve.of(truth, rng.random(50_000) + truth * 0.3)
    points, roc = curve.precision_recall(), curve.roc()
    assert 100 < len(points) <= 200
    assert 100 < len(roc) <= 200
    assert points[-1]["recall"] == roc[-1]["recall"] == roc[-1]["false_positive_rate"] == 1.0
    area = np.trapezoid([p["recall"] for p in roc], [p["false_positive_rate"] for p in roc])
    assert area == pytest.approx(curve.roc_auc(), abs=0.005)


@pytest.mark.parametrize(
    ("truth", "score", "said"),
    [
        ([], [], "nothing to measure"),
        ([True], [0.1, 0.2], "do not fit"),
        ([True, False], [0.1, np.nan], "needs a score"),
    ],
)
def test_what_cannot_be_measured_is_refused(truth, score, said):
    with pytest.raises(DataError, match=said):
        average_precision(truth, score)
