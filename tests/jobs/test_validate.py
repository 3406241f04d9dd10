"""Clean rows can be read again."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import tallystick as ts


@pytest.mark.parametrize("name", ["clean.csv", "clean.parquet", "clean.jsonl"])
def test_clean_rows_of_unlabelled_payments_are_clean_again(name: str, tmp_path: Path) -> None:
    source = tmp_path / "payments.csv"
    source.write_text(
        "transaction_id,event_time,customer_id,amount,currency\n"
        "1,2024-01-01,a,12.30,USD\n2,2024-01-02,a,85.64999999999999,\n3,2024-01-03,b,500,JPY\n"
    )
    first = ts.validate("fraud", source, output=tmp_path / name)
    again = ts.validate("fraud", tmp_path / name, output=tmp_path / f"again-{name}")
    assert first.intake.rows_clean == again.intake.rows_clean == 3
    assert (tmp_path / name).read_bytes() == (tmp_path / f"again-{name}").read_bytes()
    if name == "clean.csv":
        frame = pl.read_csv(tmp_path / name, infer_schema=False)
        assert frame["amount"].to_list() == ["12.30", "85.65", "500"]
        assert "is_fraud" not in frame.columns
