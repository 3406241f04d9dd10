"""Clean rows can be read again."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

import tallystick as ts
from tallystick.errors import DataError


@pytest.mark.parametrize("name", ["clean.csv", "clean.parquet", "clean.jsonl"])
def test_clean_rows_of_unlabelled_payments_are_clean_again(name: str, tmp_path: Path) -> None:
    source = tmp_path / "payments.csv"
    source.write_text(
        "transaction_id,event_time,customer_id,amount,currency\n"
        "1,2024-01-01,a,12.30,USD\n2,2024-01-02,a,85.64999999999999,\n3,2024-01-03,b,500,JPY\n"
    )
    first = ts.validate("fraud", source, output=tmp_path / name)
    again = ts.validate("fraud", tmp_path / name, output=tmp_path / f"again-{name}")
    assert first.input_report.rows_clean == again.input_report.rows_clean == 3
    assert (tmp_path / name).read_bytes() == (tmp_path / f"again-{name}").read_bytes()
    if name == "clean.csv":
        frame = pl.read_csv(tmp_path / name, infer_schema=False)
        assert frame["amount"].to_list() == ["12.30", "85.65", "500"]
        assert "is_fraud" not in frame.columns


@pytest.mark.parametrize("output", [None, "clean.csv"])
@pytest.mark.parametrize(("name", "key"), [("complaints", "complaint_id"), ("fraud", "transaction_id")])
def test_a_file_in_which_only_the_key_is_known_is_refused(
    name: str, key: str, output: str | None, tmp_path: Path
) -> None:
    source = tmp_path / "records.csv"
    source.write_text(f"{key},colour\n1,red\n2,blue\n")
    target = None if output is None else tmp_path / output
    with pytest.raises(DataError, match=f"only {key} is there") as caught:
        ts.validate(name, source, output=target)
    assert "--map" in caught.value.hint
    assert target is None or not target.exists()


def test_that_what_the_tasks_need_is_not_there_is_said(tmp_path: Path) -> None:
    source = tmp_path / "records.csv"
    source.write_text("complaint_id,product\n1,Mortgage\n")
    (note,) = ts.validate("complaints", source).input_report.notes
    assert note.startswith("narrative was not found")
    source.write_text("complaint_id,narrative\n1,They lied.\n")
    assert ts.validate("complaints", source).input_report.notes == ()


def test_the_intake_file_of_the_bureau_is_read_by_its_own_names(tmp_path: Path) -> None:
    source = tmp_path / "input_report.ndjson"
    letter = {"public_id": "230101-1", "consumer_narrative": "They lied.", "product": "Mortgage"}
    source.write_text(json.dumps(letter) + "\n")
    done = ts.validate("complaints", source, output=tmp_path / "clean.ndjson")
    assert (done.input_report.rows_clean, done.input_report.ignored) == (1, ())
    assert '"complaint_id":"230101-1"' in (tmp_path / "clean.ndjson").read_text()
    assert '"narrative":"They lied."' in (tmp_path / "clean.ndjson").read_text()
