"""Standardised columns for linear learners, with missing values as columns of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.models import LinearModel

__all__ = ["Standardised"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Standardised:
    """Columns to fit on, and what folds the fitted coefficients back onto the original columns.

    columns: float64 (rows, 2 x features), first the standardised values, a missing one being its column's
    mean, then whether each was missing; means, inverse: mean and 1 / standard deviation of each column;
    share, inverse_missing: the same of its missing flag. What never changes is 0 throughout.
    """

    columns: Floats
    means: Floats
    inverse: Floats
    share: Floats
    inverse_missing: Floats

    @classmethod
    def fit(cls, matrix: Floats, weight: Floats) -> Standardised:
        """Standardise rows (rows, features), NaN = missing, with a weight each.

        >>> Standardised.fit(np.array([[1.0], [3.0]]), np.ones(2)).columns.tolist()
        [[-1.0, 0.0], [1.0, 0.0]]
        """
        missing = np.isnan(matrix)
        flags = missing.astype(np.float64)
        known_weight = weight[:, None] * (1.0 - flags)
        known = known_weight.sum(axis=0)
        means = np.where(missing, 0.0, matrix * known_weight).sum(axis=0) / np.where(known > 0, known, 1.0)
        filled = np.where(missing, means, matrix)
        width = np.sqrt(np.average((filled - means) ** 2, axis=0, weights=weight))
        share = np.average(flags, axis=0, weights=weight)
        flag_width = np.sqrt(np.maximum(share * (1.0 - share), 0.0))
        # What never changes gets no weight: width 0 turns into a column of zeros.
        inverse = np.where(width > 1e-12 * (1.0 + np.abs(means)), 1.0 / np.where(width > 0, width, 1.0), 0.0)
        inverse_missing = np.where(flag_width > 1e-9, 1.0 / np.where(flag_width > 0, flag_width, 1.0), 0.0)
        columns = np.concatenate([(filled - means) * inverse, (flags - share) * inverse_missing], axis=1)
        return cls(columns, means, inverse, share, inverse_missing)

    def model(self, coefficients: Floats, intercept: Floats) -> LinearModel:
        """Fold coefficients (outputs, 2 x features) and intercept (outputs,) onto the original columns."""
        weights, flags = np.split(coefficients, 2, axis=1)
        flags = flags * self.inverse_missing
        base = np.array([start - row @ self.share for start, row in zip(intercept, flags, strict=True)])
        return LinearModel(np.ascontiguousarray((weights * self.inverse).T), base, self.means, flags.T.copy())
