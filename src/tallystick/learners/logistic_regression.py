"""Multinomial logistic regression."""

from __future__ import annotations

from tallystick.learners.base import Learner, Sample, one_versus_rest, row_weights, spread
from tallystick.models import LinearModel

__all__ = ["LEARNER"]


class LogisticRegression:
    """Softmax regression with an L2 penalty; settings: C (10), balance (.5)."""

    name = "logistic_regression"
    title = "logistic regression"

    def fit(self, sample: Sample) -> LinearModel:
        """Fit by L-BFGS."""
        from sklearn.linear_model import LogisticRegression as Reference

        weights = row_weights(sample, float(sample.settings.get("balance", 0.5)))
        model = Reference(
            C=float(sample.settings.get("C", 10.0)),
            max_iter=1000,
            tol=1e-3,
        ).fit(sample.matrix, sample.truth, sample_weight=weights)
        return spread(sample, *one_versus_rest(model.coef_, model.intercept_))


LEARNER: Learner = LogisticRegression()
