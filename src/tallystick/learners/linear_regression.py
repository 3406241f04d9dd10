"""Linear regression with an L2 penalty (Hoerl and Kennard 1970, "Ridge regression")."""

from __future__ import annotations

import numpy as np

from tallystick.learners.base import Learner, Sample
from tallystick.learners.settings import chosen, refused_by_library
from tallystick.learners.standardised import Standardised
from tallystick.learners.table import one_thread, table
from tallystick.models import LinearModel

__all__ = ["LEARNER", "USUAL"]

#: alpha: the penalty on squared weights, in rows: 1 is as much as one row says.
USUAL = {"alpha": 1.0}


class LinearRegression(Learner):
    """Squared error; settings: USUAL.

    Columns are standardised, a missing value is its column's mean, and that it is missing is a column of its
    own; all this is folded into the weights.
    """

    name = "linear_regression"
    title = "linear regression"
    takes = frozenset({"dense"})
    targets = frozenset({"amount"})

    def fit(self, sample: Sample) -> LinearModel:
        """Solve the normal equations."""
        from sklearn.linear_model import Ridge

        how = chosen(self.name, sample.settings, USUAL)
        standardised = Standardised.fit(table(sample), sample.weights)
        with one_thread(), refused_by_library(self.name):
            model = Ridge(how["alpha"], solver="cholesky").fit(
                standardised.columns, sample.truth, sample_weight=sample.weights
            )
        return standardised.model(model.coef_[None], np.array([model.intercept_]))


LEARNER: Learner = LinearRegression()
