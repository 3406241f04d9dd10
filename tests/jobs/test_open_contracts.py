"""Columns that an open contract does not name are typed from their content and are features."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import tallystick as ts
from tallystick import registry
from tallystick.contracts import Column, Contract
from tallystick.errors import UsageError
from tallystick.feature_extraction import Columns
from tallystick.tasks import Bands, Binary, Solution, Task

PEOPLE = Contract(
    name="people",
    version=1,
    columns=(
        Column("person_id", "text", "Key", aliases=("id",)),
        Column("default", "flag", "Did not pay back", may_be_blank=True),
    ),
    key="person_id",
    labels=("default",),
    events=False,
    open=True,
)
SOLUTION = Solution(
    name="people",
    title="People",
    contract=PEOPLE,
    tasks=(
        Task(
            name="default",
            target=Binary("default"),
            features=(Columns(identified_by=("person_id",), unnamed=True),),
            learner="gradient_boosting",
            params={"gradient_boosting": {"n_estimators": 20, "max_depth": 3}},
            policy=Bands(actions=("A", "B", "C")),
        ),
    ),
)


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> pl.DataFrame:
    monkeypatch.setattr(registry, "solution", lambda _: SOLUTION)
    rng = np.random.default_rng(4)
    age, job = rng.integers(18, 80, 600), rng.choice(["clerk", "baker", "none"], 600)
    odds = (age - 50) / 15 + (job == "none")
    return pl.DataFrame(
        {
            "id": [f"p{i}" for i in range(600)], "Age in years": age, "job": job, "nothing": [None] * 600,
            "default": rng.random(600) < 1 / (1 + np.exp(-odds)),
        }
    )  # fmt: skip


def test_unnamed_columns_are_features_from_train_to_score(people: pl.DataFrame, tmp_path: Path) -> None:
    people.write_csv(tmp_path / "people.csv")
    done = ts.train("people", tmp_path / "people.csv", model=tmp_path / "m").tasks[0].manifest
    assert done["features"]["names"] == ["Age in years", "job=baker", "job=clerk", "job=none"]
    assert set(done["contract"]["unnamed"]) == {"Age in years", "job"}
    assert done["figures"]["roc_auc"] > 0.7
    assert done["training"]["from"] is None
    report = ts.evaluate("people", people, model=tmp_path / "m").reports["default"]
    assert report["rows"] == 600
    decisions = ts.score("people", people.drop("default"), model=tmp_path / "m")
    assert set(decisions["action"]) == {"A", "B", "C"}
    assert decisions["event_time"].null_count() == 600
    again = ts.load("people", tmp_path / "m").score({"id": "x", "Age in years": 77, "job": "none"})
    assert again["action"] == "C"
    assert [one["feature"] for one in again["reasons"]]


def test_without_event_time_nothing_speaks_of_time(people: pl.DataFrame, tmp_path: Path) -> None:
    ts.train("people", people, model=tmp_path)
    with pytest.raises(UsageError, match="no event time"):
        ts.train("people", people, model=tmp_path, until="2025-01-01")
    with pytest.raises(UsageError, match="no event time"):
        ts.evaluate("people", people, model=tmp_path, from_="2025-01-01")
    with pytest.raises(UsageError, match='no split "time"'):
        ts.evaluate("people", people, model=tmp_path, split="time")
    for split in ("random", "stratified"):
        assert ts.evaluate("people", people, model=tmp_path, split=split).reports["default"]["rows"] == 600
    with pytest.raises(UsageError, match="no simulator"):
        ts.simulate("people", rows=5, output=tmp_path / "x.csv")


def test_tasks_of_other_columns_are_not_mixed(
    people: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = replace(SOLUTION, tasks=(*SOLUTION.tasks, replace(SOLUTION.tasks[0], name="again")))
    monkeypatch.setattr(registry, "solution", lambda _: two)
    ts.train("people", people, model=tmp_path, task=["default"])
    ts.train("people", people.with_columns(pl.lit(1.5).alias("more")), model=tmp_path, task=["again"])
    with pytest.raises(UsageError, match="different columns"):
        ts.score("people", people, model=tmp_path)
