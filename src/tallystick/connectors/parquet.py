"""Parquet files: typed columns, read row group by row group, written with checksums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tallystick.connectors.chunk import Broken, Chunk
from tallystick.connectors.encoding import from_windows
from tallystick.connectors.formats import Block, Format, Reading, Span
from tallystick.connectors.render import floored, is_nested, plain, text
from tallystick.errors import DataError

__all__ = ["FORMATS"]

# Pages are read in pieces of this size, not whole column chunks: row groups may be a gigabyte.
_BUFFER = 1 << 20
_GROUP_ROWS = 65_536
_GROUP_BYTES = 64 << 20

# What Arrow raises for a damaged file depends on where the damage is.
_DAMAGE = (pa.ArrowException, OSError, ValueError, EOFError, MemoryError)


def read(reading: Reading) -> Iterator[Block]:
    """Give the rows of a Parquet file, typed; rows before a damaged page are kept."""
    span = reading.span or Span(0, None, 1)
    following = span.first
    with reading.open() as file:
        table = _opened(reading, file)
        groups = range(table.num_row_groups)[span.start : span.stop]
        try:
            for batch in _batches(table, groups, reading.settings.batch_rows):
                rows = _as_found(batch)
                records = np.arange(following, following + len(rows), dtype=np.int64)
                following += len(rows)
                yield [Chunk(rows, reading.name, records)]
        except _DAMAGE as error:
            message = f"{reading.name} is damaged: {_first_line(error)}."
            if following == 1:
                raise DataError(message, "It cannot be read from its start; fetch it again.") from None
            broken = Broken(following, "broken_file", None, None, message)
            yield [
                Chunk(_as_found(_empty(table.schema_arrow)), reading.name, np.empty(0, np.int64), (broken,))
            ]


def spans(reading: Reading) -> Iterator[Span]:
    """Cut a file between its row groups, small ones together: each span opens the file anew."""
    with reading.open_head() as file:
        foot = _opened(reading, file).metadata
        rows = [foot.row_group(group).num_rows for group in range(foot.num_row_groups)]
    start, first, held = 0, 1, 0
    for group, count in enumerate(rows, 1):
        held += count
        if held >= _GROUP_ROWS or group == len(rows):
            yield Span(start, group, first)
            start, first, held = group, first + held, 0


def _batches(table: Any, groups: Iterable[int], most: int) -> Iterator[pa.RecordBatch]:
    """Give the batches of row groups; of a damaged group row by row, up to the damage."""
    for group in groups:
        given = 0
        try:
            for batch in table.iter_batches(batch_size=most, row_groups=[group]):
                batch.validate(full=True)
                yield batch
                given += len(batch)
        except _DAMAGE:
            with suppress(*_DAMAGE):
                for row, batch in enumerate(table.iter_batches(batch_size=1, row_groups=[group])):
                    batch.validate(full=True)
                    if row >= given:
                        yield batch
            raise


def columns(reading: Reading) -> tuple[str, ...]:
    """Give the column names from the file's foot."""
    with reading.open_head() as file:
        return tuple(_opened(reading, file).schema_arrow.names)


def _opened(reading: Reading, file: IO[bytes]) -> Any:
    try:
        table = pq.ParquetFile(
            file,
            buffer_size=_BUFFER,
            pre_buffer=False,
            coerce_int96_timestamp_unit="us",
            page_checksum_verification=True,
        )
        names = table.schema_arrow.names
    except _DAMAGE as error:
        raise DataError(
            f"{reading.name} is no readable Parquet file: {_first_line(error)}.", "Fetch it again."
        ) from None
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        listed = ", ".join(f'"{name}"' for name in doubled)
        raise DataError(f"{reading.name} has the column {listed} more than once.", "Rename or remove one.")
    return table


def _as_found(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Give plain types: no dictionaries, no nanoseconds, nested values as JSON."""
    return pa.RecordBatch.from_arrays([_column(array) for array in batch.columns], names=batch.schema.names)


def _column(array: pa.Array) -> pa.Array:
    array = plain(array)
    kind = array.type
    if pa.types.is_timestamp(kind):
        return floored(array)
    if is_nested(kind):
        return text(array)
    if pa.types.is_time64(kind) and kind.unit == "ns":
        return array.cast(pa.time64("us"), safe=False)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return _binary(array)
    return array


def _binary(array: pa.Array) -> pa.Array:
    """Read bytes as text: older writers leave out that a column is text."""
    try:
        return array.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array(
            [None if value is None else _decoded(value) for value in array.to_pylist()], pa.string()
        )


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return from_windows(value)


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


class ParquetTableWriter:
    """Writes typed columns in row groups that do not depend on how the rows were batched."""

    def __init__(self, file: IO[bytes], schema: pa.Schema | None) -> None:
        self._file = file
        self._writer: Any = None
        self._held: list[pa.RecordBatch] = []
        self._rows = self._bytes = 0
        self._schema = schema

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows; the first batch, or the schema given before, says the columns."""
        if self._schema is None:
            self._schema = batch.schema
        if batch.schema.names != self._schema.names:
            raise ValueError(
                f"a Parquet file of the columns {self._schema.names} got a batch of {batch.schema.names}"
            )
        self._held.append(batch.cast(self._schema) if batch.schema != self._schema else batch)
        self._rows += batch.num_rows
        self._bytes += batch.nbytes
        if self._rows >= _GROUP_ROWS or self._bytes >= _GROUP_BYTES:
            self._flush(final=False)

    def close(self) -> None:
        """Write the rows that are held, and the foot."""
        self._flush(final=True)
        self._writer.close()

    def _flush(self, final: bool) -> None:
        schema = self._schema if self._schema is not None else pa.schema([])
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._file, schema, compression="zstd", write_page_checksum=True)
        table = pa.Table.from_batches(self._held, schema)
        whole = (
            table.num_rows
            if final or self._bytes >= _GROUP_BYTES
            else table.num_rows // _GROUP_ROWS * _GROUP_ROWS
        )
        if whole:
            self._writer.write_table(table.slice(0, whole), row_group_size=_GROUP_ROWS)
        rest = table.slice(whole)
        self._held = rest.to_batches()
        self._rows, self._bytes = rest.num_rows, rest.nbytes


FORMATS = (Format("parquet", (".parquet",), read, columns, ParquetTableWriter, is_text=False, spans=spans),)
