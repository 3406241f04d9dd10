"""Conversion of decisions and quarantine rows between Arrow and database columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.connectors.render import is_nested, plain
from tallystick.contracts import QUARANTINE
from tallystick.errors import TallystickError
from tallystick.store.nested import as_text, from_text

__all__ = ["COLUMNS", "RENAMED", "bad_columns", "decision_columns", "read_decisions"]

#: Columns that a decision may have, in the order of the table.
COLUMNS = (
    "id", "event_time", "task", "label", "score", "action", "route", "reasons", "model", "sequence", "late",
    "scores",
)  # fmt: skip
#: Quarantine columns that are renamed in the table, because SQL reserves their names.
RENAMED = {"column": "field", "row": "place"}
_TIME = pa.timestamp("us", "UTC")


def decision_columns(decisions: pa.RecordBatch, arrived: NDArray[np.int64]) -> dict[str, pa.Array]:
    """Convert decisions to columns of their table; absent columns are omitted."""
    names = decisions.schema.names
    if unknown := sorted(set(names) - set(COLUMNS)):
        raise TallystickError(
            f"The store has no column for these of the decisions: {', '.join(unknown)}.",
            f"It has {', '.join(COLUMNS)}.",
        )
    columns: dict[str, pa.Array] = {"row": pa.array(np.arange(len(decisions)))}
    for name, column in zip(names, decisions.columns, strict=True):
        columns[name] = as_text(column) if is_nested(column.type) else plain(column)
    columns["arrived_at"] = pa.array(arrived, pa.int64()).view(_TIME)
    return columns


def bad_columns(bad: pa.Table) -> dict[str, pa.Array]:
    """Convert quarantine rows to columns of their table."""
    columns: dict[str, pa.Array] = {"row": pa.array(np.arange(len(bad)))}
    for name in QUARANTINE.names:
        columns[RENAMED.get(name, name)] = plain(bad[name].combine_chunks())
    return columns


def read_decisions(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.RecordBatch:
    """Convert database rows, in the schema's column order, to a batch."""
    if not rows:
        return pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)
    arrays = []
    for values, field in zip(zip(*rows, strict=True), schema, strict=True):
        if is_nested(field.type):
            arrays.append(from_text(values, field.type))
        elif pa.types.is_boolean(field.type):
            arrays.append(pa.array([None if v is None else bool(v) for v in values], field.type))
        else:
            arrays.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
