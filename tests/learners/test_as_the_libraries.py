"""Bundled models say what the library that they were learned with would say."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from tallystick import registry
from tallystick.learners import Sample
from tallystick.models import probabilities
from tallystick.models.scaling import Scaling


def data(gaps: bool = False, target: str = "binary", **settings: object) -> Sample:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(400, 4)) * [1, 10, 0.1, 1] + [0, 5, 0, 1]
    truth = (matrix[:, 0] + matrix[:, 1] / 10 + rng.normal(size=400) > 1).astype(np.int64)
    if gaps:
        matrix[rng.random((400, 4)) < 0.1] = np.nan
    return Sample(matrix, truth, 2, settings=settings, target=target)


def three(gaps: bool = False, **settings: object) -> Sample:
    sample = data(gaps, "classes", **settings)
    truth = np.nan_to_num(sample.matrix[:, 1]) + np.random.default_rng(1).normal(0, 5, 400)
    return replace(sample, truth=np.digitize(truth, [0, 8]), classes=3)


def amount(gaps: bool = False, **settings: object) -> Sample:
    sample = data(gaps, "amount", **settings)
    truth = 20 + np.nan_to_num(sample.matrix) @ [3, 1, -5, 0] + np.random.default_rng(1).normal(size=400)
    return replace(sample, truth=truth)


def test_logistic_regression_is_that_of_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    sample = data(C=0.3, weight_power=1)
    peer = LogisticRegression(C=0.3, class_weight="balanced", tol=1e-8, max_iter=1000)
    theirs = make_pipeline(StandardScaler(), peer).fit(sample.matrix, sample.truth)
    ours = registry.learner("logistic_regression").fit(sample)
    assert ours.raw(sample.matrix)[:, 0] == pytest.approx(theirs.decision_function(sample.matrix), abs=1e-3)


def test_multinomial_regression_is_that_of_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    sample = three(C=0.3, weight_power=1)
    peer = LogisticRegression(C=0.3, class_weight="balanced", tol=1e-8, max_iter=1000)
    theirs = make_pipeline(StandardScaler(), peer).fit(sample.matrix, sample.truth)
    ours = registry.learner("logistic_regression").fit(sample)
    assert ours.raw(sample.matrix) == pytest.approx(theirs.decision_function(sample.matrix), abs=1e-2)


def test_binary_regression_on_sparse_rows_is_that_of_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression

    sample = data(C=3, balance=0)
    sparse = csr_matrix(sample.matrix * (sample.matrix > 0))
    theirs = LogisticRegression(C=3, tol=1e-3, max_iter=1000).fit(sparse, sample.truth)
    ours = registry.learner("logistic_regression").fit(replace(sample, matrix=sparse))
    assert ours.raw(sparse)[:, 0] == pytest.approx(theirs.decision_function(sparse), abs=1e-9)


@pytest.mark.parametrize("alpha", [0.0, 3.0])
def test_linear_regression_is_the_ridge_of_scikit_learn(alpha: float) -> None:
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    sample = amount(alpha=alpha)
    theirs = make_pipeline(StandardScaler(), Ridge(alpha, solver="svd")).fit(sample.matrix, sample.truth)
    ours = registry.learner("linear_regression").fit(sample)
    assert ours.raw(sample.matrix)[:, 0] == pytest.approx(theirs.predict(sample.matrix), abs=1e-9)


#: Settings of a benchmark on a plain table, by XGBoost's own names.
PLAIN = {
    "n_estimators": 80,
    "max_depth": 5,
    "learning_rate": 0.07,
    "subsample": 0.7,
    "colsample_bytree": 0.6,
    "min_child_weight": 2.0,
    "reg_lambda": 1.5,
    "max_bin": 64,
}


@pytest.mark.parametrize("gaps", [False, True])
def test_gradient_boosting_with_plain_settings_is_that_of_xgboost(gaps: bool) -> None:
    from xgboost import XGBClassifier, XGBRegressor

    booster = registry.learner("gradient_boosting")
    common = PLAIN | {"random_state": 5, "n_jobs": 1}
    binary, classes = data(gaps, **PLAIN), three(gaps, **PLAIN)
    for sample in (replace(binary, seed=5), replace(classes, seed=5)):
        theirs = XGBClassifier(**common).fit(sample.matrix, sample.truth)
        raw = booster.fit(sample).raw(sample.matrix)
        logits = np.column_stack([np.zeros(len(raw)), raw]) if raw.shape[1] == 1 else raw
        assert probabilities(logits) == pytest.approx(theirs.predict_proba(sample.matrix), abs=1e-6)
    sample = replace(amount(gaps, **PLAIN), seed=5)
    predicted = XGBRegressor(**common).fit(sample.matrix, sample.truth).predict(sample.matrix)
    ours = booster.fit(sample).raw(sample.matrix)[:, 0]
    # XGBoost adds up in float32.
    assert ours == pytest.approx(predicted, abs=1e-6 * float(np.abs(predicted).max()))


def test_weighted_rows_are_those_of_xgboost() -> None:
    from xgboost import XGBRegressor

    sample = amount(**PLAIN)
    weight = np.random.default_rng(1).random(len(sample.truth)) + 0.5
    weight /= weight.mean()
    theirs = XGBRegressor(**PLAIN, random_state=0, n_jobs=1).fit(
        sample.matrix, sample.truth, sample_weight=weight
    )
    ours = registry.learner("gradient_boosting").fit(replace(sample, weight=weight))
    predicted = theirs.predict(sample.matrix)
    assert ours.raw(sample.matrix)[:, 0] == pytest.approx(
        predicted, abs=1e-6 * float(np.abs(predicted).max())
    )


@pytest.mark.parametrize("gaps", [False, True])
def test_the_random_forest_is_that_of_scikit_learn(gaps: bool) -> None:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    forest = registry.learner("random_forest")
    common = {"n_estimators": 20, "max_depth": 6, "min_samples_leaf": 5, "random_state": 0}
    quick = {"n_estimators": 20, "max_depth": 6}
    sample = three(gaps, **quick, weight_power=1)
    classifier = RandomForestClassifier(**common, class_weight="balanced").fit(sample.matrix, sample.truth)
    ours = forest.fit(sample).raw(sample.matrix)
    assert ours == pytest.approx(classifier.predict_proba(sample.matrix), abs=1e-9)
    sample = amount(gaps, **quick)
    # Rows are drawn by weight, and by another draw where there are no weights at all.
    regressor = RandomForestRegressor(**common, max_features=1 / 3).fit(
        sample.matrix, sample.truth, sample_weight=sample.weights
    )
    ours = forest.fit(sample).raw(sample.matrix)[:, 0]
    assert ours == pytest.approx(regressor.predict(sample.matrix), abs=1e-9)


def test_k_means_is_that_of_scikit_learn() -> None:
    from sklearn.cluster import KMeans

    sample = three(gaps=True, n_clusters=3)
    columns = Scaling.fit(sample.matrix, sample.weights).apply(sample.matrix)
    theirs = KMeans(3, n_init=10, random_state=0).fit(columns)
    ours = registry.learner("kmeans").fit(replace(sample, target="segments")).raw(sample.matrix)
    by_size = np.argsort(-np.bincount(theirs.labels_), kind="stable")
    assert ours == pytest.approx(theirs.transform(columns)[:, by_size] ** 2, abs=1e-9)
    assert (by_size[ours.argmin(axis=1)] == theirs.labels_).all()


@pytest.mark.parametrize(
    ("name", "reference"), [("naive_bayes", "MultinomialNB"), ("complement_naive_bayes", "ComplementNB")]
)
def test_counting_learners_are_those_of_scikit_learn(name: str, reference: str) -> None:
    import sklearn.naive_bayes

    sample = three(alpha=0.3)
    counts = csr_matrix(np.abs(sample.matrix))
    theirs = getattr(sklearn.naive_bayes, reference)(alpha=0.3).fit(counts, sample.truth)
    ours = registry.learner(name).fit(replace(sample, matrix=counts)).raw(counts)
    expected = theirs.predict_joint_log_proba(counts)
    assert ours - ours.mean(axis=1, keepdims=True) == pytest.approx(
        expected - expected.mean(axis=1, keepdims=True)
    )


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_linear_svm_is_that_of_scikit_learn(balance: float) -> None:
    from sklearn.svm import LinearSVC

    sample = three(C=0.7, balance=balance)
    sparse = csr_matrix(np.abs(sample.matrix) / 10)
    counts = np.bincount(sample.truth)
    weights = dict(enumerate((len(sample.truth) / (3 * counts)) ** balance))
    theirs = LinearSVC(C=0.7, class_weight=weights, random_state=0).fit(sparse, sample.truth)
    ours = registry.learner("linear_svm").fit(replace(sample, matrix=sparse))
    assert ours.raw(sparse) == pytest.approx(theirs.decision_function(sparse))


def test_that_a_value_is_missing_has_a_weight_of_its_own() -> None:
    sample = data()
    sample.matrix[sample.truth == 1, 2] = np.nan
    model = registry.learner("logistic_regression").fit(sample)
    assert model.missing[2, 0] > 1
    assert model.missing[:2, 0].tolist() == [0.0, 0.0]


def test_the_graph_of_the_neural_network_is_what_was_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn import neural_network

    kept = []
    fit = neural_network.MLPClassifier.fit
    monkeypatch.setattr(
        neural_network.MLPClassifier,
        "fit",
        lambda self, *a, **k: kept.append((self, a[0])) or fit(self, *a, **k),
    )
    sample = data(gaps=True, hidden=(8, 4), epochs=5)
    ours = registry.learner("neural_network").fit(sample)
    [(theirs, columns)] = kept
    chance = theirs.predict_proba(columns)[:, 1]
    assert columns.shape == (400, 8)
    assert 1 / (1 + np.exp(-ours.raw(sample.matrix)[:, 0])) == pytest.approx(chance, abs=1e-9)


def test_the_graph_of_the_autoencoder_is_what_was_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn import neural_network

    kept = []
    fit = neural_network.MLPRegressor.fit
    monkeypatch.setattr(
        neural_network.MLPRegressor,
        "fit",
        lambda self, *a, **k: kept.append((self, a[0])) or fit(self, *a, **k),
    )
    sample = data(gaps=True, width=6, narrow=2, epochs=5)
    ours = registry.learner("autoencoder").fit(sample)
    [(theirs, columns)] = kept
    error = (theirs.predict(columns) - columns) ** 2
    error[np.isnan(sample.matrix)] = 0.0
    assert columns == pytest.approx(Scaling.fit(sample.matrix, sample.weights).apply(sample.matrix))
    assert ours.raw(sample.matrix)[:, 0] == pytest.approx(error.mean(axis=1), abs=1e-9)
    assert ours.contributions(sample.matrix)[:, :-1] == pytest.approx(error / 4, abs=1e-9)


@pytest.mark.parametrize("gaps", [False, True])
def test_the_isolation_forest_is_that_of_scikit_learn(gaps: bool) -> None:
    from sklearn.ensemble import IsolationForest

    sample = data(gaps)
    theirs = IsolationForest(n_estimators=200, max_samples=256, random_state=0).fit(sample.matrix)
    ours = registry.learner("isolation_forest").fit(sample)
    assert ours.library_score(sample.matrix) == pytest.approx(-theirs.score_samples(sample.matrix), abs=1e-5)


def test_the_anomaly_score_is_a_column_of_the_mix() -> None:
    sample = data(n_estimators=5)
    stack = registry.learner("anomaly_boosting").fit(sample)
    alone = registry.learner("isolation_forest").fit(data())
    assert stack.first.raw(sample.matrix).tobytes() == alone.raw(sample.matrix).tobytes()
    widened = np.column_stack([sample.matrix, alone.raw(sample.matrix)])
    assert stack.raw(sample.matrix).tobytes() == stack.second.raw(widened).tobytes()
    assert stack.added == ("anomaly",)
