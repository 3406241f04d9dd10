"""Files that are appended to as a stream goes: JSON lines, CSV, a folder of Parquet parts."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

import pyarrow as pa

from tallystick.config import Settings
from tallystick.connectors import Location
from tallystick.connectors.csv_write import CsvWriter
from tallystick.connectors.render import json_lines
from tallystick.errors import TallystickError, UsageError
from tallystick.streams.sink import Mark, StreamSink
from tallystick.streams.sinks.parquet_parts import ParquetParts

__all__ = ["SCHEMES", "AppendedFile", "open_stream"]

SCHEMES = ("file",)
_DELIMITERS = {"csv": ",", "tsv": "\t"}
_STEP = 1 << 20


def open_stream(uri: str, schema: pa.Schema, settings: Settings, *, stream: str) -> StreamSink:  # noqa: ARG001
    """Open a file by its ending, or a folder; UsageError for what cannot be appended to."""
    location = Location.parse(uri)
    path = Path(os.path.abspath(location.path))  # noqa: PTH100 - a link is followed where it is opened
    if path.is_dir() or location.path.endswith(("/", os.sep)):
        return ParquetParts(path, schema)
    if location.format in ("jsonl", *_DELIMITERS) and not location.compression:
        return AppendedFile(path, location.format, schema)
    raise UsageError(
        f"{location.path} cannot be appended to as a stream goes.",
        "Name a .jsonl, a .csv, or a folder for Parquet parts, its name ending in a slash.",
    )


class AppendedFile:
    """Lines that are appended to one file, made to last before a delivery counts.

    Its mark is the length after a delivery: what lies beyond was torn, and is cut off. A file that stands
    there before the first mark has to begin with the very bytes that are delivered (a delivery whose mark
    was lost), else it belongs to somebody else and is left alone.
    """

    def __init__(self, path: Path, form: str, schema: pa.Schema) -> None:
        self.name = path.as_uri()
        self._path = path
        self._form, self._schema = form, schema
        self._file: IO[bytes] | None = None
        self._length = 0
        # Bytes that stand there already and have to be those that come.
        self._standing = 0

    def resume(self, number: int, mark: Mark | None) -> int:
        """Take the file back to the mark; TallystickError where it is shorter than that."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh = not self._path.exists()
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
            self._file = os.fdopen(descriptor, "r+b", buffering=0)
            if fresh:
                _settle(self._path.parent)
        except OSError as error:
            raise UsageError(
                f"{self._path} cannot be written: {error.strerror or error}.", "Name another place."
            ) from None
        size = os.fstat(descriptor).st_size
        if mark is None:
            self._standing = size
            return number
        self._length = int(mark["length"])
        if size < self._length:
            self.close()
            raise TallystickError(
                f"{self._path} has {size:,} bytes; {self._length:,} were committed to it.",
                "Put the whole file back, or begin with a state and a file of their own.",
            )
        if size > self._length:
            os.ftruncate(descriptor, self._length)
            os.fsync(descriptor)
        return number

    def deliver(self, number: int, batches: Sequence[pa.RecordBatch]) -> Mark | None:  # noqa: ARG002
        """Append the rows, and give the length after them once they are on the disk."""
        data = self._bytes(batches)
        if not data and self._length == 0:
            return None
        if self._file is None:
            raise RuntimeError("resume an AppendedFile before it is delivered to")
        descriptor = self._file.fileno()
        if data:
            self._check(descriptor)
            try:
                written = self._compare(descriptor, data) if self._standing else 0
                self._write(descriptor, data[written:], self._length + written)
                os.fsync(descriptor)
            except OSError as error:
                raise TallystickError(
                    f"{self._path} could not be written: {error.strerror or error}.",
                    "Make room and start again: what was not delivered comes again.",
                ) from None
            self._length += len(data)
        return {"length": self._length}

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _bytes(self, batches: Sequence[pa.RecordBatch]) -> memoryview:
        """Return the lines of batches as *score* writes them, in an empty file after the header."""
        if not batches:
            return memoryview(b"")
        if self._form == "jsonl":
            return memoryview(b"".join(json_lines(batch) for batch in batches))
        buffer = io.BytesIO()
        writer = CsvWriter(buffer, self._schema, _DELIMITERS[self._form], header=self._length == 0)
        for batch in batches:
            writer.write(batch)
        return buffer.getbuffer()

    def _check(self, descriptor: int) -> None:
        """See that the file is still where it was, and as long as we left it."""
        mine = os.fstat(descriptor)
        try:
            there = self._path.stat()
        except FileNotFoundError:
            there = None
        moved = there is None or (there.st_ino, there.st_dev) != (mine.st_ino, mine.st_dev)
        if moved or (not self._standing and mine.st_size < self._length):
            raise TallystickError(
                f"{self._path} was {'moved' if moved else 'cut short'} while decisions were written to it.",
                "Put it back and start again. A stream's file may be moved away only with its state.",
            )
        if not self._standing and mine.st_size > self._length:
            os.ftruncate(descriptor, self._length)  # a write that failed half-way

    def _compare(self, descriptor: int, data: memoryview) -> int:
        """Return how many bytes of a first delivery stand there; TallystickError where others do."""
        stands = 0
        while stands < len(data):
            there = os.pread(descriptor, min(_STEP, len(data) - stands), self._length + stands)
            if not there:
                break
            if there != data[stands : stands + len(there)]:
                if not there.rstrip(b"\0") or not _differs(there.rstrip(b"\0"), data[stands:]):
                    os.ftruncate(descriptor, self._length + stands)  # a power cut left zeros
                    break
                raise TallystickError(
                    f"{self._path} holds lines that this stream did not write.",
                    "Move it away, or name another place: a stream appends to a file of its own.",
                )
            stands += len(there)
        if os.fstat(descriptor).st_size <= self._length + len(data):
            self._standing = 0
        return stands

    def _write(self, descriptor: int, data: memoryview, offset: int) -> None:
        written = 0
        while written < len(data):
            written += os.pwrite(descriptor, data[written:], offset + written)


def _differs(there: bytes, data: memoryview) -> bool:
    return there != data[: len(there)]


def _settle(folder: Path, fsync: Callable[[int], None] = os.fsync) -> None:
    """Make a new name last, which it does only when its folder does."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fsync(descriptor)
    finally:
        os.close(descriptor)
