"""Rows that a model was trained on, and near copies of them, are no new rows: not in figures, not in
decisions."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import tallystick as ts
from tallystick.app import run
from tallystick.config import Settings

LETTER = pl.col("narrative")
COPIES = {
    "line feeds turned into CRLF": LETTER.str.replace_all("\n", "\r\n").str.replace_all(
        ". ", ".\r\n", literal=True
    ),
    "curly quotes": LETTER.str.replace_all("'", "’", literal=True) + " ”",
    "two spaces": LETTER.str.replace_all(" ", "  ", literal=True),
    "upper case": LETTER.str.to_uppercase(),
    "masked": LETTER.str.replace_all("$", " XXXX"),
}


@pytest.mark.parametrize("how", COPIES)
def test_near_copies_of_training_letters_have_their_held_out_figures(
    how: str, records: Path, model: Path
) -> None:
    frame = pl.read_csv(records, infer_schema=False)
    changed = frame.with_columns(COPIES[how])
    assert not changed["narrative"].equals(frame["narrative"])
    right = ts.evaluate("complaints", records, model=model).reports["product"]
    found = ts.evaluate("complaints", changed, model=model).reports["product"]
    assert "rows new to it" not in found["split"]
    for name in ("rows", "accuracy", "f1_macro"):
        assert found[name] == right[name], name


def test_payments_are_known_by_their_key_or_by_what_they_say(
    frame: pl.DataFrame, payments: Path, fraud_model: Path
) -> None:
    right = ts.evaluate("fraud", payments, model=fraud_model).reports["fraud"]
    said = "rows it was learned from, or near copies of them"
    for changed in (
        frame.with_columns("N" + pl.col("transaction_id")),
        frame.drop("transaction_id"),
        frame.with_columns(pl.col("amount") + 1),
    ):
        found = ts.evaluate("fraud", changed, model=fraud_model).reports["fraud"]
        assert found["split"] == right["split"]
        assert said in found["split"]
        assert "rows new to it" not in found["split"]
        assert found["average_precision"] == pytest.approx(right["average_precision"])


def test_score_says_how_many_rows_it_was_trained_on(
    records: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh, both = tmp_path / "fresh.csv", tmp_path / "both.csv"
    ts.simulate("complaints", rows=1_000, output=fresh, seed=99)
    every = pl.read_csv(records, infer_schema=False)
    pl.concat([every, pl.read_csv(fresh, infer_schema=False)]).with_columns(
        complaint_id=pl.lit(None, pl.String)
    ).write_csv(both)
    trained = ts.score("complaints", records, model=model, output=tmp_path / "a.csv").to_dict()["trained_on"]
    # Letters without a word are in no model.
    words = int((every["narrative"].fill_null("").str.strip_chars() != "").sum())
    assert trained == {"rows": words, "share": words / len(every)}
    some = ts.score("complaints", both, model=model, output=tmp_path / "b.csv").to_dict()["trained_on"]
    assert words <= some["rows"] < words + 700
    assert (
        run(["score", "complaints", str(records), "--model", str(model), "--output", str(tmp_path / "c.csv")])
        == 0
    )
    assert f"{words:,} of these rows" in " ".join(capsys.readouterr().out.split())
    command = ["score", "complaints", str(fresh), "--model", str(model), "--output", str(tmp_path / "d.csv")]
    assert run([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["trained_on"]["share"] < 0.7


def test_score_of_payments_says_so_too(payments: Path, fraud_model: Path, tmp_path: Path) -> None:
    found = ts.score("fraud", payments, model=fraud_model, output=tmp_path / "a.parquet")
    assert found.trained_on > 0.9 * found.decisions
    later = tmp_path / "later.parquet"
    ts.simulate("fraud", rows=2_000, output=later, seed=77)
    assert ts.score("fraud", later, model=fraud_model, output=tmp_path / "b.parquet").trained_on == 0


def test_letters_without_a_word_are_no_copies_of_one_that_is_all_masked(tmp_path: Path) -> None:
    ts.simulate("complaints", rows=400, output=tmp_path / "plain.csv", seed=3)
    frame = pl.read_csv(tmp_path / "plain.csv", infer_schema=False).filter(pl.col("narrative").is_not_null())
    masked = frame.head(1).with_columns(narrative=pl.lit("XXXX XXXX"), complaint_id=pl.lit("masked"))
    ts.train("complaints", pl.concat([frame, masked]), model=tmp_path / "m", learner="naive_bayes")
    blank = frame.head(50).with_columns(narrative=pl.lit(None, pl.String))
    blank.write_csv(tmp_path / "blank.csv")
    scored = ts.score("complaints", tmp_path / "blank.csv", model=tmp_path / "m", output=tmp_path / "d.csv")
    assert (scored.decisions, scored.trained_on) == (50, 0)


def test_train_proposes_to_score_other_rows(
    records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["train", "complaints", str(records), "--model", str(tmp_path / "m"), "--learner", "naive_bayes"]
    assert run(asked) == 0
    evaluate, score = capsys.readouterr().out.splitlines()[-2:]
    assert str(records) in evaluate
    assert str(records) not in score
    assert "tallystick score complaints NEW.csv" in score


def test_of_many_rows_a_thousand_are_looked_at_first(
    fraud_model: Path, frame: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer = ts.load("fraud", fraud_model).scorer
    looked: list[int] = []
    whole = type(scorer).trained_on

    def counted(self: object, rows: pa.RecordBatch, ids: pa.Array) -> np.ndarray:
        looked.append(len(rows))
        return whole(self, rows, ids)

    monkeypatch.setattr(type(scorer), "trained_on", counted)
    contract = scorer.contract
    checked = contract.check(
        (batch := frame.to_arrow().combine_chunks().to_batches()[0]),
        contract.resolve(batch.schema.names),
        Settings(),
    ).rows
    ids = checked.column("transaction_id")
    assert scorer.count_trained_on(checked, ids) == len(checked)
    strange = pa.array([f"x{i}" for i in range(len(checked))])
    later = checked.set_column(checked.schema.get_field_index("transaction_id"), "transaction_id", strange)
    amount = checked.schema.get_field_index("amount")
    later = later.set_column(amount, "amount", pc.add(checked.column("amount"), 7))
    assert scorer.count_trained_on(later, strange) == 0
    assert looked == [1024, len(checked), 1024]
