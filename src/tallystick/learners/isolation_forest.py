"""Isolation forest: rows that few random splits isolate are anomalies (Liu et al. 2008)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.learners.base import Learner, Sample
from tallystick.learners.dense import dense_matrix
from tallystick.learners.hyperparameters import matching_columns, refused_by_library, resolve
from tallystick.learners.trees_from import trees_from_isolation
from tallystick.models.trees import Trees

__all__ = ["DEFAULTS", "LEARNER", "isolate"]

#: n_estimators: trees; rows: how many each is grown on; max_features: the share of columns each looks at;
#: rising: columns of which only more than the usual is odd, names or patterns (`*__ratio*`) joined by commas;
#: contamination: the share thought odd, which changes nothing here.
DEFAULTS: dict[str, Any] = {
    "n_estimators": 200,
    "rows": 256,
    "max_features": 1.0,
    "rising": "",
    "contamination": None,
}
# Every tree draws from these rows: more would only take longer.
POOL = 65_536


def isolate(matrix: NDArray[np.float64], sample: Sample, params: Mapping[str, Any]) -> Trees:
    """Grow a forest on these columns; rows are drawn by their weights."""
    from sklearn.ensemble import IsolationForest as Reference

    weights = sample.weights
    if len(matrix) > POOL or (weights != weights[0]).any():
        rng = np.random.default_rng(sample.seed)
        drawn = rng.choice(len(matrix), min(POOL, 4 * len(matrix)), p=weights / weights.sum())
        matrix = matrix[np.sort(drawn)]
    rising = np.array(matching_columns("rising", params["rising"], sample.names, matrix.shape[1]))
    if rising.any():
        matrix = _at_least_usual(matrix, rising)
    forest = Reference(
        n_estimators=params["n_estimators"],
        max_samples=min(params["rows"], len(matrix)),
        max_features=params["max_features"],
        n_jobs=sample.threads,
        random_state=sample.seed,
    )
    with refused_by_library("isolation_forest"):
        trees = trees_from_isolation(forest.fit(matrix))
    # What is missing is as ordinary as what is little: it goes left, where every cut leaves the usual.
    return replace(trees, missing_left=trees.missing_left | ((trees.left >= 0) & rising[trees.feature]))


def _at_least_usual(matrix: NDArray[np.float64], rising: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Raise what is below the median of its column, or missing, to it, so that no cut falls below.

    A row that is scored needs no such change: what lies below the median goes left at every cut, as it does.
    """
    raised = matrix.copy()
    for column in np.flatnonzero(rising & ~np.isnan(matrix).all(axis=0)):
        raised[:, column] = np.fmax(matrix[:, column], np.nanmedian(matrix[:, column]))
    return raised


class IsolationForest(Learner):
    """Random cuts; hyperparameters: DEFAULTS. Scaling a column changes nothing.

    A forest that also finds little odd spends cuts on it: on 150,000 payments of the simulator's own bank
    average precision on three columns without labels is .23, and .28 where they are `rising`; on a week of
    the Handbook's payments it is .25 either way.
    """

    name = "isolation_forest"
    title = "isolation forest"
    takes = frozenset({"dense"})
    targets = frozenset({"anomaly"})

    def fit(self, sample: Sample) -> Trees:
        """Grow trees; truth is not looked at."""
        params = resolve(self.name, sample.settings, DEFAULTS)
        return isolate(dense_matrix(sample, needs_labels=False), sample, params)


LEARNER: Learner = IsolationForest()
