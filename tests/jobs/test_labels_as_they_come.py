"""Labels as banks have them: other names, lists without a label, reason codes, other words, other keys."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tallystick as ts
from tallystick import registry
from tallystick.errors import DataError, UsageError
from tallystick.jobs.options import run_context
from tallystick.jobs.records_input import columns_of, read_records

FRAUD = registry.solution("fraud")
START = datetime(2024, 1, 1, tzinfo=UTC)


def payments(rows: int = 40, **columns: Any) -> pl.DataFrame:
    """One payment an hour."""
    return pl.DataFrame(
        {
            "transaction_id": [f"T{n}" for n in range(rows)],
            "event_time": [START + timedelta(hours=n) for n in range(rows)],
            "customer_id": ["c"] * rows,
            "amount": [10.0] * rows,
        }
        | columns
    )


def answers(
    labels: Any, frame: pl.DataFrame | None = None, map_: Any = None, **set_: Any
) -> dict[str, float]:
    """The answers that rows got: key → 1 or 0."""
    frame = payments() if frame is None else frame
    context = run_context("train", set=set_, map=map_)
    records = read_records(
        FRAUD, frame, context, columns_of(FRAUD, FRAUD.tasks), labels=labels, labels_wanted=True
    )
    found = zip(records.ids.to_pylist(), records.answers.tolist(), strict=True)
    return {key: answer for key, answer in found if answer == answer}


def test_columns_of_labels_are_mapped_by_themselves() -> None:
    labels = pl.DataFrame({"ref": ["T1", "T2"], "verdict": ["yes", "no"]})
    names = {"labels:ref": "transaction_id", "labels:verdict": "is_fraud"}
    assert answers(labels, map_=names) == {"T1": 1, "T2": 0}
    with pytest.raises(DataError) as caught:
        answers(labels)
    assert caught.value.message.startswith("The labels are refused: ")
    assert '--map "labels:' in caught.value.hint
    # What is said of the input is not said of its labels.
    theirs = payments().rename({"transaction_id": "id"})
    assert answers(labels, theirs, {"id": "transaction_id", **names}) == {"T1": 1, "T2": 0}


def test_a_list_without_a_label_says_nothing_until_the_setting_does() -> None:
    listed = pl.DataFrame(
        {"transaction_id": ["T1", "T2"], "chargeback_date": [START + timedelta(days=9)] * 2}
    )
    with pytest.raises(DataError) as caught:
        answers(listed)
    assert "missing: is_fraud, what it was" in caught.value.message
    assert "--set listed=" in caught.value.hint
    for word in ("fraud", "yes", "Is fraud"):
        assert answers(listed, listed=word) == {"T1": 1, "T2": 1}
    assert answers(listed, listed="no") == {"T1": 0, "T2": 0}
    assert answers(listed, listed="betrug", event="betrug/echt") == {"T1": 1, "T2": 1}
    with pytest.raises(UsageError, match='listed="maybe" is no answer of is_fraud'):
        answers(listed, listed="maybe")
    # A column of labels goes before it.
    both = pl.DataFrame({"transaction_id": ["T1", "T2"], "is_fraud": [True, False]})
    assert answers(both, listed="fraud") == {"T1": 1, "T2": 0}


@pytest.mark.parametrize(
    ("values", "event", "wanted"),
    [
        (["fraud", "Genuine"], "fraud/genuine", [1, 0]),
        (["JA", "nein"], "ja/nein", [1, 0]),
        ([4837, 4853], "4837,4863", [1, 0]),
        (["10.4", "13.1"], "10.4", [1, 0]),
        (["F", " g "], "f/g", [1, 0]),
        (["1", "0"], "fraud/genuine", [1, 0]),  # what all know stays what it is
        ([1, 2], "2/1", [0, 1]),
    ],
)
def test_which_value_is_the_event_is_a_setting(values: list[Any], event: str, wanted: list[int]) -> None:
    labels = pl.DataFrame({"transaction_id": ["T1", "T2"], "is_fraud": values})
    found = dict(zip(("T1", "T2"), wanted, strict=True))
    assert answers(labels, event=event) == found
    # The same in the input's own column.
    frame = payments(2, is_fraud=values)
    assert list(answers(None, frame, event=event).values()) == wanted


def test_a_word_that_the_setting_does_not_name_is_bad(tmp_path: Path) -> None:
    frame = payments(4, is_fraud=["fraud", "genuine", "pending", None])
    bad = tmp_path / "bad.jsonl"
    context = run_context("train", set={"event": "fraud/genuine"}, quarantine=bad)
    records = read_records(FRAUD, frame, context, columns_of(FRAUD, FRAUD.tasks), labels_wanted=True)
    assert (records.report.reasons, len(records)) == ({"not_a_flag": 1}, 3)
    assert json.loads(bad.read_text().splitlines()[0])["value"] == "pending"
    plain = run_context("train", quarantine=bad)
    read_records(FRAUD, frame, plain, columns_of(FRAUD, FRAUD.tasks), labels_wanted=True)
    assert "--set event=" in json.loads(bad.read_text().splitlines()[0])["message"]


@pytest.mark.parametrize("value", ["", "/x", "a/", "a/a", "A,b/B"])
def test_a_setting_without_values_is_refused(value: str) -> None:
    if value:
        with pytest.raises(UsageError, match="event="):
            run_context("train", set={"event": value})


def test_labels_that_match_no_row_are_refused_with_examples_of_both_keys(tmp_path: Path) -> None:
    labels = pl.DataFrame({"transaction_id": ["0001", "0002"], "is_fraud": [True, False]})
    with pytest.raises(DataError) as caught:
        ts.train("fraud", payments(), model=tmp_path / "m", labels=labels)
    assert 'Keys of labels: "0001", "0002"; of rows: "T0", "T1", "T2".' in caught.value.message
    assert '--map "labels:THEIRS=transaction_id"' in caught.value.hint
    assert not (tmp_path / "m").exists()
    # Where nothing is learned they are said, and change nothing.
    context = run_context("score")
    records = read_records(FRAUD, payments(), context, columns_of(FRAUD, FRAUD.tasks), labels=labels)
    assert any(note.startswith("None of 2 labels is for a row here") for note in records.report.notes)


def test_an_object_of_answers_is_a_table_of_two_columns(tmp_path: Path) -> None:
    """Public card files come with their labels as `{"target": {id: "Yes"}}`."""
    path = tmp_path / "labels.json"
    path.write_text('{"target": {"T1": "Yes", "T2": "No"}}')
    names = {"labels:key": "transaction_id", "labels:target": "is_fraud"}
    assert answers(path, map_=names) == {"T1": 1, "T2": 0}
    with pytest.raises(DataError, match='Found: "key", "target"'):
        answers(path)


def test_an_unreadable_label_does_not_keep_a_payment_from_its_decision(tmp_path: Path) -> None:
    """Neither does anything else that is known only later: batch, single row and stream decide it."""
    path = tmp_path / "p.parquet"
    ts.simulate("fraud", rows=2_000, preset="handbook", seed=2, output=path)
    frame = pl.read_parquet(path)
    (tmp_path / "w.yaml").write_text(
        "features:\n  - {entity: customer_id, windows: 7d, aggregates: [count, mean amount]}\n"
    )
    ts.train(
        "fraud", frame, model=tmp_path / "m", task=["fraud"], windows=tmp_path / "w.yaml",
        learner_set={"n_estimators": 10},
    )  # fmt: skip
    bare = frame.drop("is_fraud", "label_known_at", "scenario", strict=False)[:50]
    odd = bare.with_columns(is_fraud=pl.lit("pending"), label_known_at=pl.lit("soon"))
    whole = ts.score("fraud", bare, model=tmp_path / "m")
    assert ts.score("fraud", odd, model=tmp_path / "m").equals(whole)
    account = ts.score("fraud", odd, model=tmp_path / "m", output=tmp_path / "d.jsonl")
    assert (account.input_report.rows_clean, account.input_report.rows_quarantined) == (50, 0)
    assert "is_fraud: 50 values cannot be read; they count as unknown." in account.input_report.notes
    assert ts.load("fraud", tmp_path / "m").score(odd.to_dicts()[0])["score"] == whole["score"][0]
    assert ts.score("fraud", bare[10:], model=tmp_path / "m", history=odd[:10]).equals(whole[10:])
    odd.write_csv(tmp_path / "in.csv")
    ts.stream(
        "fraud", source=tmp_path / "in.csv", model=tmp_path / "m", sink=tmp_path / "s.jsonl",
        state=f"sqlite:///{tmp_path}/s.db", until_idle=True,
    )  # fmt: skip
    assert len((tmp_path / "s.jsonl").read_text().splitlines()) == 50
    # To learn from, it is still bad.
    refused = ts.train(
        "fraud", pl.concat([frame.with_columns(is_fraud=pl.col("is_fraud").cast(pl.String))[50:],
        odd.with_columns(label_known_at=pl.lit(None, frame["label_known_at"].dtype))], how="diagonal"),
        model=tmp_path / "n", task=["fraud"], windows=tmp_path / "w.yaml", learner_set={"n_estimators": 5},
    )  # fmt: skip
    assert refused.input_report.reasons == {"not_a_flag": 50}
