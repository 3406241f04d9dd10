"""What routing rules of complaints look at besides columns: the narrative and the amount that it names."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa

from tallystick.text import amounts

__all__ = ["routing_inputs"]

COLUMN = "narrative"


def routing_inputs(rows: pa.RecordBatch, needs: Collection[str]) -> dict[str, pa.Array]:
    """Give routing rules the narrative, and the largest amount that it names (minor units, -1 for none)."""
    if COLUMN not in rows.schema.names:
        return {}
    given = {"narrative": rows.column(COLUMN)}
    if "amount" in needs:
        given["amount"] = pa.array(amounts(rows.column(COLUMN)))
    return given
