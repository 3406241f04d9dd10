"""Streams and declarations by chance, and their rows as Arrow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from tallystick.windows import TableRoles, Windows
from tallystick.windows.file import Spots

TYPES = {
    "event_time": pa.timestamp("us", tz="UTC"), "customer_id": pa.string(), "terminal_id": pa.string(),
    "device_id": pa.string(), "amount": pa.int64(), "currency": pa.string(), "v1": pa.float64(),
    "place": pa.string(),
}  # fmt: skip


def batch(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    arrays = []
    for name, kind in TYPES.items():
        values = [row.get(name) for row in rows]
        if name == "event_time":
            arrays.append(pa.array(values, pa.int64()).cast(kind))
        else:
            arrays.append(pa.array(values, kind))
    return pa.RecordBatch.from_arrays(arrays, names=list(TYPES))


#: Roles of the table that `batch` gives.
ROLES = TableRoles("event_time", {"amount": "currency"}, ("is_fraud",), {"known_fraud": "is_fraud"})


def declare(document: Mapping[str, Any], name: str = "windows") -> Windows:
    """Declare windows of that table."""
    return Windows.of(document, ROLES, Spots(name))
