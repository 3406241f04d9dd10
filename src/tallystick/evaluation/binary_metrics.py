"""How well scores find rare events: figures of a yes/no task from truth and score.

One `Curve` sorts the rows once; everything that moves a threshold over the scores (average precision, ROC
AUC, recall at a false-positive rate, the curves) reads it. Ties are one step throughout, as in scikit-learn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tallystick.errors import DataError
from tallystick.evaluation.metrics import counted, plain
from tallystick.evaluation.reliability import expected_calibration_error

__all__ = [
    "Curve",
    "average_precision",
    "confusion",
    "decided",
    "event_losses",
    "probability_figures",
    "roc_auc",
]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

POINTS = 200  # at most so many points of a curve go into a report


@dataclass(frozen=True, slots=True)
class Curve:
    """Steps from the highest score down: at `threshold[i]` and above lie `rows[i]` rows, `found[i]` of them
    events.

    `threshold` float64 descending and distinct, `rows` and `found` int64.
    """

    threshold: Floats
    rows: Ints
    found: Ints

    @classmethod
    def of(cls, truth: ArrayLike, score: ArrayLike) -> Curve:
        """Sort truth (bool) by score (float64); raises DataError where they do not fit or a score is missing.

        >>> Curve.of([True, False, True], [0.9, 0.9, 0.1]).found.tolist()
        [1, 2]
        """
        truths, scores = checked(truth, score)
        order = np.argsort(-scores, kind="stable")
        ranked = scores[order]
        ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)
        return cls(ranked[ends], ends + 1, np.cumsum(truths[order])[ends].astype(np.int64))

    @property
    def events(self) -> int:
        """How many rows are events."""
        return int(self.found[-1])

    @property
    def others(self) -> int:
        """How many rows are none."""
        return int(self.rows[-1]) - self.events

    @property
    def false(self) -> Ints:
        """How many rows at or above each step are no events."""
        return self.rows - self.found

    def average_precision(self) -> float | None:
        """Sum precision times gain in recall over the steps, not interpolated; None without an event.

        >>> Curve.of([True, False, True], [0.9, 0.8, 0.1]).average_precision()
        0.8333333333333333
        """
        if not self.events:
            return None
        gain = np.diff(self.found, prepend=0)
        return float((gain * (self.found / self.rows)).sum() / self.events)

    def roc_auc(self) -> float | None:
        """Give the chance that an event scores above another row, ties half; None where one kind is missing.

        >>> Curve.of([True, False, False], [0.5, 0.5, 0.1]).roc_auc()
        0.75
        """
        if not self.events or not self.others:
            return None
        gain = np.diff(self.found, prepend=0)
        false = self.false
        before = np.concatenate(([0], false[:-1]))
        below = (self.others - false) + (false - before) / 2
        return float((gain * below).sum() / (self.events * self.others))

    def recall_at(self, rate: float) -> dict[str, float | None]:
        """Give the best recall with at most `rate` of the other rows above the threshold, and where that is.

        >>> Curve.of([True, False, True], [0.9, 0.8, 0.1]).recall_at(0.01)
        {'false_positive_rate': 0.01, 'recall': 0.5, 'threshold': 0.9}
        """
        allowed = np.flatnonzero(self.false <= rate * self.others + 1e-9)
        if not self.events:
            return {"false_positive_rate": rate, "recall": None, "threshold": None}
        if not len(allowed):
            return {"false_positive_rate": rate, "recall": 0.0, "threshold": None}
        step = allowed[-1]
        recall = float(self.found[step] / self.events)
        return {"false_positive_rate": rate, "recall": recall, "threshold": float(self.threshold[step])}

    def precision_recall(self) -> list[dict[str, float]]:
        """Give at most 200 points of precision over recall, evenly spread over the events found."""
        if not self.events:
            return []
        wanted = np.linspace(1, self.events, min(POINTS, self.events))
        steps = np.unique(np.searchsorted(self.found, wanted))
        return [
            {
                "recall": float(self.found[i] / self.events),
                "precision": float(self.found[i] / self.rows[i]),
                "threshold": float(self.threshold[i]),
            }
            for i in steps.tolist()
        ]

    def roc(self) -> list[dict[str, float]]:
        """Give at most 200 points of recall over the false-positive rate, denser at low rates."""
        if not self.events or not self.others:
            return []
        low = np.geomspace(1, self.others, POINTS // 2)
        steps = np.searchsorted(self.false, low)
        even = np.searchsorted(self.found, np.linspace(1, self.events, POINTS // 2 - 1))
        chosen = np.unique(np.minimum(np.concatenate((steps, even)), len(self.rows) - 1))
        points = [{"false_positive_rate": 0.0, "recall": 0.0, "threshold": float(self.threshold[0])}]
        points += [
            {
                "false_positive_rate": float(self.false[i] / self.others),
                "recall": float(self.found[i] / self.events),
                "threshold": float(self.threshold[i]),
            }
            for i in chosen.tolist()
        ]
        return points


def checked(truth: ArrayLike, score: ArrayLike) -> tuple[Flags, Floats]:
    """Check truth and score and give them as arrays."""
    truths, scores = np.asarray(truth, np.bool_), np.asarray(score, np.float64)
    if truths.ndim != 1 or truths.shape != scores.shape:
        raise DataError(f"{truths.shape} true labels do not fit {scores.shape} scores.")
    if not len(truths):
        raise DataError("There is nothing to measure: no row has both a score and a true label.")
    if not np.isfinite(scores).all():
        raise DataError("Every row needs a score; some are missing or not finite.")
    return truths, scores


def average_precision(truth: ArrayLike, score: ArrayLike) -> float | None:
    """Give average precision as scikit-learn defines it; None without an event.

    >>> average_precision([False, True], [0.1, 0.9])
    1.0
    """
    return Curve.of(truth, score).average_precision()


def roc_auc(truth: ArrayLike, score: ArrayLike) -> float | None:
    """Give the area under the ROC curve, ties half; None where all rows are of one kind.

    >>> roc_auc([False, True], [0.5, 0.5])
    0.5
    """
    return Curve.of(truth, score).roc_auc()


def confusion(truth: Flags, flagged: Flags, times: Ints | None = None) -> Floats:
    """Count rows by truth (first axis) and decision (second), each no then yes.

    >>> confusion(np.array([True, False, True]), np.array([True, True, False])).tolist()
    [[0.0, 1.0], [1.0, 1.0]]
    """
    cell = truth.astype(np.int64) * 2 + flagged
    return np.bincount(cell, weights=times, minlength=4).astype(np.float64).reshape(2, 2)


def decided(counts: Floats) -> dict[str, float | None]:
    """Give the figures that a confusion matrix holds; `precision`, `recall` and `f1` are those of the event.

    The others, by class or together, are `metrics.counted`'s. What is undefined is None.

    >>> found = decided(np.array([[90.0, 5.0], [1.0, 4.0]]))
    >>> found["accuracy"], round(found["precision"], 3), found["recall"], found["false_positive_rate"]
    (0.94, 0.444, 0.8, 0.05263157894736842)
    """
    hits, support, flagged = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    figures = {name: plain(value) for name, value in counted(hits, support, flagged).items()}
    return {
        **figures,
        "precision": ratio(counts[1, 1], flagged[1]),
        "recall": ratio(counts[1, 1], support[1]),
        "f1": ratio(2 * counts[1, 1], support[1] + flagged[1]),
        "false_positive_rate": ratio(counts[0, 1], support[0]),
    }


def event_losses(truth: Flags, score: Floats) -> dict[str, Floats]:
    """Give log loss (nats, clipped at 2.2e-16) and squared error of the event's probability for each row."""
    smallest = np.finfo(np.float64).eps
    true_probability = np.clip(np.where(truth, score, 1 - score), smallest, 1 - smallest)
    return {"log_loss": -np.log(true_probability), "brier": (truth - score) ** 2}


def probability_figures(truth: ArrayLike, score: ArrayLike) -> dict[str, float | None]:
    """Say how far probabilities of the event are right: `log_loss`, `brier` (0 … 1) and `ece`, all lower
    better.

    `ece` compares the probability of the event with its share, in 15 bins of equal width.

    >>> probability_figures([True, False], [0.5, 0.5])["brier"]
    0.25
    """
    truths, scores = checked(truth, score)
    lost = event_losses(truths, scores)
    return {
        "log_loss": float(lost["log_loss"].mean()),
        "brier": float(lost["brier"].mean()),
        "ece": expected_calibration_error(scores, truths),
    }


def ratio(part: Any, whole: Any) -> float | None:
    """Divide, None by zero."""
    return float(part / whole) if whole else None
