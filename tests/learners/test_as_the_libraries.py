"""Bundled models say what the library that they were learned with would say."""

import numpy as np
import pytest

from tallystick import registry
from tallystick.learners import Sample
from tallystick.models.scaling import Scaling


def data(gaps: bool = False, target: str = "binary", **settings: object) -> Sample:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(400, 4)) * [1, 10, 0.1, 1] + [0, 5, 0, 1]
    truth = (matrix[:, 0] + matrix[:, 1] / 10 + rng.normal(size=400) > 1).astype(np.int64)
    if gaps:
        matrix[rng.random((400, 4)) < 0.1] = np.nan
    return Sample(matrix, truth, 2, settings=settings, target=target)


def test_logistic_regression_is_that_of_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    sample = data(C=0.3, weight_power=1)
    peer = LogisticRegression(C=0.3, class_weight="balanced", tol=1e-8, max_iter=1000)
    theirs = make_pipeline(StandardScaler(), peer).fit(sample.matrix, sample.truth)
    ours = registry.learner("logistic_regression").fit(sample)
    assert ours.raw(sample.matrix)[:, 0] == pytest.approx(theirs.decision_function(sample.matrix), abs=1e-3)


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
