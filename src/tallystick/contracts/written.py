"""Clean rows in the form for files, which the same contract reads back to the same rows."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from tallystick.config import Settings
from tallystick.contracts import money
from tallystick.contracts.column import Column

__all__ = ["written", "written_schema"]


def written_schema(columns: Sequence[Column], *, typed: bool) -> pa.Schema:
    """Return the schema of a file of clean rows: amounts in major units, else the clean types.

    typed: the file keeps types (Parquet, a database), so that amounts are decimals, with room for every
    currency; else they are text with as many decimals as their currency has.

    >>> written_schema([Column("amount", "money", "Paid")], typed=True).field("amount").type
    Decimal128Type(decimal128(20, 4))
    """
    amount = money.WRITTEN if typed else pa.string()
    return pa.schema([(c.name, amount if c.type == "money" else c.arrow) for c in columns])


def written(
    rows: pa.RecordBatch, columns: Sequence[Column], settings: Settings, *, typed: bool
) -> pa.RecordBatch:
    """Give clean rows all columns of `written_schema`, null where they have none.

    A row without a currency gets that of the setting, for the file may be read under another.

    >>> paid = [Column("amount", "money", "Paid", currency="unit"), Column("unit", "category", "In what")]
    >>> written(pa.record_batch({"amount": [1230]}), paid, Settings(), typed=False).to_pylist()
    [{'amount': '12.30', 'unit': 'USD'}]
    """
    names = rows.schema.names
    schema = written_schema(columns, typed=typed)
    given = {f.name: rows.column(f.name) for f in schema if f.name in names}
    write = money.as_decimal if typed else money.as_text
    for column in columns:
        if column.type == "money" and column.name in given:
            codes = given.get(column.currency)
            given[column.name] = write(given[column.name], codes, settings.currency)
            if column.currency:
                empty = pa.nulls(len(rows), pa.string())
                given[column.currency] = (empty if codes is None else codes).fill_null(settings.currency)
    arrays = [given.get(f.name, pa.nulls(len(rows), f.type)) for f in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
