"""Batches of a stream: the columns that the log adds to clean rows, and batches as bytes."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["CONDITION_INPUTS", "KIND", "LABEL", "RECORD", "SENT", "logged", "packed", "unpacked"]

#: What a row of the log is: a record, the label that came with one, a label that was sent by itself.
RECORD, LABEL, SENT = 0, 1, 2
KIND: Final = "ts_kind"
#: Inputs of window conditions as each row was applied, so that a replay reads no window.
CONDITION_INPUTS: Final = "ts_told"


def logged(
    rows: pa.RecordBatch,
    ids: pa.Array,
    kind: NDArray[np.int8],
    sequence: NDArray[np.int64] | None,
    arrived: NDArray[np.int64],
    condition_inputs: NDArray[np.float64] | None = None,
) -> pa.RecordBatch:
    """Return the batch for the log: clean rows, their ids, kinds and sequences.

    sequence: int64 (rows, entities), 0 where a row has no such entity; None where nothing declares windows;
    condition_inputs: float64 (rows, `Windows.condition_inputs`), inputs of window conditions.
    """
    # A column that holds nothing takes no place; `conformed` gives it back.
    held = [field.name for field in rows.schema if rows.column(field.name).null_count < len(rows)]
    arrays, names = [rows.column(name) for name in held], held
    if sequence is not None:
        flat = pa.array(np.ascontiguousarray(sequence).reshape(-1))
        arrays.append(pa.FixedSizeListArray.from_arrays(flat, sequence.shape[1]))
        names.append("ts_sequence")
    if condition_inputs is not None and condition_inputs.shape[1]:
        arrays.append(
            pa.FixedSizeListArray.from_arrays(
                pa.array(condition_inputs.reshape(-1)), condition_inputs.shape[1]
            )
        )
        names.append(CONDITION_INPUTS)
    arrays += [ids, pa.array(kind), pa.array(arrived)]
    return pa.RecordBatch.from_arrays(arrays, names=[*names, "ts_id", KIND, "ts_arrived"])


def packed(rows: pa.RecordBatch) -> NDArray[np.uint8]:
    """Return a batch as the bytes of an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_batch(rows)
    return np.frombuffer(sink.getvalue(), np.uint8)


def unpacked(data: NDArray[Any]) -> pa.RecordBatch:
    """Read what `packed` gave.

    >>> unpacked(packed(pa.record_batch({"x": [1]}))).to_pylist()
    [{'x': 1}]
    """
    with pa.ipc.open_stream(pa.py_buffer(np.ascontiguousarray(data))) as reader:
        return reader.read_next_batch()
