"""Bad records of a chunk as rows of the quarantine: unreadable ones, and those that break the contract."""

from __future__ import annotations

import pyarrow as pa

from tallystick.connectors import Chunk
from tallystick.contracts import QUARANTINE, Faults, quarantine_rows

__all__ = ["quarantined_chunk"]


def quarantined_chunk(chunk: Chunk, faults: Faults) -> pa.Table:
    """Return the bad records of a chunk, by their number; faults: of its rows.

    >>> import numpy as np
    >>> from tallystick.connectors.chunk import Broken
    >>> broken = (Broken(1, "bad_json", None, "{", "The record is no JSON."),)
    >>> chunk = Chunk(pa.record_batch({"age": ["old"]}), "people.jsonl", np.array([2]), broken)
    >>> faults = Faults(np.array([0]), ("bad_number",), ("age",), ("old",), ("age: no number",))
    >>> quarantined_chunk(chunk, faults)["code"].to_pylist()
    ['bad_json', 'bad_number']
    """
    if not chunk.broken:
        if not len(faults):
            return QUARANTINE.empty_table()
        return quarantine_rows(chunk.rows, faults, chunk.name, chunk.records)
    broken = [
        {
            "code": one.code,
            "column": one.column,
            "value": one.value,
            "file": chunk.name,
            "row": one.record,
            "message": one.message,
            "record": None,
        }
        for one in chunk.broken
    ]
    tables = [
        pa.Table.from_pylist(broken, QUARANTINE),
        quarantine_rows(chunk.rows, faults, chunk.name, chunk.records),
    ]
    return pa.concat_tables(tables).sort_by("row")
