"""Neural network: dense layers on scaled columns, stored as an ONNX graph."""

from __future__ import annotations

import warnings

import numpy as np

from tallystick.learners.base import Learner, Sample
from tallystick.learners.dense import balanced_weights, dense_matrix, one_thread
from tallystick.learners.graph import Graph
from tallystick.learners.hyperparameters import refused_by_library, resolve
from tallystick.models.network import Network
from tallystick.models.scaling import Scaling

__all__ = ["LEARNER"]

#: hidden: the width of each layer; epochs: how often the rows are gone through; alpha: L2 penalty;
#: weight_power: how much the rarer class is weighed up (0: as the rows come, 1: both classes alike).
DEFAULTS = {
    "hidden": (64, 32),
    "epochs": 20,
    "batch": 512,
    "learning_rate": 0.002,
    "alpha": 1e-4,
    "weight_power": 0.5,
}


class NeuralNetwork(Learner):
    """ReLU layers, cross-entropy, Adam (Kingma and Ba 2015); hyperparameters: DEFAULTS.

    Missing values are medians, and a column more says that they were missing.
    """

    name = "neural_network"
    title = "neural network"
    takes = frozenset({"dense"})
    targets = frozenset({"binary"})

    def fit(self, sample: Sample) -> Network:
        """Fit on one thread."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPClassifier

        params = resolve(self.name, sample.settings, DEFAULTS)
        matrix = dense_matrix(sample)
        gone = np.isnan(matrix)
        flagged = np.flatnonzero(gone.any(axis=0) & ~gone.all(axis=0))
        scaling = Scaling.fit(matrix, sample.weights)
        model = MLPClassifier(
            hidden_layer_sizes=params["hidden"],
            batch_size=min(params["batch"], len(matrix)),
            learning_rate_init=params["learning_rate"],
            alpha=params["alpha"],
            max_iter=params["epochs"],
            random_state=sample.seed,
        )
        columns = np.concatenate([scaling.apply(matrix), gone[:, flagged].astype(np.float64)], axis=1)
        with one_thread(), refused_by_library(self.name), warnings.catch_warnings():
            # Going through the rows a set number of times is how it ends.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(columns, sample.truth, sample_weight=balanced_weights(sample, params["weight_power"]))
        graph = Graph(matrix.shape[1])
        start = graph.scaled(scaling)
        if len(flagged):
            start = graph.add("Concat", start, graph.flags(flagged), axis=1)
        # A column that never changed has the weights it started with; they must not matter.
        first = model.coefs_[0] * np.concatenate([scaling.inverse != 0.0, np.ones(len(flagged))])[:, None]
        last = graph.layers(start, [first, *model.coefs_[1:]], model.intercepts_)
        return Network(graph.bytes(last, 1), scaling.fill)


LEARNER: Learner = NeuralNetwork()
