from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.config import Settings
from tallystick.contracts import Column, Contract, written, written_schema
from tallystick.contracts.currencies import DIGITS
from tallystick.contracts.money import LIMIT

PAID = Contract(
    "paid",
    1,
    (
        Column("id", "text", "Key"),
        Column("amount", "money", "Paid", currency="currency"),
        Column("currency", "category", "In what"),
        Column("at", "time", "When"),
    ),
)


def clean(rows: pa.RecordBatch, settings: Settings) -> list[dict[str, Any]]:
    checked = PAID.check(rows, PAID.resolve(rows.schema.names), settings)
    assert checked.bad.message == ()
    found: list[dict[str, Any]] = checked.rows.to_pylist()
    return found


@pytest.mark.parametrize("typed", [True, False])
@given(
    rows=st.lists(
        st.tuples(st.integers(-LIMIT, LIMIT) | st.none(), st.sampled_from([None, *sorted(DIGITS)])),
        min_size=1,
        max_size=60,
    )
)
def test_what_is_written_is_read_again_also_under_another_currency(
    typed: bool, rows: list[tuple[int | None, str | None]]
) -> None:
    amounts = pa.array([amount for amount, _ in rows], pa.int64())
    codes = [code for _, code in rows]
    batch = pa.record_batch({"amount": amounts, "currency": pa.array(codes, pa.string())})
    file = written(batch, PAID.columns, Settings(currency="JPY"), typed=typed)
    assert file.schema == written_schema(PAID.columns, typed=typed)
    again = clean(file, Settings(currency="KWD"))
    assert [row["amount"] for row in again] == amounts.to_pylist()
    assert [row["currency"] for row in again] == [code or "JPY" for code in codes]


def test_columns_that_are_not_there_are_null_and_the_currency_is_named() -> None:
    batch = pa.record_batch({"id": ["a"], "amount": [1230]})
    assert written(batch, PAID.columns, Settings(), typed=True).to_pylist() == [
        {"id": "a", "amount": Decimal("12.3000"), "currency": "USD", "at": None}
    ]
    without = written(batch.select(["id"]), PAID.columns, Settings(), typed=False)
    assert without.to_pylist() == [{"id": "a", "amount": None, "currency": None, "at": None}]
