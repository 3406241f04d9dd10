"""Recorded order: the sequence numbers that entities gave to events, as `score` writes them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.errors import DataError

__all__ = ["SEQUENCE", "recorded"]

SEQUENCE = "sequence"
HINT = 'It is written as {"customer_id": 3, "terminal_id": 17}, or left empty for the order by time.'


def recorded(
    texts: pa.Array, rows: pa.RecordBatch, place: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Read recorded numbers: int64 (rows, entities), 0 for none, and the entities' codes, -1 for none.

    texts: JSON, null where nothing was recorded; rows: which hold the columns that are named in it; place:
    the row that each text speaks of. None where there is no text. Raises DataError for what is no such JSON.
    """
    if texts.null_count == len(texts):
        return None
    found = [None if text is None else _read(text, row) for row, text in enumerate(texts.to_pylist())]
    names = sorted({name for one in found if one for name in one})
    for name in names:
        if name not in rows.schema.names:
            raise DataError(f'The recorded sequence names "{name}", which is no column here.', HINT)
    sequence = np.zeros((len(found), len(names)), np.int64)
    for row, one in enumerate(found):
        for entity, name in enumerate(names):
            sequence[row, entity] = (one or {}).get(name, 0)
    codes = [
        rows.column(name).dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)[place]
        for name in names
    ]
    return sequence, np.column_stack(codes).astype(np.int64)


def _read(text: str, row: int) -> dict[str, int]:
    """Read one: an object, or, as a Parquet map comes, a list of keys and values."""
    try:
        said: Any = json.loads(text)
        pairs = said.items() if isinstance(said, dict) else [(one["key"], one["value"]) for one in said]
        if any(type(number) is not int or number < 1 for _, number in pairs):
            raise ValueError
        return {str(name): number for name, number in pairs}
    except (ValueError, TypeError, KeyError):
        raise DataError(f'Row {row + 1}: the sequence "{text[:60]}" cannot be read.', HINT) from None
