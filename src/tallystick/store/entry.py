"""Log entries: what one transaction commits, and what a replay reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["Entry", "LogEntry", "deserialize", "serialize"]

#: Bytes from which compression saves database pages.
COMPRESS_FROM = 16_384
_UNCOMPRESSED = pa.ipc.IpcWriteOptions(use_threads=False)
_COMPRESSED = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
_READ = pa.ipc.IpcReadOptions(use_threads=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """Contents of one transaction.

    number: 1, 2, 3 …, one more than that of the head; at: microseconds UTC; events: the normalised input with
    its sequences, whatever its columns; rows: how many records came in; decisions: any number of rows;
    arrived: int64 (decisions,), microseconds UTC; bad: by `contracts.QUARANTINE`; positions: of each source,
    marks: of each sink; notices: channel and payload (JSON); duplicates: number of dropped records.
    """

    number: int
    at: int
    events: pa.RecordBatch
    rows: int
    decisions: pa.RecordBatch
    arrived: NDArray[np.int64]
    bad: pa.Table
    positions: Mapping[str, dict[str, Any]]
    marks: Mapping[str, tuple[int, dict[str, Any] | None]]
    notices: Sequence[tuple[str, dict[str, Any]]]
    duplicates: int


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An entry as read for replay. at: time of the commit, microseconds UTC."""

    number: int
    at: int
    events: pa.RecordBatch


def serialize(events: pa.RecordBatch) -> bytes:
    """Serialise a batch as an Arrow IPC stream.

    >>> deserialize(serialize(pa.record_batch({"a": [1, 2]}))).to_pydict()
    {'a': [1, 2]}
    """
    sink = pa.BufferOutputStream()
    options = _COMPRESSED if events.nbytes >= COMPRESS_FROM else _UNCOMPRESSED
    with pa.ipc.new_stream(sink, events.schema, options=options) as stream:
        stream.write_batch(events)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def deserialize(blob: bytes) -> pa.RecordBatch:
    """Deserialise a batch; without compression it is a view of the bytes."""
    with pa.ipc.open_stream(blob, options=_READ) as stream:
        return stream.read_next_batch()
