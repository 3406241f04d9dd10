"""Rows of messages: which message each came from, and the messages that could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.connectors.chunk import Broken

__all__ = ["MessageRows", "split_rows", "with_column"]


@dataclass(frozen=True, slots=True)
class MessageRows:
    """Rows of messages in their order.

    batch: the rows as found; places: int64 (rows,), which of the messages each came from, from 0; broken:
    what could not be read, its `record` a place too.
    """

    batch: pa.RecordBatch
    places: NDArray[np.int64]
    broken: tuple[Broken, ...] = ()

    def placed(self, offsets: NDArray[np.int64]) -> tuple[Broken, ...]:
        """Return the broken ones with offsets in place of places, in their order."""
        ordered = sorted(self.broken, key=lambda one: one.record)
        return tuple(replace(one, record=int(offsets[one.record])) for one in ordered)


def split_rows(rows: MessageRows, counts: Sequence[int]) -> list[MessageRows]:
    """Split rows that were read at once, so many messages to each part.

    >>> rows = MessageRows(pa.record_batch({"a": ["1", "2", "3"]}), np.array([0, 2, 3]))
    >>> [(part.batch.to_pydict(), part.places.tolist()) for part in split_rows(rows, [2, 2])]
    [({'a': ['1']}, [0]), ({'a': ['2', '3']}, [0, 1])]
    """
    ends = np.cumsum(counts)
    bounds = np.searchsorted(rows.places, ends)
    parts = []
    for count, end, first, last in zip(counts, ends.tolist(), [0, *bounds[:-1]], bounds, strict=True):
        begin = end - count
        broken = (replace(one, record=one.record - begin) for one in rows.broken if begin <= one.record < end)
        parts.append(
            MessageRows(rows.batch.slice(first, last - first), rows.places[first:last] - begin, tuple(broken))
        )
    return parts


def with_column(rows: MessageRows, name: str, raw: Sequence[bytes | None]) -> MessageRows:
    """Set a column to text that came beside the messages: their keys, or one of their headers.

    raw: one for each message. It takes the place of a column of that name; a row whose bytes are no text is
    broken.

    >>> rows = MessageRows(pa.record_batch({"a": ["1", "2"]}), np.array([0, 2]))
    >>> with_column(rows, "key", [b"x", b"y", None]).batch.to_pylist()
    [{'a': '1', 'key': 'x'}, {'a': '2', 'key': None}]
    """
    texts: list[str | None] = []
    kept: list[int] = []
    broken = list(rows.broken)
    for row, place in enumerate(rows.places.tolist()):
        value = raw[place]
        try:
            decoded = None if value is None else value.decode()
        except UnicodeDecodeError:
            decoded = "\0"
        if decoded is not None and "\0" in decoded:
            shown = repr(value)[2:-1][:200]
            broken.append(Broken(place, "bad_encoding", name, shown, f"What comes as {name} is no text."))
            continue
        texts.append(decoded)
        kept.append(row)
    batch, places = rows.batch, rows.places
    if len(kept) < len(places):
        batch, places = batch.take(pa.array(kept, pa.int64())), places[kept]
    column = pa.array(texts, pa.string())
    if name in batch.schema.names:
        batch = batch.set_column(batch.schema.names.index(name), name, column)
    else:
        batch = batch.append_column(name, column)
    return MessageRows(batch, places, tuple(broken))
