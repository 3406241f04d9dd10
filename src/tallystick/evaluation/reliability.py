"""Whether a score means what it says: the reliability curve, its error, and how scores are spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tallystick.errors import DataError

__all__ = ["expected_calibration_error", "reliability_curve", "score_distribution"]

BINS = 15  # as in Guo et al. 2017, so that errors can be compared with published ones


def reliability_curve(score: ArrayLike, right: ArrayLike, bins: int = BINS) -> dict[str, Any]:
    """Compare what the score promises with how often the decision was right, in bins of equal width.

    `score` holds the probability of each decision (0 … 1), `right` whether it was right. Bins are open below
    and closed above, the first also below; empty ones are left out. `ece` is the mean gap between score and
    accuracy over the bins, weighted by their rows (Guo et al. 2017, "On Calibration of Modern Neural
    Networks"). Raises DataError for scores outside 0 … 1.

    >>> curve = reliability_curve([0.9, 0.9, 0.3], [True, False, False], bins=2)
    >>> [(b["low"], b["high"], b["rows"], round(b["score"], 3), b["accuracy"]) for b in curve["bins"]]
    [(0.0, 0.5, 1, 0.3, 0.0), (0.5, 1.0, 2, 0.9, 0.5)]
    >>> round(curve["ece"], 4)
    0.3667
    """
    score, right = scored(score, right)
    place = _bin(score, bins)
    rows = np.bincount(place, minlength=bins)
    hits = np.bincount(place, weights=right, minlength=bins)
    promised = np.bincount(place, weights=score, minlength=bins)
    return {
        "bins": [
            {
                "low": b / bins,
                "high": (b + 1) / bins,
                "rows": int(rows[b]),
                "score": float(promised[b] / rows[b]),
                "accuracy": float(hits[b] / rows[b]),
            }
            for b in np.flatnonzero(rows).tolist()
        ],
        "ece": float(np.abs(hits - promised).sum() / len(score)),
    }


def expected_calibration_error(score: ArrayLike, right: ArrayLike, bins: int = BINS) -> float:
    """Give the mean gap between score and accuracy; see `reliability_curve`.

    >>> expected_calibration_error([0.5, 0.5], [True, False])
    0.0
    """
    return float(reliability_curve(score, right, bins)["ece"])


def score_distribution(
    score: ArrayLike,
    right: ArrayLike,
    labels: ArrayLike | None = None,
    classes: Sequence[str] = (),
    bins: int = 20,
) -> dict[str, Any]:
    """Count the scores of right and of wrong decisions, and of each class, in bins of equal width.

    `labels` holds the code of each decision's class; only classes that were decided are listed.

    >>> score_distribution([0.1, 0.9, 0.8], [False, True, True], [0, 1, 1], ["card", "loan"], bins=2)
    {'edges': [0.0, 0.5, 1.0], 'right': [0, 2], 'wrong': [1, 0], 'by_class': {'card': [1, 0], 'loan': [0, 2]}}
    """
    score, right = scored(score, right)
    place = _bin(score, bins)

    def tally(chosen: NDArray[np.bool_]) -> list[int]:
        return [int(count) for count in np.bincount(place[chosen], minlength=bins)]

    by_class = {}
    if labels is not None:
        codes = np.asarray(labels, np.int64)
        by_class = {classes[code]: tally(codes == code) for code in np.unique(codes).tolist()}
    return {
        "edges": [edge / bins for edge in range(bins + 1)],
        "right": tally(right),
        "wrong": tally(~right),
        "by_class": by_class,
    }


def scored(score: ArrayLike, right: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Check scores and outcomes and give them as arrays."""
    scores, rights = np.asarray(score, np.float64), np.asarray(right, np.bool_)
    if scores.ndim != 1 or scores.shape != rights.shape:
        raise DataError(f"Scores and outcomes differ in shape: {scores.shape} and {rights.shape}.")
    if not len(scores):
        raise DataError("There is nothing to measure: no row has both a decision and a true label.")
    # One part in a million over 1 is a float32 softmax, not a wrong number.
    if not (np.isfinite(scores).all() and scores.min() >= 0 and scores.max() <= 1 + 1e-6):
        raise DataError("Scores must be probabilities, between 0 and 1 and none missing.")
    return np.minimum(scores, 1.0), rights


def _bin(score: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    edges = np.arange(1, bins) / bins
    return np.searchsorted(edges, score, side="left").astype(np.int64)
