"""Conversion of types between Avro and Arrow."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["avro_schema", "column", "numbered_times", "plain_field"]

Avro = Any  # a name, a union as a list, or an object with "type"

_PRIMITIVE = {
    "string": pa.string(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "bytes": pa.binary(),
    "null": pa.null(),
}

# Times are decoded as the numbers that they are, and cast as a whole: exact, far quicker than one by one, and
# not bound to the years that Python knows.
_TIMES = {
    "timestamp-millis": pa.timestamp("ms", "UTC"),
    "timestamp-micros": pa.timestamp("us", "UTC"),
    "timestamp-nanos": pa.timestamp("ns", "UTC"),
    "local-timestamp-millis": pa.timestamp("ms"),
    "local-timestamp-micros": pa.timestamp("us"),
    "local-timestamp-nanos": pa.timestamp("ns"),
    "date": pa.date32(),
    "time-millis": pa.time32("ms"),
    "time-micros": pa.time64("us"),
}
_DIGITS = 38


def plain_field(kind: Avro) -> Avro:
    """Remove the logical types of times from a column's type, so that they are decoded as numbers.

    >>> plain_field(["null", {"type": "long", "logicalType": "timestamp-micros"}])
    ['null', {'type': 'long'}]
    """
    if isinstance(kind, list):
        return [plain_field(part) for part in kind]
    if isinstance(kind, dict) and kind.get("logicalType") in (*_TIMES, "uuid"):
        return {name: value for name, value in kind.items() if name != "logicalType"}
    return kind


def column(kind: Avro) -> Callable[[list[Any]], pa.Array]:
    """Return the converter into Arrow for a column of an Avro type, decoded as `plain_field` has it.

    Unions of null and one type are that type; what is nested, or of several types, becomes text: JSON, as in
    a file of JSON lines.
    """
    if isinstance(kind, list):
        parts = [part for part in kind if part != "null"]
        return column(parts[0]) if len(parts) == 1 else _texts
    if isinstance(kind, dict):
        logical = kind.get("logicalType")
        if logical in _TIMES:
            return _times(_TIMES[logical])
        if logical == "decimal" and isinstance(kind.get("precision"), int) and kind["precision"] <= _DIGITS:
            decimal = pa.decimal128(kind["precision"], kind.get("scale", 0))
            return lambda values: pa.array(values, decimal)
        if logical == "decimal":
            return _texts
        kind = "bytes" if kind["type"] == "fixed" else "string" if kind["type"] == "enum" else kind["type"]
    arrow = _PRIMITIVE.get(kind) if isinstance(kind, str) else None
    return _texts if arrow is None else lambda values: pa.array(values, arrow)


def _times(kind: pa.DataType) -> Callable[[list[Any]], pa.Array]:
    number = pa.int32() if kind.bit_width == 32 else pa.int64()
    if pa.types.is_time(kind):
        return lambda values: pa.array(values, number).cast(kind).cast(pa.string())
    return lambda values: pa.array(values, number).cast(kind)


def _texts(values: list[Any]) -> pa.Array:
    return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, bool | dict | list | int | float):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_leaf)
    return str(_leaf(value))


def _leaf(value: Any) -> str:
    """Write what JSON has no word for: a decimal, a time, bytes."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if hasattr(value, "as_tuple"):
        return format(value, "f")
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def avro_schema(schema: pa.Schema) -> dict[str, Any]:
    """Return the Avro schema of decisions: each column may be null, times are microseconds.

    >>> avro_schema(pa.schema([("score", pa.float64())]))["fields"]
    [{'name': 'score', 'type': ['null', 'double'], 'default': None}]
    """
    return _record("Decision", [schema.field(name) for name in schema.names]) | {"namespace": "tallystick"}


def _record(name: str, fields: list[pa.Field]) -> dict[str, Any]:
    return {
        "type": "record",
        "name": name,
        "fields": [
            {"name": field.name, "type": ["null", _avro(field.name, field.type)], "default": None}
            for field in fields
        ],
    }


def _avro(name: str, kind: pa.DataType) -> Avro:
    if pa.types.is_timestamp(kind):
        return {"type": "long", "logicalType": "timestamp-micros" if kind.tz else "local-timestamp-micros"}
    if pa.types.is_map(kind):
        return {"type": "map", "values": ["null", _avro(name, kind.item_type)]}
    if pa.types.is_list(kind):
        return {"type": "array", "items": _avro(name, kind.value_type)}
    if pa.types.is_struct(kind):
        return _record(name.capitalize(), [kind.field(i) for i in range(kind.num_fields)])
    if pa.types.is_integer(kind):
        return "long"
    if pa.types.is_floating(kind):
        return "double"
    return next((avro for avro, arrow in _PRIMITIVE.items() if arrow == kind), "string")


def numbered_times(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Turn columns of times into the microseconds that Avro keeps."""
    for place, field in enumerate(batch.schema):
        if pa.types.is_timestamp(field.type):
            micros = pc.cast(batch.column(place), pa.timestamp("us", field.type.tz)).cast(pa.int64())
            batch = batch.set_column(place, field.name, micros)
    return batch
