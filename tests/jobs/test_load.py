"""A loaded model as an object: one row is the row in a batch, and history warms its windows."""

import pickle
from functools import partial
from pathlib import Path

import polars as pl
import pytest

import tallystick as ts
from tallystick.errors import DataError, DataWarning, UsageError


def test_rows_one_by_one_are_the_batch(frame: pl.DataFrame, fraud_model: Path) -> None:
    bare = frame.drop("is_fraud", "label_known_at", "scenario").head(60)
    batch = ts.score("fraud", bare, model=fraud_model)
    scorer = ts.load("fraud", fraud_model)
    alone = [scorer.score(row) for row in bare.iter_rows(named=True)]
    assert [row["score"] for row in alone] == batch["score"].to_list()
    assert [row["action"] for row in alone] == batch["action"].to_list()
    again = ts.load("fraud", fraud_model).score(bare)
    assert isinstance(again, pl.DataFrame)
    assert again["score"].to_list() == batch["score"].to_list()


def test_a_column_that_a_row_lacks_is_unknown_as_in_a_file(frame: pl.DataFrame, fraud_model: Path) -> None:
    bare = frame.drop("is_fraud", "label_known_at", "scenario", "device_id").head(40)
    blank = bare.with_columns(device_id=pl.lit(None, pl.String))
    batch = ts.score("fraud", blank, model=fraud_model)
    scorer = ts.load("fraud", fraud_model)
    assert [scorer.score(row)["score"] for row in bare.iter_rows(named=True)] == batch["score"].to_list()


def test_history_warms_the_windows(frame: pl.DataFrame, fraud_model: Path) -> None:
    bare = frame.drop("is_fraud", "label_known_at", "scenario").head(400)
    whole = ts.score("fraud", bare, model=fraud_model)[300:]
    warm = ts.load("fraud", fraud_model, history=bare[:300]).score(bare[300:])
    assert warm["score"].to_list() == whole["score"].to_list()
    assert warm["sequence"].to_list() == whole["sequence"].to_list()


def test_a_letter_gives_a_decision(model: Path) -> None:
    scorer = ts.load("complaints", model, all_scores=True)
    decision = scorer.score({"narrative": "My mortgage payment was lost", "complaint_id": "7"})
    assert (decision["id"], decision["task"]) == ("7", "product")
    first, second, *_ = decision["reasons"]
    assert (first["feature"], decision["action"]) == ("too_little_text", "review")
    assert second["words"].startswith("mentions “")
    assert len(scorer.score([{"narrative": "a loan"}, {"narrative": "a card"}])) == 2
    copy = pickle.loads(pickle.dumps(scorer.scorer))
    assert copy.harmless == {"auto"}


def test_what_cannot_be_scored_is_said(model: Path, fraud_model: Path, frame: pl.DataFrame) -> None:
    with pytest.raises(DataError, match="cannot be scored: bad_time"):
        ts.load("complaints", model).score({"narrative": "a loan", "received_at": "soon"})
    with pytest.raises(UsageError, match="no use for --history"):
        ts.load("complaints", model, history=frame)
    with pytest.raises(UsageError, match="came before"):
        ts.load("fraud", fraud_model, labels=frame)


def test_rows_that_are_not_in_the_result_are_told(model: Path) -> None:
    rows = [{"complaint_id": "1", "narrative": "a fee"}, {"complaint_id": "2", "received_at": "soon"}]
    frame = pl.DataFrame(
        {"complaint_id": ["1", "2"], "received_at": ["2024-01-01", "soon"], "narrative": ["a", "b"]}
    )
    scorer = ts.load("complaints", model)
    for score, given in (
        (scorer.score, rows),
        (scorer.score, frame),
        (partial(ts.score, "complaints", model=model), frame),
    ):
        with pytest.warns(
            DataWarning, match=r"Of 2 rows 1 in quarantine \(1 bad_time\): they are not"
        ) as told:
            assert len(score(given)) == 1
        assert told[0].filename == __file__
