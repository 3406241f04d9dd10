"""Columns that a model of any solution reads must be there, and a blank that is new to it is not scored."""

import json
from pathlib import Path

import polars as pl
import pytest

import tallystick as ts
from tallystick import registry
from tallystick.errors import DataError

Paths = dict[str, Path]


@pytest.fixture(params=["complaints", "credit", "fraud", "mixed", "shop"])
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def used_columns(folder: Path) -> dict[str, dict[str, float]]:
    """Task → the columns that its model reads, with the share of training rows without each."""
    found = {}
    for path in sorted(folder.glob("*/manifest.json")):
        manifest = json.loads(path.read_text())
        found[manifest["task"]] = manifest["features"]["columns"]
    return found


def theirs_of(name: str, model: Path, frame: pl.DataFrame) -> dict[str, str]:
    """Our name of a column → what the file calls it."""
    contract = ts.load(name, model).scorer.contract
    return contract.resolve(frame.columns).theirs


def test_no_column_that_a_model_reads_may_be_missing(name: str, records: Paths, models: Paths) -> None:
    frame = pl.read_csv(records[name], infer_schema=False).head(40)
    names = theirs_of(name, models[name], frame)
    scorer = ts.load(name, models[name])
    columns = {column for used in used_columns(models[name]).values() for column in used}
    assert columns
    for column in sorted(columns):
        without, said = frame.drop(names[column]), rf"missing: .*{column}, what "
        with pytest.raises(DataError, match=said):
            ts.score(name, without, model=models[name])
        with pytest.raises(DataError, match=said):
            scorer.score(without)


def test_a_blank_that_training_never_met_goes_to_a_person(name: str, records: Paths, models: Paths) -> None:
    frame = pl.read_csv(records[name], infer_schema=False).tail(40)
    names = theirs_of(name, models[name], frame)
    contract = ts.load(name, models[name]).scorer.contract
    solution = registry.solution(name)
    for task, used in used_columns(models[name]).items():
        numbers = [
            column
            for column, share in used.items()
            if not share and contract.column(column).type in ("money", "number", "integer")
        ]
        for column in numbers:
            blank = frame.with_columns(pl.lit(None, pl.String).alias(names[column]))
            decided = ts.score(name, blank, model=models[name], task=[task])
            mine = decided.filter(pl.col("task") == task)
            actions = solution.task(task).policy.actions
            person = [one for one in actions if one in solution.task(task).policy.needs_person]
            assert mine["score"].null_count() == len(mine) > 0, (task, column, used)
            assert all(reasons[0]["feature"] == f"no_{column}" for reasons in mine["reasons"].to_list())
            assert set(mine["action"]) <= ({*person} or {None, *actions[:1]})
