"""What every learner that is found must do, for each target and layout that it declares."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from tallystick import registry
from tallystick.errors import DataError, UsageError
from tallystick.learners import LAYOUTS, TARGETS, Sample, refuse_unless
from tallystick.models import Model, load, load_model, save

LEARNERS = {
    "anomaly_boosting": "dense binary",
    "autoencoder": "dense anomaly",
    "complement_naive_bayes": "sparse classes",
    "gradient_boosting": "dense amount binary classes",
    "isolation_forest": "dense anomaly",
    "kmeans": "dense segments",
    "linear_regression": "dense amount",
    "linear_svm": "sparse classes",
    "local_outlier_factor": "dense anomaly",
    "logistic_regression": "dense sparse binary classes",
    "naive_bayes": "sparse classes",
    "neural_network": "dense binary",
    "random_forest": "dense amount binary classes",
}
CASES = [
    (name, target, layout)
    for name in registry.names("learners")
    for layout in sorted(registry.learner(name).takes)
    for target in sorted(registry.learner(name).targets)
]
# Small enough to be quick, large enough to learn something.
QUICK: dict[str, dict[str, Any]] = {
    "anomaly_boosting": {"n_estimators": 20, "max_depth": 3, "isolation_n_estimators": 20},
    "autoencoder": {"epochs": 25, "batch": 32, "learning_rate": 0.01},
    "gradient_boosting": {"n_estimators": 20, "max_depth": 3},
    "isolation_forest": {"n_estimators": 40},
    "kmeans": {"n_clusters": 4},
    "neural_network": {"hidden": (8,), "epochs": 30, "batch": 32, "learning_rate": 0.01},
    "random_forest": {"n_estimators": 20, "max_depth": 6},
}
Case = tuple[str, str, str]


def sample(case: Case, count: int = 300, seed: int = 0, classes: int = 4, **settings: object) -> Sample:
    name, target, layout = case
    classes = classes if target in ("classes", "segments") else 2
    draw = sparse_rows if layout == "sparse" else dense_rows
    matrix, truth = draw(target, count, np.random.default_rng(seed), classes)
    settings = QUICK.get(name, {}) | settings
    return Sample(matrix, truth, classes, seed=seed, settings=settings, target=target)


def sparse_rows(target: str, count: int, rng: np.random.Generator, classes: int) -> tuple[Any, np.ndarray]:
    """Texts as rows of weights: each class has words of its own, and all share some."""
    truth = rng.integers(0, classes, count)
    dense = (rng.random((count, 60)) < 0.1) * 1.0
    for c in range(classes):
        dense[truth == c, c * 5 : c * 5 + 5] += rng.random((int((truth == c).sum()), 5)) < 0.6
    return csr_matrix(dense / np.maximum(np.linalg.norm(dense, axis=1, keepdims=True), 1)), truth


def dense_rows(target: str, count: int, rng: np.random.Generator, classes: int) -> tuple[Any, np.ndarray]:
    """Five columns, of which the first two tell; one has gaps and a long tail, one is constant."""
    matrix = rng.normal(size=(count, 5))
    matrix[:, 2] = np.exp(matrix[:, 2])
    matrix[rng.random(count) < 0.2, 2] = np.nan
    matrix[:, 3] = 7.0
    if target == "amount":
        return matrix, 5 + 3 * matrix[:, 0] - 2 * matrix[:, 1] + rng.normal(0, 0.3, count)
    if target in ("classes", "segments"):
        truth = rng.integers(0, classes, count)
        matrix[:, :2] = np.array([[6, 0], [-6, 0], [0, 6], [0, -6]])[truth] + rng.normal(0, 0.7, (count, 2))
        return matrix, truth
    truth = (np.arange(count) % (30 if target == "anomaly" else 8) == 0).astype(np.int64)
    matrix[:, 1] = 0.8 * matrix[:, 0] + 0.2 * matrix[:, 1]
    matrix[truth == 1, :2] += rng.normal((3, -3), 1, (int(truth.sum()), 2))
    return matrix, truth


def fit(case: Case, data: Sample) -> Model:
    return registry.learner(case[0]).fit(data)


def direction(model: Model, matrix: Any) -> np.ndarray:
    """A direction for each row: the output itself where there is one."""
    outputs = model.raw(matrix).shape[1]
    rng = np.random.default_rng(7)
    return np.ones((matrix.shape[0], 1)) if outputs == 1 else rng.normal(size=(matrix.shape[0], outputs))


def explain(model: Model, matrix: Any, threads: int = 1) -> np.ndarray:
    parts = model.contributions(matrix, direction(model, matrix), threads)
    return np.asarray(parts if isinstance(parts, np.ndarray) else parts.toarray())


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


def quality(model: Model, data: Sample) -> float:
    """Area under the curve, share of rows that are right, or share of the variance that is explained."""
    raw = model.raw(data.matrix)
    if data.target == "classes":
        return float((raw.argmax(axis=1) == data.truth).mean())
    if data.target == "segments":
        nearest = raw.argmin(axis=1)
        return sum(np.bincount(nearest[data.truth == c]).max() for c in range(data.classes)) / len(nearest)
    if data.target == "amount":
        return float(1 - ((raw[:, 0] - data.truth) ** 2).mean() / data.truth.var())
    return auc(data.truth, raw[:, 0])


def test_every_learner_is_found_with_what_it_declares() -> None:
    declared = {
        name: " ".join([*sorted(registry.learner(name).takes), *sorted(registry.learner(name).targets)])
        for name in registry.names("learners")
    }
    assert declared == LEARNERS


def cases(*targets: str, layout: str = "") -> list[Case]:
    return [case for case in CASES if case[1] in targets and layout in case[2]]


@pytest.mark.parametrize("case", CASES, ids=" ".join)
class TestEveryLearner:
    def test_finds_what_is_there_to_find(self, case: Case) -> None:
        assert quality(fit(case, sample(case)), sample(case, seed=1)) > 0.75

    def test_same_sample_same_model(self, case: Case) -> None:
        assert same(fit(case, sample(case)), fit(case, sample(case)))

    def test_threads_change_no_bit(self, case: Case) -> None:
        model, fresh = fit(case, sample(case)), sample(case, count=9000, seed=1).matrix
        assert model.raw(fresh, threads=2).tobytes() == model.raw(fresh).tobytes()
        assert explain(model, fresh[:40], threads=2).tobytes() == explain(model, fresh[:40]).tobytes()
        assert same(model, fit(case, replace(sample(case), threads=2)))

    def test_one_row_is_as_in_a_batch(self, case: Case) -> None:
        model, fresh = fit(case, sample(case)), sample(case, seed=1).matrix[:60]
        together, toward = model.raw(fresh), direction(model, fresh)
        reasons = model.contributions(fresh, toward)
        alone = np.concatenate([model.raw(fresh[i : i + 1]) for i in range(60)])
        rows = [model.contributions(fresh[i : i + 1], toward[i : i + 1]) for i in range(60)]
        if case[2] == "sparse":
            rows, reasons = [row.toarray() for row in rows], reasons.toarray()
        if model.kind == "network":
            assert alone == pytest.approx(together, abs=1e-6, rel=1e-6)
            assert np.concatenate(rows) == pytest.approx(reasons, abs=1e-6, rel=1e-6)
        else:
            assert alone.tobytes() == together.tobytes()
            assert np.concatenate(rows).tobytes() == reasons.tobytes()

    def test_no_rows_have_no_scores(self, case: Case) -> None:
        model, fresh = fit(case, sample(case)), sample(case).matrix
        outputs = model.raw(fresh).shape[1]
        assert outputs == (4 if case[1] in ("classes", "segments") else 1)
        assert model.raw(fresh[:0]).shape == (0, outputs)
        added = len(getattr(model, "added", ()))
        assert explain(model, fresh[:0]).shape == (0, fresh.shape[1] + 1 + added)

    def test_contributions_add_up_in_every_direction(self, case: Case) -> None:
        model, fresh = fit(case, sample(case)), sample(case, seed=1).matrix[:60]
        raw, reasons = model.raw(fresh), explain(model, fresh)
        assert raw.dtype == reasons.dtype == np.float64
        assert np.isfinite(raw).all()
        assert np.isfinite(reasons).all()
        near = 1e-5 if model.kind == "network" else 1e-9
        total = (raw * direction(model, fresh)).sum(axis=1)
        assert reasons.sum(axis=1) == pytest.approx(total, abs=near, rel=near)
        if raw.shape[1] == 1:
            parts = model.contributions(fresh)
            assert np.asarray(parts.sum(axis=1)).ravel() == pytest.approx(raw[:, 0], abs=near, rel=near)
            double = model.contributions(fresh, np.full((60, 1), 2.0))
            assert np.asarray(double.sum(axis=1)).ravel() == pytest.approx(2 * raw[:, 0], abs=near, rel=near)

    def test_a_bundle_keeps_it(self, case: Case, tmp_path: Path) -> None:
        model, fresh = fit(case, sample(case)), sample(case, seed=1).matrix[:60]
        save(
            tmp_path / "m", {"solution": "s", "task": "t", "model": model.describe()}, model.arrays(), "card"
        )
        bundle = load(tmp_path / "m")
        back = load_model(bundle.manifest["model"], bundle.arrays)
        assert back.kind == model.kind
        assert back.raw(fresh).tobytes() == model.raw(fresh).tobytes()
        assert explain(back, fresh).tobytes() == explain(model, fresh).tobytes()

    def test_it_travels_to_other_processes(self, case: Case) -> None:
        model, fresh = fit(case, sample(case)), sample(case, seed=1).matrix[:60]
        fresh_copy = pickle.loads(pickle.dumps(model))
        assert fresh_copy.raw(fresh).tobytes() == model.raw(fresh).tobytes()
        explain(model, fresh)
        again = pickle.dumps(model)
        assert again == pickle.dumps(fresh_copy), "what was computed on the way stays behind"
        used_copy = pickle.loads(again)
        assert explain(used_copy, fresh).tobytes() == explain(model, fresh).tobytes()

    def test_a_hyperparameter_that_there_is_not_is_named(self, case: Case) -> None:
        with pytest.raises(UsageError, match=f'"{case[0]}" has no setting "trees_grown"'):
            fit(case, sample(case, trees_grown=3))


@pytest.mark.parametrize("case", cases(*TARGETS, layout="dense"), ids=" ".join)
class TestDenseFeatures:
    def test_gaps_anywhere_are_no_obstacle(self, case: Case) -> None:
        data = sample(case)
        data.matrix[:, 4] = np.nan
        model = fit(case, data)
        for row in ([np.nan] * 5, [0.0, np.nan, 1.0, np.nan, np.nan]):
            assert np.isfinite(model.raw(np.array([row]))).all()
            assert np.isfinite(explain(model, np.array([row]))).all()

    def test_what_never_changes_moves_no_score(self, case: Case) -> None:
        data = sample(case)
        model, other = fit(case, data), data.matrix[:20].copy()
        other[:, 3] = -50.0
        assert model.raw(other) == pytest.approx(model.raw(data.matrix[:20]), abs=1e-9)
        assert np.abs(explain(model, data.matrix[:20])[:, 3]).max() < 1e-9

    def test_one_column_is_enough(self, case: Case) -> None:
        data = sample(case)
        if case[1] in ("binary", "anomaly"):
            far = np.where(data.truth == 1, 9.0, 0.0)[:, None] + data.matrix[:, :1]
            data = replace(data, matrix=far)
        else:
            data = replace(data, matrix=data.truth[:, None] + 0.01 * data.matrix[:, :1])
        assert quality(fit(case, data), data) > 0.75

    def test_columns_that_never_change_are_enough_to_end(self, case: Case) -> None:
        data = replace(sample(case, count=40), matrix=np.ones((40, 2)))
        raw = fit(case, data).raw(np.ones((3, 2)))
        assert np.isfinite(raw).all()
        assert len({row.tobytes() for row in raw}) == 1

    def test_weights_matter(self, case: Case) -> None:
        # Two groups that say the opposite; whichever weighs more is believed.
        name, target, _ = case
        rng = np.random.default_rng(3)
        group, settings = np.arange(800) % 2, {}
        matrix, asked = rng.normal(size=(800, 2)), np.array([[-1.0, 0.0], [1.0, 0.0]])
        truth: np.ndarray = ((matrix[:, 0] > 0) ^ (group == 1)).astype(np.int64)
        if target == "amount":
            truth = np.where(group == 1, -1.0, 1.0) * matrix[:, 0]
        if target in ("anomaly", "segments"):
            matrix[group == 1] += 6.0
            asked = np.array([[0.0, 0.0], [6.0, 6.0]])
            settings = {"n_clusters": 1} if target == "segments" else {"rows": 100}
        if name == "autoencoder":
            settings = {"rows": 400}
        data = replace(sample(case, **settings), matrix=matrix, truth=truth, classes=2)
        for believed, sign in ((0, 1.0), (1, -1.0)):
            weight = np.where(group == believed, 50.0, 1.0)
            raw = fit(case, replace(data, weight=weight)).raw(asked)
            low, high = raw[:, -1] - (raw[:, 0] if target == "classes" else 0.0)
            assert (high - low) * sign > 0

    def test_nothing_to_learn_from_is_said(self, case: Case) -> None:
        data = sample(case)
        with pytest.raises(DataError, match="nothing to learn from"):
            fit(case, replace(data, matrix=np.empty((300, 0))))
        with pytest.raises(DataError, match="number 2 holds the value inf"):
            fit(case, replace(data, matrix=np.where(np.arange(5) == 1, np.inf, data.matrix)))


@pytest.mark.parametrize("case", cases("classes"), ids=" ".join)
class TestClasses:
    def test_two_classes_are_enough(self, case: Case) -> None:
        data = sample(case, classes=2)
        model = fit(case, data)
        assert model.raw(data.matrix).shape == (300, 2)
        assert quality(model, data) > 0.8

    def test_a_class_without_rows_is_never_chosen(self, case: Case) -> None:
        data = sample(case)
        data = replace(data, truth=np.where(data.truth == 2, 3, data.truth))
        raw = fit(case, data).raw(sample(case, seed=1).matrix)
        assert raw.shape == (300, 4)
        assert 2 not in raw.argmax(axis=1)
        if case[2] == "dense":
            far = np.random.default_rng(0).normal(0, 1e4, (200, 5))
            assert 2 not in fit(case, data).raw(far).argmax(axis=1)

    def test_a_class_of_one_row_is_no_obstacle(self, case: Case) -> None:
        data = sample(case)
        truth = np.where(data.truth == 3, 0, data.truth)
        truth[0] = 3
        assert np.isfinite(fit(case, replace(data, truth=truth)).raw(data.matrix)).all()

    def test_the_order_of_classes_does_not_matter(self, case: Case) -> None:
        data = sample(case)
        turned = fit(case, replace(data, truth=3 - data.truth)).raw(data.matrix).argmax(axis=1)
        assert (turned == 3 - fit(case, data).raw(data.matrix).argmax(axis=1)).mean() > 0.98


@pytest.mark.parametrize("case", cases("classes", "binary", layout="sparse"), ids=" ".join)
def test_a_row_of_weight_two_counts_as_two_rows(case: Case) -> None:
    data, fresh = sample(case), sample(case, seed=1).matrix
    twice = np.concatenate([np.arange(300), np.arange(100)])
    copied = fit(case, replace(data, matrix=data.matrix[twice], truth=data.truth[twice])).raw(fresh)
    weight = np.where(np.arange(300) < 100, 2.0, 1.0)
    assert fit(case, replace(data, weight=weight)).raw(fresh) == pytest.approx(copied, abs=0.05)
    assert fit(case, data).raw(fresh) != pytest.approx(copied, abs=0.05)


@pytest.mark.parametrize("case", cases("binary"), ids=" ".join)
@pytest.mark.parametrize(("only", "words"), [(0, "no event"), (1, "an event")])
def test_one_class_alone_is_refused(case: Case, only: int, words: str) -> None:
    with pytest.raises(DataError, match=words):
        fit(case, replace(sample(case), truth=np.full(300, only)))


@pytest.mark.parametrize("case", cases("classes", layout="dense"), ids=" ".join)
def test_of_several_classes_one_alone_is_refused(case: Case) -> None:
    with pytest.raises(DataError, match="of one class"):
        fit(case, replace(sample(case), truth=np.full(300, 2)))


@pytest.mark.parametrize("case", cases("amount"), ids=" ".join)
def test_an_amount_that_is_no_number_is_refused(case: Case) -> None:
    data = sample(case)
    data.truth[7] = np.nan
    with pytest.raises(DataError, match="no number"):
        fit(case, data)


@pytest.mark.parametrize("case", cases("anomaly", "segments"), ids=" ".join)
def test_what_needs_no_labels_never_reads_the_truth(case: Case) -> None:
    data = sample(case)
    turned = replace(data, truth=data.classes - 1 - data.truth)
    assert same(fit(case, data), fit(case, turned))
    assert not registry.learner(case[0]).needs_labels


@pytest.mark.parametrize("case", cases("anomaly"), ids=" ".join)
def test_detectors_take_the_share_thought_odd_and_do_not_use_it(case: Case) -> None:
    assert same(fit(case, sample(case, contamination=0.1)), fit(case, sample(case)))


@pytest.mark.parametrize("name", LEARNERS)
def test_what_a_learner_does_not_declare_is_refused_by_name(name: str) -> None:
    learner = registry.learner(name)
    for target in TARGETS:
        for layout in LAYOUTS:
            if (name, target, layout) in CASES:
                refuse_unless(learner, target, layout)
                continue
            able = sorted(other for other, *pair in CASES if pair == [target, layout])
            with pytest.raises(UsageError) as caught:
                refuse_unless(learner, target, layout)
            assert caught.value.hint == (f"These do: {', '.join(able)}." if able else "No learner does.")
            assert f'"{name}" learns' in str(caught.value)


def test_plug_ins_may_be_named_too() -> None:
    with pytest.raises(UsageError, match="These do: random_forest"):
        refuse_unless(registry.learner("naive_bayes"), "binary", others=[registry.learner("random_forest")])


@pytest.mark.parametrize("name", ["gradient_boosting", "random_forest", "logistic_regression"])
def test_events_are_weighed_up_when_asked(name: str) -> None:
    case = (name, "binary", "dense")
    data = sample(case)
    plain, balanced = (fit(case, sample(case, weight_power=p)).raw(data.matrix).mean() for p in (0.0, 1.0))
    assert balanced > plain
