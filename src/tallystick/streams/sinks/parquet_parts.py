"""A folder of Parquet parts that grows as a stream goes, each part whole at any moment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tallystick.connectors import LocalFileSystem
from tallystick.connectors.parquet import ParquetTableWriter
from tallystick.connectors.render import json_lines
from tallystick.errors import TallystickError, UsageError
from tallystick.streams.sink import Mark

__all__ = ["ParquetParts"]

# A part grows by being written anew, whole: beyond this many rows that costs more than another file does.
_ROWS = 4_000
_PART = re.compile(r"part-(\d{12})\.parquet")


class ParquetParts:
    """Parts `part-NUMBER.parquet`, named by the first entry of the log in them, in the order of the log.

    The mark names the last part and its rows: what is beyond was delivered without being marked, and is taken
    away. Each part is put in place by one renaming, so who reads the folder never sees half of a delivery.
    """

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self.name = folder.as_uri()
        self._folder, self._schema = folder, schema
        self._part = ""
        self._held: list[pa.RecordBatch] = []
        self._rows = 0
        self._number = 0
        # Rows that stand there without a mark and have to be those that come first.
        self._standing: pa.Table | None = None

    def resume(self, number: int, mark: Mark | None) -> int:
        """Take the folder back to the mark; TallystickError where a part of it is gone."""
        self._number = number
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for partial in self._folder.glob(".part-*.partial"):
                partial.unlink()
        except OSError as error:
            raise UsageError(
                f"{self._folder} cannot be written to: {error.strerror or error}.", "Name another place."
            ) from None
        parts = sorted(one.name for one in self._folder.iterdir() if _PART.fullmatch(one.name))
        if mark is None:
            self._standing = self._read(parts[0]) if parts else None
            return number
        self._part, self._rows = str(mark["part"]), int(mark["rows"])
        if self._part not in parts:
            raise TallystickError(
                f"{self._folder} does not hold {self._part}, to which {self._rows:,} rows were committed.",
                "Put it back, or begin with a state and a folder of their own.",
            )
        for name in parts:
            if name > self._part:
                (self._folder / name).unlink()
        table = self._read(self._part)
        if table.num_rows < self._rows:
            raise TallystickError(
                f"{self._folder / self._part} has {table.num_rows:,} rows; {self._rows:,} were committed.",
                "Put it back, or begin with a state and a folder of their own.",
            )
        self._held = table.slice(0, self._rows).to_batches() if self._rows < _ROWS else []
        if table.num_rows > self._rows:
            self._write(table.slice(0, self._rows).to_batches())
        return number

    def deliver(self, number: int, batches: Sequence[pa.RecordBatch]) -> Mark | None:
        """Add the rows to the last part, or to a new one, and give the mark once they are on the disk."""
        batches = [batch for batch in batches if batch.num_rows]
        if batches:
            if self._standing is not None:
                self._adopt(batches)
            if not self._part or self._rows >= _ROWS:
                self._part = f"part-{self._number + 1:012d}.parquet"
                self._held, self._rows = [], 0
            self._held = [*self._held, *batches]
            self._write(self._held)
            self._rows = sum(batch.num_rows for batch in self._held)
        self._number = number
        return {"part": self._part, "rows": self._rows} if self._part else None

    def close(self) -> None:
        """Nothing is held."""

    def _adopt(self, batches: Sequence[pa.RecordBatch]) -> None:
        """See that what stands there without a mark is what comes, and take it away."""
        standing, coming = self._standing, pa.Table.from_batches(batches, self._schema)
        self._standing = None
        if standing is None:
            return
        common = min(standing.num_rows, coming.num_rows)
        if _lines(standing, common) != _lines(coming, common):
            raise TallystickError(
                f"{self._folder} holds parts that this stream did not write.",
                "Move them away, or name another place: a stream has a folder of its own.",
            )
        for one in self._folder.iterdir():
            if _PART.fullmatch(one.name):
                one.unlink()

    def _read(self, name: str) -> pa.Table:
        try:
            return pq.read_table(self._folder / name, partitioning=None)
        except (pa.ArrowException, OSError) as error:
            raise TallystickError(
                f"{self._folder / name} cannot be read: {str(error).splitlines()[0]}",
                "Put it back, or begin with a state and a folder of their own.",
            ) from None

    def _write(self, batches: Sequence[pa.RecordBatch]) -> None:
        """Put a part in place, whole."""
        pending = LocalFileSystem().open_write_beside(str(self._folder / self._part))
        try:
            writer = ParquetTableWriter(pending.file, self._schema)
            for batch in batches:
                writer.write(batch)
            writer.close()
            pending.commit()
        except BaseException as error:
            with suppress(OSError):
                pending.abort()
            if isinstance(error, OSError):
                raise TallystickError(
                    f"{self._folder / self._part} could not be written: {error.strerror or error}.",
                    "Make room and start again: what was not delivered comes again.",
                ) from None
            raise


def _lines(table: pa.Table, rows: int) -> bytes:
    """Return the first rows as text, in which no number is one that differs from itself."""
    return b"".join(json_lines(batch) for batch in table.slice(0, rows).combine_chunks().to_batches())
