"""Gradient boosting with an isolation forest's anomaly score as one more column."""

from __future__ import annotations

from tallystick.learners import gradient_boosting, isolation_forest
from tallystick.learners.base import Learner, Sample
from tallystick.learners.dense import dense_matrix
from tallystick.learners.hyperparameters import resolve
from tallystick.models.stack import Stack, widened

__all__ = ["LEARNER"]

#: Those of gradient boosting, and of the isolation forest with `isolation_` before them.
DEFAULTS = gradient_boosting.DEFAULTS | {
    f"isolation_{name}": value for name, value in isolation_forest.DEFAULTS.items() if name != "contamination"
}


class AnomalyBoosting(Learner):
    """Hyperparameters: DEFAULTS. What the score adds has a contribution of its own, `anomaly`."""

    name = "anomaly_boosting"
    title = "gradient boosting with an anomaly score"
    takes = frozenset({"dense"})
    targets = frozenset({"binary"})

    def fit(self, sample: Sample) -> Stack:
        """Fit the isolation forest without labels, then trees on all columns and its score."""
        params = resolve(self.name, sample.settings, DEFAULTS)
        matrix = dense_matrix(sample)
        alone = isolation_forest.DEFAULTS | {
            name.removeprefix("isolation_"): value
            for name, value in params.items()
            if name.startswith("isolation_")
        }
        first = isolation_forest.isolate(matrix, sample, alone)
        return Stack(first, gradient_boosting.boost(widened(first, matrix, sample.threads), sample, params))


LEARNER: Learner = AnomalyBoosting()
