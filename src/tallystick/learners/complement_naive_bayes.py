"""Complement naive Bayes (Rennie et al. 2003): a class is modelled by the rows of all others."""

from __future__ import annotations

import numpy as np

from tallystick.learners.base import Learner, Sample, expand_classes
from tallystick.learners.hyperparameters import resolve
from tallystick.learners.naive_bayes import class_sums
from tallystick.models import LinearModel

__all__ = ["DEFAULTS", "LEARNER"]

#: alpha: the count that every feature has beforehand.
DEFAULTS = {"alpha": 0.5}


class ComplementNaiveBayes(Learner):
    """Hyperparameters: DEFAULTS."""

    name = "complement_naive_bayes"
    title = "complement naive Bayes"
    takes = frozenset({"sparse"})
    targets = frozenset({"classes"})

    def fit(self, sample: Sample) -> LinearModel:
        """Fit by counting."""
        sums = class_sums(sample)
        alpha = resolve(self.name, sample.settings, DEFAULTS)["alpha"]
        others = sums.sum(axis=0, keepdims=True) - sums + alpha
        weights = np.log(others.sum(axis=1, keepdims=True)) - np.log(others)
        return expand_classes(sample, weights.T, np.zeros(len(sums)))


LEARNER: Learner = ComplementNaiveBayes()
