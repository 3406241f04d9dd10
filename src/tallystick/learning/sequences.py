"""Recorded order: the sequence numbers that entities gave to events, as `score` writes them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.errors import DataError

__all__ = ["SEQUENCE", "Recorded"]

SEQUENCE = "sequence"
HINT = 'It is written as {"customer_id": 3, "terminal_id": 17}, or left empty for the order by time.'


@dataclass(frozen=True)
class Recorded:
    """The order that was recorded for rows, and for the labels of rows.

    entities: columns; own and label: int64 (rows, entities), 0 where nothing was recorded.
    """

    entities: tuple[str, ...]
    own: NDArray[np.int64]
    label: NDArray[np.int64]

    @classmethod
    def of(cls, own: pa.Array, label: pa.Array) -> Recorded | None:
        """Read JSON texts, null where nothing was recorded, None where none was; DataError for others."""
        if own.null_count + label.null_count == len(own) + len(label):
            return None
        found = [
            [None if text is None else _read(text, row) for row, text in enumerate(texts.to_pylist())]
            for texts in (own, label)
        ]
        names = tuple(sorted({name for many in found for one in many if one for name in one}))
        numbers = [
            np.array([[(one or {}).get(name, 0) for name in names] for one in many], np.int64)
            for many in found
        ]
        return cls(names, *numbers)

    def numbers(
        self, rows: pa.RecordBatch, row: NDArray[np.int64], labelled: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return what `windows.order` is told: numbers and codes of entities, int64 (events, entities).

        row: the row of each event, records first, then the labels of the rows `labelled`. DataError where an
        entity is no column of the rows.
        """
        for name in self.entities:
            if name not in rows.schema.names:
                raise DataError(f'The recorded sequence names "{name}", which is no column here.', HINT)
        codes = [
            rows.column(name).dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)[row]
            for name in self.entities
        ]
        return np.concatenate([self.own, self.label[labelled]]), np.column_stack(codes).astype(np.int64)


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
