"""Automatic decisions: as right as is wanted on rows that did not choose, in each class, not on few rows."""

from __future__ import annotations

import numpy as np
import pytest

from tallystick.evaluation.automation import automation_outcome, automation_thresholds, by_size


def made(rows: int, seed: int = 0):
    """Two classes: of the second, decisions are right less often than their score says."""
    rng = np.random.default_rng(seed)
    score, label = rng.random(rows), (rng.random(rows) < 0.2).astype(int)
    right = rng.random(rows) < np.where(label == 1, 0.5 + 0.42 * score, 0.6 + 0.4 * score)
    return score, label, right


@pytest.mark.parametrize("wanted", [0.85, 0.9, 0.93])
def test_what_is_wanted_holds_on_rows_that_did_not_choose(wanted):
    kept, shares = [], []
    for seed in range(60):
        score, label, right = made(6_000, seed)
        old, new = np.arange(6_000) < 3_000, np.arange(6_000) >= 3_000
        threshold, own = automation_thresholds(
            score[old], label[old], right[old], 2, accuracy=wanted, floor=0.5
        )
        if threshold is not None:
            taken = new & (score >= np.array([np.inf if one is None else one for one in own])[label])
            kept.append(right[taken].mean())
            shares.append(taken[new].mean())
    assert len(kept) > 30
    assert np.mean(kept) >= wanted
    assert np.mean(shares) > 0.05


def test_a_class_that_falls_short_is_asked_for_more_or_goes_to_people():
    score, label, right = made(20_000)
    label = np.where(np.arange(20_000) % 50 == 0, 2, label)
    right = np.where(label == 2, np.arange(20_000) % 100 == 0, right)
    threshold, own = automation_thresholds(score, label, right, 4, accuracy=0.88, floor=0.85)
    assert own[0] == threshold
    assert own[1] > threshold
    assert right[(label == 1) & (score >= own[1])].mean() >= 0.85
    assert own[2] is None  # half of it is wrong at any score
    assert own[3] is None  # nothing was ever decided so
    _, strict = automation_thresholds(score, label, right, 4, accuracy=0.95, floor=0.95)
    assert strict[1] is None


@pytest.mark.parametrize(("rows", "enough"), [(20, False), (40, False), (60, True)])
def test_few_rows_show_little_however_right_they_are(rows, enough):
    score, label, right = np.full(rows, 0.9), np.arange(rows) % 2, np.ones(rows, bool)
    threshold, own = automation_thresholds(score, label, right, 2, accuracy=0.95)
    assert (threshold == 0.9) is enough
    assert (own == [0.9, 0.9]) is enough


def test_copies_of_one_row_are_one_piece_of_evidence():
    score, right = np.full(400, 0.9), np.ones(400, bool)
    groups = np.arange(400) // 40
    assert automation_thresholds(score, np.zeros(400, int), right, 1, accuracy=0.95)[0] == 0.9
    assert automation_thresholds(score, np.zeros(400, int), right, 1, accuracy=0.95, groups=groups)[0] is None


def test_the_outcome_is_told_of_decisions_and_of_true_classes():
    automatic = np.array([True, True, True, False, True])
    truth, predicted = np.array([0, 1, 1, 1, 0]), np.array([0, 0, 1, 1, 0])
    found = automation_outcome(automatic, truth == predicted, truth, predicted, ("a", "b"))
    assert (found["accepted"], found["wrong"], found["automation"], found["accuracy"]) == (4, 1, 0.8, 0.75)
    a, b = found["per_class"]
    assert (a["accepted"], a["accuracy"], a["true_rows"], a["true_accuracy"]) == (3, 2 / 3, 2, 1.0)
    assert (b["accepted"], b["accuracy"], b["true_rows"], b["true_accuracy"]) == (1, 1.0, 2, 0.5)
    low, high = b["interval"]
    assert low < 0.5
    assert high == 1.0
    none = automation_outcome(~automatic & False, truth == predicted, truth, predicted, ("a", "b"))
    assert (none["accuracy"], none["interval"], none["automation"]) == (None, None, 0.0)


def test_sizes_fall_in_bands_and_none_is_lost():
    sizes = np.array([0, 1, 5, 6, 20, 21, 1000])
    flags = np.ones(7, bool)
    bands = by_size(sizes, flags, flags)
    assert [(band["above"], band["to"], band["accepted"]) for band in bands] == [
        (0, 5, 3),
        (5, 20, 2),
        (20, 50, 1),
        (500, None, 1),
    ]
