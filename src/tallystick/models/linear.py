"""Linear class scores: one matrix of weights, one intercept for each class."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["LinearModel", "probabilities"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LinearModel:
    """Scores of classes that are linear in the features.

    weights: float64 (features, classes); intercept: float64 (classes,); the score of a class is
    `intercept + features @ weights`. After calibration the scores are logits of a softmax.

    >>> import numpy as np
    >>> model = LinearModel(np.array([[1.0, 3.0]]), np.zeros(2)).centred()
    >>> model.weights.tolist()
    [[-1.0, 1.0]]
    """

    weights: Floats
    intercept: Floats

    def centred(self) -> LinearModel:
        """Take the mean over classes off every feature, so that a weight says what sets a class apart.

        A softmax is the same before and after; the effects shown as reasons mean something only after.
        """
        return LinearModel(
            self.weights - self.weights.mean(axis=1, keepdims=True), self.intercept - self.intercept.mean()
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a bundle keeps of it."""
        return {"weights": np.ascontiguousarray(self.weights), "intercept": self.intercept}


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _softmax(logits: Floats, out: Floats) -> None:
    rows, classes = logits.shape
    for r in range(rows):
        top = logits[r, 0]
        for c in range(1, classes):
            top = max(top, logits[r, c])
        total = 0.0
        for c in range(classes):
            out[r, c] = math.exp(logits[r, c] - top)
            total += out[r, c]
        for c in range(classes):
            out[r, c] /= total


def probabilities(logits: Floats) -> Floats:
    """Turn logits (rows, classes) into probabilities that add up to one in each row.

    A row gives the same bits alone and in a batch: NumPy's own `exp` and `sum` choose their order by the
    shape of the array, so the loop here is fixed.

    >>> import numpy as np
    >>> probabilities(np.zeros((1, 4))).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    logits = np.ascontiguousarray(logits, dtype=np.float64)
    out = np.empty_like(logits)
    if logits.size:
        _softmax(logits, out)
    return out
