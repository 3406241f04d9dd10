"""Scaling of columns for models of distances, errors or sums of all columns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["Scaling"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scaling:
    """How each column is filled, pressed together and standardised; all float64 (features,).

    A missing value is `fill`, the median. Then z = sign(d) log(1 + |d|) with d = (x - fill) / reach, so that
    amounts and counts with long tails lie near each other; then (z - middle) x inverse. `inverse` is 0 where
    a column is constant: nothing is known of what another value would mean.
    """

    fill: Floats
    reach: Floats
    middle: Floats
    inverse: Floats

    @classmethod
    def fit(cls, matrix: Floats, weight: Floats) -> Scaling:
        """Learn the scale of each column from rows with weights; a column without values is constant 0.

        >>> import numpy as np
        >>> Scaling.fit(np.array([[1.0], [np.nan], [3.0]]), np.ones(3)).fill.tolist()
        [2.0]
        """
        features = matrix.shape[1]
        fill, reach = np.zeros(features), np.ones(features)
        for column in range(features):
            known = matrix[~np.isnan(matrix[:, column]), column]
            if len(known):
                fill[column] = np.median(known)
                away = np.abs(known - fill[column])
                # The usual distance from the median; of a column that mostly is its median, that of the rest.
                reach[column] = np.median(away) or (np.median(away[away > 0]) if away.any() else 1.0)
        pressed = cls(fill, reach, np.zeros(features), np.ones(features)).apply(matrix)
        middle = np.average(pressed, axis=0, weights=weight)
        width = np.sqrt(np.average((pressed - middle) ** 2, axis=0, weights=weight))
        constant = width <= 1e-12
        return cls(fill, reach, middle, np.where(constant, 0.0, 1.0 / np.where(constant, 1.0, width)))

    def apply(self, matrix: Floats) -> Floats:
        """Scale rows (rows, features); nothing is missing afterwards, and a row alone gives the same bits."""
        out = np.empty(matrix.shape)
        _apply(
            np.ascontiguousarray(matrix, np.float64), self.fill, self.reach, self.middle, self.inverse, out
        )
        return out

    def arrays(self) -> dict[str, Floats]:
        """Return what a bundle keeps."""
        return {"fill": self.fill, "reach": self.reach, "middle": self.middle, "inverse": self.inverse}

    @classmethod
    def of(cls, arrays: Mapping[str, Floats]) -> Scaling:
        """Bring back what `arrays` gave."""
        return cls(*(arrays[name] for name in ("fill", "reach", "middle", "inverse")))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _apply(matrix: Floats, fill: Floats, reach: Floats, middle: Floats, inverse: Floats, out: Floats) -> None:
    for r in range(matrix.shape[0]):
        for c in range(matrix.shape[1]):
            x = matrix[r, c]
            away = 0.0 if x != x else (x - fill[c]) / reach[c]
            out[r, c] = (math.copysign(math.log1p(abs(away)), away) - middle[c]) * inverse[c]
