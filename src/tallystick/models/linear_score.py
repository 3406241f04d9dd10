"""Linear score on dense columns: what each value adds, summed in a fixed order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["LinearScore"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LinearScore:
    """base + Σ weight x (value - mean); a missing value adds `missing` instead.

    weights, means, missing: float64 (features,). The mean is that of the rows it was fitted on, so what a
    value adds is what sets it apart from the ordinary.

    >>> import numpy as np
    >>> model = LinearScore(np.array([2.0]), np.array([10.0]), np.array([0.5]), -1.0)
    >>> model.raw(np.array([[11.0], [np.nan]])).tolist()
    [1.0, -0.5]
    """

    weights: Floats
    means: Floats
    missing: Floats
    base: float
    kind: ClassVar[str] = "linear_score"

    def raw(self, X: Floats, threads: int = 1) -> Floats:  # noqa: ARG002 - as all models
        """Return log-odds (rows,); a row gives the same bits alone and in a batch."""
        out = np.empty(len(X))
        _raw(np.ascontiguousarray(X, np.float64), self.weights, self.means, self.missing, self.base, out)
        return out

    def contributions(self, X: Floats, threads: int = 1) -> Floats:  # noqa: ARG002 - as all models
        """Return what each value adds (rows, features + 1); the last column is the base."""
        out = np.empty((len(X), len(self.weights) + 1))
        out[:, :-1] = np.where(np.isnan(X), self.missing, self.weights * (X - self.means))
        out[:, -1] = self.base
        return out

    def describe(self) -> dict[str, Any]:
        """Return what a manifest keeps."""
        return {"kind": self.kind, "base": self.base}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a bundle keeps."""
        return {"weights": self.weights, "means": self.means, "missing": self.missing}

    @classmethod
    def of(cls, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> LinearScore:
        """Bring back what `describe` and `arrays` gave."""
        return cls(arrays["weights"], arrays["means"], arrays["missing"], float(description["base"]))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _raw(X: Floats, weights: Floats, means: Floats, missing: Floats, base: float, out: Floats) -> None:
    for r in range(X.shape[0]):
        total = base
        for c in range(X.shape[1]):
            x = X[r, c]
            total += missing[c] if x != x else weights[c] * (x - means[c])
        out[r] = total
