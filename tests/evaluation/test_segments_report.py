"""The report on segments: sizes, and how well they are separated, as scikit-learn has it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, silhouette_score

from tallystick.errors import DataError
from tallystick.evaluation import segments_report


def made(n=300, seed=0):
    rng = np.random.default_rng(seed)
    centres = np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]])
    rows = centres[rng.integers(0, 3, n)] + rng.normal(size=(n, 2))
    return rows, ((rows[:, None] - centres) ** 2).sum(axis=2)


def test_sizes_and_distances():
    rows, distances = made()
    report = segments_report("group", distances, names=["a", "b", "c"], matrix=rows)
    code = distances.argmin(axis=1)
    assert report["target"] == "segments"
    assert [one["rows"] for one in report["segments"]] == np.bincount(code).tolist()
    assert sum(one["share"] for one in report["segments"]) == pytest.approx(1)
    assert report["mean_distance"] == pytest.approx(np.sqrt(distances.min(axis=1)).mean())
    assert report["silhouette"] == pytest.approx(silhouette_score(rows, code))
    assert 0.5 < report["separation"] < 1
    json.dumps(report, allow_nan=False)


def test_the_silhouette_is_of_a_bounded_sample():
    rows, distances = made(5000)
    report = segments_report("group", distances, matrix=rows, seed=1)
    assert report["silhouette"] == pytest.approx(silhouette_score(rows, distances.argmin(axis=1)), abs=0.02)
    assert report["silhouette"] == segments_report("group", distances, matrix=rows, seed=1)["silhouette"]


def test_rows_alone_and_rows_with_gaps():
    rows = np.array([[0.0], [0.1], [9.0], [np.nan]])
    distances = np.array([[0.0, 80.0], [0.0, 80.0], [80.0, 0.0], [1.0, 2.0]])
    report = segments_report("group", distances, matrix=rows)
    assert report["silhouette"] == pytest.approx(silhouette_score(rows[:3], [0, 0, 1]))


def test_stability_is_the_adjusted_rand_index():
    rng = np.random.default_rng(0)
    _, distances = made()
    second = np.where(rng.random(300) < 0.2, rng.integers(0, 3, 300), distances.argmin(axis=1))
    expected = adjusted_rand_score(distances.argmin(axis=1), second)
    assert segments_report("group", distances, second=second)["stability"] == pytest.approx(expected)
    same = (distances.argmin(axis=1) + 1) % 3
    assert segments_report("group", distances, second=same)["stability"] == 1


def test_one_segment_and_empty_ones():
    one = segments_report("group", [[1.0], [4.0]], matrix=[[0.0], [1.0]])
    assert (one["separation"], one["silhouette"], one["mean_distance"]) == (None, None, 1.5)
    empty = segments_report("group", [[1.0, 9.0]])["segments"][1]
    assert (empty["rows"], empty["mean_distance"]) == (0, None)


@pytest.mark.parametrize(
    ("distances", "more", "words"),
    [
        ([], {}, "nothing to measure"),
        ([[-1.0]], {}, "not negative"),
        ([[1.0]], {"names": ["a", "b"]}, "do not fit"),
        ([[1.0]], {"matrix": [[1.0], [2.0]]}, "does not fit"),
        ([[1.0]], {"second": [1, 2]}, "does not fit"),
    ],
)
def test_what_does_not_fit_is_refused(distances, more, words):
    with pytest.raises(DataError, match=words):
        segments_report("group", distances, **more)
