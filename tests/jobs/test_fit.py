"""Fitting on the past alone: folds by time learn from labels known by then, and figures are on later rows."""

import dataclasses
import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import tallystick as ts
from tallystick import registry
from tallystick.config import Settings
from tallystick.errors import BundleError, DataError
from tallystick.feature_extraction import Columns, FitContext, FittedColumns, FittedFeatures
from tallystick.jobs.options import run_context
from tallystick.jobs.records_input import columns_of, read_records
from tallystick.learners import Sample
from tallystick.learning.fit import FitSpec, cross_fit, fit_task, medians
from tallystick.learning.folds import folds_of
from tallystick.learning.measure import score_anew
from tallystick.learning.records import with_windows
from tallystick.models import LinearModel, load, load_model
from tallystick.scorer import load_scorer
from tallystick.tasks import Binary, Dataset, Segments, Task, Truth

FRAUD = registry.solution("fraud")
HOUR = 3_600_000_000
ONE = {"threads": 1}
QUICK = {name: {"n_estimators": 20} for name in ("isolation_forest", "random_forest", "gradient_boosting")}
QUICK["anomaly_boosting"] = {"n_estimators": 20, "isolation_n_estimators": 20}
DETECTORS = ("autoencoder", "isolation_forest", "local_outlier_factor")
LEARNERS = [
    name
    for name in registry.names("learners")
    if "dense" in registry.learner(name).takes and registry.learner(name).targets & {"binary", "anomaly"}
]


class Watched:
    """Learns nothing, and remembers which rows it was given: each row's first feature is its number."""

    name, title, takes = "watched", "watched", frozenset({"dense"})
    targets = frozenset({"binary", "anomaly"})
    seen: ClassVar[list[Sample]] = []

    def __init__(self, needs_labels: bool) -> None:
        self.needs_labels = needs_labels

    def fit(self, sample: Sample) -> LinearModel:
        self.seen.append(sample)
        weights = np.zeros((sample.matrix.shape[1], 1))
        weights[0] = 1e-3
        return LinearModel(weights, np.zeros(1))


def rows(count: int = 120, known: np.ndarray | None = None) -> tuple[Dataset, Truth]:
    """A payment an hour, whose amount is its number; every fifth a fraud, known a day after."""
    time = np.arange(count) * HOUR
    fraud = np.arange(count) % 5 == 0
    table = pa.RecordBatch.from_pydict(
        {
            "event_time": pa.array(time).cast(pa.timestamp("us", tz="UTC")),
            "amount": pa.array(np.arange(count) * 100),
            "is_fraud": pa.array(fraud),
        }
    )
    moments = time + 24 * HOUR if known is None else known
    ids = pa.array([f"t{i}" for i in range(count)])
    dataset = Dataset(FRAUD.contract, table, ids, time, Settings(), known={"is_fraud": moments})
    return dataset, Binary("is_fraud").encode(dataset)


def spec(task: Task | None = None) -> FitSpec:
    chosen = task or FRAUD.task("fraud")
    learner = Watched(needs_labels=bool(chosen.target.labels))
    return FitSpec.of(chosen, learner, Settings(), only=["amount"], params={})


def held_out(dataset: Dataset, truth: Truth, task: Task | None = None) -> Any:
    made = spec(task)
    return cross_fit(made, dataset, truth, folds_of(made.task, dataset, truth, "time", 0))


@pytest.fixture(autouse=True)
def _forget() -> None:
    Watched.seen.clear()


def test_a_fold_learns_from_labels_known_before_its_first_row() -> None:
    known = np.arange(120) * HOUR + np.random.default_rng(3).integers(1, 30, 120) * HOUR
    held = held_out(*rows(known=known))
    assert len(Watched.seen) == FRAUD.task("fraud").folds
    starts = [20, 40, 60, 80, 100]  # six parts: the first has nothing before it
    assert held.row.tolist() == list(range(20, 120))
    assert held.ordered
    for sample, start in zip(Watched.seen, starts, strict=True):
        learned = sample.matrix[:, 0].astype(int)
        assert learned.tolist() == [i for i in range(start) if known[i] <= start * HOUR]
        assert sample.truth.tolist() == (learned % 5 == 0).tolist()


def test_what_needs_no_labels_learns_from_all_rows_before() -> None:
    dataset, truth = rows(known=np.full(120, 10**18))
    held_out(dataset, truth, dataclasses.replace(FRAUD.task("anomaly"), default_features=()))
    assert [len(sample.matrix) for sample in Watched.seen] == [20, 40, 60, 80, 100]


def test_a_fold_before_which_nothing_was_known_has_no_score() -> None:
    late = np.arange(120) * HOUR + 50 * HOUR
    assert held_out(*rows(known=late)).row.tolist() == list(range(60, 120))
    with pytest.raises(DataError, match="no part of the input has events of both kinds before it"):
        held_out(*rows(known=np.full(120, 10**15)))


def test_the_model_itself_learns_from_all_rows_and_the_figures_from_later_ones() -> None:
    (dataset, truth), made = rows(), spec()
    fitted = fit_task(made, dataset, truth, folds_of(made.task, dataset, truth, "time", 0))
    assert len(Watched.seen[-1].matrix) == 120
    assert fitted.held.row.min() == 40  # labels are a day late: at row 20 none was known yet
    assert fitted.features.names == ("amount",)
    score, first = fitted.calibrated.scores.score, fitted.held.fold == fitted.held.fold.min()
    # Figures come from calibrations of earlier folds: the first scored one has none before it.
    assert np.isnan(score[first]).all()
    assert ((score[~first] > 0) & (score[~first] < 1)).all()
    assert not np.isnan(fitted.calibrated.chosen_on.score).any()


def test_a_split_by_time_calibrates_on_the_last_part_of_what_it_learns_from() -> None:
    dataset, truth = rows(150)
    scored = score_anew(spec(), dataset, truth, "time", None, None)
    held, whole = Watched.seen
    assert scored.row.tolist() == list(range(120, 150))
    # Labels are a day late: of the rows before the tested ones, the last 24 hours are not known yet.
    assert whole.matrix[:, 0].max() == 96
    assert held.matrix[:, 0].max() < 81  # nothing of the last part, nor what was known only after its start


def test_medians_are_of_what_is_known() -> None:
    table = pa.RecordBatch.from_pydict({"v1": [1.0, 3.0, None, 100.0], "v2": pa.nulls(4, pa.float64())})

    features = FittedFeatures(((0, FittedColumns(("v1", "v2"), {})),), FitContext().reader)
    found = medians(features, table)
    assert found[0] == 3
    assert np.isnan(found[1])


def test_segments_are_learned_from_all_rows_at_once() -> None:
    dataset, _ = rows()
    task = Task(
        name="segment", target=Segments(2), features=(Columns(numbers=("amount",)),), learner="kmeans"
    )
    made = FitSpec.of(task, registry.learner("kmeans"), Settings())
    fitted = fit_task(made, dataset, task.target.encode(dataset), ())
    assert set(fitted.calibrated.scores.label.tolist()) == {0, 1}
    assert len(fitted.held) == 120


def test_training_never_sees_a_label_later_than_as_of(frame: pl.DataFrame, tmp_path: Path) -> None:
    """Not for learning, nor for calibration, thresholds and figures, whatever the learner and the task."""
    as_of = frame["event_time"][2 * len(frame) // 3]
    some = frame.filter(pl.col("event_time") <= as_of)
    later = pl.col("label_known_at") > as_of
    turned = some.with_columns(is_fraud=pl.when(later).then(~pl.col("is_fraud")).otherwise("is_fraud"))
    assert turned["is_fraud"].sum() > some["is_fraud"].sum()
    for task, learner in (
        ("fraud", "logistic_regression"), ("fraud", "autoencoder"),
        ("anomaly", "autoencoder"), ("anomaly", "isolation_forest"),
    ):  # fmt: skip
        names = []
        for one in (some, turned):
            done = ts.train("fraud", one, model=tmp_path, task=[task], learner=learner, as_of=as_of, set=ONE)
            names.append(done.tasks[0].manifest["fingerprint"])
        assert names[0] == names[1], (task, learner)


def test_figures_are_of_rows_whose_label_is_known(frame: pl.DataFrame, tmp_path: Path) -> None:
    """An anomaly is learned from all rows, and measured on those of which anything is known."""
    some = frame.head(1500).with_columns(
        is_fraud=pl.when(pl.int_range(pl.len()) % 3 == 0).then(None).otherwise("is_fraud")
    )
    manifest = (
        ts.train("fraud", some, model=tmp_path, task=["anomaly"], learner="autoencoder", set=ONE)
        .tasks[0]
        .manifest
    )
    seen = load(tmp_path / "anomaly").part("heldout")["truth"]
    assert manifest["training"]["rows"] == 1500
    assert manifest["figures"]["rows"] == (~np.isnan(seen)).sum() < len(seen)
    assert np.isnan(seen).sum() == pytest.approx(len(seen) / 3, abs=2)
    bare = some.with_columns(is_fraud=pl.lit(None, pl.Boolean))
    done = ts.train("fraud", bare, model=tmp_path, learner="autoencoder", set=ONE).tasks[0]
    assert done.task == "anomaly"
    assert done.manifest["policy"]["review"] is not None  # how many are flagged can be chosen all the same
    asked = ts.score("fraud", bare.head(300), model=tmp_path, set={"review": "score=.9"})
    assert (asked["action"] != "accept").to_list() == (asked["score"] >= 0.9).to_list()


def test_without_any_time_what_is_needed_is_named(frame: pl.DataFrame, tmp_path: Path) -> None:
    for task in ("fraud", "anomaly"):
        with pytest.raises(DataError, match="needed is missing: event_time"):
            ts.train("fraud", frame.drop("event_time").head(300), model=tmp_path, task=[task])


@pytest.fixture(scope="module")
def small(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.head(1200)


@pytest.mark.parametrize("name", LEARNERS)
def test_every_learner_goes_from_train_to_score(
    name: str, small: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bundle that is loaded scores as the model in memory did, and refuses a damaged array."""
    from tallystick.jobs import train as job

    kept: list[Any] = []
    monkeypatch.setattr(job, "fit_task", lambda *given: kept.append(fit_task(*given)) or kept[-1])
    task = "anomaly" if name in DETECTORS else "fraud"
    found = dataclasses.replace(FRAUD.task(task), params={name: QUICK.get(name, {})})
    solution = dataclasses.replace(FRAUD, tasks=(found,))
    monkeypatch.setattr(registry, "solution", lambda _: solution)
    ts.train("fraud", small, model=tmp_path, task=[task], learner=name, set=ONE)
    scored = ts.score("fraud", small, model=tmp_path, set={"threads": 2})
    records = read_records(FRAUD, small, run_context("train"), columns_of(FRAUD, FRAUD.tasks))
    windows = load_scorer(solution, tmp_path, Settings()).windows
    memory = kept[0].scores(with_windows(records, windows, records.given, Settings()).rows).score
    loaded = scored["score"].to_numpy()
    if name in ("neural_network", "autoencoder"):
        assert loaded == pytest.approx(memory, abs=1e-6)
    else:
        assert loaded.tolist() == memory.tolist()
    alerts = scored.filter(pl.col("action") != "accept")
    assert alerts["reasons"].list.len().min() is None or alerts["reasons"].list.len().min() > 0
    assert len(scored["score"].unique()) > 20
    bundle = load(tmp_path / task)
    assert load_model(bundle.manifest["model"], bundle.part("model")).describe() == kept[0].model.describe()

    largest = max((tmp_path / task / "model").iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(largest.read_bytes())
    data[-1] ^= 1
    largest.write_bytes(data)
    with pytest.raises(BundleError, match=f"was changed: model/{largest.name}"):
        ts.score("fraud", small, model=tmp_path)
    largest.unlink()
    with pytest.raises(BundleError, match=f"is incomplete: model/{largest.name} is missing"):
        ts.score("fraud", small, model=tmp_path)


def test_a_manifest_that_was_changed_is_refused(small: pl.DataFrame, tmp_path: Path) -> None:
    ts.train("fraud", small, model=tmp_path, learner="logistic_regression", set=ONE)
    path = tmp_path / "fraud" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["policy"]["review"] = 0.0
    path.write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="does not match its own fingerprint"):
        ts.score("fraud", small, model=tmp_path)
