"""How good the decisions of a classifier are, in the figures of the field.

One set of definitions serves the point values here and the resamples in `bootstrap`: all of them but the
probability losses are functions of counts, given either once or once for each resample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tallystick.errors import DataError
from tallystick.evaluation.ranking import Ranking
from tallystick.evaluation.reliability import expected_calibration_error

__all__ = [
    "COUNTED",
    "HEADLINE",
    "UNKNOWN",
    "Classified",
    "classify",
    "counted",
    "losses",
    "measure",
    "prepare",
]

UNKNOWN = "(unknown to the model)"

# Published names, in the order in which they are shown; COUNTED are functions of counts alone.
COUNTED = (
    "accuracy",
    "balanced_accuracy",
    "precision_macro",
    "recall_macro",
    "f1_macro",
    "precision_weighted",
    "recall_weighted",
    "f1_weighted",
)
HEADLINE = (*COUNTED, "roc_auc", "average_precision", "log_loss", "brier", "ece")

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Classified:
    """Rows with truth, decision and probabilities, all checked.

    `truth` and `predicted` are codes into `classes`; `probabilities` has a column for each class, zero for
    those that the model does not know; `confidence` is the score of each decision.
    """

    truth: Codes
    predicted: Codes
    probabilities: Floats
    confidence: Floats
    classes: tuple[str, ...]

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each decision was right."""
        return np.equal(self.truth, self.predicted)


def prepare(
    truth: ArrayLike,
    probabilities: ArrayLike,
    classes: Sequence[str],
    *,
    predicted: ArrayLike | None = None,
    confidence: ArrayLike | None = None,
) -> Classified:
    """Check what is to be measured; see `classify` for the arguments and errors."""
    codes, p = np.asarray(truth, np.int64), np.asarray(probabilities, np.float64)
    if codes.ndim != 1 or p.ndim != 2 or len(codes) != len(p):
        raise DataError(f"{codes.shape} true labels do not fit {p.shape} probabilities.")
    if not len(codes):
        raise DataError("There is nothing to measure: no row has both a decision and a true label.")
    if not p.shape[1] or p.shape[1] > len(classes):
        raise DataError(f"{p.shape[1]} columns of probabilities do not fit {len(classes)} classes.")
    if not np.isfinite(p).all() or p.min() < 0 or p.max() > 1 + 1e-6:
        raise DataError("Probabilities must lie between 0 and 1, none missing.")
    names = tuple(classes)
    if codes.min() < 0:
        codes, names = np.where(codes < 0, len(names), codes), (*names, UNKNOWN)
    decided = p.argmax(axis=1) if predicted is None else np.asarray(predicted, np.int64)
    if decided.shape != codes.shape or decided.min() < 0 or max(decided.max(), codes.max()) >= len(names):
        raise DataError(f"Each row needs one decision and one true label among {len(names)} classes.")
    if p.shape[1] < len(names):
        p = np.hstack([p, np.zeros((len(p), len(names) - p.shape[1]))])
    score = p[np.arange(len(p)), decided] if confidence is None else np.asarray(confidence, np.float64)
    return Classified(codes, decided.astype(np.int64), p, score, names)


def classify(
    truth: ArrayLike,
    probabilities: ArrayLike,
    classes: Sequence[str],
    *,
    predicted: ArrayLike | None = None,
    confidence: ArrayLike | None = None,
) -> dict[str, Any]:
    """Measure a classifier on n rows: a dict of plain values, ready for JSON.

    `truth` (n,) holds codes into `classes`, -1 for a class that the model does not know; `probabilities`
    (n, C) the first C of `classes`, which may name more that occur in truth only. Rows of an unknown class
    count as errors. `predicted` (n,) is the decision where it is not simply the most probable class,
    `confidence` (n,) its score where that is not the probability of the decided class.

    Macro figures are means over the classes that occur in truth (scikit-learn's `labels=` those classes,
    `zero_division=0`). `roc_auc` and `average_precision` are one-versus-rest, then the mean. `log_loss` is in
    nats, probabilities clipped at 2.2e-16; `brier` is the mean over rows of the squared differences summed
    over classes (0 … 2); both, and `ece` (top label, 15 bins of equal width), are better when lower. What is
    undefined is None, never NaN. Raises DataError when there are no rows or the shapes do not fit.

    >>> result = classify([0, 1, 1, 0], [[0.8, 0.2], [0.4, 0.6], [0.7, 0.3], [0.9, 0.1]], ["card", "loan"])
    >>> result["accuracy"], result["f1_macro"], result["roc_auc"]
    (0.75, 0.7333333333333334, 1.0)
    >>> result["confusion"]
    {'classes': ['card', 'loan'], 'counts': [[2, 0], [1, 1]]}
    """
    return measure(prepare(truth, probabilities, classes, predicted=predicted, confidence=confidence))


def measure(rows: Classified) -> dict[str, Any]:
    """Measure rows that are already prepared; see `classify`."""
    k = len(rows.classes)
    confusion = np.bincount(rows.truth * k + rows.predicted, minlength=k * k).reshape(k, k)
    hits = confusion.diagonal().astype(np.float64)
    support = confusion.sum(axis=1).astype(np.float64)
    decided = confusion.sum(axis=0).astype(np.float64)
    ranked = Ranking.of(rows.truth, rows.probabilities).measure()
    lost = losses(rows)
    return {
        "rows": len(rows.truth),
        **{name: plain(value) for name, value in counted(hits, support, decided).items()},
        "roc_auc": plain(ranked.roc_auc_macro),
        "average_precision": plain(ranked.average_precision_macro),
        "log_loss": plain(lost["log_loss"].mean()),
        "brier": plain(lost["brier"].mean()),
        "ece": expected_calibration_error(rows.confidence, rows.right),
        "per_class": [
            {
                "class": name,
                "support": int(support[c]),
                "predicted": int(decided[c]),
                "precision": _ratio(hits[c], decided[c]),
                "recall": _ratio(hits[c], support[c]),
                "f1": _ratio(2 * hits[c], support[c] + decided[c]),
                "roc_auc": plain(ranked.roc_auc[c]),
                "average_precision": plain(ranked.average_precision[c]),
            }
            for c, name in enumerate(rows.classes)
        ],
        "confusion": {"classes": list(rows.classes), "counts": confusion.tolist()},
    }


def losses(rows: Classified) -> dict[str, Floats]:
    """Give the log loss and the Brier loss of each row."""
    p = rows.probabilities
    true_probability = p[np.arange(len(p)), rows.truth]
    smallest = np.finfo(np.float64).eps
    return {
        "log_loss": -np.log(np.clip(true_probability, smallest, 1 - smallest)),
        "brier": (p * p).sum(axis=1) - 2 * true_probability + 1,
    }


def counted(hits: Floats, support: Floats, decided: Floats) -> dict[str, Any]:
    """Give all figures that depend on counts alone.

    The counts have the classes on their last axis, which goes; (resamples, classes) gives (resamples,).
    `hits` are right decisions, `support` true rows, `decided` decisions for the class.

    >>> counted(np.array([8.0, 1.0]), np.array([8.0, 2.0]), np.array([9.0, 1.0]))["balanced_accuracy"].item()
    0.75
    """
    rows, present = support.sum(axis=-1), support > 0
    precision = hits / np.maximum(decided, 1)
    recall = hits / np.maximum(support, 1)
    f1 = 2 * hits / np.maximum(support + decided, 1)

    def macro(part: Floats) -> Any:
        return (part * present).sum(axis=-1) / present.sum(axis=-1)

    def weighted(part: Floats) -> Any:
        return (part * support).sum(axis=-1) / rows

    accuracy = hits.sum(axis=-1) / rows
    return {
        "accuracy": accuracy,
        "balanced_accuracy": macro(recall),
        "precision_macro": macro(precision),
        "recall_macro": macro(recall),
        "f1_macro": macro(f1),
        "precision_weighted": weighted(precision),
        "recall_weighted": accuracy,
        "f1_weighted": weighted(f1),
    }


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def plain(value: Any) -> float | None:
    """Turn a number into a float for JSON, None where it is undefined."""
    return float(value) if np.isfinite(value) else None
