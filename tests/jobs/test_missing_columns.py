"""Columns that a model reads and an input lacks are named; blanks that training never met go to a person."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tallystick as ts
from tallystick.errors import DataError, UsageError

AFTER = ("is_fraud", "label_known_at", "scenario")
WINDOWS = """
features:
  - {entity: customer_id, windows: [1d, 7d], aggregates: [count, mean amount]}
  - {entity: terminal_id, windows: 7d, aggregates: [count], where: known_fraud}
"""


@pytest.fixture(scope="module")
def payments(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """Payments with a card, a terminal and an amount each, as the Handbook's."""
    path = tmp_path_factory.mktemp("payments") / "payments.parquet"
    ts.simulate("fraud", rows=3_000, preset="handbook", seed=2, output=path)
    return pl.read_parquet(path)


@pytest.fixture(scope="module")
def bare(payments: pl.DataFrame) -> pl.DataFrame:
    """The last of them, without what is known only later."""
    return payments.drop(AFTER, strict=False)[-200:]


@pytest.fixture(scope="module")
def model(payments: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    (folder / "windows.yaml").write_text(WINDOWS)
    ts.train(
        "fraud", payments, model=folder / "model", task=["fraud"], windows=folder / "windows.yaml",
        learner_set={"n_estimators": 10},
    )  # fmt: skip
    return folder / "model"


def test_a_bundle_keeps_which_columns_it_reads(model: Path) -> None:
    manifest = json.loads((model / "fraud" / "manifest.json").read_text())
    used = manifest["features"]["columns"]
    assert set(used) == {"event_time", "customer_id", "terminal_id", "amount"}
    assert set(used.values()) == {0.0}


@pytest.mark.parametrize("column", ["amount", "customer_id", "terminal_id", "event_time"])
@pytest.mark.parametrize("verb", ["score", "evaluate", "frame of a loaded model", "row", "rows"])
def test_a_column_that_the_model_reads_is_needed(
    column: str, verb: str, payments: pl.DataFrame, bare: pl.DataFrame, model: Path
) -> None:
    scorer = ts.load("fraud", model)
    rows = bare.drop(column).to_dicts()
    calls: dict[str, Any] = {
        "score": lambda: ts.score("fraud", bare.drop(column), model=model),
        "evaluate": lambda: ts.evaluate("fraud", payments.drop(column), model=model),
        "frame of a loaded model": lambda: scorer.score(bare.drop(column)),
        "row": lambda: scorer.score(rows[0]),
        "rows": lambda: scorer.score(rows),
    }
    with pytest.raises(DataError, match=f"needed is missing: {column}, what fraud looks at"):
        calls[verb]()


def test_names_that_are_not_known_are_named(bare: pl.DataFrame, model: Path) -> None:
    theirs = bare.rename({"customer_id": "kunde", "amount": "amuont"})
    with pytest.raises(DataError) as caught:
        ts.score("fraud", theirs, model=model)
    assert "missing: customer_id, what fraud looks at; amount, what fraud looks at" in caught.value.message
    assert 'Did you mean amount? --map "amuont=amount"' in caught.value.hint
    assert '"kunde"' in caught.value.hint
    mapped = ts.score("fraud", theirs, model=model, map={"kunde": "customer_id", "amuont": "amount"})
    assert mapped.equals(ts.score("fraud", bare, model=model))


def test_other_solutions_say_it_as_well(tmp_path: Path) -> None:
    letters = pl.DataFrame({"narrative": [f"my loan was refused {n}" for n in range(9)]})
    ts.simulate("complaints", rows=400, output=tmp_path / "letters.csv", seed=1)
    ts.train(
        "complaints", tmp_path / "letters.csv", model=tmp_path / "m", task=["product"], learner="naive_bayes"
    )
    with pytest.raises(DataError, match="narrative, what product looks at"):
        ts.score("complaints", letters.rename({"narrative": "state"}), model=tmp_path / "m")
    with pytest.raises(DataError, match="narrative, what product looks at"):
        ts.load("complaints", tmp_path / "m").score({"state": "TX"})


def test_a_stream_refuses_a_source_without_it(bare: pl.DataFrame, model: Path, tmp_path: Path) -> None:
    bare.drop("amount").write_csv(tmp_path / "in.csv")
    given: dict[str, Any] = {"model": model, "sink": tmp_path / "out.jsonl", "until_idle": True}
    with pytest.raises(DataError, match="amount, what fraud looks at"):
        ts.stream("fraud", source=tmp_path / "in.csv", state=f"sqlite:///{tmp_path}/a.db", **given)
    # A later record that leaves it out does not end a stream: a person decides it.
    said = (pl.col("event_time").dt.to_string("iso:strict"), pl.col("amount").cast(pl.Float64))
    lines = bare[:3].with_columns(*said).to_dicts()
    del lines[1]["amount"]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    ts.stream("fraud", source=tmp_path / "in.jsonl", state=f"sqlite:///{tmp_path}/b.db", **given)
    decided = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [one["action"] == "review" and one["score"] is None for one in decided] == [False, True, False]


@pytest.mark.parametrize(
    ("column", "code"),
    [("customer_id", "no_customer_id"), ("amount", "no_amount"), ("terminal_id", "no_terminal_id")],
)
def test_a_blank_that_training_never_met_goes_to_a_person(
    column: str, code: str, bare: pl.DataFrame, model: Path
) -> None:
    """A row without its card is neither one of "many payments" nor of none: nobody knows."""
    mixed = bare.with_columns(pl.when(pl.int_range(pl.len()) % 4 > 0).then(pl.col(column)).alias(column))
    batch = ts.score("fraud", mixed, model=model)
    blank = batch.filter(pl.int_range(pl.len()) % 4 == 0)
    assert blank["action"].to_list() == ["review"] * 50
    assert blank["score"].null_count() == blank["label"].null_count() == 50
    reasons = blank["reasons"].to_list()
    assert all(one[0]["feature"] == code and len(one) == 1 for one in reasons)
    assert reasons[0][0]["words"] == f"{column} is blank, which it never was in training"
    # The others are decided as ever, and a row by itself as in the batch.
    whole = batch.filter(pl.int_range(pl.len()) % 4 > 0)
    assert whole["score"].null_count() == 0
    scorer = ts.load("fraud", model)
    alone = [scorer.score(row) for row in mixed[:9].to_dicts()]
    for name in ("id", "label", "score", "action", "reasons"):
        assert [row[name] for row in alone] == batch[name][:9].to_list()


def test_figures_leave_such_rows_out_and_count_them(payments: pl.DataFrame, model: Path) -> None:
    new = payments.with_columns(
        transaction_id="new-" + pl.col("transaction_id"),
        amount=(pl.col("amount").cast(pl.Float64) + 0.01).round(2),
        customer_id=pl.when(pl.int_range(pl.len()) % 10 > 0).then("customer_id"),
    )
    report = ts.evaluate("fraud", new, model=model, task=["fraud"]).reports["fraud"]
    assert report["left_out"] == {"blank where training never was": 300}
    assert report["rows"] == 2_700


def test_a_blank_that_training_knew_is_scored(
    payments: pl.DataFrame, bare: pl.DataFrame, tmp_path: Path
) -> None:
    some = payments.with_columns(customer_id=pl.when(pl.int_range(pl.len()) % 4 > 0).then("customer_id"))
    (tmp_path / "w.yaml").write_text(WINDOWS)
    ts.train("fraud", some, model=tmp_path / "m", task=["fraud"], windows=tmp_path / "w.yaml",
             learner_set={"n_estimators": 10})  # fmt: skip
    decided = ts.score("fraud", bare.with_columns(customer_id=pl.lit(None, pl.String)), model=tmp_path / "m")
    assert decided["score"].null_count() == 0


def test_a_history_with_other_names_is_refused_and_can_be_mapped(
    payments: pl.DataFrame, bare: pl.DataFrame, model: Path
) -> None:
    before = payments.drop(AFTER, strict=False)[:-200]
    theirs = before.rename({"customer_id": "kunde"})
    warm = ts.score("fraud", bare, model=model, history=before)
    with pytest.raises(DataError) as caught:
        ts.score("fraud", bare, model=model, history=theirs)
    assert caught.value.message.startswith("The history is refused: What is needed is missing: customer_id")
    assert '--map "history:THEIRS=customer_id"' in caught.value.hint
    mapped = {"history:kunde": "customer_id"}
    assert ts.score("fraud", bare, model=model, history=theirs, map=mapped).equals(warm)
    assert ts.load("fraud", model, history=theirs, map=mapped).score(bare).equals(warm)
    # What is said of the input holds for a history with the same columns, and for one in our names.
    kunde = bare.rename({"customer_id": "kunde"})
    for history in (theirs, before):
        found = ts.score("fraud", kunde, model=model, history=history, map={"kunde": "customer_id"})
        assert found.equals(warm)
    with pytest.raises(DataError, match="history is refused: it lacks customer_id"):
        ts.features("fraud", bare, history=theirs)
    with pytest.raises(UsageError, match="--map history:kunde=customer_id: there is no --history"):
        ts.score("fraud", bare, model=model, map=mapped)
