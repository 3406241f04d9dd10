"""Complement naive Bayes (Rennie et al. 2003): each class by what the others are not like."""

from __future__ import annotations

import numpy as np

from tallystick.learners.base import Learner, Sample, spread
from tallystick.learners.naive_bayes import class_sums
from tallystick.models import LinearModel

__all__ = ["LEARNER"]


class ComplementNaiveBayes(Learner):
    """Settings: alpha (.5), the count that every feature has beforehand."""

    name = "complement_naive_bayes"
    title = "complement naive Bayes"
    takes = frozenset({"sparse"})
    targets = frozenset({"classes"})

    def fit(self, sample: Sample) -> LinearModel:
        """Fit by counting."""
        sums = class_sums(sample)
        others = sums.sum(axis=0, keepdims=True) - sums + float(sample.settings.get("alpha", 0.5))
        weights = np.log(others.sum(axis=1, keepdims=True)) - np.log(others)
        return spread(sample, weights.T, np.zeros(len(sums)))


LEARNER: Learner = ComplementNaiveBayes()
