"""An output file that appears when it is whole, and not at all otherwise."""

from __future__ import annotations

import errno
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO

import pyarrow as pa

from tallystick.connectors.compression import compressed
from tallystick.connectors.database_place import TablePlace
from tallystick.connectors.databases import found_databases
from tallystick.connectors.filesystem import PendingFile, file_system
from tallystick.connectors.formats import TableWriter, found_formats
from tallystick.connectors.location import Location
from tallystick.connectors.source import Source
from tallystick.errors import TallystickError, UsageError

__all__ = ["Sink", "open_sink"]


class Sink:
    """A file that is being written; use it as a context manager.

    Leaving without an error puts the file at its place; any error, an interrupt too, takes it away and leaves
    what stood there before.
    """

    def __init__(self, location: Location, schema: pa.Schema | None) -> None:
        self.location = location
        self.rows = 0
        self._schema = schema
        self._pending: PendingFile | None = None
        self._stream: IO[bytes] | None = None
        self._writer: TableWriter | None = None

    def __enter__(self) -> Sink:
        location = self.location
        self._pending = file_system(location.scheme).open_write_beside(location.path)
        try:
            self._stream = compressed(self._pending.file, location.compression)
            self._writer = found_formats()[location.need_format()].write(self._stream, self._schema)
        except BaseException as error:
            self._abort()
            self._explain(error)
            raise
        return self

    def write(self, batch: pa.RecordBatch) -> None:
        """Append the rows of a batch; raises TallystickError when the disk does not take them."""
        if self._writer is None:
            raise RuntimeError("write to a Sink within its `with` block")
        try:
            self._writer.write(batch)
        except OSError as error:
            self._explain(error)
            raise
        self.rows += batch.num_rows

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._abort()
            return
        try:
            if self._writer and self._stream and self._pending:
                self._writer.close()
                self._stream.close()
                self._pending.commit()
        except BaseException as broken:
            self._abort()
            self._explain(broken)
            raise
        self._writer = None

    def _abort(self) -> None:
        self._writer = None
        if self._stream is not None:
            with suppress(Exception):  # a compressor may want to write what is thrown away
                self._stream.close()
        if self._pending is not None:
            self._pending.abort()

    def _explain(self, error: BaseException) -> None:
        """Turn what the system says into an error for people."""
        if not isinstance(error, OSError):
            return
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        why = "the disk is full" if full else (error.strerror or str(error))
        raise TallystickError(
            f"{self.location.path} could not be written: {why}.",
            "Nothing half-written was left; what stood there is untouched. Make room, or name another place.",
        ) from error


def open_sink(
    path: str | Path | TablePlace, schema: pa.Schema | None = None, *, source: Source | None = None
) -> Sink:
    """Prepare a file, whose ending says the format, or a table; nothing is written before the `with` block.

    `schema` names the columns of an output that may stay without rows; `source` is the input of the same run,
    which must not be written over. Raises UsageError for an unknown ending or scheme, or the input itself.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "new", "a.csv")
    >>> with open_sink(path) as sink:
    ...     sink.write(pa.RecordBatch.from_pydict({"x": ["1", "a,b"], "y": [True, None]}))
    >>> path.read_text()
    'x,y\\n1,true\\n"a,b",\\n'
    """
    location = path.location if isinstance(path, TablePlace) else Location.parse(str(path))
    if database := found_databases().get(location.scheme):
        return database.open_sink(location, schema, source)
    if location.scheme == "stdin":
        raise UsageError('"-" is standard input; an output is a file.', "Name a path, such as decisions.csv.")
    file_system(location.scheme)
    location.need_format()
    if source is not None and source.is_read_by(location):
        raise UsageError(f"{path} is, or lies in, the input itself.", "Name another place for the output.")
    return Sink(location, schema)
