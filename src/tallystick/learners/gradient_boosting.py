"""Gradient boosting of trees (Chen and Guestrin 2016, XGBoost)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.learners.base import TABLE, Learner, Sample
from tallystick.learners.settings import chosen, refused_by_library
from tallystick.learners.table import event_weights, table
from tallystick.learners.trees_from import trees_from_xgboost
from tallystick.models.trees import Trees

__all__ = ["LEARNER", "USUAL", "boost"]

#: As XGBoost names them, and weight_power: how much the rarer class is weighed up (0: as the rows come, 1:
#: both alike). nthread changes the time taken and no bit of the model.
USUAL: dict[str, Any] = {
    "n_estimators": 300,
    "max_depth": 6,
    "learning_rate": 0.1,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "min_child_weight": 1.0,
    "reg_lambda": 1.0,
    "max_bin": 256,
    "weight_power": 0.0,
    "nthread": 1,
}


def boost(matrix: NDArray[np.float64], sample: Sample, how: Mapping[str, Any]) -> Trees:
    """Grow trees on these columns for the events of a sample; a missing value goes where it serves best."""
    import xgboost

    names = ("max_depth", "learning_rate", "subsample", "colsample_bytree", "min_child_weight", "reg_lambda")
    parameters = {name: how[name] for name in (*names, "max_bin", "nthread")}
    parameters |= {"objective": "binary:logistic", "tree_method": "hist", "seed": sample.seed, "verbosity": 0}
    weight = event_weights(sample, how["weight_power"])
    with refused_by_library("gradient_boosting"):
        data = xgboost.QuantileDMatrix(
            matrix, sample.truth, weight=weight, max_bin=how["max_bin"], nthread=how["nthread"]
        )
        return trees_from_xgboost(xgboost.train(parameters, data, how["n_estimators"]))


class GradientBoosting:
    """Histograms, logistic loss; settings: those of USUAL."""

    name = "gradient_boosting"
    title = "gradient boosting"
    takes = frozenset({TABLE})
    needs_labels = True

    def fit(self, sample: Sample) -> Trees:
        """Fit tree after tree."""
        how = chosen(self.name, sample.settings, USUAL)
        return boost(table(sample), sample, how)


LEARNER: Learner = GradientBoosting()
