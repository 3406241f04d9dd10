"""Autoencoder: the reconstruction error of a narrow network is the anomaly score (Hawkins et al. 2002)."""

from __future__ import annotations

import warnings

import numpy as np

from tallystick.learners.base import Learner, Sample
from tallystick.learners.dense import dense_matrix, one_thread
from tallystick.learners.graph import Graph
from tallystick.learners.hyperparameters import refused_by_library, resolve
from tallystick.models.network import Network
from tallystick.models.scaling import Scaling

__all__ = ["LEARNER"]

#: narrow: how many numbers a row is pressed into, 0: a fifth of its columns; width: of one more layer before
#: and one after, 0: none (wide layers learn to repeat what is odd too: on a week of the Handbook's payments
#: and its 15 features average precision is .09 with a width of 32, .30 without);
#: rows: how many are learned from at most, drawn by weight; contamination: the share thought odd, which
#: changes nothing here.
DEFAULTS = {
    "width": 0,
    "narrow": 0,
    "epochs": 15,
    "batch": 512,
    "learning_rate": 0.002,
    "alpha": 1e-4,
    "rows": 200_000,
    "contamination": None,
}


class Autoencoder(Learner):
    """ReLU layers with a narrow one amid; the score is a row's mean squared error; hyperparameters: DEFAULTS.

    What each column adds is its own squared error over their number. A missing value has no error.
    """

    name = "autoencoder"
    title = "autoencoder"
    takes = frozenset({"dense"})
    targets = frozenset({"anomaly"})

    def fit(self, sample: Sample) -> Network:
        """Fit on one thread; truth is not looked at."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPRegressor

        params = resolve(self.name, sample.settings, DEFAULTS)
        matrix, weight = dense_matrix(sample, needs_labels=False), sample.weights
        if len(matrix) > params["rows"]:
            rng = np.random.default_rng(sample.seed)
            drawn = np.sort(rng.choice(len(matrix), params["rows"], p=weight / weight.sum()))
            matrix, weight = matrix[drawn], np.ones(len(drawn))
        features = matrix.shape[1]
        scaling = Scaling.fit(matrix, weight)
        columns = scaling.apply(matrix)
        outer = (params["width"],) if params["width"] else ()
        model = MLPRegressor(
            hidden_layer_sizes=(*outer, params["narrow"] or max(1, features // 5), *outer),
            batch_size=min(params["batch"], len(matrix)),
            learning_rate_init=params["learning_rate"],
            alpha=params["alpha"],
            max_iter=params["epochs"],
            random_state=sample.seed,
        )
        with one_thread(), refused_by_library(self.name), warnings.catch_warnings():
            # Going through the rows a set number of times is how it ends.
            warnings.simplefilter("ignore", ConvergenceWarning)
            target = columns if features > 1 else columns[:, 0]
            model.fit(columns, target, sample_weight=weight * (len(weight) / weight.sum()))
        weights, biases = model.coefs_, model.intercepts_
        if features == 1:
            # One number cannot be pressed into fewer: its distance from the usual is its error.
            weights, biases = [np.zeros((1, 1))], [np.zeros(1)]
        graph = Graph(features)
        start = graph.scaled(scaling)
        error = graph.add("Sub", graph.layers(start, weights, biases), start)
        known = graph.add("Where", graph.missing(), graph.constant(0.0), error)
        # A column that never changed says nothing of a row.
        share = graph.constant((scaling.inverse != 0.0) / features)
        last = graph.add("Mul", graph.add("Mul", known, known), share)
        return Network(graph.bytes(last, features), scaling.fill, parts=True)


LEARNER: Learner = Autoencoder()
