"""Records that are JSON, as rows: the lines of a file, the messages of a topic, the elements of a list.

Flat objects that name their members in one order go straight to Arrow (`json_flat`); every other record is
parsed by itself. Both give the same rows.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from tallystick.connectors.chunk import Broken, Chunk, shorten
from tallystick.connectors.encoding import from_windows
from tallystick.connectors.json_flat import FlatLines, Lines
from tallystick.connectors.json_values import BadRecordError, decoder, row_of
from tallystick.connectors.notes import Notes
from tallystick.connectors.parts import Part, join_parts

__all__ = ["JsonRows", "windows_note"]

_SPACE = b" \t\r\n"


@dataclass(slots=True)
class JsonRows:
    """Rows and broken records as they gather; columns join in the order in which records bring them.

    name: of the input, for its chunks and notes; next: the number of the next record; flat: knows shapes of
    objects that came before.

    >>> rows = JsonRows("a.jsonl", Notes())
    >>> [chunk] = rows.read(Lines.of(b'{"a": 1.50}\\n{"a": [2]}\\n{'), 0, 3)
    >>> chunk.rows.to_pydict(), chunk.records.tolist(), [one.code for one in chunk.broken]
    ({'a': ['1.50', '[2]']}, [1, 2], ['bad_json'])
    """

    name: str
    notes: Notes
    next: int = 1
    flat: FlatLines = field(default_factory=FlatLines)
    _columns: dict[str, None] = field(default_factory=dict)
    _rows: list[dict[str, str | None]] = field(default_factory=list)
    _records: list[int] = field(default_factory=list)
    _broken: list[Broken] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._rows) + len(self._broken)

    def add(self, value: Any) -> None:
        """Take one record that was parsed."""
        try:
            row = row_of(value)
        except BadRecordError as error:
            self.refuse(error.code, error.value, str(error), error.column)
            return
        self._rows.append(row)
        self._records.append(self.next)
        self.next += 1

    def refuse(self, code: str, value: bytes | str, message: str, column: str | None = None) -> None:
        """Take one record that cannot be read."""
        self._broken.append(Broken(self.next, code, column, shorten(value), message))
        self.next += 1

    def read(self, lines: Lines, start: int, stop: int, falls_back: bool = False) -> list[Chunk]:
        """Read some of the lines; return a chunk of them and of what gathered, none where there is nothing.

        falls_back: whether a record that is no UTF-8 is read as Windows-1252.
        """
        first = self.next
        parts, rest = self.flat.read(lines, start, stop)
        for place in rest.tolist():
            self.next = first + place
            self._parse(lines[start + place], falls_back)
        self.next = first + stop - start
        return self.take([Part(first + part.places, part.columns) for part in parts])

    def take(self, parts: list[Part] | None = None) -> list[Chunk]:
        """Return a chunk of what gathered, none where nothing did; parts: more records, by number."""
        parts = parts or []
        if not parts and not len(self):
            return []
        brought = [(int(part.places[0]), tuple(part.columns)) for part in parts]
        brought += zip(self._records, map(tuple, self._rows), strict=True)
        for _, names in sorted(brought):
            self._columns.update(dict.fromkeys(names))
        if self._rows or not parts:
            columns = {
                name: pa.array([row.get(name) for row in self._rows], pa.string()) for name in self._columns
            }
            parts = [*parts, Part(np.array(self._records, np.int64), columns)]
        batch, records = join_parts(parts, self._columns)
        chunk = Chunk(batch, self.name, records, tuple(self._broken))
        self._rows, self._records, self._broken = [], [], []
        return [chunk]

    def _parse(self, record: bytes, falls_back: bool) -> None:
        """Parse one record into a row, or say why not."""
        record = record.removeprefix(codecs.BOM_UTF8)
        if not record.strip(_SPACE):
            self.refuse("bad_json", record, "The record is empty.")
            return
        try:
            text = record.decode()
        except UnicodeDecodeError:
            if not falls_back:
                self.refuse("bad_encoding", record, "The record is not valid in the encoding of the input.")
                return
            text = from_windows(record)
            self.notes.say(windows_note(self.name))
        try:
            value = decoder().decode(text)
        except BadRecordError as error:
            self.refuse(error.code, record, str(error))
            return
        except (ValueError, RecursionError) as error:
            code = "nul_byte" if "\0" in text else "bad_json"
            self.refuse(code, record, f"The record is no JSON: {error}.")
            return
        self.add(value)


def windows_note(name: str) -> str:
    """Return the note that records were read as Windows-1252, `{n}` of them.

    >>> windows_note("a.jsonl")
    'a.jsonl: records that were not valid UTF-8 and were read as Windows-1252: {n}'
    """
    return f"{name}: records that were not valid UTF-8 and were read as Windows-1252: {{n}}"
