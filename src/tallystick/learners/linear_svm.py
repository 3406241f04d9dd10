"""Linear support vector machine, one class against the rest (Fan et al. 2008, LIBLINEAR)."""

from __future__ import annotations

from tallystick.learners.base import Learner, Sample, class_weights, one_versus_rest, spread
from tallystick.models import LinearModel

__all__ = ["LEARNER"]


class LinearSvm(Learner):
    """Squared hinge loss; settings: C (1), balance (1: classes weigh alike, 0: as they come), tol (1e-4)."""

    name = "linear_svm"
    title = "linear support vector machine"
    takes = frozenset({"sparse"})
    targets = frozenset({"classes"})

    def fit(self, sample: Sample) -> LinearModel:
        """Fit by dual coordinate descent."""
        from sklearn.svm import LinearSVC

        model = LinearSVC(
            class_weight=class_weights(sample, float(sample.settings.get("balance", 1.0))),
            C=float(sample.settings.get("C", 1.0)),
            tol=float(sample.settings.get("tol", 1e-4)),
            random_state=sample.seed,
        ).fit(sample.matrix, sample.truth, sample_weight=sample.weights)
        return spread(sample, *one_versus_rest(model.coef_, model.intercept_))


LEARNER: Learner = LinearSvm()
