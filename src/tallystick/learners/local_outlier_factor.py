"""Local outlier factor (Breunig et al. 2000) against stored training rows."""

from __future__ import annotations

import numpy as np

from tallystick.errors import DataError
from tallystick.learners.base import Learner, Sample
from tallystick.learners.dense import dense_matrix
from tallystick.learners.hyperparameters import resolve
from tallystick.models.neighbours import Neighbours
from tallystick.models.scaling import Scaling

__all__ = ["LEARNER"]

#: neighbours: how many a row is compared with; rows: how many are kept at most, drawn by weight;
#: contamination: the share thought odd, which changes nothing here.
DEFAULTS = {"neighbours": 20, "rows": 4000, "contamination": None}


class LocalOutlierFactor(Learner):
    """Distances between scaled columns; hyperparameters: DEFAULTS.

    Where there are more rows than are kept, they are drawn by their weights; where all are kept, no weight
    plays a part but in the scale of the columns.
    """

    name = "local_outlier_factor"
    title = "local outlier factor"
    takes = frozenset({"dense"})
    targets = frozenset({"anomaly"})

    def fit(self, sample: Sample) -> Neighbours:
        """Keep rows; truth is not looked at."""
        params = resolve(self.name, sample.settings, DEFAULTS)
        matrix = dense_matrix(sample, needs_labels=False)
        if np.count_nonzero(sample.weights) < 2:
            raise DataError("One row has no neighbours.", "Give more rows to learn from.")
        scaling = Scaling.fit(matrix, sample.weights)
        kept = min(params["rows"], int(np.count_nonzero(sample.weights)))
        if len(matrix) > kept:
            rng = np.random.default_rng(sample.seed)
            share = sample.weights / sample.weights.sum()
            matrix = matrix[np.sort(rng.choice(len(matrix), kept, replace=False, p=share))]
        return Neighbours.fit(scaling, matrix, params["neighbours"])


LEARNER: Learner = LocalOutlierFactor()
