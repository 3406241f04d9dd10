"""Bytes of a growing table as chunks: whole records alone, read as a batch run reads them."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from tallystick.connectors import Broken, Chunk, csv_careful, csv_fast, delimited, encoding, found_formats
from tallystick.connectors.chunk import shorten
from tallystick.connectors.dialect import Dialect
from tallystick.connectors.formats import Reading
from tallystick.errors import DataError

__all__ = ["GROWING", "TAIL", "TextRecords"]

#: The formats that can be appended to.
GROWING = ("csv", "jsonl", "tsv")
#: Bytes; enough of the end of what was read to know it again.
TAIL = 256
# More names than this are no columns: they are not held against later records any more.
_COLUMNS = 1000
# Bytes of one record from which on looking for its end takes a time worth counting.
_LONG = 1 << 20
_MARK = b"\xef\xbb\xbf"
_NOTHING = pa.RecordBatch.from_arrays([], names=[])
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")


class TextRecords:
    """Takes bytes as they come and gives chunks; what is not whole waits for its rest.

    base: how it is read, with the name that places get; state: of an earlier one, to go on from. Half a line,
    half a character, a quote that is still open wait, up to 64 MiB: what is longer is a broken record. The
    readers of the batch formats do the reading, with the header in front of each block.
    """

    def __init__(self, form: str, base: Reading, state: dict[str, Any] | None = None) -> None:
        if form not in GROWING:
            raise ValueError(f"{form} cannot grow")
        refuse_wide(base.settings.encoding, base.name)
        self._form = form
        self._base = replace(base, delimiter="\t") if form == "tsv" and not base.delimiter else base
        state = state or {}
        self.next = int(state.get("record", 1))
        #: Bytes that the records given so far took, and the last of them.
        self.consumed = 0
        self.tail = b""
        self._header = state["header"].encode("latin-1") if "header" in state else None
        self._delimiter = str(state.get("delimiter", self._base.delimiter))
        self._columns: dict[str, None] = dict.fromkeys(state.get("columns", ()))
        self._skipping = bool(state.get("skipping", False))
        self._begun = bool(state)
        # A header may come again, after a file was made anew.
        self._doubtful = bool(state.get("anew", False))
        self._buffer = b""
        self._parts: list[bytes] = []
        self._hopeful = False
        self._tried = (0.0, 0.0)

    @property
    def held(self) -> int:
        """Return how many bytes wait for their rest."""
        return len(self._buffer) + sum(map(len, self._parts))

    @property
    def due(self) -> bool:
        """Whether a look for whole records is worth it: of long ones the more seldom the longer it takes."""
        if self.held > encoding.LONGEST or (self._skipping and self.held):
            return True
        at, took = self._tried
        return self._hopeful and time.monotonic() - at >= 10 * took

    def state(self) -> dict[str, Any]:
        """Return what a later one needs to go on after the records given so far."""
        state: dict[str, Any] = {"record": self.next}
        if self._header is not None:
            state |= {"header": self._header.decode("latin-1"), "delimiter": self._delimiter}
        if self._columns:
            state["columns"] = list(self._columns)
        if self._skipping:
            state["skipping"] = True
        if self._doubtful:
            state["anew"] = True
        return state

    def feed(self, data: bytes) -> None:
        """Take the bytes that follow."""
        if data:
            # A carriage return at the end may have been half of a line end: whatever follows decides it.
            self._hopeful = self._hopeful or self._buffer.endswith(b"\r")
            self._parts.append(data)
            self._hopeful = self._hopeful or any(sign in data for sign in (b"\n", b"\r", b'"'))

    def read(self, most: int) -> list[Chunk]:
        """Return the whole records among what is held, in chunks of at most `most` rows."""
        if not self.due:
            return []
        started = time.monotonic()
        self._join()
        chunks = self._read(most, last=False)
        self._hopeful = False
        done = time.monotonic()
        self._tried = (done, done - started if not chunks and len(self._buffer) > _LONG else 0.0)
        return chunks

    def rest(self, most: int) -> list[Chunk]:
        """Return all that is held, as what ends the table."""
        self._join()
        return [*self._read(most, last=False), *self._read(most, last=True)] if self._buffer else []

    def give_up(self, message: str) -> Chunk | None:
        """Return what is held as a broken record, if anything is: its rest will not come."""
        self._join()
        held = self._drop(len(self._buffer))
        return self._refused("broken_file", held, message) if held.strip() else None

    def begin_anew(self) -> dict[str, Any]:
        """Return the state for a file that takes the place of this one: the numbers of its records go on."""
        state = self.state()
        state.pop("skipping", None)
        return state | {"anew": True}

    def _join(self) -> None:
        if self._parts:
            self._buffer = b"".join([self._buffer, *self._parts])
            self._parts = []

    def _drop(self, size: int) -> bytes:
        """Take bytes from the front."""
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        self.consumed += size
        self.tail = (self.tail + data[-TAIL:])[-TAIL:]
        return data

    def _read(self, most: int, last: bool) -> list[Chunk]:
        if not self._begin(last) or (self._skipping and not self._skip()):
            return []
        if self._form != "jsonl" and not self._read_header(last):
            return []
        chunks: list[Chunk] = []
        size, broken = (len(self._buffer), False) if last else self._whole()
        if size:
            chunks += self._parse(self._drop(size), most)
        if broken:
            chunks.append(self._too_long())
        return chunks

    def _begin(self, last: bool) -> bool:
        """Look at the first bytes of all."""
        if self._begun and not self._doubtful:
            return True
        if len(self._buffer) < 4 and not last and b"\n" not in self._buffer:
            return False
        if self._buffer.startswith(_WIDE):
            refuse_wide("utf-16", self._base.name)
        if self._buffer.startswith(_MARK) and self._base.settings.encoding.lower() in (
            "auto",
            "utf-8",
            "utf8",
            "utf-8-sig",
        ):
            self._drop(len(_MARK))
        self._begun = True
        if self._form == "jsonl":
            self._doubtful = False
        return True

    def _skip(self) -> bool:
        """Pass over the rest of a line that was too long."""
        ends = [at for at in (self._buffer.find(b"\n"), self._buffer.find(b"\r")) if at >= 0]
        self._drop(min(ends) + 1 if ends else len(self._buffer))
        self._skipping = not ends
        return bool(ends)

    def _read_header(self, last: bool) -> bool:
        """Read the line of column names, if it is whole; after a new beginning, if there is one."""
        if self._header is not None and not self._doubtful:
            return True
        self._drop(len(self._buffer) - len(self._buffer.lstrip(b"\r\n")))
        if not self._buffer:
            return False
        if self._base.settings.header == "no":
            delimiter = self._base.delimiter or delimited.choose_delimiter(self._buffer, self._base, last)
            self._delimiter = delimiter
            self._header, self._doubtful = b"", False
            return True
        if self._header is not None:
            known = self._names(self._header, self._delimiter)
            dialects = [self._dialect(sign) for sign in delimited.DELIMITERS]
            likeliest = max(dialects, key=lambda one: _shared(self._buffer, one, known, last))
            record = csv_careful.next_record(self._buffer, 0, likeliest, last)
            if record is None:
                return False
            self._doubtful = False
            if _shared(self._buffer, likeliest, known, last) < 0.5:
                return True  # what took its place goes on under the header of before
        delimiter = self._base.delimiter or delimited.choose_delimiter(self._buffer, self._base, last)
        record = csv_careful.next_record(self._buffer, 0, self._dialect(delimiter), last)
        if record is None:
            return False
        header = self._drop(record.end)
        header = header if header.endswith((b"\n", b"\r")) else header + b"\n"
        self._names(header, delimiter)
        self._header, self._delimiter = header, delimiter
        return True

    def _dialect(self, delimiter: str) -> Dialect:
        return Dialect.of(delimiter, self._base.settings)

    def _names(self, header: bytes, delimiter: str) -> tuple[str, ...]:
        """Return the column names; DataError for a header that cannot be used."""
        reading = replace(self._base, open=lambda: io.BytesIO(header), delimiter=delimiter)
        return found_formats()[self._form].columns(reading)

    def _whole(self) -> tuple[int, bool]:
        """Return how many bytes are whole records, and whether one that is too long follows."""
        if self._form == "jsonl":
            size = self._buffer.rfind(b"\n") + 1
            return size, not size and len(self._buffer) > encoding.LONGEST
        dialect = self._dialect(self._delimiter)
        if size := csv_fast.whole_records(self._buffer, dialect, last=False):
            return size, False
        while size < encoding.BLOCK:
            record = csv_careful.next_record(self._buffer, size, dialect, last=False)
            if record is None:
                break
            if record.code == "record_too_long":
                return size, True
            size = record.end
        return size, False

    def _too_long(self) -> Chunk:
        """Take what is longer than a record may be, and pass over the rest of its line."""
        ends = [at for at in (self._buffer.find(b"\n"), self._buffer.find(b"\r")) if at >= 0]
        self._skipping = not ends
        data = self._drop(min(ends) + 1 if ends else len(self._buffer))
        return self._refused("record_too_long", data, "A record is longer than 64 MiB.")

    def _refused(self, code: str, data: bytes, message: str) -> Chunk:
        broken = Broken(self.next, code, None, shorten(data), message)
        self.next += 1
        return Chunk(_NOTHING, self._base.name, np.empty(0, np.int64), (broken,))

    def _parse(self, data: bytes, most: int) -> list[Chunk]:
        """Read whole records by the reader of the format."""
        if self._form == "jsonl" and not data.strip(b" \t\r\n"):
            return []
        # A blank line of its own: what begins a block is no byte order mark.
        front = b"\n" if self._form == "jsonl" else self._header or b""
        reading = replace(
            self._base,
            open=lambda: io.BytesIO(front + data),
            settings=replace(self._base.settings, batch_rows=most),
            delimiter=self._delimiter,
        )
        before = self.next - 1
        chunks = []
        for block in found_formats()[self._form].read(reading):
            for chunk in block:
                self.next += chunk.rows.num_rows + len(chunk.broken)
                rows = self._widened(chunk.rows) if self._form == "jsonl" else chunk.rows
                broken = tuple(replace(one, record=one.record + before) for one in chunk.broken)
                chunks.append(Chunk(rows, chunk.name, chunk.records + before, broken))
        return chunks

    def _widened(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Return the columns of earlier records too, as a reader of the whole file does."""
        names = rows.schema.names
        if names != list(self._columns):
            if len(self._columns) < _COLUMNS:
                self._columns.update(dict.fromkeys(names))
            wanted = list(self._columns | dict.fromkeys(names))
            missing = pa.nulls(rows.num_rows, pa.string())
            arrays = [rows.column(name) if name in names else missing for name in wanted]
            rows = pa.RecordBatch.from_arrays(arrays, names=wanted)
        return rows


def refuse_wide(encoding_name: str, name: str) -> None:
    """Raise DataError for an encoding in which a line end is no single byte."""
    plain = encoding_name.lower().replace("_", "-")
    if plain.startswith(("utf-16", "utf-32", "utf16", "utf32")):
        raise DataError(
            f"{name} is in {plain.upper()}: where it ends within a record cannot be told while it grows.",
            "Write it as UTF-8, or stream it at a pace: --rate N reads a whole file.",
        )


def _shared(buffer: bytes, dialect: Dialect, known: Sequence[str], last: bool) -> float:
    """Return which share of the fields of the first record are names of columns."""
    record = csv_careful.next_record(buffer, 0, dialect, last)
    if record is None or not record.fields:
        return 0.0
    fields = [field.decode("utf-8", "replace").strip().lower() for field in record.fields]
    names = {name.lower() for name in known}
    return sum(field in names for field in fields) / len(fields)
