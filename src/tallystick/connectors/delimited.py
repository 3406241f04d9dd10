"""Tables as delimited text: CSV and TSV, block by block in bounded memory, fast where the block allows it."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import IO

import numpy as np
import pyarrow as pa

from tallystick.connectors import csv_careful, csv_fast, encoding
from tallystick.connectors.chunk import Broken, Chunk, numbered, shorten
from tallystick.connectors.compression import decompressed
from tallystick.connectors.csv_write import CsvWriter
from tallystick.connectors.dialect import Dialect
from tallystick.connectors.encoding import Feed, from_windows
from tallystick.connectors.formats import Block, Format, Reading, Span
from tallystick.errors import DataError

__all__ = ["DELIMITERS", "FORMATS", "choose_delimiter"]

DELIMITERS = (",", ";", "\t", "|")
_SHOWN = {"\t": "tab"}

_MESSAGES = {
    "unclosed_quote": "A quote was left open; reading resumed on the next line.",
    "escaped_quote": "A quote has a backslash before it: --set escape=backslash reads that.",
    "record_too_long": "A record is longer than 64 MiB.",
    "nul_byte": "The record holds a NUL byte.",
    "bad_encoding": "The record is not valid in the encoding of the file.",
}


def read(reading: Reading) -> Iterator[Block]:
    """Give the records of a CSV as text columns; an empty field is empty text, never null."""
    with reading.open() as file:
        yield from _Table(reading, _feed(reading, file)).blocks()


def columns(reading: Reading) -> tuple[str, ...]:
    """Give the column names from the header line."""
    with reading.open_head() as file:
        return _Table(reading, _feed(reading, file)).names


def spans(reading: Reading) -> Iterator[Span]:
    """Cut a file into blocks, up to the first in which a quote is not well formed: the rest is one span.

    The blocks are those in which the whole file would be read, so that nothing depends on where it is cut.
    None is found in what is compressed, or no UTF-8.
    """
    if reading.compression:
        return
    with reading.open() as file:
        feed = _feed(reading, file)
        table = _Table(reading, feed)
        if not feed.as_read:
            return
        dialect = table.dialect
        rest = Span(0, None, 1, columns=table.names, delimiter=table.delimiter)
        at, following = file.tell() - len(feed.buffer), 1
        while True:
            feed.fill(encoding.BLOCK)
            if not feed.buffer:
                return
            size = csv_fast.whole_records(feed.buffer, dialect, feed.ended and not feed.torn)
            if not size:
                break
            yield replace(rest, start=at, stop=at + size, first=following, small=True, checked=True)
            following += csv_fast.count_records(feed.buffer, size, dialect)
            at += size
            feed.drop(size)
    yield replace(rest, start=at, first=following)


def _feed(reading: Reading, file: IO[bytes]) -> Feed:
    """Open the bytes of a file, or of its span."""
    span = reading.span
    if span is None:
        return Feed(decompressed(file, reading.compression), reading.settings.encoding)
    file.seek(span.start)
    size = None if span.stop is None else span.stop - span.start
    return Feed(decompressed(file, "", size), reading.settings.encoding, begun=True)


class _Table:
    """One file as it is read: header, position, and the number of the next record."""

    def __init__(self, reading: Reading, feed: Feed) -> None:
        self._reading = reading
        self._feed = feed
        span = reading.span
        self._next = 1 if span is None else span.first
        self._checked = span.stop - span.start if span is not None and span.stop and span.checked else 0
        self._within_line = False
        self.delimiter = "," if span is None else span.delimiter
        self.names = self._header() if span is None else span.columns
        self._schema = pa.schema([(name, pa.string()) for name in self.names])

    @property
    def dialect(self) -> Dialect:
        """How its text is written."""
        return Dialect.of(self.delimiter, self._reading.settings)

    def blocks(self) -> Iterator[Block]:
        """Read on until the file is over."""
        feed, dialect = self._feed, self.dialect
        most = self._reading.settings.batch_rows
        wanted = encoding.BLOCK
        while True:
            feed.fill(max(wanted, self._checked))
            wanted = encoding.BLOCK
            if not feed.buffer:
                break
            if self._checked:
                size = len(feed.buffer)
            else:
                size = csv_fast.whole_records(feed.buffer, dialect, feed.ended and not feed.torn)
            table = csv_fast.parse(feed.buffer, size, self.names, dialect) if size else None
            if table is not None:
                feed.drop(size)
                chunks = list(numbered(table, self._reading.name, self._next, most))
                self._next += table.num_rows
                yield chunks
                continue
            read, chunks = self._carefully(dialect, size or len(feed.buffer), most)
            if chunks:
                yield chunks
            feed.drop(read)
            if self._within_line:
                feed.skip_line()
                self._within_line = False
            if not read:
                if feed.ended:
                    break
                # Doubling: a long record is looked at twice, not often.
                wanted = min(2 * len(feed.buffer), encoding.LONGEST + 1)
        if feed.torn:
            broken = Broken(
                self._next, "broken_file", None, shorten(feed.buffer), _torn(self._reading.name, feed)
            )
            yield [self._chunk([], [], [broken])]

    def _carefully(self, dialect: Dialect, limit: int, most: int) -> tuple[int, Block]:
        """Read the records that start before `limit`; say how many bytes that took."""
        feed = self._feed
        last = feed.ended and not feed.torn
        chunks: Block = []
        rows: list[list[bytes]] = []
        records: list[int] = []
        broken: list[Broken] = []
        position = 0
        while position < limit:
            record = csv_careful.next_record(feed.buffer, position, dialect, last)
            if record is None:
                break
            raw = feed.buffer[position : record.end]
            position = record.end
            if not record.fields and not record.code:
                continue
            fields, trouble = self._judged(record, raw)
            if trouble is None:
                rows.append(fields)
                records.append(self._next)
            else:
                broken.append(trouble)
            self._next += 1
            self._within_line = record.code == "record_too_long"
            if len(rows) + len(broken) >= most:
                chunks.append(self._chunk(rows, records, broken))
                rows, records, broken = [], [], []
        if rows or broken:
            chunks.append(self._chunk(rows, records, broken))
        return position, chunks

    def _judged(self, record: csv_careful.Record, raw: bytes) -> tuple[list[bytes], Broken | None]:
        """Say whether a record can be used, and read it as Windows-1252 if that is what it takes."""
        fields, code = record.fields, record.code
        if not code and b"\0" in raw:
            code = "nul_byte"
        if not code and len(fields) != len(self.names):
            message = f"The record has {len(fields)} fields; the header has {len(self.names)}."
            if b'\\"' in raw and not self.dialect.backslash:
                message += f" {_MESSAGES['escaped_quote']}"
            return fields, Broken(self._next, "ragged_row", None, shorten(raw), message)
        if not code and not _is_utf8(raw):
            if self._feed.falls_back:
                self._reading.notes.say(_windows_note(self._reading.name))
                return [from_windows(text).encode() for text in fields], None
            code = "bad_encoding"
        if not code:
            return fields, None
        column = self._column(fields, code)
        return fields, Broken(self._next, code, column, shorten(raw), _MESSAGES[code])

    def _column(self, fields: list[bytes], code: str) -> str | None:
        """Name the column in which the trouble is, where that can be said."""
        if code == "unclosed_quote":
            at = len(fields)
        else:
            at = next(
                (i for i, text in enumerate(fields) if b"\0" in text or not _is_utf8(text)), len(self.names)
            )
        return self.names[at] if at < len(self.names) else None

    def _chunk(self, rows: list[list[bytes]], records: list[int], broken: list[Broken]) -> Chunk:
        fields = zip(*rows, strict=True) if rows else ([] for _ in self.names)
        arrays = [pa.array(list(values), pa.binary()).cast(pa.string()) for values in fields]
        batch = pa.RecordBatch.from_arrays(arrays, schema=self._schema)
        return Chunk(batch, self._reading.name, np.array(records, np.int64), tuple(broken))

    def _header(self) -> tuple[str, ...]:
        """Read the first line that is not blank; it decides columns and delimiter."""
        feed, name = self._feed, self._reading.name
        wanted = 1 << 16
        while True:
            feed.fill(wanted)
            start = len(feed.buffer) - len(feed.buffer.lstrip(b"\r\n"))
            feed.drop(start)
            if not feed.buffer and feed.ended:
                if feed.torn:
                    raise DataError(_torn(name, feed), "It cannot be read from its start; fetch it again.")
                raise DataError(
                    f"{name} is empty.", "A table needs a line of column names and at least one row."
                )
            last = feed.ended and not feed.torn
            self.delimiter = choose_delimiter(feed.buffer, self._reading, last)
            record = csv_careful.next_record(feed.buffer, 0, self.dialect, last)
            if record is not None:
                break
            if feed.ended:
                raise DataError(_torn(name, feed), "It breaks off within its header; fetch it again.")
            wanted = 2 * len(feed.buffer) + wanted
        raw = feed.buffer[: record.end]
        if self._reading.settings.header == "no":
            return tuple(f"column_{place}" for place in range(1, len(record.fields) + 1))
        names = self._names(record, raw)
        if self.delimiter == "\t" and len(names) == 1:
            other = choose_delimiter(feed.buffer, replace(self._reading, delimiter=""), last)
            if other in raw.decode("utf-8", "replace"):
                hint = f'It looks separated by "{other}": a .csv may be, a .tsv is separated by tabs.'
                raise DataError(f"{name}: the header has no tab.", hint)
        feed.drop(record.end)
        self._note_apostrophes(last)
        return names

    def _note_apostrophes(self, last: bool) -> None:
        """Say where values stand in apostrophes, as the first record shows."""
        quote = b"'"
        if quote not in self._feed.buffer.partition(b"\n")[0]:
            return
        record = csv_careful.next_record(self._feed.buffer, 0, self.dialect, last)
        fields = record.fields if record is not None and self.dialect.quote != quote else []
        if any(len(one) > 1 and one.startswith(quote) and one.endswith(quote) for one in fields):
            name = self._reading.name
            self._reading.notes.say(f'{name}: values stand in apostrophes, which --set quote="\'" takes off')

    def _names(self, record: csv_careful.Record, raw: bytes) -> tuple[str, ...]:
        """Check the header, and name columns without one by their place."""
        name = self._reading.name
        if b"\0" in raw:
            hint = "It may be UTF-16 without a byte order mark: try --set encoding=utf-16-le."
            raise DataError(f"{name}: the header holds NUL bytes.", hint)
        if record.code:
            raise DataError(f"{name}: the header cannot be read ({record.code}): {shorten(raw)}")
        if _is_utf8(raw):
            names = [text.decode() for text in record.fields]
        elif self._feed.falls_back:
            names = [from_windows(text) for text in record.fields]
        else:
            raise DataError(
                f'{name}: the header is not valid in the encoding "{self._reading.settings.encoding}".',
                "Leave the encoding to --set encoding=auto, or name the right one.",
            )
        unnamed = [place for place, text in enumerate(names, 1) if not text]
        names = [text or f"column_{place}" for place, text in enumerate(names, 1)]
        if unnamed:
            self._reading.notes.say(f"{name}: columns without a name are called column_N by their place")
        doubled = [text for text, count in Counter(names).items() if count > 1]
        if doubled:
            listed = ", ".join(f'"{text}"' for text in doubled)
            raise DataError(
                f"{name}: the header names {listed} more than once.",
                "Rename or remove one, so that each name says one column.",
            )
        return tuple(names)


def choose_delimiter(buffer: bytes, reading: Reading, last: bool) -> str:
    """Judge by the header alone: most columns win, known names decide between equals."""
    if reading.delimiter:
        return reading.delimiter
    return max(DELIMITERS, key=lambda sign: _score(buffer, sign, reading, last))


def _score(buffer: bytes, delimiter: str, reading: Reading, last: bool) -> tuple[int, int]:
    record = csv_careful.next_record(buffer, 0, Dialect.of(delimiter, reading.settings), last)
    if record is None:
        return 0, 0
    names = {field.decode("utf-8", "replace").strip().lower() for field in record.fields}
    return len(record.fields), len(names & {name.lower() for name in reading.known})


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _torn(name: str, feed: Feed) -> str:
    return f"{name} breaks off: {feed.torn}."


def _windows_note(name: str) -> str:
    return f"{name}: records that were not valid UTF-8 and were read as Windows-1252: {{n}}"


def _read_tabs(reading: Reading) -> Iterator[Block]:
    return read(_tabbed(reading))


def _tab_spans(reading: Reading) -> Iterator[Span]:
    return spans(_tabbed(reading))


def _tab_columns(reading: Reading) -> tuple[str, ...]:
    return columns(_tabbed(reading))


def _tabbed(reading: Reading) -> Reading:
    return reading if reading.delimiter else replace(reading, delimiter="\t")


FORMATS = (
    Format("csv", (".csv",), read, columns, functools.partial(CsvWriter, delimiter=","), spans=spans),
    Format(
        "tsv",
        (".tsv",),
        _read_tabs,
        _tab_columns,
        functools.partial(CsvWriter, delimiter="\t"),
        spans=_tab_spans,
    ),
)
