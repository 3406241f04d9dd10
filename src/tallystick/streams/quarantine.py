"""Clean records that a stream must refuse, as rows of the quarantine."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.contracts import REASONS, Faults, quarantine_rows

__all__ = ["LATE", "UNKNOWN", "quarantined_records"]

#: Reason codes.
LATE: Final = "too_late"
UNKNOWN: Final = "unknown_event"


def quarantined_records(
    rows: pa.RecordBatch, name: str, number: NDArray[np.int64], code: str, column: str
) -> pa.Table:
    """Make the rows of clean records, all for one reason.

    name and number: where they were, int64 (rows,); column: of which the reason speaks.
    """
    many, place = len(rows), rows.schema.get_field_index(column)
    values = [None] * many if place < 0 else _shown(rows.column(place))
    faults = Faults(
        np.arange(many),
        (code,) * many,
        (column,) * many,
        tuple(values),
        (f"{column}: {REASONS[code]}",) * many,
    )
    return quarantine_rows(rows, faults, name, number)


def _shown(column: pa.Array) -> list[str | None]:
    return [None if one is None else str(one) for one in column.to_pylist()]
