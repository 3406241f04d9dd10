"""Logistic regression: of classes for texts, of one event for tables."""

from __future__ import annotations

import numpy as np

from tallystick.learners.base import TABLE, TEXT, Learner, Sample, class_weights, one_versus_rest, spread
from tallystick.learners.settings import chosen, refused_by_library
from tallystick.learners.table import event_weights, one_thread, table
from tallystick.models import LinearModel
from tallystick.models.linear_score import LinearScore

__all__ = ["LEARNER"]

#: Of a table: C is how little the weights are held back, weight_power how much the rarer class is weighed up
#: (0: as the rows come, 1: both classes alike).
USUAL = {"C": 1.0, "weight_power": 0.5, "max_iter": 300}


class LogisticRegression:
    """With an L2 penalty; settings for texts: C (10), balance (.5); for tables those of USUAL.

    A table's columns are standardised, a missing value is its column's mean, and that it is missing is a
    column of its own; all this is folded into the weights.
    """

    name = "logistic_regression"
    title = "logistic regression"
    takes = frozenset({TABLE, TEXT})
    needs_labels = True

    def fit(self, sample: Sample) -> LinearModel | LinearScore:
        """Fit by L-BFGS."""
        return _of_table(sample) if isinstance(sample.matrix, np.ndarray) else _of_text(sample)


def _of_text(sample: Sample) -> LinearModel:
    from sklearn.linear_model import LogisticRegression as Reference

    model = Reference(
        class_weight=class_weights(sample, float(sample.settings.get("balance", 0.5))),
        C=float(sample.settings.get("C", 10.0)),
        max_iter=1000,
        tol=1e-3,
    ).fit(sample.matrix, sample.truth, sample_weight=sample.weights)
    return spread(sample, *one_versus_rest(model.coef_, model.intercept_))


def _of_table(sample: Sample) -> LinearScore:
    from sklearn.linear_model import LogisticRegression as Reference

    how = chosen(LogisticRegression.name, sample.settings, USUAL)
    matrix, missing = table(sample), np.isnan(sample.matrix)
    gone = missing.astype(np.float64)
    heavy = sample.weights[:, None] * (1.0 - gone)
    known = heavy.sum(axis=0)
    means = np.where(missing, 0.0, matrix * heavy).sum(axis=0) / np.where(known > 0, known, 1.0)
    filled = np.where(missing, means, matrix)
    width = np.sqrt(np.average((filled - means) ** 2, axis=0, weights=sample.weights))
    share = np.average(gone, axis=0, weights=sample.weights)
    spread_gone = np.sqrt(np.maximum(share * (1.0 - share), 0.0))
    # What never changes gets no weight: width 0 turns into a column of zeros.
    inverse = np.where(width > 1e-12 * (1.0 + np.abs(means)), 1.0 / np.where(width > 0, width, 1.0), 0.0)
    inverse_gone = np.where(spread_gone > 1e-9, 1.0 / np.where(spread_gone > 0, spread_gone, 1.0), 0.0)
    columns = np.concatenate([(filled - means) * inverse, (gone - share) * inverse_gone], axis=1)
    with one_thread(), refused_by_library(LogisticRegression.name):
        model = Reference(C=how["C"], max_iter=how["max_iter"], tol=1e-5).fit(
            columns, sample.truth, sample_weight=event_weights(sample, how["weight_power"])
        )
    weights, flags = np.split(model.coef_[0], 2)
    flags = flags * inverse_gone
    return LinearScore(weights * inverse, means, flags, float(model.intercept_[0] - flags @ share))


LEARNER: Learner = LogisticRegression()
