"""Avro messages in the registry's wire format: byte 0, schema number, value."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from tallystick.connectors.chunk import Broken, shorten
from tallystick.connectors.parts import Part, join_parts
from tallystick.errors import MissingExtraError
from tallystick.streams.kafka.avro_columns import avro_schema, column, numbered_times, plain_field
from tallystick.streams.kafka.message_rows import MessageRows
from tallystick.streams.kafka.registry import Registry, UnknownSchemaError

__all__ = ["AvroValues", "AvroWriter", "fastavro"]

#: Why a message is in quarantine.
CODE = "bad_avro"
_HEAD = 5


def fastavro() -> Any:
    """Return fastavro, or raise MissingExtraError with the command that installs it."""
    try:
        import fastavro
    except ImportError:
        raise MissingExtraError(
            "Avro needs a package that is not installed: fastavro.",
            'Install it: pip install "tallystick[kafka]"',
        ) from None
    return fastavro


@dataclass(frozen=True, slots=True)
class _Writer:
    """A schema that messages were written with, and how its columns become Arrow."""

    schema: Any
    columns: dict[str, Callable[[list[Any]], pa.Array]]


class AvroValues:
    """Reads values that are Avro records, each with the schema that it was written with."""

    def __init__(self, registry: Registry) -> None:
        self._fastavro = fastavro()
        self._registry = registry
        self._writers: dict[int, _Writer] = {}

    def rows(self, values: Sequence[bytes | None]) -> MessageRows:
        """Read the values of messages; None, a tombstone, gives neither a row nor a broken record.

        Raises TallystickError where a schema is new and the registry does not answer.
        """
        found: dict[int, tuple[list[int], list[dict[str, Any]]]] = {}
        broken: list[Broken] = []
        read = self._fastavro.schemaless_reader
        for place, value in enumerate(values):
            if value is None:
                continue
            number = int.from_bytes(value[1:_HEAD], "big")
            try:
                if len(value) < _HEAD or value[0]:
                    raise UnknownSchemaError("it does not begin with a registry's mark, byte 0 and a number")
                writer = self._writers.get(number) or self._writer(number)
            except UnknownSchemaError as error:
                broken.append(_refused(place, value, str(error)))
                continue
            try:
                stream = io.BytesIO(value)
                stream.seek(_HEAD)
                record = read(stream, writer.schema)
                if stream.tell() != len(value):
                    raise ValueError("something follows the record")
            except Exception as error:  # whatever a decoder says of bytes from outside
                said = str(error) or type(error).__name__
                broken.append(_refused(place, value, f"it does not fit schema {number}: {said}"))
                continue
            places, records = found.setdefault(number, ([], []))
            places.append(place)
            records.append(record)
        parts = []
        for number, (places, records) in found.items():
            arrays = self._arrays(number, records, places, values, broken)
            parts.append(Part(np.array(places, np.int64), arrays))
        batch, order = join_parts(parts)
        return MessageRows(batch, order, tuple(broken))

    def _arrays(
        self,
        number: int,
        records: list[dict[str, Any]],
        places: list[int],
        values: Sequence[bytes | None],
        broken: list[Broken],
    ) -> dict[str, pa.Array]:
        """Turn records of one schema into columns; a value that no column holds breaks its record alone."""
        columns = self._writers[number].columns
        try:
            return {name: make([record[name] for record in records]) for name, make in columns.items()}
        except (pa.ArrowException, ValueError, OverflowError, TypeError):
            pass
        kept = []
        for row, record in enumerate(records):
            try:
                for name, make in columns.items():
                    make([record[name]])
            except (pa.ArrowException, ValueError, OverflowError, TypeError) as error:
                place = places[row]
                broken.append(_refused(place, values[place] or b"", f"{name} cannot be held: {error}"))
            else:
                kept.append(row)
        places[:] = [places[row] for row in kept]
        return {name: make([records[row][name] for row in kept]) for name, make in columns.items()}

    def _writer(self, number: int) -> _Writer:
        """Fetch a schema and make it ready."""
        answer = self._registry.schema(number)
        named: dict[str, Any] = {}
        try:
            self._refer(answer, named)
            schema = json.loads(answer["schema"])
            if not isinstance(schema, dict) or schema.get("type") != "record":
                raise UnknownSchemaError(f"schema {number} is no record")
            fields = [field | {"type": plain_field(field["type"])} for field in schema["fields"]]
            # Times keep their logical types within what is nested.
            parsed = self._fastavro.parse_schema({**schema, "fields": fields}, named_schemas=named)
            columns = {field["name"]: column(_resolved(field["type"], named)) for field in schema["fields"]}
        except (
            KeyError,
            ValueError,
            TypeError,
            RecursionError,
            self._fastavro.schema.SchemaParseException,
        ) as error:
            raise UnknownSchemaError(f"schema {number} cannot be used: {error}") from None
        writer = self._writers[number] = _Writer(parsed, columns)
        return writer

    def _refer(self, answer: dict[str, Any], named: dict[str, Any], depth: int = 0) -> None:
        """Register the schemas that a schema refers to, dependencies first."""
        if depth > 20:
            raise ValueError("its references go round in a circle")
        for reference in answer.get("references") or ():
            other = self._registry.reference(reference["subject"], int(reference["version"]))
            self._refer(other, named, depth + 1)
            self._fastavro.parse_schema(json.loads(other["schema"]), named_schemas=named)


def _resolved(kind: Any, named: dict[str, Any]) -> Any:
    """Return the type that a name refers to; a named enum or fixed is text or bytes."""
    if isinstance(kind, list):
        return [_resolved(part, named) for part in kind]
    return named.get(kind, kind) if isinstance(kind, str) else kind


def _refused(place: int, value: bytes, why: str) -> Broken:
    return Broken(place, CODE, None, shorten(value), f"The message is no Avro that can be read: {why}.")


class AvroWriter:
    """Writes decisions as Avro with a registry's mark."""

    def __init__(self, registry: Registry, topic: str, schema: pa.Schema) -> None:
        self._write = fastavro().schemaless_writer
        avro = avro_schema(schema)
        number = registry.register(f"{topic}-value", avro)
        self._schema = fastavro().parse_schema(avro)
        self._head = b"\0" + number.to_bytes(4, "big")

    def values(self, batch: pa.RecordBatch) -> list[bytes]:
        """Return one value for each row."""
        values = []
        for row in numbered_times(batch).to_pylist(maps_as_pydicts="strict"):
            stream = io.BytesIO()
            stream.write(self._head)
            self._write(stream, self._schema, row)
            values.append(stream.getvalue())
        return values
