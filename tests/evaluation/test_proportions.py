"""Intervals of shares: not without width on few rows, wider where rows come in groups."""

from __future__ import annotations

import numpy as np
import pytest

from tallystick.evaluation import classification_report, event_report
from tallystick.evaluation.proportions import evidence, share_interval, two_sided, wilson


def test_the_interval_is_the_one_that_was_published():
    low, high = wilson(0.5, 10, two_sided(0.95))  # Wilson 1927, as in Agresti and Coull 1998
    assert (round(float(low), 3), round(float(high), 3)) == (0.237, 0.763)


@pytest.mark.parametrize("rows", [3, 12, 40])
def test_few_right_rows_do_not_prove_that_all_are(rows):
    low, high = share_interval(np.ones(rows, bool))
    assert low == pytest.approx(rows / (rows + 1.96**2), abs=1e-3)
    assert high == 1.0
    assert share_interval([]) is None


def test_evidence_of_groups_is_that_of_the_sandwich_estimator():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 60, 400)
    wrong = rng.random(400) < np.where(groups % 5 == 0, 0.6, 0.05)
    for k in (50, 200, 400):
        share = wrong[:k].mean()
        sums = np.bincount(groups[:k], wrong[:k] - share, minlength=60)
        effect = max(1.0, (sums**2).sum() / (k * share * (1 - share)))
        alone = len(np.unique(groups[:k]))
        assert evidence(wrong, groups)[k - 1] == pytest.approx(min(k / effect, alone))
    assert evidence(wrong).tolist() == list(range(1, 401))


def test_forty_right_rows_are_no_certainty_in_a_report():
    truth = np.arange(40) % 2
    report = classification_report("kind", truth, np.eye(2)[truth], ["a", "b"], rounds=20)
    for name in ("accuracy", "f1_macro", "recall_macro", "roc_auc"):
        low, high = report["intervals"][name]
        assert 0.85 < low < 0.95, name
        assert high == 1.0
    events = event_report("fraud", truth == 1, truth * 0.9, rounds=20)
    for name in ("average_precision", "roc_auc", "recall"):
        assert events["intervals"][name][0] < 0.9, name


def test_classes_with_few_rows_are_named():
    truth = np.array([0] * 30 + [1] * 30 + [2])
    report = classification_report("kind", truth, np.eye(3)[truth], ["a", "b", "c"], rounds=20)
    assert report["few"] == {"c": 1}
