"""Logistic regression with an L2 penalty: binary or multinomial, on dense or sparse features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tallystick.learners.base import Learner, Sample, class_weights, expand_classes, one_versus_rest
from tallystick.learners.dense import balanced_weights, dense_matrix, one_thread, refuse_unlearnable
from tallystick.learners.hyperparameters import refused_by_library, resolve
from tallystick.learners.standardised import Standardised
from tallystick.models import LinearModel

__all__ = ["DEFAULTS", "LEARNER"]

Floats = NDArray[np.float64]

#: On dense features: C is the inverse of the penalty, weight_power how much rarer classes are weighed up
#: (0: as the rows come, 1: all classes alike).
DEFAULTS = {"C": 1.0, "weight_power": 0.5, "max_iter": 300}

#: On sparse features; balance is their weight_power.
SPARSE_DEFAULTS = {"C": 10.0, "balance": 0.5, "max_iter": 1000, "tol": 1e-3}


class LogisticRegression(Learner):
    """Fitted by L-BFGS (scikit-learn); hyperparameters: DEFAULTS, on sparse features SPARSE_DEFAULTS.

    Dense columns are standardised, a missing value is its column's mean, and that it is missing is a column
    of its own; all this is folded into the weights.
    """

    name = "logistic_regression"
    title = "logistic regression"
    takes = frozenset({"dense", "sparse"})
    targets = frozenset({"binary", "classes"})

    def fit(self, sample: Sample) -> LinearModel:
        """Fit log-odds of the event, or one score for each class."""
        return _dense(sample) if sample.dense else _sparse(sample)


def _sparse(sample: Sample) -> LinearModel:
    from sklearn.linear_model import LogisticRegression as Reference

    params = resolve(LogisticRegression.name, sample.settings, SPARSE_DEFAULTS)
    refuse_unlearnable(sample)
    weights = class_weights(sample, params["balance"])
    with refused_by_library(LogisticRegression.name):
        model = Reference(
            C=params["C"], max_iter=params["max_iter"], tol=params["tol"], class_weight=weights
        ).fit(sample.matrix, sample.truth, sample_weight=sample.weights)
    if sample.target == "binary":
        return LinearModel(np.ascontiguousarray(model.coef_.T), model.intercept_)
    return expand_classes(sample, *one_versus_rest(model.coef_, model.intercept_))


def _dense(sample: Sample) -> LinearModel:
    from sklearn.linear_model import LogisticRegression as Reference

    params = resolve(LogisticRegression.name, sample.settings, DEFAULTS)
    standardised = Standardised.fit(dense_matrix(sample), sample.weights)
    with one_thread(), refused_by_library(LogisticRegression.name):
        model = Reference(C=params["C"], max_iter=params["max_iter"], tol=1e-5).fit(
            standardised.columns, sample.truth, sample_weight=balanced_weights(sample, params["weight_power"])
        )
    if sample.target == "binary":
        return standardised.model(model.coef_, model.intercept_)
    coefficients, intercept = one_versus_rest(model.coef_, model.intercept_)
    return standardised.model(*_all_classes(sample, coefficients.T, intercept))


def _all_classes(sample: Sample, coefficients: Floats, intercept: Floats) -> tuple[Floats, Floats]:
    """Put the rows of classes that are present at their codes; an absent one stays 10 below the mean."""
    full = np.repeat(coefficients.mean(axis=0, keepdims=True), sample.classes, axis=0)
    base = np.full(sample.classes, float(intercept.mean()) - 10.0)
    full[sample.present], base[sample.present] = coefficients, intercept
    return full, base


LEARNER: Learner = LogisticRegression()
