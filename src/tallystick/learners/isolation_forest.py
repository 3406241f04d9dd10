"""Isolation forest: what few random cuts set apart is odd (Liu et al. 2008)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.learners.base import TABLE, Learner, Sample
from tallystick.learners.settings import chosen, refused_by_library
from tallystick.learners.table import table
from tallystick.learners.trees_from import trees_from_isolation
from tallystick.models.trees import Trees

__all__ = ["LEARNER", "USUAL", "isolate"]

#: n_estimators: trees; rows: how many each is grown on; max_features: the share of columns each looks at;
#: contamination: the share thought odd, which changes nothing here.
USUAL: dict[str, Any] = {
    "n_estimators": 200,
    "rows": 256,
    "max_features": 1.0,
    "contamination": None,
}
# Every tree draws from these rows: more would only take longer.
POOL = 65_536


def isolate(matrix: NDArray[np.float64], sample: Sample, how: Mapping[str, Any]) -> Trees:
    """Grow a forest on these columns; rows are drawn by their weights."""
    from sklearn.ensemble import IsolationForest as Reference

    weights = sample.weights
    if len(matrix) > POOL or (weights != weights[0]).any():
        rng = np.random.default_rng(sample.seed)
        drawn = rng.choice(len(matrix), min(POOL, 4 * len(matrix)), p=weights / weights.sum())
        matrix = matrix[np.sort(drawn)]
    forest = Reference(
        n_estimators=how["n_estimators"],
        max_samples=min(how["rows"], len(matrix)),
        max_features=how["max_features"],
        n_jobs=sample.threads,
        random_state=sample.seed,
    )
    with refused_by_library("isolation_forest"):
        return trees_from_isolation(forest.fit(matrix))


class IsolationForest:
    """Random cuts; settings: those of USUAL. Scaling a column changes nothing."""

    name = "isolation_forest"
    title = "isolation forest"
    takes = frozenset({TABLE})
    needs_labels = False

    def fit(self, sample: Sample) -> Trees:
        """Grow trees; truth is not looked at."""
        how = chosen(self.name, sample.settings, USUAL)
        return isolate(table(sample, needs_labels=False), sample, how)


LEARNER: Learner = IsolationForest()
