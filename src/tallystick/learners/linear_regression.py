"""Linear regression with an L2 penalty (Hoerl and Kennard 1970, "Ridge regression")."""

from __future__ import annotations

import numpy as np

from tallystick.learners.base import Learner, Sample
from tallystick.learners.dense import dense_matrix, one_thread
from tallystick.learners.hyperparameters import refused_by_library, resolve
from tallystick.learners.standardised import Standardised
from tallystick.models import LinearModel

__all__ = ["DEFAULTS", "LEARNER"]

#: alpha: the penalty on squared weights, in rows: 1 is as much as one row says.
DEFAULTS = {"alpha": 1.0}


class LinearRegression(Learner):
    """Squared error; hyperparameters: DEFAULTS.

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

        params = resolve(self.name, sample.settings, DEFAULTS)
        standardised = Standardised.fit(dense_matrix(sample), sample.weights)
        with one_thread(), refused_by_library(self.name):
            model = Ridge(params["alpha"], solver="cholesky").fit(
                standardised.columns, sample.truth, sample_weight=sample.weights
            )
        return standardised.model(model.coef_[None], np.array([model.intercept_]))


LEARNER: Learner = LinearRegression()
