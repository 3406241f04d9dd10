"""What every learner of tables that is found must do, without asking for it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tallystick import registry
from tallystick.errors import DataError, UsageError
from tallystick.learners import Sample, refuse_unless
from tallystick.models import load, save
from tallystick.models.base import Model, load_model

LEARNERS = [name for name in registry.names("learners") if "dense" in registry.learner(name).takes]
WITH_LABELS = [name for name in LEARNERS if registry.learner(name).needs_labels]
DETECTORS = [name for name in LEARNERS if name not in WITH_LABELS]
# Small enough to be quick, large enough to learn something.
QUICK = {
    "anomaly_boosting": {"n_estimators": 20, "max_depth": 3, "isolation_n_estimators": 20},
    "autoencoder": {"epochs": 25, "batch": 32, "learning_rate": 0.01},
    "gradient_boosting": {"n_estimators": 20, "max_depth": 3},
    "isolation_forest": {"n_estimators": 40},
    "neural_network": {"hidden": (8,), "epochs": 30, "batch": 32, "learning_rate": 0.01},
    "random_forest": {"n_estimators": 20, "max_depth": 6},
}


def sample(name: str, count: int = 300, seed: int = 0, **settings: object) -> Sample:
    """Five columns, one with gaps and a long tail, one constant; few rows are far out, and events."""
    rng = np.random.default_rng(seed)
    truth = (np.arange(count) % (30 if name in DETECTORS else 8) == 0).astype(np.int64)
    matrix = rng.normal(size=(count, 5))
    matrix[:, 1] = 0.8 * matrix[:, 0] + 0.2 * matrix[:, 1]
    matrix[truth == 1, :2] += rng.normal((3, -3), 1, (int(truth.sum()), 2))
    matrix[:, 2] = np.exp(matrix[:, 2])
    matrix[rng.random(count) < 0.2, 2] = np.nan
    matrix[:, 3] = 7.0
    return Sample(matrix, truth, 2, seed=seed, settings=QUICK.get(name, {}) | settings, target="binary")


def fit(name: str, data: Sample) -> Model:
    model: Model = registry.learner(name).fit(data)
    return model


def same(first: Model, again: Model) -> bool:
    ours, theirs = first.arrays(), again.arrays()
    return (
        first.describe() == again.describe()
        and ours.keys() == theirs.keys()
        and all(ours[key].tobytes() == theirs[key].tobytes() for key in ours)
    )


def auc(truth: np.ndarray, score: np.ndarray) -> float:
    events, rest = score[truth == 1], score[truth == 0]
    return float((events[:, None] > rest[None, :]).mean() + 0.5 * (events[:, None] == rest[None, :]).mean())


def test_there_are_learners_of_both_kinds() -> None:
    assert len(WITH_LABELS) >= 5
    assert len(DETECTORS) >= 3


@pytest.mark.parametrize("name", LEARNERS)
class TestEveryLearnerOfTables:
    def test_finds_what_is_there_to_find(self, name: str) -> None:
        fresh = sample(name, seed=1)
        assert auc(fresh.truth, fit(name, sample(name)).raw(fresh.matrix)[:, 0]) > 0.9

    def test_same_sample_same_model(self, name: str) -> None:
        assert same(fit(name, sample(name)), fit(name, sample(name)))

    def test_threads_change_no_bit(self, name: str) -> None:
        model, fresh = fit(name, sample(name)), sample(name, count=9000, seed=1).matrix
        assert model.raw(fresh, threads=2).tobytes() == model.raw(fresh).tobytes()
        few = fresh[:40]
        assert model.contributions(few, threads=2).tobytes() == model.contributions(few).tobytes()
        assert same(model, fit(name, replace(sample(name), threads=2)))

    def test_one_row_is_as_in_a_batch(self, name: str) -> None:
        model, fresh = fit(name, sample(name)), sample(name, seed=1).matrix[:60]
        together, reasons = model.raw(fresh), model.contributions(fresh)
        alone = np.concatenate([model.raw(row[None]) for row in fresh])
        alone_reasons = np.concatenate([model.contributions(row[None]) for row in fresh])
        if model.kind == "network":
            assert alone == pytest.approx(together, abs=1e-6, rel=1e-6)
            assert alone_reasons == pytest.approx(reasons, abs=1e-6, rel=1e-6)
        else:
            assert alone.tobytes() == together.tobytes()
            assert alone_reasons.tobytes() == reasons.tobytes()

    def test_no_rows_have_no_scores(self, name: str) -> None:
        model = fit(name, sample(name))
        added = len(getattr(model, "added", ()))
        assert model.raw(np.empty((0, 5))).shape == (0, 1)
        assert model.contributions(np.empty((0, 5))).shape == (0, 6 + added)

    def test_contributions_add_up_to_the_score(self, name: str) -> None:
        model, fresh = fit(name, sample(name)), sample(name, seed=1).matrix[:60]
        raw, reasons = model.raw(fresh)[:, 0], model.contributions(fresh)
        assert raw.dtype == reasons.dtype == np.float64
        assert np.isfinite(reasons).all()
        assert reasons.shape == (60, 6 + len(getattr(model, "added", ())))
        assert reasons.sum(axis=1) == pytest.approx(raw, abs=1e-6, rel=1e-6)
        assert np.abs(reasons[:, 3]).max() < 1e-9, "a constant column moves nothing"

    def test_a_bundle_keeps_it(self, name: str, tmp_path: Path) -> None:
        model, fresh = fit(name, sample(name)), sample(name, seed=1).matrix[:60]
        save(
            tmp_path / "m", {"solution": "s", "task": "t", "model": model.describe()}, model.arrays(), "card"
        )
        bundle = load(tmp_path / "m")
        back = load_model(bundle.manifest["model"], bundle.arrays)
        assert back.kind == model.kind
        assert back.raw(fresh).tobytes() == model.raw(fresh).tobytes()
        assert back.contributions(fresh).tobytes() == model.contributions(fresh).tobytes()

    def test_gaps_anywhere_are_no_obstacle(self, name: str) -> None:
        data = sample(name)
        data.matrix[:, 4] = np.nan
        model = fit(name, data)
        nothing = np.full((1, 5), np.nan)
        assert np.isfinite(model.raw(nothing)).all()
        assert np.isfinite(model.contributions(nothing)).all()
        never_missing = np.array([[0.0, np.nan, 1.0, np.nan, np.nan]])
        assert np.isfinite(model.raw(never_missing)).all()

    def test_what_never_changes_moves_no_score(self, name: str) -> None:
        data = sample(name)
        model, other = fit(name, data), data.matrix[:20].copy()
        other[:, 3] = -50.0
        assert model.raw(other) == pytest.approx(model.raw(data.matrix[:20]), abs=1e-9)

    def test_one_column_is_enough(self, name: str) -> None:
        data = sample(name)
        far = np.where(data.truth == 1, 9.0, 0.0)[:, None] + data.matrix[:, :1]
        raw = fit(name, replace(data, matrix=far)).raw(far)[:, 0]
        assert auc(data.truth, raw) > 0.8

    def test_columns_that_never_change_are_enough_to_end(self, name: str) -> None:
        data = sample(name, count=40)
        raw = fit(name, replace(data, matrix=np.ones((40, 2)))).raw(np.ones((3, 2)))[:, 0]
        assert np.isfinite(raw).all()
        assert len(set(raw.tolist())) == 1

    def test_weights_matter(self, name: str) -> None:
        # Two groups that say the opposite; whichever weighs more is believed.
        rng = np.random.default_rng(3)
        group = np.arange(800) % 2
        if name in DETECTORS:
            matrix = rng.normal(size=(800, 2)) + np.where(group == 1, 6.0, 0.0)[:, None]
            truth = np.zeros(800, np.int64)
            asked = np.array([[0.0, 0.0], [6.0, 6.0]])
            settings = {"rows": 100} if name != "autoencoder" else {"rows": 400}
        else:
            matrix = rng.normal(size=(800, 2))
            truth = ((matrix[:, 0] > 0) ^ (group == 1)).astype(np.int64)
            asked = np.array([[-1.0, 0.0], [1.0, 0.0]])
            settings = {}
        data = replace(sample(name, **settings), matrix=matrix, truth=truth)
        for believed, sign in ((0, 1.0), (1, -1.0)):
            weight = np.where(group == believed, 50.0, 1.0)
            low, high = fit(name, replace(data, weight=weight)).raw(asked)[:, 0]
            assert (high - low) * sign > 0

    def test_a_setting_that_there_is_not_is_named(self, name: str) -> None:
        with pytest.raises(UsageError, match=f'"{name}" has no setting "trees_grown"'):
            fit(name, sample(name, trees_grown=3))

    def test_nothing_to_learn_from_is_said(self, name: str) -> None:
        data = sample(name)
        with pytest.raises(DataError, match="nothing to learn from"):
            fit(name, replace(data, matrix=np.empty((300, 0))))
        with pytest.raises(DataError, match="number 2 holds the value inf"):
            fit(name, replace(data, matrix=np.where(np.arange(5) == 1, np.inf, data.matrix)))

    def test_texts_are_refused(self, name: str) -> None:
        learner = registry.learner(name)
        refuse_unless(learner, "binary" if learner.needs_labels else "anomaly")
        if "sparse" not in learner.takes:
            with pytest.raises(UsageError, match="linear_svm, logistic_regression, naive_bayes"):
                refuse_unless(learner, "classes", "sparse")


@pytest.mark.parametrize("name", WITH_LABELS)
@pytest.mark.parametrize(("only", "words"), [(0, "no event"), (1, "an event")])
def test_one_class_alone_is_refused(name: str, only: int, words: str) -> None:
    data = sample(name)
    with pytest.raises(DataError, match=words):
        fit(name, replace(data, truth=np.full(300, only)))


@pytest.mark.parametrize("name", DETECTORS)
def test_detectors_never_look_at_the_truth(name: str) -> None:
    data = sample(name, contamination=0.1)
    turned = replace(data, truth=1 - data.truth)
    assert same(fit(name, data), fit(name, turned))
    assert same(fit(name, data), fit(name, sample(name)))


def test_a_learner_names_those_that_can_do_what_it_cannot() -> None:
    with pytest.raises(
        UsageError,
        match=r"learns classes from sparse features \(texts\), not a binary target from dense features "
        r"\(columns\)\.\nThese do: .*gradient_boosting",
    ):
        refuse_unless(registry.learner("naive_bayes"), "binary")


def test_plug_ins_may_be_named_too() -> None:
    with pytest.raises(UsageError, match="These do: random_forest"):
        refuse_unless(registry.learner("naive_bayes"), "binary", others=[registry.learner("random_forest")])


@pytest.mark.parametrize("name", ["gradient_boosting", "random_forest", "logistic_regression"])
def test_events_are_weighed_up_when_asked(name: str) -> None:
    data = sample(name)
    plain, balanced = (fit(name, sample(name, weight_power=p)).raw(data.matrix).mean() for p in (0.0, 1.0))
    assert balanced > plain
