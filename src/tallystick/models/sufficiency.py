"""Whether a model knows enough of a row to say anything of it, learned from rows made to hold too little.

How much of a row is known is its support: different known terms, known terms, all terms, known pairs, all
pairs (`text.Vocabulary.support`). From it follow three measures, each the larger the more is known:

1. ln(1 + different known terms)
2. ln((1 + known terms) / (1 + unknown terms))
3. ln((1 + known pairs) / (1 + unknown pairs))

The probability that a row holds enough is the product of sigmoid(slope x (measure - middle)) over the three:
enough in every respect. Below the cutoff a person decides, and the measure with the smallest factor says why.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tallystick.models.scores import Scores

__all__ = ["Sufficiency", "fit_sufficiency", "weighed"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

FEWEST = 50  # rows of each kind, below which only a row of which nothing is known holds too little
CAUGHT = 0.98  # share of the rows made to hold too little that the cutoff should catch
COST = 0.05  # largest share of the training rows that it may cost
PRIOR = 0.05  # share of rows with too little that is expected where a model works
STEEPEST = 8.0
_REASONS = ("too_little_text", "unknown_words", "unknown_words")


@dataclass(frozen=True)
class Sufficiency:
    """How likely it is that a model knows enough of a row: slope and middle of each measure, and a cutoff.

    >>> enough = Sufficiency((2.0, 2.0, 2.0), (1.5, 0.0, -1.5), 0.5)
    >>> support = np.array([[40.0, 50.0, 55.0, 30.0, 54.0], [1.0, 1.0, 20.0, 0.0, 19.0]])
    >>> probability, worst = enough.apply(support)
    >>> probability.round(2).tolist(), worst.tolist()
    ([0.94, 0.0], [2, 1])
    """

    slopes: tuple[float, float, float]
    middles: tuple[float, float, float]
    cutoff: float

    def apply(self, support: Floats) -> tuple[Floats, Codes]:
        """Return the probability that a row holds enough, float64 (rows,), and the code of its worst measure.

        A row of which no term is known has the probability 0. A row gives the same bits alone and in a batch.
        """
        probability, worst = np.empty(len(support)), np.empty(len(support), np.int64)
        _chances(support, self.slopes, self.middles, probability, worst)
        return probability, worst

    def reason(self, worst: int, support: Floats) -> tuple[str, float, None, str]:
        """Say why a row (5,) holds too little: reason code, value, no effect, words."""
        different, known, terms, pairs, every = support.tolist()
        if different == 0:
            worst = 0
        if worst == 0:
            count = f"{different:.0f} known word{'' if different == 1 else 's'}"
            return _REASONS[0], different, None, f"too little text to decide on: {count}"
        if worst == 1:
            share = known / terms
            return _REASONS[1], share, None, f"the model knows {share:.0%} of the words"
        share = pairs / every if every else 0.0
        return (
            _REASONS[2],
            share,
            None,
            f"the model knows {share:.0%} of the words as they stand side by side",
        )

    def describe(self) -> dict[str, Any]:
        """Return what a manifest keeps."""
        return {"slopes": list(self.slopes), "middles": list(self.middles), "cutoff": self.cutoff}

    @classmethod
    def of(cls, description: Mapping[str, Any] | None) -> Sufficiency | None:
        """Return what `describe` kept; None where a bundle kept none."""
        if description is None:
            return None
        slopes, middles = (tuple(float(one) for one in description[name]) for name in ("slopes", "middles"))
        return cls(
            (slopes[0], slopes[1], slopes[2]),
            (middles[0], middles[1], middles[2]),
            float(description["cutoff"]),
        )


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _chances(
    support: Floats,
    slopes: tuple[float, float, float],
    middles: tuple[float, float, float],
    probability: Floats,
    worst: Codes,
) -> None:
    for r in range(len(support)):
        product, least, place = 1.0, 2.0, 0
        for j in range(3):
            if j == 0:
                measure = math.log(1.0 + support[r, 0])
            else:
                known, every = support[r, 2 * j - 1], support[r, 2 * j]
                measure = math.log((1.0 + known) / (1.0 + every - known))
            factor = 1.0 / (1.0 + math.exp(-slopes[j] * (measure - middles[j])))
            product *= factor
            if factor < least:
                least, place = factor, j
        probability[r] = product if support[r, 0] > 0.0 else 0.0
        worst[r] = place


def measures(support: Floats) -> Floats:
    """Return the three measures: float64 (rows, 3)."""
    different, known, terms, pairs, every = support.T
    return np.stack(
        [
            np.log1p(different),
            np.log((1 + known) / (1 + terms - known)),
            np.log((1 + pairs) / (1 + every - pairs)),
        ],
        axis=1,
    )


def fit_sufficiency(rows: Floats, made: Floats) -> Sufficiency:
    """Fit on the support of training rows, and of rows made of them to hold too little, (…, 5) each.

    Both by models that did not see them. The cutoff catches `CAUGHT` of those that were made, as far as that
    costs no more than `COST` of the others.
    """
    nothing = Sufficiency((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 0.01)
    rows, made = rows[rows[:, 0] > 0], made[made[:, 0] > 0]
    if min(len(rows), len(made)) < FEWEST:
        return nothing
    from scipy.optimize import minimize

    good, bad = measures(rows), measures(made)
    start = np.concatenate([np.full(3, np.log(2.0)), np.quantile(good, 0.05, axis=0)])

    def loss(parameters: Floats) -> float:
        slope, middle = np.exp(parameters[:3]), parameters[3:]
        log_good = -np.logaddexp(0.0, -slope * (good - middle)).sum(axis=1)
        log_bad = -np.logaddexp(0.0, -slope * (bad - middle)).sum(axis=1)
        not_bad = np.log(-np.expm1(np.minimum(log_bad, -1e-12)))
        away = parameters - start
        value = -(1 - PRIOR) * log_good.mean() - PRIOR * not_bad.mean() + 1e-4 * (away**2).sum()
        return float(value)

    bounds = [(np.log(0.05), np.log(STEEPEST))] * 3 + [(None, None)] * 3
    found = minimize(loss, start, method="L-BFGS-B", bounds=bounds).x
    slopes, middles = np.exp(found[:3]).tolist(), found[3:].tolist()
    fitted = Sufficiency((slopes[0], slopes[1], slopes[2]), (middles[0], middles[1], middles[2]), 0.0)
    of_rows, of_made = fitted.apply(rows)[0], fitted.apply(made)[0]
    cutoff = min(float(np.quantile(of_made, CAUGHT)), float(np.quantile(of_rows, COST)))
    return Sufficiency(fitted.slopes, fitted.middles, cutoff)


def weighed(scores: Scores, probability: Floats, short: NDArray[np.bool_]) -> Scores:
    """Weigh scores of labels by the probability that a row holds enough; other classes share the rest.

    The label of a row that holds too little (short) is at most as likely right as wrong.
    """
    assert scores.label is not None
    values, score = scores.values.copy(), scores.score.copy()
    _weigh(values, score, scores.label, probability, short)
    return Scores(values, score, scores.label)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _weigh(
    values: Floats, score: Floats, label: Codes, probability: Floats, short: NDArray[np.bool_]
) -> None:
    rows, classes = values.shape
    for r in range(rows):
        confidence = score[r] * probability[r]
        if short[r]:
            confidence = min(confidence, 0.5)
        rest = 1.0 - score[r]
        for c in range(classes):
            if c == label[r]:
                values[r, c] = confidence
            elif rest > 0.0:
                values[r, c] *= (1.0 - confidence) / rest
            else:
                values[r, c] = (1.0 - confidence) / (classes - 1)
        score[r] = confidence
