"""Multinomial logistic regression."""

from __future__ import annotations

from tallystick.learners.base import Learner, Sample, class_weights, one_versus_rest, spread
from tallystick.models import LinearModel

__all__ = ["LEARNER"]


class LogisticRegression:
    """Softmax regression with an L2 penalty; settings: C (10), balance (.5)."""

    name = "logistic_regression"
    title = "logistic regression"

    def fit(self, sample: Sample) -> LinearModel:
        """Fit by L-BFGS."""
        from sklearn.linear_model import LogisticRegression as Reference

        model = Reference(
            class_weight=class_weights(sample, float(sample.settings.get("balance", 0.5))),
            C=float(sample.settings.get("C", 10.0)),
            max_iter=1000,
            tol=1e-3,
        ).fit(sample.matrix, sample.truth, sample_weight=sample.weights)
        return spread(sample, *one_versus_rest(model.coef_, model.intercept_))


LEARNER: Learner = LogisticRegression()
