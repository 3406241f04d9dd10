"""Local outlier factor on rows that are kept (Breunig et al. 2000)."""

from __future__ import annotations

import numpy as np

from tallystick.errors import DataError
from tallystick.learners.base import Learner, Sample
from tallystick.learners.settings import chosen
from tallystick.learners.table import table
from tallystick.models.neighbours import Neighbours
from tallystick.models.scaling import Scaling

__all__ = ["LEARNER"]

#: neighbours: how many a row is compared with; rows: how many are kept at most, drawn by weight;
#: contamination: the share thought odd, which changes nothing here.
USUAL = {"neighbours": 20, "rows": 4000, "contamination": None}


class LocalOutlierFactor(Learner):
    """Distances between scaled columns; settings: those of USUAL.

    Where there are more rows than are kept, they are drawn by their weights; where all are kept, no weight
    plays a part but in the scale of the columns.
    """

    name = "local_outlier_factor"
    title = "local outlier factor"
    takes = frozenset({"dense"})
    targets = frozenset({"anomaly"})

    def fit(self, sample: Sample) -> Neighbours:
        """Keep rows; truth is not looked at."""
        how = chosen(self.name, sample.settings, USUAL)
        matrix = table(sample, needs_labels=False)
        if np.count_nonzero(sample.weights) < 2:
            raise DataError("One row has no neighbours.", "Give more rows to learn from.")
        scaling = Scaling.fit(matrix, sample.weights)
        kept = min(how["rows"], int(np.count_nonzero(sample.weights)))
        if len(matrix) > kept:
            rng = np.random.default_rng(sample.seed)
            share = sample.weights / sample.weights.sum()
            matrix = matrix[np.sort(rng.choice(len(matrix), kept, replace=False, p=share))]
        return Neighbours.fit(scaling, matrix, how["neighbours"])


LEARNER: Learner = LocalOutlierFactor()
