"""k-means: segments around k centroids (Lloyd 1982; started by k-means++, Arthur and Vassilvitskii 2007)."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tallystick.errors import DataError
from tallystick.learners.base import Learner, Sample
from tallystick.learners.dense import dense_matrix, one_thread
from tallystick.learners.hyperparameters import refused_by_library, resolve
from tallystick.models.centroids import Centroids
from tallystick.models.scaling import Scaling

__all__ = ["DEFAULTS", "LEARNER"]

#: n_clusters: how many segments; n_init: starts, of which the best is taken; max_iter: steps of each.
DEFAULTS: dict[str, Any] = {"n_clusters": 5, "n_init": 10, "max_iter": 300}


class KMeans(Learner):
    """scikit-learn's KMeans on scaled columns; hyperparameters: DEFAULTS.

    A missing value is its column's median. Segments are in descending order of the weight of their rows.
    """

    name = "kmeans"
    title = "k-means"
    takes = frozenset({"dense"})
    targets = frozenset({"segments"})

    def fit(self, sample: Sample) -> Centroids:
        """Fit on one thread; truth is not read."""
        from sklearn.cluster import KMeans as Reference
        from sklearn.exceptions import ConvergenceWarning

        params = resolve(self.name, sample.settings, DEFAULTS)
        matrix, segments = dense_matrix(sample, needs_labels=False), params["n_clusters"]
        if len(matrix) < segments:
            raise DataError(
                f"{segments} segments need as many rows; there are {len(matrix)}.",
                "Give more rows, or ask for fewer segments: n_clusters.",
            )
        scaling = Scaling.fit(matrix, sample.weights)
        reference = Reference(
            segments, n_init=params["n_init"], max_iter=params["max_iter"], random_state=sample.seed
        )
        # Threads would add up rows in another order.
        with one_thread(), refused_by_library(self.name), warnings.catch_warnings():
            # Fewer different rows than segments: some centroids then are the same.
            warnings.simplefilter("ignore", ConvergenceWarning)
            labels = reference.fit_predict(scaling.apply(matrix), sample_weight=sample.weights)
        size = np.bincount(labels, sample.weights, minlength=segments)
        centroids = reference.cluster_centers_[np.argsort(-size, kind="stable")]
        return Centroids(scaling, np.ascontiguousarray(centroids, np.float64))


LEARNER: Learner = KMeans()
