"""Messages with one JSON object each, read as the lines of a `.jsonl` file are."""

from __future__ import annotations

import codecs
import io
import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from tallystick.config import Settings
from tallystick.connectors.chunk import Broken, shorten
from tallystick.connectors.formats import Reading, found_formats
from tallystick.connectors.notes import Notes
from tallystick.errors import UsageError
from tallystick.streams.kafka.json_fast import FlatJsonReader, Part
from tallystick.streams.kafka.message_rows import MessageRows, join_rows, one_array

__all__ = ["JsonValues"]

_SPACE = b" \t\r\n"
# Stands in for a line end where the value is no JSON anyway: as little allowed in a text as outside of one.
_NO_LINE_END = b"\x01"


class JsonValues:
    """Reads values that hold one JSON object each.

    name: of the topic, for notes. Raises UsageError for an encoding in which a line end is no single byte.
    """

    def __init__(self, name: str, settings: Settings, notes: Notes) -> None:
        self._name, self._notes = name, notes
        self._read = found_formats()["jsonl"].read
        self._settings = settings
        self._fast = FlatJsonReader()
        self._is_utf8 = settings.encoding == "auto" or codecs.lookup(settings.encoding).name == "utf-8"
        if settings.encoding != "auto" and "\n {".encode(settings.encoding) != b"\n {":
            raise UsageError(
                f'encoding="{settings.encoding}" cannot be used for Kafka.',
                "Leave it out, or name one that has ASCII in it, such as utf-8, latin-1 or cp1252.",
            )

    def rows(self, values: Sequence[bytes | None]) -> MessageRows:
        """Read the values of messages; None, a tombstone, gives neither a row nor a broken record."""
        broken: list[Broken] = []
        parts: list[Part] = []
        rest = [place for place, value in enumerate(values) if value is not None]
        if self._is_utf8:
            parts, rest = self._fast.parts(values)
        if rest and (part := self._carefully(values, rest, broken)) is not None:
            parts.append(part)
        return join_rows(parts, broken)

    def _carefully(
        self, values: Sequence[bytes | None], rest: list[int], broken: list[Broken]
    ) -> Part | None:
        """Read some of the values as lines of a file."""
        places, lines = _lines(values, rest, broken)
        if not lines:
            return None
        # An empty first line: what looks like a byte order mark then belongs to its message alone.
        buffer = b"\n" + b"\n".join(lines) + b"\n"
        settings = replace(self._settings, batch_rows=len(lines) + 1)
        reading = Reading(self._name, lambda: io.BytesIO(buffer), settings, notes=self._notes)
        chunks = [chunk for block in self._read(reading) for chunk in block]
        for one in (one for chunk in chunks for one in chunk.broken):
            place = places[one.record - 1]
            shown = shorten(values[place] or b"") if one.value and one.column is None else one.value
            broken.append(replace(one, record=place, value=shown))
        tables = [pa.Table.from_batches([chunk.rows]) for chunk in chunks]
        table = pa.concat_tables(tables, promote_options="default").combine_chunks()
        arrays = {name: one_array(table.column(name)) for name in table.column_names}
        records = np.concatenate([chunk.records for chunk in chunks])
        return (np.array(places, np.int64)[records - 1], arrays) if len(records) else None


def _lines(
    values: Sequence[bytes | None], rest: Sequence[int], broken: list[Broken]
) -> tuple[list[int], list[bytes]]:
    """Make each value one line; which value each line is comes first."""
    places: list[int] = []
    lines: list[bytes] = []
    for place in rest:
        value = (values[place] or b"").removeprefix(codecs.BOM_UTF8)
        if not value.strip(_SPACE):
            broken.append(Broken(place, "bad_json", None, shorten(value), "The message is empty."))
            continue
        places.append(place)
        lines.append(_one_line(value) if b"\n" in value else value)
    return places, lines


def _one_line(value: bytes) -> bytes:
    """Take line ends out of a value: in JSON they stand between its parts alone."""
    try:
        json.loads(value.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return value.replace(b"\n", _NO_LINE_END)
    return value.replace(b"\n", b" ")
