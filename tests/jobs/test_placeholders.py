"""Placeholders as keys and entities, in every format: no duplicates of strangers, no giant card."""

import json
from pathlib import Path

import polars as pl
import pytest

import tallystick as ts

WORDS = ["N/A", "nan", "None", "NULL", "-", "unknown", "N/A", "unknown"]
LETTERS = [{"complaint_id": word, "narrative": f"letter {i} about my loan"} for i, word in enumerate(WORDS)]


def written(folder: Path, form: str, rows: list[dict]) -> object:
    frame = pl.DataFrame(rows)
    if form == "frame":
        return frame
    path = folder / f"in.{form}"
    {"csv": frame.write_csv, "parquet": frame.write_parquet, "jsonl": frame.write_ndjson}[form](path)
    return path


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "frame"])
def test_letters_without_a_key_are_no_duplicates(form: str, model: Path, tmp_path: Path) -> None:
    source = written(tmp_path, form, LETTERS)
    report = ts.validate("complaints", source).input_report
    assert (report.rows_clean, report.rows_duplicate) == (8, 0)
    done = ts.score("complaints", source, model=model, output=tmp_path / "out.jsonl")
    ids = [json.loads(line)["id"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert done.decisions == len(set(ids)) == 8


def test_nan_of_json_is_no_class_and_no_id(model: Path, tmp_path: Path) -> None:
    rows = [
        {"complaint_id": float("nan"), "narrative": "my loan", "product": float("nan"), "company": None}
    ] * 2
    (tmp_path / "in.json").write_text(json.dumps(rows))
    assert "NaN" in (tmp_path / "in.json").read_text()
    ts.validate("complaints", tmp_path / "in.json", output=tmp_path / "clean.parquet")
    clean = pl.read_parquet(tmp_path / "clean.parquet")
    assert len(clean) == 2
    assert clean["complaint_id"].null_count() == clean["product"].null_count() == 2
    found = ts.load("complaints", model).score(
        {"complaint_id": "NaN", "narrative": "my loan", "company": "NaN"}
    )
    assert found["id"] != "NaN"


def test_payments_without_a_card_are_no_giant_card(tmp_path: Path) -> None:
    ts.simulate("fraud", rows=600, output=tmp_path / "p.parquet", seed=4)
    frame = pl.read_parquet(tmp_path / "p.parquet")
    blank = frame.with_columns(customer_id=pl.when(pl.int_range(pl.len()) % 2 == 0).then("customer_id"))
    word = blank.with_columns(pl.col("customer_id").fill_null("N/A"))
    assert ts.features("fraud", word).equals(ts.features("fraud", blank))


def test_one_value_that_holds_much_of_an_entity_is_said(tmp_path: Path) -> None:
    ts.simulate("fraud", rows=4000, output=tmp_path / "p.parquet", seed=4)
    frame = pl.read_parquet(tmp_path / "p.parquet").with_columns(
        customer_id=pl.format("C{}", pl.int_range(pl.len()) % 500)
    )
    assert not [note for note in ts.validate("fraud", frame).input_report.notes if "placeholders" in note]
    zero = frame.with_columns(
        customer_id=pl.when(pl.int_range(pl.len()) % 8 == 0).then(pl.lit("0")).otherwise("customer_id")
    )
    (note,) = [note for note in ts.validate("fraud", zero).input_report.notes if "placeholders" in note]
    assert note == ('customer_id: 500 rows have the value "0". If that means missing: --set placeholders=0.')
    told = ts.validate("fraud", zero, set={"placeholders": "0"}).input_report.notes
    assert not [note for note in told if "placeholders" in note]
