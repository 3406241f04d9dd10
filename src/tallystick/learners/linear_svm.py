"""Linear support vector machine, one class against the rest (Fan et al. 2008, LIBLINEAR)."""

from __future__ import annotations

from tallystick.learners.base import Learner, Sample, class_weights, expand_classes, one_versus_rest
from tallystick.learners.hyperparameters import refused_by_library, resolve
from tallystick.models import LinearModel

__all__ = ["DEFAULTS", "LEARNER"]

#: balance: how much rarer classes are weighed up (0: as the rows come, 1: all classes alike).
DEFAULTS = {"C": 1.0, "balance": 1.0, "tol": 1e-4}


class LinearSvm(Learner):
    """Squared hinge loss; hyperparameters: DEFAULTS."""

    name = "linear_svm"
    title = "linear support vector machine"
    takes = frozenset({"sparse"})
    targets = frozenset({"classes"})

    def fit(self, sample: Sample) -> LinearModel:
        """Fit by dual coordinate descent."""
        from sklearn.svm import LinearSVC

        params = resolve(self.name, sample.settings, DEFAULTS)
        model = LinearSVC(
            class_weight=class_weights(sample, params["balance"]),
            C=params["C"],
            tol=params["tol"],
            random_state=sample.seed,
        )
        with refused_by_library(self.name):
            model.fit(sample.matrix, sample.truth, sample_weight=sample.weights)
        return expand_classes(sample, *one_versus_rest(model.coef_, model.intercept_))


LEARNER: Learner = LinearSvm()
