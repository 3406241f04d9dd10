"""Labels and oddity together: gradient boosting that sees an isolation forest's score as one more column."""

from __future__ import annotations

from tallystick.learners import gradient_boosting, isolation_forest
from tallystick.learners.base import Learner, Sample
from tallystick.learners.settings import chosen
from tallystick.learners.table import table
from tallystick.models.stack import Stack, widened

__all__ = ["LEARNER"]

#: Those of gradient boosting, and of the isolation forest with `isolation_` before them.
USUAL = gradient_boosting.USUAL | {
    f"isolation_{name}": value for name, value in isolation_forest.USUAL.items() if name != "contamination"
}


class AnomalyBoosting(Learner):
    """Settings: those of USUAL. What the score adds has a contribution of its own, `anomaly`."""

    name = "anomaly_boosting"
    title = "gradient boosting with an anomaly score"
    takes = frozenset({"dense"})
    targets = frozenset({"binary"})

    def fit(self, sample: Sample) -> Stack:
        """Fit the isolation forest without labels, then trees on all columns and its score."""
        how = chosen(self.name, sample.settings, USUAL)
        matrix = table(sample)
        alone = isolation_forest.USUAL | {
            name.removeprefix("isolation_"): value
            for name, value in how.items()
            if name.startswith("isolation_")
        }
        first = isolation_forest.isolate(matrix, sample, alone)
        return Stack(first, gradient_boosting.boost(widened(first, matrix, sample.threads), sample, how))


LEARNER: Learner = AnomalyBoosting()
