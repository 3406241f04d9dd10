"""Gradient boosting of trees (Chen and Guestrin 2016, XGBoost)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.errors import UsageError
from tallystick.learners.base import Learner, Sample, all_classes
from tallystick.learners.dense import balanced_weights, dense_matrix
from tallystick.learners.hyperparameters import matching_columns, refused_by_library, resolve
from tallystick.learners.trees_from import trees_from_xgboost, trees_from_xgboost_classes
from tallystick.models.outputs import Outputs
from tallystick.models.trees import Trees

__all__ = ["DEFAULTS", "LEARNER", "boost"]

Floats = NDArray[np.float64]

#: As XGBoost names them. max_bin is high: 256 bins cannot place a limit that few rows lie above
#: (measured: .006 average precision). weight_power: how much the rarer class is weighed up (0: as the rows
#: come, 1: both alike); min_child_events: the least weight of a leaf as a share of the events, where that is
#: more than min_child_weight; negatives: how many rows without the event are learned from at most (0: all),
#: drawn by chance and weighed up for those left out; rising: columns of which more never means less likely,
#: names or patterns (`*__ratio*`) joined by commas.
DEFAULTS: dict[str, Any] = {
    "n_estimators": 300,
    "max_depth": 6,
    "learning_rate": 0.1,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "colsample_bynode": 1.0,
    "num_parallel_tree": 1,
    "min_child_weight": 1.0,
    "reg_lambda": 1.0,
    "max_bin": 1024,
    "weight_power": 0.0,
    "min_child_events": 0.0,
    "negatives": 0,
    "rising": "",
}

FOR_BINARY = ("negatives", "min_child_events")
PASSED = (
    *("max_depth", "learning_rate", "subsample", "colsample_bytree", "colsample_bynode"),
    *("num_parallel_tree", "min_child_weight", "reg_lambda", "max_bin"),
)


OBJECTIVES = {"binary": "binary:logistic", "amount": "reg:squarederror", "classes": "multi:softprob"}


def boost(matrix: Floats, sample: Sample, params: Mapping[str, Any]) -> Trees:
    """Grow trees on these columns for a binary target or an amount."""
    return trees_from_xgboost(_booster(matrix, sample, params, {}))


def _boost_classes(matrix: Floats, sample: Sample, params: Mapping[str, Any]) -> Outputs:
    """Grow trees for each class that is present; an absent one stays below all others."""
    present = replace(
        sample, truth=np.searchsorted(sample.present, sample.truth), classes=len(sample.present)
    )
    trees = trees_from_xgboost_classes(_booster(matrix, present, params, {"num_class": present.classes}))
    lowest = min(own.lowest for own in trees) - 10.0
    return all_classes(sample, trees, Trees.constant(lowest, matrix.shape[1], "sum"))


def _booster(matrix: Floats, sample: Sample, params: Mapping[str, Any], more: Mapping[str, Any]) -> Any:
    """Train XGBoost; a missing value goes where it serves best."""
    import xgboost

    parameters = {name: params[name] for name in PASSED} | {"nthread": sample.threads} | dict(more)
    parameters |= {"objective": OBJECTIVES[sample.target], "seed": sample.seed}
    parameters |= {"tree_method": "hist", "verbosity": 0}
    weight = balanced_weights(sample, params["weight_power"])
    truth = sample.truth
    if params["rising"]:
        rising = matching_columns("rising", params["rising"], sample.names, matrix.shape[1])
        parameters["monotone_constraints"] = tuple(map(int, rising))
    if sample.target == "binary":
        share = params["negatives"] / max(int((truth == 0).sum()), 1)
        if 0 < share < 1:
            kept = _kept(truth, share, sample.seed)
            matrix, truth = matrix[kept], truth[kept]
            weight = np.where(truth == 1, weight[kept], weight[kept] / share)
        least = params["min_child_events"] * float(weight[truth == 1].sum())
        parameters["min_child_weight"] = max(params["min_child_weight"], least)
    with refused_by_library("gradient_boosting"):
        data = xgboost.QuantileDMatrix(
            matrix, truth, weight=weight, max_bin=params["max_bin"], nthread=sample.threads
        )
        return xgboost.train(parameters, data, params["n_estimators"])


def _kept(truth: NDArray[np.int64], share: float, seed: int) -> NDArray[np.int64]:
    """Draw the rows to learn from: all events, and a share of the others."""
    drawn = np.random.default_rng(seed).random(len(truth)) < share
    return np.flatnonzero(drawn | (truth == 1))


class GradientBoosting(Learner):
    """Log loss for an event or classes, squared error for an amount; hyperparameters: DEFAULTS."""

    name = "gradient_boosting"
    title = "gradient boosting"
    takes = frozenset({"dense"})
    targets = frozenset({"amount", "binary", "classes"})

    def fit(self, sample: Sample) -> Trees | Outputs:
        """Fit tree after tree."""
        params = resolve(self.name, sample.settings, DEFAULTS)
        for name in FOR_BINARY if sample.target != "binary" else ():
            if params[name]:
                raise UsageError(f'The setting "{name}" of "{self.name}" is for a binary target alone.')
        if params["rising"] and sample.target == "classes":
            raise UsageError(f'The setting "rising" of "{self.name}" is not for classes.')
        matrix = dense_matrix(sample)
        return (_boost_classes if sample.target == "classes" else boost)(matrix, sample, params)


LEARNER: Learner = GradientBoosting()
