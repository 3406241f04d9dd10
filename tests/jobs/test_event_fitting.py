"""Fitting on the past alone: folds by time learn from labels known by then, and figures are on later rows."""

import dataclasses
import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest

import tallystick as ts
from tallystick import registry
from tallystick.config import Settings
from tallystick.errors import BundleError, DataError
from tallystick.jobs.event_fitting import FOLDS, Design, fit_event, fit_only, out_of_time, usual
from tallystick.jobs.event_rows import EventRows, with_behaviour
from tallystick.jobs.options import work
from tallystick.jobs.past import columns_of, gather_events
from tallystick.learners import Sample
from tallystick.models import LinearModel, load, load_model
from tallystick.scorer import EventTask, load_scorer

FRAUD = registry.solution("fraud")
HOUR = 3_600_000_000
ONE = {"threads": 1}
QUICK = {name: {"n_estimators": 20} for name in ("isolation_forest", "random_forest", "gradient_boosting")}
QUICK["anomaly_boosting"] = {"n_estimators": 20, "isolation_n_estimators": 20}
DETECTORS = ("autoencoder", "isolation_forest", "local_outlier_factor")
LEARNERS = [name for name in registry.names("learners") if "dense" in registry.learner(name).takes]


class Watched:
    """Learns nothing, and remembers which rows it was given: each row's first feature is its number."""

    name, title, takes = "watched", "watched", frozenset({"dense"})
    seen: ClassVar[list[Sample]] = []

    def __init__(self, needs_labels: bool = True) -> None:
        self.needs_labels = needs_labels

    def fit(self, sample: Sample) -> LinearModel:
        self.seen.append(sample)
        weights = np.zeros((sample.matrix.shape[1], 1))
        weights[0] = 1e-3
        return LinearModel(weights, np.zeros(1))


def rows(count: int = 120, known: np.ndarray | None = None, truth: np.ndarray | None = None) -> EventRows:
    """A payment an hour, whose amount is its number; every fifth a fraud, known a day after."""
    import pyarrow as pa

    time = np.arange(count) * HOUR
    table = pa.RecordBatch.from_pydict(
        {
            "event_time": pa.array(time).cast(pa.timestamp("us", tz="UTC")),
            "amount": pa.array(np.arange(count) * 100),
        }
    )
    fraud = (np.arange(count) % 5 == 0).astype(float) if truth is None else truth
    return EventRows(FRAUD, table, fraud, time + 24 * HOUR if known is None else known, time, Settings())


def design(learner: Any = None, **task: Any) -> Design:
    found = FRAUD.task("fraud")
    assert isinstance(found, EventTask)
    return Design(dataclasses.replace(found, **task), learner or Watched(), {}, (), ["amount"])


@pytest.fixture(autouse=True)
def _forget() -> None:
    Watched.seen.clear()


def test_a_fold_learns_from_labels_known_before_its_first_row() -> None:
    known = np.arange(120) * HOUR + np.random.default_rng(3).integers(1, 30, 120) * HOUR
    some = rows(known=known)
    X = np.arange(120.0)[:, None]
    raw = out_of_time(design(), some, X, ("amount",), work("train"))
    assert len(Watched.seen) == FOLDS
    tested = np.flatnonzero(~np.isnan(raw))
    starts = [20, 40, 60, 80, 100]  # six parts: the first has nothing before it
    assert tested.tolist() == list(range(20, 120))
    for sample, start in zip(Watched.seen, starts, strict=True):
        learned = sample.matrix[:, 0].astype(int)
        assert learned.tolist() == [i for i in range(start) if known[i] <= start * HOUR]
        assert sample.truth.tolist() == (learned % 5 == 0).tolist()


def test_what_needs_no_labels_learns_from_all_rows_before() -> None:
    some = rows(known=np.full(120, 10**18))
    out_of_time(design(Watched(needs_labels=False)), some, np.arange(120.0)[:, None], ("a",), work("train"))
    assert [len(sample.matrix) for sample in Watched.seen] == [20, 40, 60, 80, 100]


def test_a_fold_before_which_nothing_was_known_has_no_score() -> None:
    late = np.arange(120) * HOUR + 50 * HOUR
    raw = out_of_time(design(), rows(known=late), np.arange(120.0)[:, None], ("amount",), work("train"))
    assert np.flatnonzero(~np.isnan(raw)).tolist() == list(range(60, 120))
    with pytest.raises(DataError, match="no part of the input has events of both kinds before it"):
        fit_event(design(), rows(known=np.full(120, 10**15)), work("train"))


def test_the_model_itself_learns_from_all_rows_and_the_figures_from_later_ones() -> None:
    fitted, chance = fit_event(design(), rows(), work("train"))
    assert len(Watched.seen[-1].matrix) == 120
    seen = np.flatnonzero(~np.isnan(chance))
    assert seen.min() == 40  # labels are a day late: at row 20 none was known yet
    assert fitted.features.names == ("amount",)
    assert ((chance[seen] > 0) & (chance[seen] < 1)).all()


def test_one_fit_for_ranks_holds_out_the_last_part_for_its_calibration() -> None:
    some = rows()
    fit_only(design(), some, some.fraud, work("evaluate"))
    whole, held = Watched.seen
    assert len(whole.matrix) == 120
    # Of the last part (from row 100 on) nothing, and nothing whose label was known only after its start.
    assert held.matrix[:, 0].max() == 76


def test_usual_is_the_median_of_what_is_known() -> None:
    X = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan], [100.0, np.nan]])
    found = usual(X)
    assert found[0] == 3
    assert np.isnan(found[1])


def test_training_never_sees_a_label_later_than_as_of(frame: pl.DataFrame, tmp_path: Path) -> None:
    """Not for learning, nor for calibration, thresholds and figures, whatever the learner and the task."""
    as_of = frame["event_time"][len(frame) // 6]
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
    seen = load(tmp_path / "anomaly").arrays["oof.truth"]
    assert manifest["training"]["rows"] == 1500
    assert manifest["figures"]["rows"] == (seen >= 0).sum() < len(seen)
    assert (seen < 0).sum() == pytest.approx(len(seen) / 3, abs=2)
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
    from tallystick.jobs import event_train

    kept: list[Any] = []
    fit = event_train.fit_event
    monkeypatch.setattr(event_train, "fit_event", lambda *given: kept.append(fit(*given)) or kept[-1])
    task = "anomaly" if name in DETECTORS else "fraud"
    found = dataclasses.replace(FRAUD.task(task), settings={name: QUICK.get(name, {})})
    solution = dataclasses.replace(FRAUD, tasks=(found,))
    monkeypatch.setattr(registry, "solution", lambda _: solution)
    ts.train("fraud", small, model=tmp_path, task=[task], learner=name, set=ONE)
    scored = ts.score("fraud", small, model=tmp_path, set={"threads": 2})
    job = work("train")
    events = gather_events(FRAUD, small, job, columns_of(FRAUD, FRAUD.tasks))
    windows = load_scorer(solution, tmp_path, Settings()).windows
    memory = kept[0][0].chance(with_behaviour(FRAUD, events, windows, events.given, job).table)
    loaded = scored["score"].to_numpy()
    if name in ("neural_network", "autoencoder"):
        assert loaded == pytest.approx(memory, abs=1e-6)
    else:
        assert loaded.tolist() == memory.tolist()
    alerts = scored.filter(pl.col("action") != "accept")
    assert alerts["reasons"].list.len().min() is None or alerts["reasons"].list.len().min() > 0
    assert len(scored["score"].unique()) > 20
    bundle = load(tmp_path / task)
    own = {k.removeprefix("model."): v for k, v in bundle.arrays.items() if k.startswith("model.")}
    assert load_model(bundle.manifest["model"], own).describe() == kept[0][0].model.describe()

    largest = max((tmp_path / task / "arrays").glob("model.*.npy"), key=lambda path: path.stat().st_size)
    data = bytearray(largest.read_bytes())
    data[-1] ^= 1
    largest.write_bytes(data)
    with pytest.raises(BundleError, match=f"was changed: arrays/{largest.name}"):
        ts.score("fraud", small, model=tmp_path)
    largest.unlink()
    with pytest.raises(BundleError, match=f"is incomplete: arrays/{largest.name} is missing"):
        ts.score("fraud", small, model=tmp_path)


def test_a_manifest_that_was_changed_is_refused(small: pl.DataFrame, tmp_path: Path) -> None:
    ts.train("fraud", small, model=tmp_path, learner="logistic_regression", set=ONE)
    path = tmp_path / "fraud" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["policy"]["review"] = 0.0
    path.write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="does not match its own fingerprint"):
        ts.score("fraud", small, model=tmp_path)
