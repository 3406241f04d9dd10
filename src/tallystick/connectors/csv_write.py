"""Batches as delimited text, quoted only where needed, built column by column in Arrow."""

from __future__ import annotations

import re
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc

from tallystick.connectors.render import text

__all__ = ["CsvWriter"]

# One joined text column must stay below the 2 GiB that Arrow's offsets reach.
_ROWS = 16_384


class CsvWriter:
    """Writes CSV: null is the empty field, times are ISO 8601, nested values are JSON.

    header: write the column names first, which a file that is appended to has already.
    """

    def __init__(
        self, file: IO[bytes], schema: pa.Schema | None, delimiter: str, *, header: bool = True
    ) -> None:
        self._file = file
        self._header = header
        self._delimiter = delimiter
        self._special = "[" + re.escape(delimiter) + '"\r\n]'
        self._names: list[str] | None = None
        if schema is not None:
            self._begin(schema.names)

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows; their columns must be those of the first batch."""
        names = self._names if self._names is not None else self._begin(batch.schema.names)
        if batch.schema.names != names:
            raise ValueError(f"a CSV of the columns {names} got a batch of {batch.schema.names}")
        if not names:
            return
        for start in range(0, batch.num_rows, _ROWS):
            self._write(batch.slice(start, _ROWS))

    def close(self) -> None:
        """Nothing ends a CSV."""

    def _begin(self, names: list[str]) -> list[str]:
        self._names = list(names)
        if names and self._header:
            self._write(pa.RecordBatch.from_arrays([pa.array([name]) for name in names], names=names))
        return self._names

    def _write(self, batch: pa.RecordBatch) -> None:
        fields = [self._quoted(text(column)) for column in batch.columns]
        if len(fields) == 1:
            # A line without a character would be no record.
            fields = [pc.if_else(pc.equal(fields[0], _large("")), _large('""'), fields[0])]
        lines = pc.binary_join_element_wise(*fields, _large(self._delimiter))
        joined = pc.binary_join_element_wise(lines, _large("\n"), _large(""))
        for part in joined.chunks if isinstance(joined, pa.ChunkedArray) else [joined]:
            offsets, data = part.buffers()[1:]
            bounds = memoryview(offsets).cast("q")
            self._file.write(memoryview(data)[bounds[part.offset] : bounds[part.offset + len(part)]])

    def _quoted(self, values: pa.Array) -> pa.Array:
        """Put quotes around the values that need them."""
        values = pc.fill_null(values, "").cast(pa.large_string())
        special = pc.match_substring_regex(values, self._special)
        if not pc.any(special).as_py():
            return values
        doubled = pc.replace_substring(values, '"', '""')
        quote = _large('"')
        inside = pc.binary_join_element_wise(quote, doubled, quote, _large(""))
        return pc.if_else(special, inside, values)


def _large(text: str) -> pa.Scalar:
    """Give a text with the offsets that the joined columns have."""
    return pa.scalar(text, pa.large_string())
