import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import xgboost
from sklearn.ensemble import ExtraTreesClassifier, IsolationForest, RandomForestClassifier

from tallystick.errors import UsageError
from tallystick.learners.trees_from import trees_from_forest, trees_from_isolation, trees_from_xgboost
from tallystick.models import Trees


def sample(seed: int, rows: int = 600, missing: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Rows with many ties, values that float32 rounds up or down, and absences that tell something."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 6))
    X[:, 0] = np.round(X[:, 0], 1)
    X[:, 1] = rng.integers(0, 3, rows)
    X[:, 2] = 1e7 + rng.integers(0, 40, rows) / 7
    X[:, 3] = 5.0
    if missing:
        X[rng.random(X.shape) < 0.15] = np.nan
    truth = (np.nan_to_num(X[:, 0]) + np.isnan(X[:, 1]) + rng.normal(size=rows) * 0.5 > 0.6).astype(int)
    return X, truth


def at_thresholds(model: Trees, X: np.ndarray) -> np.ndarray:
    """The same rows, with values put on thresholds and right beside them, in float32 and in float64."""
    rng = np.random.default_rng(0)
    X = X.copy()
    for f in range(X.shape[1]):
        near = model.threshold[(model.feature == f) & (np.abs(model.threshold) < 1e38)]
        if len(near):
            picked = rng.choice(near, len(X)).astype(np.float64)
            beside = [
                picked,
                np.nextafter(picked, -np.inf),
                np.nextafter(picked, np.inf),
                np.nextafter(picked.astype(np.float32), np.float32(-np.inf)),
                X[:, f],
            ]
            X[:, f] = np.choose(rng.integers(0, 5, len(X)), beside)
    return X


def agrees(model: Trees, theirs: Any, X: np.ndarray) -> None:
    for rows in (X, at_thresholds(model, X)):
        assert np.abs(model.library_score(rows) - theirs(rows)).max() < 1e-5
        assert np.abs(model.contributions(rows[:20]).sum(axis=1) - model.raw(rows[:20])[:, 0]).max() < 1e-9
    back = Trees.of(json.loads(json.dumps(model.describe())), model.arrays())
    assert back.raw(X).tobytes() == model.raw(X).tobytes()


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"tree_method": "exact"},
        {"grow_policy": "lossguide", "max_leaves": 9, "max_depth": 0},
        {"num_parallel_tree": 3, "subsample": 0.5},
        {"base_score": 0.02, "gamma": 3.0, "tree_method": "exact"},  # pruned
        {"n_estimators": 3, "min_child_weight": 1e6},  # trees of one leaf
    ],
)
@pytest.mark.parametrize("missing", [True, False])
def test_boosting_agrees_with_xgboost(more: dict[str, Any], missing: bool) -> None:
    X, truth = sample(0, missing=missing)
    settings: dict[str, Any] = {"n_estimators": 20, "max_depth": 6, "n_jobs": 1} | more
    grown = xgboost.XGBClassifier(**settings).fit(X, truth)
    agrees(trees_from_xgboost(grown), lambda rows: grown.predict_proba(rows)[:, 1], X)


def test_boosting_explains_as_xgboost() -> None:
    X, truth = sample(1)
    grown = xgboost.XGBClassifier(n_estimators=20, max_depth=5, n_jobs=1, base_score=0.1).fit(X, truth)
    theirs = grown.get_booster().predict(xgboost.DMatrix(X[:50]), pred_contribs=True)
    assert np.abs(trees_from_xgboost(grown).contributions(X[:50]) - theirs).max() < 1e-4


def test_a_split_of_the_missing_from_the_present_is_kept() -> None:
    X = np.where(np.arange(400)[:, None] % 3 == 0, np.nan, 1.0)
    absent = np.isnan(X[:, 0]).astype(int)
    rows = np.array([[np.nan], [1.0], [-1e30], [1e30]])
    for truth in (absent, 1 - absent):
        boosted = xgboost.XGBClassifier(n_estimators=3, n_jobs=1).fit(X, truth)
        agrees(trees_from_xgboost(boosted), lambda r, m=boosted: m.predict_proba(r)[:, 1], rows)
        bagged = RandomForestClassifier(5, random_state=0).fit(X, truth)
        agrees(trees_from_forest(bagged), lambda r, m=bagged: m.predict_proba(r)[:, 1], rows)


def test_early_stopping_keeps_the_best_rounds_of_a_classifier_and_all_of_a_booster() -> None:
    X, truth = sample(2)
    noise = np.random.default_rng(0).permutation(truth)
    grown = xgboost.XGBClassifier(n_estimators=30, n_jobs=1, early_stopping_rounds=4, num_parallel_tree=2)
    grown.fit(X, truth, eval_set=[(X, noise)], verbose=False)
    ours = trees_from_xgboost(grown)
    booster = grown.get_booster()
    assert len(ours.roots) == 2 * (grown.best_iteration + 1) < 2 * booster.num_boosted_rounds()
    agrees(ours, lambda rows: grown.predict_proba(rows)[:, 1], X)
    whole = trees_from_xgboost(booster)
    assert len(whole.roots) == 2 * booster.num_boosted_rounds()
    agrees(whole, lambda rows: booster.predict(xgboost.DMatrix(rows)), X)


@pytest.mark.parametrize("written", ["2E-1", "[2E-1]", "0.2", 0.2])
def test_the_base_score_is_read_as_every_version_writes_it(written: object) -> None:
    X, truth = sample(3, rows=100)
    booster = xgboost.train(
        {"objective": "binary:logistic", "base_score": 0.2, "nthread": 1}, xgboost.DMatrix(X, truth), 2
    )
    content = json.loads(bytes(booster.save_raw("json")))
    content["learner"]["learner_model_param"]["base_score"] = written
    content["learner"]["gradient_booster"]["model"].pop("iteration_indptr", None)
    other = SimpleNamespace(save_raw=lambda _: json.dumps(content).encode())
    theirs = booster.predict(xgboost.DMatrix(X))
    assert np.abs(trees_from_xgboost(other).library_score(X) - theirs).max() < 1e-5


@pytest.mark.parametrize("event", [0, 1])
def test_labels_all_alike_agree_too(event: int) -> None:
    X, _ = sample(4, rows=50)
    grown = xgboost.train(
        {"objective": "binary:logistic", "nthread": 1}, xgboost.DMatrix(X, np.full(len(X), event)), 2
    )
    agrees(trees_from_xgboost(grown), lambda rows: grown.predict(xgboost.DMatrix(rows)), X)


@pytest.mark.parametrize("settings", [{"objective": "reg:absoluteerror"}, {"booster": "dart"}])
def test_other_boosters_are_refused(settings: dict[str, str]) -> None:
    X, truth = sample(5, rows=50)
    with pytest.raises(UsageError, match="cannot be taken over"):
        trees_from_xgboost(
            xgboost.train({"objective": "binary:logistic"} | settings, xgboost.DMatrix(X, truth), 2)
        )


@pytest.mark.parametrize("missing", [True, False])
@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
def test_forests_agree_with_scikit_learn(kind: Any, missing: bool) -> None:
    X, truth = sample(6, missing=missing)
    grown = kind(15, random_state=0, class_weight="balanced", n_jobs=1).fit(X, truth)
    agrees(trees_from_forest(grown), lambda rows: grown.predict_proba(rows)[:, 1], X)


def test_forests_of_other_classes_are_refused() -> None:
    X, _ = sample(7, rows=60)
    with pytest.raises(UsageError, match="3 classes"):
        trees_from_forest(RandomForestClassifier(2).fit(X, np.arange(60) % 3))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"max_features": 0.5},
        {"max_samples": 1},
        {"max_samples": 2},
        {"max_samples": 1.0, "bootstrap": True},
    ],
)
def test_isolation_forests_agree_with_scikit_learn(settings: dict[str, Any]) -> None:
    X, _ = sample(8, missing=False)
    grown = IsolationForest(n_estimators=15, random_state=0, **settings).fit(X)
    agrees(trees_from_isolation(grown), lambda rows: -grown.score_samples(rows), X)


def test_isolation_forests_take_missing_values() -> None:
    X, _ = sample(9)
    grown = IsolationForest(n_estimators=15, random_state=0).fit(X)
    agrees(trees_from_isolation(grown), lambda rows: -grown.score_samples(rows), X)
