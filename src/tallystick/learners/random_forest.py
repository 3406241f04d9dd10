"""Random forest (Breiman 2001) of an event, of classes or of an amount."""

from __future__ import annotations

from tallystick.learners.base import Learner, Sample, all_classes
from tallystick.learners.dense import balanced_weights, dense_matrix
from tallystick.learners.hyperparameters import refused_by_library, resolve
from tallystick.learners.trees_from import trees_from_forest, trees_from_forest_classes
from tallystick.models.outputs import Outputs
from tallystick.models.trees import Trees

__all__ = ["LEARNER"]

#: As scikit-learn names them; but max_features: the share of columns looked at for a split, 0: the root of
#: their number, of an amount a third; weight_power: how much rarer classes are weighed up (0: as the rows
#: come, 1: all classes alike).
DEFAULTS = {
    "n_estimators": 100,
    "max_depth": 14,
    "min_samples_leaf": 5,
    "max_features": 0.0,
    "weight_power": 0.5,
}


class RandomForest(Learner):
    """Trees on rows drawn anew for each; hyperparameters: DEFAULTS. The score of a class is a probability."""

    name = "random_forest"
    title = "random forest"
    takes = frozenset({"dense"})
    targets = frozenset({"amount", "binary", "classes"})

    def fit(self, sample: Sample) -> Trees | Outputs:
        """Fit each tree by itself."""
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        params = resolve(self.name, sample.settings, DEFAULTS)
        matrix, amount = dense_matrix(sample), sample.target == "amount"
        forest = (RandomForestRegressor if amount else RandomForestClassifier)(
            n_estimators=params["n_estimators"],
            max_depth=params["max_depth"],
            min_samples_leaf=params["min_samples_leaf"],
            max_features=params["max_features"] or (1 / 3 if amount else "sqrt"),
            n_jobs=sample.threads,
            random_state=sample.seed,
        )
        with refused_by_library(self.name):
            forest.fit(matrix, sample.truth, sample_weight=balanced_weights(sample, params["weight_power"]))
        if sample.target != "classes":
            return trees_from_forest(forest)
        absent = Trees.constant(0.0, matrix.shape[1], "mean_probability")
        return all_classes(sample, trees_from_forest_classes(forest), absent)


LEARNER: Learner = RandomForest()
