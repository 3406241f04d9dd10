"""Quarantine rows: bad records with the reason, the place and their original values."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tallystick.contracts.faults import Faults
from tallystick.contracts.text import found

__all__ = ["QUARANTINE", "quarantine_rows"]

#: One line of the quarantine file: what is wrong, in which of our columns, the value as found (shortened),
#: which file and record (from 1, header not counted), a sentence, and the whole record as it was, as JSON
#: under its own names.
QUARANTINE: Final = pa.schema(
    [
        ("code", pa.string()),
        ("column", pa.string()),
        ("value", pa.string()),
        ("file", pa.string()),
        ("row", pa.int64()),
        ("message", pa.string()),
        ("record", pa.large_string()),  # a field of 50 MB is kept whole
    ]
)


def quarantine_rows(
    rows: pa.RecordBatch, bad: Faults, file: str, records: npt.NDArray[np.int64] | Sequence[int] | int = 1
) -> pa.Table:
    """Build the quarantine rows of one batch, as it was before cleaning.

    records: the record number, from 1, of every row of the batch, or that of its first row when they follow
    each other.

    >>> fault = Faults(np.array([1]), ("bad_time",), ("received_at",), ("soon",), ("received_at: no time",))
    >>> rows = pa.record_batch({"Date": ["2024-01-31", "soon"]})
    >>> quarantine_rows(rows, fault, "a.csv")["record"].to_pylist()
    ['{"Date":"soon"}']
    """
    index = bad.index
    places = index + records if isinstance(records, int) else np.asarray(records, np.int64)[index]
    columns = [found(column, index) for column in rows.columns] if len(index) else []
    names = rows.schema.names
    records_ = [_compact(names, [column[i] for column in columns]) for i in range(len(index))]
    return pa.table(
        [bad.code, bad.column, bad.value, [file] * len(index), places, bad.message, records_],
        schema=QUARANTINE,
    )


def _compact(names: Sequence[str], values: Sequence[Any]) -> str:
    """Write one record as a JSON object; two columns of one name stay two members."""
    members = (f"{json.dumps(n, ensure_ascii=False)}:{_json(v)}" for n, v in zip(names, values, strict=True))
    return "{" + ",".join(members) + "}"


def _json(value: Any) -> str:
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _plain(value: Any) -> Any:
    """Reduce a value to what JSON has, in the spelling that the checks read again."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value)
