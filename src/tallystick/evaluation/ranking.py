"""How well probabilities order the rows: ROC AUC and average precision, one class versus the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ranked", "Ranking"]


@dataclass(frozen=True, slots=True)
class Ranked:
    """The two figures for each class, NaN where a class has no row or all of them."""

    roc_auc: NDArray[np.float64]
    average_precision: NDArray[np.float64]

    @property
    def roc_auc_macro(self) -> float:
        """The mean over the classes where it is defined, NaN where there are none."""
        return _mean(self.roc_auc)

    @property
    def average_precision_macro(self) -> float:
        """The mean over the classes where it is defined, NaN where there are none."""
        return _mean(self.average_precision)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Rows sorted once by the probability of each class, so that resamples only need weights.

    For class c, `order[c]` sorts the rows from the most probable; `found[c]` are the rows of the class in
    that order. Rows of equal probability are one step; only steps with a row of the class matter: `starts[c]`
    and `ends[c]` say how many rows come before and up to each, `firsts[c]` where it begins in `found[c]`.
    """

    order: list[NDArray[np.int32]]
    found: list[NDArray[np.int32]]
    starts: list[NDArray[np.int64]]
    ends: list[NDArray[np.int64]]
    firsts: list[NDArray[np.int64]]

    @classmethod
    def of(cls, truth: NDArray[np.int64], probabilities: NDArray[np.float64]) -> Ranking:
        """Sort (n,) true codes by (n, C) probabilities, once for each class."""
        made = cls([], [], [], [], [])
        for c in range(probabilities.shape[1]):
            order = np.argsort(-probabilities[:, c], kind="stable").astype(np.int32)
            ranked = probabilities[order, c]
            ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]) + 1, len(order))
            held = np.flatnonzero(truth[order] == c)
            steps, firsts = np.unique(np.searchsorted(ends, held, side="right"), return_index=True)
            made.order.append(order)
            made.found.append(order[held])
            made.ends.append(ends[steps])
            made.starts.append(np.concatenate(([0], ends))[steps])
            made.firsts.append(firsts)
        return made

    def measure(self, weights: NDArray[np.int64] | None = None) -> Ranked:
        """Give the figures where row i counts `weights[i]` times (once each by default).

        Equal probabilities are one step of the curve. ROC AUC is the area by trapezoids, average precision
        the sum of precision times gain in recall (not interpolated), as in scikit-learn.

        >>> truth, p = np.array([0, 1, 0]), np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]])
        >>> Ranking.of(truth, p).measure().roc_auc.tolist()
        [0.5, 0.5]
        """
        figures = [self._one(c, weights) for c in range(len(self.order))]
        return Ranked(np.array([f[0] for f in figures]), np.array([f[1] for f in figures]))

    def _one(self, c: int, weights: NDArray[np.int64] | None) -> tuple[float, float]:
        if not len(self.found[c]):
            return float("nan"), float("nan")
        times = np.ones(len(self.order[c]), np.int64) if weights is None else weights
        above = np.concatenate(([0], np.cumsum(times[self.order[c]])))
        gain = np.add.reduceat(times[self.found[c]], self.firsts[c])
        found, upto = np.cumsum(gain), above[self.ends[c]]
        rows, false = found[-1], above[-1] - found[-1]
        if not rows or not false:
            return float("nan"), float("nan")
        tied = upto - above[self.starts[c]] - gain
        area = (gain * (false - (upto - found) + tied / 2)).sum() / (rows * false)
        # A step that no row of a resample reached gains nothing; its precision only must not divide by 0.
        return float(area), float((gain * found / np.maximum(upto, 1)).sum() / rows)


def _mean(values: NDArray[np.float64]) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")
