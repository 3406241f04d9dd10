"""What goes wrong in real files, put into simulated rows: for tests of checks and quarantine."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from tallystick.solutions.complaints.simulator.draws import Draws

__all__ = ["spoil"]

# Column → what is put in its place; {} is what was there.
SPOILT: dict[str, tuple[str | None, ...]] = {
    "complaint_id": ("", None),
    "received_at": ("31/02/2024", "not a date", "", None, "2999-12-31", "0000-00-00", "2024-13-01T00:00:00Z"),
    "product": ("", "   ", None, "Mortgages and Loans", "Credit reporting", "{}\u00a0"),
    "narrative": (
        "",
        "  \n ",
        "b'{}'",
        "\ufeff{}",
        "{}\x00",
        '"{}"',
        "{} \ud7ff \U0001f4b3",
        "{}\r\n" * 40,
        "â€œ{}â€\x9d",
    ),
    "tags": ("N/A", "older american"),
    "zip_code": ("330XX-1", "N/A", "33"),
    "state": ("Florida", "None", "fl"),
}


def spoil(batch: pa.RecordBatch, draws: Draws) -> pa.RecordBatch:
    """Turn all columns into text, break a cell in an eighth of the rows, copy keys and lose the order."""
    size = len(batch)
    columns: dict[str, list[Any]] = {
        name: batch.column(name).cast(pa.string()).to_pylist() for name in batch.schema.names
    }
    names = sorted(SPOILT)
    for row in range(size):
        if draws.one(8) == 0:
            name = names[draws.one(len(names))]
            value = SPOILT[name][draws.one(len(SPOILT[name]))]
            columns[name][row] = value and value.replace("{}", columns[name][row] or "")
        if row and draws.one(50) == 0:
            columns["complaint_id"][row] = columns["complaint_id"][draws.one(row)]
        other = max(row - draws.one(20), 0)
        if draws.one(10) == 0:
            for values in columns.values():
                values[row], values[other] = values[other], values[row]
    return pa.RecordBatch.from_pydict(
        {name: pa.array(values, pa.string()) for name, values in columns.items()}
    )
