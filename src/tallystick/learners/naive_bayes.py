"""Multinomial naive Bayes on weighted counts (McCallum and Nigam 1998)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tallystick.learners.base import Learner, Sample, expand_classes
from tallystick.learners.hyperparameters import resolve
from tallystick.models import LinearModel

__all__ = ["DEFAULTS", "LEARNER", "class_sums"]

#: alpha: the count that every feature has in every class beforehand.
DEFAULTS = {"alpha": 0.1}


def class_sums(sample: Sample) -> NDArray[np.float64]:
    """Add up the features of each class that has rows: float64 (present classes, features)."""
    rows = np.arange(len(sample.truth))
    from scipy.sparse import csr_matrix

    codes = np.searchsorted(sample.present, sample.truth)
    onehot = csr_matrix((sample.weights, (codes, rows)), shape=(len(sample.present), len(rows)))
    return np.asarray((onehot @ sample.matrix).todense(), dtype=np.float64)


class NaiveBayes(Learner):
    """Hyperparameters: DEFAULTS."""

    name = "naive_bayes"
    title = "naive Bayes"
    takes = frozenset({"sparse"})
    targets = frozenset({"classes"})

    def fit(self, sample: Sample) -> LinearModel:
        """Fit by counting."""
        sums = class_sums(sample) + resolve(self.name, sample.settings, DEFAULTS)["alpha"]
        weights = np.log(sums) - np.log(sums.sum(axis=1, keepdims=True))
        counts = sample.counts[sample.present]
        return expand_classes(sample, weights.T, np.log(counts / counts.sum()))


LEARNER: Learner = NaiveBayes()
