"""JSON lines, and JSON documents that hold a list of records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import IO, Any

import pyarrow as pa

from tallystick.connectors import encoding
from tallystick.connectors.compression import decompressed
from tallystick.connectors.encoding import Feed, from_windows
from tallystick.connectors.formats import Block, Format, Reading
from tallystick.connectors.json_flat import Lines
from tallystick.connectors.json_records import JsonRows, windows_note
from tallystick.connectors.json_values import BadRecordError, Number, decoder, list_of_records
from tallystick.connectors.notes import Notes
from tallystick.connectors.render import json_lines
from tallystick.errors import DataError

__all__ = ["FORMATS"]

# A document is held in memory as a whole, several times its size as Python values.
LARGEST_DOCUMENT = 512 << 20
_SPACE = b" \t\r\n"


def read_lines(reading: Reading) -> Iterator[Block]:
    """Yield the records of a file with one JSON object a line, as text columns."""
    with reading.open() as file:
        yield from _lines(reading, Feed(decompressed(file, reading.compression), reading.settings.encoding))


def _lines(reading: Reading, feed: Feed) -> Iterator[Block]:
    rows, most = JsonRows(reading.name, reading.notes), reading.settings.batch_rows
    wanted = encoding.BLOCK
    while True:
        feed.fill(wanted)
        wanted = encoding.BLOCK
        whole = feed.ended and not feed.torn
        size = len(feed.buffer) if whole else feed.buffer.rfind(b"\n") + 1
        if size:
            lines = Lines.of(feed.buffer[:size])
            for start in range(0, len(lines), most):
                yield rows.read(lines, start, min(start + most, len(lines)), feed.falls_back)
        feed.drop(size)
        if feed.ended:
            break
        if not size:
            if len(feed.buffer) > encoding.LONGEST:
                rows.refuse("record_too_long", feed.buffer, "A line is longer than 64 MiB.")
                feed.skip_line()
            else:
                wanted = min(2 * len(feed.buffer) + encoding.BLOCK, encoding.LONGEST + 1)
    if feed.torn:
        if rows.next == 1:
            raise DataError(
                f"{reading.name} breaks off: {feed.torn}.",
                "It cannot be read from its start; fetch it again.",
            )
        rows.refuse("broken_file", feed.buffer, f"{reading.name} breaks off: {feed.torn}.")
    elif rows.next == 1:
        raise DataError(f"{reading.name} is empty.", "One JSON object a line is wanted.")
    if chunks := rows.take():
        yield chunks


def read_document(reading: Reading) -> Iterator[Block]:
    """Yield the records of a JSON document: a list of objects, alone or within others such as `hits.hits`."""
    with reading.open() as file:
        feed = Feed(decompressed(file, reading.compression), reading.settings.encoding)
        feed.fill(encoding.BLOCK)
        if _looks_like_lines(feed.buffer):
            reading.notes.say(f"{reading.name}: read as JSON lines, since its first line is a whole object")
            yield from _lines(reading, feed)
            return
        feed.fill(LARGEST_DOCUMENT + 1)
        yield from _document(reading, feed)


def _document(reading: Reading, feed: Feed) -> Iterator[Block]:
    name = reading.name
    if len(feed.buffer) > LARGEST_DOCUMENT:
        raise DataError(
            f"{name} is a JSON document of more than 512 MiB.",
            "Write it as .jsonl, one object a line: that streams.",
        )
    text = _document_text(feed, name)
    start = re.compile(r"[ \t\r\n]*").match(text)
    position = start.end() if start else 0
    if position == len(text):
        if feed.torn:
            raise DataError(
                f"{name} breaks off: {feed.torn}.", "It cannot be read from its start; fetch it again."
            )
        raise DataError(f"{name} is empty.", "A list of JSON objects is wanted.")
    rows, most = JsonRows(reading.name, reading.notes), reading.settings.batch_rows
    for value in _elements(text, position, feed, rows):
        rows.add(_healed(value, reading) if feed.falls_back else value)
        if len(rows) >= most:
            yield rows.take()
    if chunks := rows.take():
        yield chunks


def _document_text(feed: Feed, name: str) -> str:
    """Decode a document; bytes that are no UTF-8 are kept aside until their record is known."""
    try:
        return feed.buffer.decode("utf-8", "surrogateescape" if feed.falls_back else "strict")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name} is not valid in its encoding: {error}.", "Name the right one: --set encoding=NAME."
        ) from None


def _elements(text: str, position: int, feed: Feed, rows: JsonRows) -> Iterator[Any]:
    """Yield the records one by one; a break within a list ends it with one broken record."""
    name = rows.name
    if text[position] != "[":
        try:
            document = decoder().decode(text)
        except (ValueError, RecursionError, BadRecordError) as error:
            why = f"{name} breaks off: {feed.torn}." if feed.torn else f"{name} is no JSON: {error}."
            raise DataError(
                why, "A list of JSON objects is wanted, or one object a line in a .jsonl."
            ) from None
        yield from list_of_records(document, name)
        return
    separator = re.compile(r"[ \t\r\n]*([\[,\]])[ \t\r\n]*(\]?)")
    objects = 0
    while True:
        match = separator.match(text, position)
        if match and (match[1] == "]" or (match[1] == "[" and match[2])):
            if text[match.end() :].strip():
                rows.refuse("bad_json", text[match.end() :], "Something follows the end of the list.")
            break
        try:
            if match is None or match[2]:
                raise ValueError(f"a comma or ] is wanted at character {position}")
            value, position = decoder().raw_decode(text, match.end())
        except BadRecordError as error:
            raise DataError(f"{name}: record {rows.next}: {error}") from None
        except (ValueError, RecursionError) as error:
            if rows.next == 1:
                raise DataError(
                    f"{name} is no JSON: {feed.torn or error}.", "A list of JSON objects is wanted."
                ) from None
            code = "broken_file" if feed.torn else "bad_json"
            rows.refuse(
                code, text[position : position + 300], f"{name} cannot be read on: {feed.torn or error}."
            )
            break
        objects += isinstance(value, dict)
        yield value
    if rows.next > 1 and not objects:
        raise DataError(
            f"{name} is a JSON list without any object in it.",
            "A list of JSON objects is wanted: [{…}, {…}].",
        )


def _healed(value: Any, reading: Reading) -> Any:
    """Read all texts of a record as Windows-1252, if one of its bytes was no UTF-8."""
    if not _escaped(value):
        return value
    reading.notes.say(windows_note(reading.name))
    return _from_windows(value)


def _escaped(value: Any) -> bool:
    if isinstance(value, str):
        return not value.isascii() and any("\udc80" <= sign <= "\udcff" for sign in value)
    if isinstance(value, dict):
        return any(_escaped(name) or _escaped(part) for name, part in value.items())
    return isinstance(value, list) and any(_escaped(part) for part in value)


def _from_windows(value: Any) -> Any:
    if isinstance(value, dict):
        return {_from_windows(name): _from_windows(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_from_windows(part) for part in value]
    if isinstance(value, str) and not isinstance(value, Number):
        return from_windows(value.encode("utf-8", "surrogateescape"))
    return value


def _looks_like_lines(buffer: bytes) -> bool:
    """Return whether a document is one object a line: its first line is whole, and more follows."""
    line, _, rest = buffer.lstrip(_SPACE).partition(b"\n")
    if not line.startswith(b"{") or not rest.lstrip(_SPACE).startswith(b"{"):
        return False
    try:
        decoder().decode(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError, BadRecordError):
        return False
    return True


def line_columns(reading: Reading) -> tuple[str, ...]:
    """Return the names in the first record that can be read."""
    return _first_columns(read_lines(replace(reading, open=reading.open_head, notes=Notes())))


def document_columns(reading: Reading) -> tuple[str, ...]:
    """Return the names in the first records of a document."""
    return _first_columns(read_document(replace(reading, open=reading.open_head, notes=Notes())))


def _first_columns(blocks: Iterator[Block]) -> tuple[str, ...]:
    return next(
        (tuple(chunk.rows.schema.names) for block in blocks for chunk in block if chunk.rows.num_rows), ()
    )


class LinesWriter:
    """Writes one JSON object a line; batches may differ in their columns."""

    def __init__(self, file: IO[bytes], _schema: pa.Schema | None) -> None:
        self._file = file

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        if batch.num_rows:
            self._file.write(json_lines(batch))

    def close(self) -> None:
        """Nothing ends JSON lines."""


class DocumentWriter:
    """Writes a list of JSON objects, one a line."""

    def __init__(self, file: IO[bytes], _schema: pa.Schema | None) -> None:
        self._file = file
        self._begun = False

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        if batch.num_rows:
            # A line end within a value is written as \n, so each one here ends an object.
            lines = json_lines(batch)[:-1].replace(b"\n", b",\n")
            self._file.write((b",\n" if self._begun else b"[\n") + lines)
            self._begun = True

    def close(self) -> None:
        """End the list."""
        self._file.write(b"\n]\n" if self._begun else b"[]\n")


FORMATS = (
    Format("jsonl", (".jsonl", ".ndjson"), read_lines, line_columns, LinesWriter),
    Format("json", (".json",), read_document, document_columns, DocumentWriter),
)
