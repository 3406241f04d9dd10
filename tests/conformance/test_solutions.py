"""What every solution promises, those of other packages among them."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tallystick as ts
from tallystick import registry
from tallystick.config import Settings
from tallystick.errors import UsageError
from tallystick.learning import SPLITS
from tallystick.scorer import Scorer, decision_schema, load_scorer

NAMES = ["complaints", "credit", "fraud", "mixed", "shop"]
Paths = dict[str, Path]


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def frame_of(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema=False)


def scorer_of(name: str, models: Paths) -> Scorer:
    return load_scorer(registry.solution(name), models[name], Settings(threads=1))


def test_the_solutions_found_are_these(plugins: Path) -> None:
    assert registry.names("solutions") == NAMES
    for plugin in ("credit", "mixed"):
        lines = (plugins / f"{plugin}.py").read_text().splitlines()
        assert len(lines) <= 60


def test_its_records_are_valid(name: str, records: Paths) -> None:
    report = ts.validate(name, records[name]).input_report
    assert report.rows_in == report.rows_clean + report.rows_quarantined + report.rows_duplicate
    assert report.rows_clean > 0.9 * report.rows_in


def test_every_task_with_answers_is_trained(name: str, models: Paths) -> None:
    solution = registry.solution(name)
    trained = {path.name for path in models[name].iterdir() if path.is_dir()}
    stands_in = {task.name for task in solution.tasks if task.target.judged_by and not task.target.labels}
    assert trained == {task.name for task in solution.tasks} - stands_in
    for task in trained:
        card = (models[name] / task / "card.md").read_text()
        assert card.startswith(f"# {name}: {task}")


@pytest.mark.parametrize("split", [None, *SPLITS])
def test_it_is_evaluated_by_each_split_that_it_allows(
    name: str, split: str | None, records: Paths, models: Paths, tmp_path: Path
) -> None:
    solution, page = registry.solution(name), tmp_path / "page.html"
    if split == "time" and solution.contract.event_time is None:
        with pytest.raises(UsageError, match='no split "time"'):
            ts.evaluate(name, records[name], model=models[name], split=split)
        return
    main = solution.tasks[0].name
    tasks = () if split is None else (main,)
    done = ts.evaluate(name, records[name], model=models[name], task=tasks, split=split, report=page)
    assert main in done.reports
    for report in done.reports.values():
        assert report["rows"] > 0
        assert report["target"] == solution.task(report["task"]).target.kind
    assert page.stat().st_size > 10_000


def test_without_event_time_none_can_be_asked_for(name: str, records: Paths, tmp_path: Path) -> None:
    if registry.solution(name).contract.event_time is not None:
        return
    for option in ({"until": "2025-01-01"}, {"from_": "2025-01-01"}):
        with pytest.raises(UsageError, match="no event time"):
            ts.train(name, records[name], model=tmp_path, **option)


def test_decisions_have_one_schema_in_a_file_and_in_a_frame(
    name: str, records: Paths, models: Paths, tmp_path: Path
) -> None:
    out = tmp_path / "decisions.parquet"
    done = ts.score(name, records[name], model=models[name], output=out, all_scores=True)
    table = pq.read_table(out)
    assert table.column_names == decision_schema(all_scores=True).names
    assert len(table) == done.decisions == done.input_report.rows_clean * len(done.models)
    frame = ts.score(name, frame_of(records[name]), model=models[name], all_scores=True)
    assert frame["score"].to_list() == table["score"].to_pylist()
    assert frame["action"].to_list() == table["action"].to_pylist()
    for task in registry.solution(name).tasks:
        mine = frame.filter(pl.col("task") == task.name)
        if len(mine):
            assert set(mine["action"]) <= {*task.policy.actions, None}
            assert mine["score"].null_count() <= 0.2 * len(mine)


def test_a_row_alone_is_the_row_in_the_batch(name: str, records: Paths, models: Paths) -> None:
    """In the order of their times, through one state, where there are windows."""
    time = registry.solution(name).contract.event_time
    rows = frame_of(records[name]).head(60)
    if time is not None:
        ours = registry.solution(name).contract.resolve(rows.columns).theirs[time]
        rows = rows.sort(ours)
    together = ts.load(name, models[name]).score(rows)
    one = ts.load(name, models[name])
    scorer = scorer_of(name, models)
    alone = [one.score(rows[i]) for i in range(len(rows))]
    for column in ("id", "label", "score", "action", "reasons", "late"):
        assert pl.concat(alone)[column].to_list() == together[column].to_list(), column
    assert len(together) == len(rows) * len(scorer.predictors)


CODE = """
import pickle, sys
scorer, rows = pickle.load(open(sys.argv[1], "rb"))
column_mapping = scorer.contract.resolve(rows.schema.names)
pickle.dump(scorer.score(rows, column_mapping, "x").decisions, open(sys.argv[2], "wb"))
"""


def test_a_scorer_gives_the_same_bytes_in_another_process(
    name: str, records: Paths, models: Paths, tmp_path: Path
) -> None:
    scorer = scorer_of(name, models)
    rows = frame_of(records[name]).head(80).to_arrow().combine_chunks().to_batches()[0]
    rows = rows.cast(pa.schema([(field.name, pa.string()) for field in rows.schema]))
    (tmp_path / "in").write_bytes(pickle.dumps((scorer, rows)))
    subprocess.run([sys.executable, "-c", CODE, tmp_path / "in", tmp_path / "out"], check=True)
    there = pickle.loads((tmp_path / "out").read_bytes())
    here = scorer.score(rows, scorer.contract.resolve(rows.schema.names), "x").decisions
    assert there.equals(here)


def test_contributions_add_up_to_the_score(name: str, records: Paths, models: Paths) -> None:
    scorer = scorer_of(name, models)
    solution = registry.solution(name)
    raw = frame_of(records[name]).head(40).to_arrow().combine_chunks().to_batches()[0]
    checked = scorer.contract.check(
        raw, scorer.contract.resolve(raw.schema.names), scorer.settings, labels_wanted=False
    )
    windowed = scorer.apply_windows(checked.rows, scorer.new_state())
    for predictor in scorer.predictors:
        features, columns = predictor.features, {}
        for other in predictor.task.reads_tasks:
            columns[f"{other}.score"] = pa.array(np.linspace(0, 1, len(checked.rows)))
        values = features.values(checked.rows, windowed.features, columns)
        X = features.matrix(checked.rows, values)
        outputs = predictor.model.raw(X)
        direction = predictor.calibrator.direction(predictor.calibrator.apply(outputs))
        parts = predictor.model.contributions(X, direction)
        total = np.asarray(parts.sum(axis=1)).ravel()
        wanted = outputs[:, 0] if direction is None else (outputs * direction).sum(axis=1)
        assert total == pytest.approx(wanted, abs=1e-7), f"{solution.name} {predictor.task.name}"


def test_it_streams_what_a_file_has(name: str, records: Paths, models: Paths, tmp_path: Path) -> None:
    lines, sink = tmp_path / "records.jsonl", tmp_path / "decisions.jsonl"
    rows = frame_of(records[name]).head(120)
    time = registry.solution(name).contract.event_time
    if time is not None:
        rows = rows.sort(registry.solution(name).contract.resolve(rows.columns).theirs[time])
    rows.write_ndjson(lines)
    ts.stream(
        name, source=lines, sink=sink, model=models[name], until_idle=True,
        state=f"sqlite:///{tmp_path / 'state.db'}",
    )  # fmt: skip
    streamed = pl.read_ndjson(sink).sort("id", "task")
    batch = ts.score(name, rows, model=models[name]).sort("id", "task")
    assert streamed["id"].to_list() == batch["id"].to_list()
    assert streamed["score"].to_list() == batch["score"].to_list()
    assert streamed["action"].to_list() == batch["action"].to_list()
