"""The one door of learners: a sparse matrix and class codes in, a linear model out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tallystick.models import LinearModel

__all__ = ["Learner", "Sample", "class_weights"]


@dataclass(frozen=True)
class Sample:
    """What is learned from.

    matrix: SciPy CSR float64 (rows, features); truth: codes 0 … classes - 1 (rows,); a class may be absent.
    """

    matrix: Any
    truth: NDArray[np.int64]
    classes: int
    seed: int = 0
    settings: dict[str, Any] = field(default_factory=dict)

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


def class_weights(sample: Sample, power: float) -> NDArray[np.float64]:
    """Weigh classes by (mean count / count) ** power: 1 is balanced, 0 is as they come."""
    counts = np.bincount(sample.truth, minlength=sample.classes).astype(np.float64)
    present = counts > 0
    weights = np.ones(sample.classes)
    weights[present] = (len(sample.truth) / (present.sum() * counts[present])) ** power
    return weights


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
