"""How much can be decided without a person, and how often that is right.

Rows are accepted from the highest score down; rows of equal score are accepted together, since a threshold
cannot tell them apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tallystick.errors import UsageError
from tallystick.evaluation.reliability import scored

__all__ = ["Coverage"]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Accuracy against coverage: what is accepted at each score that occurs, the highest first.

    `accepted[i]` rows have a score of at least `scores[i]`, and `hits[i]` of them are right, of `rows`.

    >>> coverage = Coverage.of([0.9, 0.8, 0.8, 0.4], [True, True, False, False])
    >>> coverage.accuracy_at(0.75), coverage.accuracy_at(1)
    (0.6666666666666666, 0.5)
    >>> coverage.outcome(0.9)["automation"]
    0.25
    """

    scores: NDArray[np.float64]
    accepted: NDArray[np.int64]
    hits: NDArray[np.int64]

    @classmethod
    def of(cls, score: ArrayLike, right: ArrayLike) -> Coverage:
        """Sort (n,) decisions by their score (0 … 1); `right` says which were right.

        Raises DataError when there are none or a score is missing or out of range.
        """
        scores, rights = scored(score, right)
        order = np.argsort(-scores, kind="stable")
        ranked = scores[order]
        ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
        return cls(ranked[ends], ends + 1, np.cumsum(rights[order].astype(np.int64))[ends])

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.accepted[-1])

    def accuracy_at(self, coverage: float) -> float | None:
        """Give the accuracy of the surest share of rows, as near to `coverage` as equal scores allow.

        None where that is no row at all.
        """
        place = self._nearest(coverage)
        return None if place is None else float(self.hits[place] / self.accepted[place])

    def threshold_for(
        self, *, accuracy: float | None = None, automation: float | None = None
    ) -> float | None:
        """Find the score from which on a decision needs no person; give exactly one of the two aims.

        `accuracy`: the lowest score for which the accepted rows are right that often, counting one wrong row
        more than was seen: (wrong + 1) / (accepted + 1) ≤ 1 − accuracy. That one row keeps it honest on few
        rows: three right out of three do not show 95 %, nineteen out of nineteen do. It is the correction of
        conformal risk control (Angelopoulos et al. 2022) and of false-discovery control by counting.
        Searching from below means that an accuracy lost by chance higher up does not cost coverage.

        `automation`: the score that accepts the share nearest to the one asked for; 1 gives 0.0, whatever
        scores come later.

        None where nothing may be decided without a person. Raises UsageError unless one share is given.

        >>> few = Coverage.of([0.9, 0.9, 0.9], [True, True, True])
        >>> few.threshold_for(accuracy=0.95) is None, few.threshold_for(accuracy=0.75)
        (True, 0.9)
        """
        aims = [aim for aim in (accuracy, automation) if aim is not None]
        if len(aims) != 1 or not 0 <= aims[0] <= 1:
            raise UsageError("A threshold needs one aim, accuracy or automation, as a share between 0 and 1.")
        if automation is not None:
            place = self._nearest(automation)
            if automation == 1:
                return 0.0
            return None if place is None else float(self.scores[place])
        wrong = self.accepted - self.hits
        # The allowance keeps 19 of 19 at .95 from failing by a rounding error.
        good = np.flatnonzero(wrong + 1 <= (1 - aims[0]) * (self.accepted + 1) + 1e-9)
        return float(self.scores[good[-1]]) if len(good) else None

    def outcome(self, threshold: float | None) -> dict[str, Any]:
        """Say what a threshold leads to on these rows; None accepts nothing.

        `automation` is the share of rows accepted, `accuracy` how often those are right, `review_accuracy`
        how often the others would have been; None where there are no such rows.
        """
        place = -1 if threshold is None else int(np.count_nonzero(self.scores >= threshold)) - 1
        taken, hits = (0, 0) if place < 0 else (int(self.accepted[place]), int(self.hits[place]))
        left = self.rows - taken
        return {
            "threshold": threshold,
            "rows": self.rows,
            "accepted": taken,
            "automation": taken / self.rows,
            "accuracy": hits / taken if taken else None,
            "wrong": taken - hits,
            "review_accuracy": (int(self.hits[-1]) - hits) / left if left else None,
        }

    def curve(self, points: int = 200) -> dict[str, list[float]]:
        """Give at most `points` points of the curve, evenly spread over coverage, the last at coverage 1.

        The first point covers at least 1 % of the rows (or one, of few): accuracy on fewer is chance.
        """
        least = max(1, self.rows // 100)
        wanted = np.linspace(least, self.rows, points)
        places = np.unique(np.searchsorted(self.accepted, wanted, side="left"))
        return {
            "score": self.scores[places].tolist(),
            "coverage": (self.accepted[places] / self.rows).tolist(),
            "accuracy": (self.hits[places] / self.accepted[places]).tolist(),
        }

    def _nearest(self, coverage: float) -> int | None:
        """Find the place whose share is nearest to the one asked for, the smaller of two; None for no row."""
        shares = np.concatenate(([0], self.accepted)) / self.rows
        place = int(np.argmin(np.abs(shares - coverage))) - 1
        return None if place < 0 else place
