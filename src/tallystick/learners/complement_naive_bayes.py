"""Complement naive Bayes (Rennie et al. 2003): each class by what the others are not like."""

from __future__ import annotations

import numpy as np

from tallystick.learners.base import Learner, Sample, spread
from tallystick.learners.naive_bayes import class_sums
from tallystick.learners.settings import chosen
from tallystick.models import LinearModel

__all__ = ["LEARNER", "USUAL"]

#: alpha: the count that every feature has beforehand.
USUAL = {"alpha": 0.5}


class ComplementNaiveBayes(Learner):
    """Settings: USUAL."""

    name = "complement_naive_bayes"
    title = "complement naive Bayes"
    takes = frozenset({"sparse"})
    targets = frozenset({"classes"})

    def fit(self, sample: Sample) -> LinearModel:
        """Fit by counting."""
        sums = class_sums(sample)
        alpha = chosen(self.name, sample.settings, USUAL)["alpha"]
        others = sums.sum(axis=0, keepdims=True) - sums + alpha
        weights = np.log(others.sum(axis=1, keepdims=True)) - np.log(others)
        return spread(sample, weights.T, np.zeros(len(sums)))


LEARNER: Learner = ComplementNaiveBayes()
