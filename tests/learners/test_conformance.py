"""What every learner of texts that is found must do, without asking for it."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from tallystick import registry
from tallystick.learners import Sample

LEARNERS = [name for name in registry.names("learners") if "sparse" in registry.learner(name).takes]


def sample(rows: int = 300, classes: int = 4, seed: int = 0, absent: int | None = None) -> Sample:
    """Texts as rows of weights: each class has words of its own, and all share some."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, rows)
    if absent is not None:
        truth = np.where(truth == absent, (absent + 1) % classes, truth)
    dense = (rng.random((rows, 60)) < 0.1) * 1.0
    for c in range(classes):
        dense[truth == c, c * 5 : c * 5 + 5] += rng.random((int((truth == c).sum()), 5)) < 0.6
    dense /= np.maximum(np.linalg.norm(dense, axis=1, keepdims=True), 1)
    return Sample(csr_matrix(dense), truth.astype(np.int64), classes, seed=seed)


def scores(learner: str, data: Sample, matrix: object | None = None) -> np.ndarray:
    model = registry.learner(learner).fit(data)
    return np.asarray((data.matrix if matrix is None else matrix) @ model.weights + model.intercept)


@pytest.mark.parametrize("name", LEARNERS)
class TestEveryLearner:
    def test_learns_what_is_there_to_learn(self, name: str) -> None:
        data, fresh = sample(), sample(seed=1)
        assert (scores(name, data, fresh.matrix).argmax(axis=1) == fresh.truth).mean() > 0.75

    def test_same_sample_same_model(self, name: str) -> None:
        first, again = (registry.learner(name).fit(sample()) for _ in range(2))
        assert first.weights.tobytes() == again.weights.tobytes()
        assert first.intercept.tobytes() == again.intercept.tobytes()

    def test_two_classes_are_enough(self, name: str) -> None:
        data = sample(classes=2)
        got = scores(name, data)
        assert got.shape == (300, 2)
        assert (got.argmax(axis=1) == data.truth).mean() > 0.8

    def test_a_class_without_rows_is_never_chosen(self, name: str) -> None:
        data = sample(absent=2)
        got = scores(name, data)
        assert got.shape == (300, 4)
        assert 2 not in got.argmax(axis=1)

    def test_the_model_is_finite_and_fits(self, name: str) -> None:
        model = registry.learner(name).fit(sample())
        assert model.weights.shape == (60, 4)
        assert model.weights.dtype == model.intercept.dtype == np.float64
        assert np.isfinite(model.weights).all()
        assert np.isfinite(model.intercept).all()

    def test_a_class_of_one_row_is_no_obstacle(self, name: str) -> None:
        data = sample()
        truth = np.where(data.truth == 3, 0, data.truth)
        truth[0] = 3
        scores(name, Sample(data.matrix, truth, 4))

    def test_a_row_of_weight_two_counts_as_two_rows(self, name: str) -> None:
        data = sample()
        twice = np.concatenate([np.arange(300), np.arange(100)])
        copied = Sample(data.matrix[twice], data.truth[twice], 4)
        weighed = Sample(data.matrix, data.truth, 4, np.where(np.arange(300) < 100, 2.0, 1.0))
        fresh = sample(seed=1).matrix
        assert scores(name, weighed, fresh) == pytest.approx(scores(name, copied, fresh), abs=0.05)
        assert scores(name, data, fresh) != pytest.approx(scores(name, copied, fresh), abs=0.05)

    def test_the_order_of_classes_does_not_matter(self, name: str) -> None:
        data = sample()
        turned = Sample(data.matrix, 3 - data.truth, 4)
        assert (scores(name, turned).argmax(axis=1) == 3 - scores(name, data).argmax(axis=1)).mean() > 0.99


@pytest.mark.parametrize(
    ("name", "reference", "settings"),
    [
        ("naive_bayes", "MultinomialNB", {"alpha": 0.3}),
        ("complement_naive_bayes", "ComplementNB", {"alpha": 0.3}),
    ],
)
def test_counting_learners_are_those_of_scikit_learn(name: str, reference: str, settings: dict) -> None:
    import sklearn.naive_bayes

    data = sample()
    data = Sample(data.matrix, data.truth, data.classes, settings=settings)
    theirs = getattr(sklearn.naive_bayes, reference)(**settings).fit(data.matrix, data.truth)
    ours, expected = scores(name, data), theirs.predict_joint_log_proba(data.matrix)
    assert ours - ours.mean(axis=1, keepdims=True) == pytest.approx(
        expected - expected.mean(axis=1, keepdims=True)
    )


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_linear_svm_is_that_of_scikit_learn(balance: float) -> None:
    from sklearn.svm import LinearSVC

    data = sample()
    counts = np.bincount(data.truth)
    weights = dict(enumerate((len(data.truth) / (4 * counts)) ** balance))
    theirs = LinearSVC(C=0.7, class_weight=weights, random_state=0).fit(data.matrix, data.truth)
    ours = Sample(data.matrix, data.truth, 4, settings={"C": 0.7, "balance": balance})
    assert scores("linear_svm", ours) == pytest.approx(theirs.decision_function(data.matrix))
