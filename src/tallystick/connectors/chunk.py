"""Rows that travel together, each with its place, and the records between them that could not be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["Broken", "Chunk", "numbered", "shorten"]

# Enough to know a record again, too little to fill a quarantine with one 50 MB field.
SHOWN = 200


@dataclass(frozen=True, slots=True)
class Broken:
    """A record that could not be read: its number from 1, a reason code, what was found, and words."""

    record: int
    code: str
    column: str | None
    value: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows of one file in their order.

    `rows` is as found: text for CSV and JSON, typed for Parquet. `records` (int64, one a row) counts from 1,
    the header left out; the numbers that are missing in it stand in `broken`. The place of a row is
    `name:record`. `notes` are what should be said about the file, as `Notes.add` takes them.
    """

    rows: pa.RecordBatch
    name: str
    records: npt.NDArray[np.int64]
    broken: tuple[Broken, ...] = ()
    notes: tuple[tuple[str, int], ...] = ()


def numbered(
    table: pa.Table, name: str, first: int, most: int, broken: Sequence[Broken] = ()
) -> Iterator[Chunk]:
    """Cut a table, whose first row is record `first`, into chunks of at most `most` rows."""
    start = first
    for batch in table.combine_chunks().to_batches(max_chunksize=most):
        yield Chunk(batch, name, np.arange(start, start + batch.num_rows, dtype=np.int64), tuple(broken))
        start += batch.num_rows
        broken = ()


def shorten(value: bytes | str) -> str:
    """Show what was found, shortened, as text that can be written anywhere.

    >>> shorten(b"caf\\xe9\\n")
    'caf\\\\xe9\\n'
    """
    shown = value[: SHOWN + 1]
    text = shown.decode("utf-8", "backslashreplace") if isinstance(shown, bytes) else shown
    text = text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
