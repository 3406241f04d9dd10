"""Linear support vector machine, one class against the rest (Fan et al. 2008, LIBLINEAR)."""

from __future__ import annotations

from tallystick.learners.base import Learner, Sample, class_weights, one_versus_rest, spread
from tallystick.learners.settings import chosen, refused_by_library
from tallystick.models import LinearModel

__all__ = ["LEARNER", "USUAL"]

#: balance: how much rarer classes are weighed up (0: as the rows come, 1: all classes alike).
USUAL = {"C": 1.0, "balance": 1.0, "tol": 1e-4}


class LinearSvm(Learner):
    """Squared hinge loss; settings: USUAL."""

    name = "linear_svm"
    title = "linear support vector machine"
    takes = frozenset({"sparse"})
    targets = frozenset({"classes"})

    def fit(self, sample: Sample) -> LinearModel:
        """Fit by dual coordinate descent."""
        from sklearn.svm import LinearSVC

        how = chosen(self.name, sample.settings, USUAL)
        model = LinearSVC(
            class_weight=class_weights(sample, how["balance"]),
            C=how["C"],
            tol=how["tol"],
            random_state=sample.seed,
        )
        with refused_by_library(self.name):
            model.fit(sample.matrix, sample.truth, sample_weight=sample.weights)
        return spread(sample, *one_versus_rest(model.coef_, model.intercept_))


LEARNER: Learner = LinearSvm()
