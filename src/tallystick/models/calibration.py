"""Scores made honest: from the scores of a class model to labels, and to probabilities that hold.

Three steps, each fitted on scores of rows that the model was not fitted on:

1. logits = scores @ matrix + offset: a scale for all classes, and a little of each class's score to others
   (matrix scaling, Guo et al. 2017, "On calibration of modern neural networks"). It folds into the model.
2. p = (1 - floor) softmax(logits) + floor x prior: labels may be mistaken, nothing is impossible.
   The label is the class with the highest softmax x prior ** -prior_correction; above 0 it favours
   rare classes.
3. The confidence in the label follows from its p and from how far the next class is behind:
   confidence = sigmoid(slope x log p + gap x log(p / next p) + start). The other classes share the rest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tallystick.models.linear import LinearModel, probabilities
from tallystick.models.scores import Scores

__all__ = ["Calibration", "Decided", "cross_calibrate", "fit_calibration"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

# Penalties, a row, found on out-of-fold scores of the CFPB's public narratives. A class passes on to others
# only what its rows speak for; how sure a label is stays near p / (p + next p).
MATRIX_PENALTY = 1e-2
OFFSET_PENALTY = 1e-5
SURE_PENALTY = 1e-3


@dataclass(frozen=True)
class Decided:
    """What a model says of rows: probabilities (rows, classes), and the code of each row's label."""

    probability: Floats
    label: Codes

    @property
    def confidence(self) -> Floats:
        """The probability of each row's label: its score."""
        score: Floats = self.probability[np.arange(len(self.label)), self.label]
        return score


@dataclass(frozen=True)
class Calibration:
    """The three steps with their numbers.

    matrix: float64 (classes, classes); offset, prior: float64 (classes,); confidence: its slope, gap and
    start; folded: whether matrix and offset are in the model's own weights already.
    """

    matrix: Floats
    offset: Floats
    prior: Floats
    floor: float
    prior_correction: float = 0.0
    confidence: tuple[float, float, float] = (0.0, 1.0, 0.0)
    folded: bool = False

    @property
    def shift(self) -> Floats:
        """What the correction takes off the logits of each class."""
        return self.prior_correction * np.log(self.prior)

    def apply(self, raw: Floats) -> Scores:
        """Calibrate raw scores (rows, classes): probabilities, the label, and its probability."""
        raw = np.ascontiguousarray(raw, dtype=np.float64)
        decided = self.decide(raw if self.folded else mixed(raw, self.matrix, self.offset - self.shift))
        return Scores(decided.probability, decided.confidence, decided.label)

    def direction(self, scores: Scores) -> Floats:
        """Return what of the raw scores makes the logit of each row's label: float64 (rows, classes)."""
        assert scores.label is not None
        of_label = np.eye(len(self.prior)) if self.folded else self.matrix
        found: Floats = np.ascontiguousarray(of_label[:, scores.label].T)
        return found

    def fold(self, model: LinearModel) -> LinearModel:
        """Return the model whose scores are the logits that `decide` takes."""
        return model.mixed(self.matrix, self.offset - self.shift)

    def logits(self, scores: Floats) -> Floats:
        """Turn scores (rows, classes) into what the folded model would give."""
        return scores @ self.matrix + self.offset - self.shift

    def decide(self, logits: Floats) -> Decided:
        """Turn logits (rows, classes) into decisions; a row gives the same bits alone and in a batch."""
        logits = np.ascontiguousarray(logits, dtype=np.float64)
        probability, label = np.empty_like(logits), np.zeros(len(logits), np.int64)
        if logits.size:
            slope, gap, start = self.confidence
            _decide(logits, self.shift, self.prior, self.floor, slope, gap, start, probability, label)
        return Decided(probability, label)

    def describe(self) -> dict[str, Any]:
        """Return what a manifest keeps."""
        return {
            "label_smoothing": self.floor,
            "prior_correction": self.prior_correction,
            "confidence": list(self.confidence),
            "folded": self.folded,
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a bundle keeps."""
        kept = {"prior": self.prior}
        return kept if self.folded else kept | {"matrix": self.matrix, "offset": self.offset}

    @classmethod
    def of(cls, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Calibration:
        """Return what `describe` and `arrays` kept."""
        slope, gap, start = map(float, description["confidence"])
        prior, folded = arrays["prior"], bool(description["folded"])
        matrix = np.eye(len(prior)) if folded else arrays["matrix"]
        offset = np.zeros(len(prior)) if folded else arrays["offset"]
        return cls(
            matrix, offset, prior, float(description["label_smoothing"]),
            float(description["prior_correction"]), (slope, gap, start), folded,
        )  # fmt: skip


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def mixed(raw: Floats, matrix: Floats, offset: Floats) -> Floats:
    """Return raw @ matrix + offset in a fixed order: a row alone gives the bits of a batch."""
    rows, classes = raw.shape[0], matrix.shape[1]
    out = np.empty((rows, classes))
    for r in range(rows):
        for c in range(classes):
            total = offset[c]
            for k in range(matrix.shape[0]):
                total += raw[r, k] * matrix[k, c]
            out[r, c] = total
    return out


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _decide(
    logits: Floats,
    shift: Floats,
    prior: Floats,
    floor: float,
    slope: float,
    gap: float,
    start: float,
    probability: Floats,
    label: Codes,
) -> None:
    rows, classes = logits.shape
    for r in range(rows):
        best, top = 0, logits[r, 0] + shift[0]
        for c in range(1, classes):
            if logits[r, c] > logits[r, best]:
                best = c
            top = max(top, logits[r, c] + shift[c])
        total = 0.0
        for c in range(classes):
            probability[r, c] = math.exp(logits[r, c] + shift[c] - top)
            total += probability[r, c]
        following = 0.0
        for c in range(classes):
            probability[r, c] = (1.0 - floor) * (probability[r, c] / total) + floor * prior[c]
            if c != best:
                following = max(following, probability[r, c])
        label[r] = best
        if classes == 1:
            continue
        p = max(probability[r, best], 1e-300)
        following = max(following, 1e-300)
        confidence = 1.0 / (1.0 + math.exp(-(slope * math.log(p) + gap * math.log(p / following) + start)))
        rest = 0.0
        for c in range(classes):
            if c != best:
                rest += probability[r, c]
        for c in range(classes):
            if c != best:
                probability[r, c] = probability[r, c] / rest * (1.0 - confidence) if rest > 0.0 else 0.0
        probability[r, best] = confidence


def cross_calibrate(
    scores: Floats, truth: Codes, fold_of: Codes, prior_correction: float
) -> tuple[Calibration, Decided]:
    """Fit a calibration on out-of-fold scores, and decide the same rows across folds.

    A row's label and its classes' probabilities come from a calibration fitted on the other folds, and so do
    the three numbers of its sureness, though from probabilities whose own calibrations saw it: three numbers
    for all rows carry next to nothing of one.

    scores: float64 (rows, classes); truth: class codes (rows,); fold_of: the fold that held each row out.
    """
    parts = np.unique(fold_of)
    plain = np.zeros_like(scores)
    label = np.zeros(len(truth), np.int64)
    fitted = {}
    for part in parts:
        out = fold_of == part
        fitted[part] = fit_calibration(scores[~out], truth[~out], prior_correction)
        logits = fitted[part].logits(scores[out])
        plain[out] = _plain(fitted[part], logits)
        label[out] = logits.argmax(axis=1)
    right = label == truth
    probability = np.zeros_like(scores)
    for part in parts:
        out = fold_of == part
        how = replace(fitted[part], confidence=fit_confidence(plain[~out], label[~out], right[~out]))
        probability[out] = how.decide(how.logits(scores[out])).probability
    final = replace(
        fit_calibration(scores, truth, prior_correction), confidence=fit_confidence(plain, label, right)
    )
    return final, Decided(probability, label)


def _plain(calibration: Calibration, logits: Floats) -> Floats:
    """Probabilities before the third step."""
    q = probabilities(logits + calibration.shift)
    return (1 - calibration.floor) * q + calibration.floor * calibration.prior


def fit_calibration(scores: Floats, truth: NDArray[Any], prior_correction: float = 0.0) -> Calibration:
    """Fit the first two steps by penalised maximum likelihood; the third is p / (p + next p).

    >>> import numpy as np
    >>> scores = np.array([[1.0, -1.0], [-1.0, 1.0]] * 18 + [[-1.0, 1.0]] * 4)
    >>> calibration = fit_calibration(scores, np.array([0, 1] * 18 + [0] * 4))
    >>> bool(0.8 < calibration.decide(calibration.logits(scores[:1])).confidence[0] < 1)
    True
    """
    from scipy.optimize import minimize

    rows, classes = scores.shape
    # One row more for each class: a class without rows must not be impossible.
    prior = (np.bincount(truth, minlength=classes) + 1.0) / (rows + classes)
    middle, width = scores.mean(axis=0), scores.std(axis=0) + 1e-9 * (np.abs(scores).max() + 1e-300)
    start = np.zeros(classes * classes + classes + 2)
    start[0] = 1.0
    start[-1] = -3.0
    found = minimize(
        _loss,
        start,
        ((scores - middle) / width, width / width.mean(), np.asarray(truth, np.int64), prior),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, 1e3)] + [(None, None)] * (len(start) - 2) + [(-12.0, 0.0)],
        options={"maxiter": 400, "ftol": 1e-9, "gtol": 1e-6},
    ).x
    own = found[0] * np.diag(width / width.mean()) + found[1 : 1 + classes * classes].reshape(
        classes, classes
    )
    matrix = own / width[:, None]
    return Calibration(
        matrix, found[-classes - 1 : -1] - middle @ matrix, prior, _sigmoid(found[-1]), prior_correction
    )


def _sigmoid(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


def _loss(
    parameters: Floats, scores: Floats, width: Floats, truth: Codes, prior: Floats
) -> tuple[float, Floats]:
    """Mean negative log-likelihood with penalties, and its gradient.

    parameters: the scale of all classes, what each passes on to others, offsets, log-odds of the floor.
    scores are standardised; width says how wide each was.
    """
    rows, classes = scores.shape
    passed = parameters[1 : 1 + classes * classes].reshape(classes, classes)
    offset, floor = parameters[-classes - 1 : -1], _sigmoid(parameters[-1])
    q = probabilities(scores @ (parameters[0] * np.diag(width) + passed) + offset)
    true_probability = q[np.arange(rows), truth]
    p = (1 - floor) * true_probability + floor * prior[truth]
    share = (1 - floor) * true_probability / p
    slope = q * share[:, None]
    slope[np.arange(rows), truth] -= share
    by_weight = scores.T @ slope / rows
    gradient = np.concatenate(
        [
            [(np.diag(by_weight) * width).sum()],
            (by_weight + MATRIX_PENALTY * passed).ravel(),
            slope.mean(axis=0) + 2 * OFFSET_PENALTY * offset,
            [((true_probability - prior[truth]) / p).mean() * floor * (1 - floor)],
        ]
    )
    penalty = MATRIX_PENALTY / 2 * (passed**2).sum() + OFFSET_PENALTY * (offset**2).sum()
    return float(-np.log(p).mean() + penalty), gradient


def fit_confidence(probability: Floats, label: Codes, right: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Fit the third step: slope, gap and start, so that a label is right as often as it says."""
    from scipy.optimize import minimize

    if probability.shape[1] < 2:
        return (0.0, 1.0, 0.0)
    rows = np.arange(len(label))
    logs = np.log(np.maximum(probability, 1e-300))
    own = logs[rows, label]
    logs[rows, label] = -np.inf
    inputs = np.stack([own, own - logs.max(axis=1), np.ones(len(label))], axis=1)
    usual = np.array([0.0, 1.0, 0.0])

    def loss(parameters: Floats) -> tuple[float, Floats]:
        odds = inputs @ parameters
        away = parameters - usual
        value = np.logaddexp(0.0, np.where(right, -odds, odds)).mean() + SURE_PENALTY / 2 * (away**2).sum()
        error = 1 / (1 + np.exp(-odds)) - right
        return float(value), inputs.T @ error / len(label) + SURE_PENALTY * away

    slope, gap, start = minimize(loss, usual, jac=True, method="L-BFGS-B", options={"gtol": 1e-8}).x
    return float(slope), float(gap), float(start)
