"""Gives a batch the columns of a schema; batches of one input need not have the same columns."""

from __future__ import annotations

import pyarrow as pa

__all__ = ["conformed"]


def conformed(rows: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Give a batch the columns of a schema, null where it has none."""
    if rows.schema.equals(schema):
        return rows
    places = [rows.schema.get_field_index(field.name) for field in schema]
    columns = [
        pa.nulls(len(rows), field.type) if place < 0 else _typed(rows.column(place), field.type)
        for place, field in zip(places, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _typed(column: pa.Array, kind: pa.DataType) -> pa.Array:
    return column if column.type == kind else column.cast(kind)
