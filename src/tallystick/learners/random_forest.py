"""Random forest (Breiman 2001)."""

from __future__ import annotations

from tallystick.learners.base import Learner, Sample
from tallystick.learners.settings import chosen, refused_by_library
from tallystick.learners.table import event_weights, table
from tallystick.learners.trees_from import trees_from_forest
from tallystick.models.trees import Trees

__all__ = ["LEARNER"]

#: As scikit-learn names them; but max_features: the share of columns looked at for a split, 0: the root of
#: their number; weight_power: how much the rarer class is weighed up (0: as the rows come, 1: both classes
#: alike).
USUAL = {
    "n_estimators": 100,
    "max_depth": 14,
    "min_samples_leaf": 5,
    "max_features": 0.0,
    "weight_power": 0.5,
}


class RandomForest(Learner):
    """Trees on rows drawn anew for each; settings: those of USUAL. Its score is a probability."""

    name = "random_forest"
    title = "random forest"
    takes = frozenset({"dense"})
    targets = frozenset({"binary"})

    def fit(self, sample: Sample) -> Trees:
        """Fit each tree by itself."""
        from sklearn.ensemble import RandomForestClassifier

        how = chosen(self.name, sample.settings, USUAL)
        matrix = table(sample)
        forest = RandomForestClassifier(
            n_estimators=how["n_estimators"],
            max_depth=how["max_depth"],
            min_samples_leaf=how["min_samples_leaf"],
            max_features=how["max_features"] or "sqrt",
            n_jobs=sample.threads,
            random_state=sample.seed,
        )
        with refused_by_library(self.name):
            forest.fit(matrix, sample.truth, sample_weight=event_weights(sample, how["weight_power"]))
        return trees_from_forest(forest)


LEARNER: Learner = RandomForest()
