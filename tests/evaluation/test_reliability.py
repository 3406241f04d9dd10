"""Reliability: bins hold what they say, and the error is the one that is published."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import DataError
from tallystick.evaluation import reliability_curve, score_distribution

ROWS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


@given(ROWS)
def test_ece_is_the_weighted_gap_over_bins(rows):
    score, right = (np.array(column) for column in zip(*rows, strict=True))
    expected = 0.0
    for b in range(15):
        inside = (score > b / 15 if b else score >= 0) & (score <= (b + 1) / 15)
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - score[inside].mean())
    curve = reliability_curve(score, right)
    assert curve["ece"] == pytest.approx(expected, abs=1e-12)
    assert sum(b["rows"] for b in curve["bins"]) == len(rows)
    assert all(b["low"] - 1e-12 <= b["score"] <= b["high"] + 1e-12 for b in curve["bins"])


def test_a_calibrated_score_has_no_error_and_a_boastful_one_has():
    right = np.arange(1000) % 10 < 7
    assert reliability_curve(np.full(1000, 0.7), right)["ece"] == pytest.approx(0)
    assert reliability_curve(np.full(1000, 0.95), right)["ece"] == pytest.approx(0.25)


def test_an_edge_belongs_to_the_bin_below_it():
    curve = reliability_curve([0.0, 0.5, 1.0], [True, True, True], bins=2)
    assert [(b["low"], b["rows"]) for b in curve["bins"]] == [(0.0, 2), (0.5, 1)]


@given(ROWS)
def test_each_row_is_in_one_bar(rows):
    score, right = (np.array(column) for column in zip(*rows, strict=True))
    found = score_distribution(score, right, np.arange(len(rows)) % 2, ["a", "b"])
    assert sum(found["right"]) == right.sum()
    assert sum(found["wrong"]) == (~right).sum()
    assert sum(map(sum, found["by_class"].values())) == len(rows)
    assert len(found["edges"]) == len(found["right"]) + 1


@pytest.mark.parametrize(
    ("score", "right", "said"),
    [
        ([], [], "nothing to measure"),
        ([0.5], [True, False], "differ in shape"),
        ([1.2], [True], "between 0 and 1"),
        ([np.nan], [True], "none missing"),
    ],
)
def test_what_is_no_probability_is_refused(score, right, said):
    with pytest.raises(DataError, match=said):
        reliability_curve(score, right)
