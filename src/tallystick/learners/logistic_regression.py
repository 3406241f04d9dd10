"""Logistic regression with an L2 penalty: binary or multinomial, on dense or sparse features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tallystick.learners.base import Learner, Sample, class_weights, one_versus_rest, spread
from tallystick.learners.settings import chosen, refused_by_library
from tallystick.learners.standardised import Standardised
from tallystick.learners.table import event_weights, one_thread, refuse_unlearnable, table
from tallystick.models import LinearModel

__all__ = ["LEARNER", "USUAL"]

Floats = NDArray[np.float64]

#: On dense features: C is the inverse of the penalty, weight_power how much rarer classes are weighed up
#: (0: as the rows come, 1: all classes alike).
USUAL = {"C": 1.0, "weight_power": 0.5, "max_iter": 300}

#: On sparse features; balance is their weight_power.
USUAL_SPARSE = {"C": 10.0, "balance": 0.5, "max_iter": 1000, "tol": 1e-3}


class LogisticRegression(Learner):
    """Fitted by L-BFGS (scikit-learn); settings: USUAL, on sparse features USUAL_SPARSE.

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

    how = chosen(LogisticRegression.name, sample.settings, USUAL_SPARSE)
    refuse_unlearnable(sample)
    weights = class_weights(sample, how["balance"])
    with refused_by_library(LogisticRegression.name):
        model = Reference(C=how["C"], max_iter=how["max_iter"], tol=how["tol"], class_weight=weights).fit(
            sample.matrix, sample.truth, sample_weight=sample.weights
        )
    if sample.target == "binary":
        return LinearModel(np.ascontiguousarray(model.coef_.T), model.intercept_)
    return spread(sample, *one_versus_rest(model.coef_, model.intercept_))


def _dense(sample: Sample) -> LinearModel:
    from sklearn.linear_model import LogisticRegression as Reference

    how = chosen(LogisticRegression.name, sample.settings, USUAL)
    standardised = Standardised.fit(table(sample), sample.weights)
    with one_thread(), refused_by_library(LogisticRegression.name):
        model = Reference(C=how["C"], max_iter=how["max_iter"], tol=1e-5).fit(
            standardised.columns, sample.truth, sample_weight=event_weights(sample, how["weight_power"])
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
