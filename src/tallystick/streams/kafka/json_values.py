"""Messages with one JSON object each, read as the records of a `.jsonl` file are."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tallystick.config import Settings
from tallystick.connectors.encoding import as_utf8
from tallystick.connectors.json_flat import FlatLines, Lines
from tallystick.connectors.json_records import JsonRows
from tallystick.connectors.notes import Notes
from tallystick.connectors.parts import join_parts
from tallystick.errors import UsageError
from tallystick.streams.kafka.message_rows import MessageRows

__all__ = ["JsonValues"]


class JsonValues:
    """Reads values that hold one JSON object each; shapes that were learned help with later values.

    name: of the topic, for notes. Raises UsageError for an encoding in which JSON is no superset of ASCII.
    """

    def __init__(self, name: str, settings: Settings, notes: Notes) -> None:
        self._name, self._notes, self._flat = name, notes, FlatLines()
        self._encoding = settings.encoding
        self._is_utf8 = settings.encoding == "auto" or codecs.lookup(settings.encoding).name == "utf-8"
        if settings.encoding != "auto" and "\n {".encode(settings.encoding) != b"\n {":
            raise UsageError(
                f'encoding="{settings.encoding}" cannot be used for Kafka.',
                "Leave it out, or name one that has ASCII in it, such as utf-8, latin-1 or cp1252.",
            )

    def rows(self, values: Sequence[bytes | None]) -> MessageRows:
        """Read the values of messages; None, a tombstone, gives neither a row nor a broken record."""
        places = [place for place, value in enumerate(values) if value is not None]
        messages = [value for value in values if value is not None]
        if not self._is_utf8:
            messages = [as_utf8(message, self._encoding) for message in messages]
        rows = JsonRows(self._name, self._notes, next=0, flat=self._flat)
        chunks = rows.read(Lines.of_records(messages), 0, len(messages), self._encoding == "auto")
        if not chunks:
            return MessageRows(*join_parts(()))
        (chunk,) = chunks
        records, broken = chunk.records, chunk.broken
        if len(places) < len(values):  # a tombstone is no record
            records = np.array(places, np.int64)[records]
            broken = tuple(replace(one, record=places[one.record]) for one in broken)
        return MessageRows(chunk.rows, records, broken)
