"""The one door of learners: a sparse matrix and class codes in, a linear model out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tallystick.models import LinearModel

__all__ = ["Learner", "Sample", "class_weights", "one_versus_rest", "spread"]


@dataclass(frozen=True)
class Sample:
    """What is learned from.

    matrix: SciPy CSR float64 (rows, features); truth: codes 0 … classes - 1 (rows,), a class may be absent;
    weight: float64 (rows,), how much each row counts, all alike when None.
    """

    matrix: Any
    truth: NDArray[np.int64]
    classes: int
    weight: NDArray[np.float64] | None = None
    seed: int = 0
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def weights(self) -> NDArray[np.float64]:
        """How much each row counts."""
        return np.ones(len(self.truth)) if self.weight is None else self.weight

    @property
    def counts(self) -> NDArray[np.float64]:
        """How much the rows of each class count together."""
        return np.bincount(self.truth, self.weights, minlength=self.classes).astype(np.float64)

    @property
    def present(self) -> NDArray[np.int64]:
        """The codes of the classes that have rows."""
        return np.unique(self.truth)


class Learner(Protocol):
    """A way to fit. Same sample, same model, to the bit."""

    name: str
    title: str

    def fit(self, sample: Sample) -> LinearModel:
        """Fit; a class without rows gets a score below that of all others."""


def class_weights(sample: Sample, power: float) -> dict[int, float]:
    """Weigh each class that has rows by (mean count / count) ** power: 1 is balanced, 0 is as they come."""
    present = sample.present
    counts = sample.counts[present]
    return dict(zip(present.tolist(), ((counts.mean() / counts) ** power).tolist(), strict=True))


def spread(sample: Sample, weights: NDArray[np.float64], intercept: NDArray[np.float64]) -> LinearModel:
    """Put the columns of the classes that had rows at their codes among all classes.

    weights: (features, present classes); intercept: (present classes,). A class without rows scores below all
    others on any text, since features are never negative.
    """
    full = np.repeat(weights.min(axis=1, keepdims=True), sample.classes, axis=1)
    bias = np.full(sample.classes, float(intercept.min()) - 10.0)
    full[:, sample.present] = weights
    bias[sample.present] = intercept
    return LinearModel(full, bias)


def one_versus_rest(coefficients: NDArray[np.float64], intercept: NDArray[np.float64]) -> Any:
    """Turn scikit-learn's (classes, features) into ours, also where two classes share one row."""
    if len(intercept) == 1:
        return np.concatenate([-coefficients, coefficients]).T, np.concatenate([-intercept, intercept])
    return coefficients.T, intercept
