"""Conversion of nested Arrow columns to JSON text and back, vectorised."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tallystick.connectors.render import plain, text

__all__ = ["as_text", "from_text"]

#: Characters that JSON must escape.
ESCAPED = r'["\\\x00-\x1f]'
#: Up to this many rows, converting one by one is faster than array operations.
FEW = 24
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def as_text(array: pa.Array) -> pa.Array:
    """Convert nested values to JSON; null stays null, NaN and infinities become null.

    >>> rows = pa.array([[("card", 3)], None, []], pa.map_(pa.string(), pa.int64()))
    >>> as_text(rows).to_pylist()
    ['{"card":3}', None, '{}']
    """
    array = plain(array)
    if array.null_count == len(array):
        return pa.nulls(len(array), pa.string())
    return _convert_values(array) if len(array) <= FEW else _convert_arrays(array)


def _convert_arrays(array: pa.Array) -> pa.Array:
    """Convert rows with array operations, innermost values first."""
    data_type = array.type
    if pa.types.is_struct(data_type):
        texts = _struct(array)
    elif pa.types.is_map(data_type):
        texts = _map(array)
    elif pa.types.is_list(data_type) or pa.types.is_large_list(data_type):
        texts = _list(array)
    else:
        return _value(array)
    return pc.if_else(array.is_valid(), texts, None) if array.null_count else texts


def _convert_values(array: pa.Array) -> pa.Array:
    """Convert rows one by one; numbers may be formatted differently (`1.0`, not `1`)."""
    values = (_simple(value, array.type) for value in array.to_pylist())
    return pa.array([None if value is None else _json(value) for value in values], pa.string())


def _simple(value: Any, data_type: pa.DataType) -> Any:
    """Convert a value to JSON types."""
    if value is None or pa.types.is_string(data_type) or pa.types.is_integer(data_type):
        return value
    if pa.types.is_floating(data_type):
        return value if math.isfinite(value) else None
    if pa.types.is_struct(data_type):
        return {field.name: _simple(value[field.name], field.type) for field in data_type}
    if pa.types.is_map(data_type):
        return {key: _simple(item, data_type.item_type) for key, item in value}
    if pa.types.is_list(data_type) or pa.types.is_large_list(data_type):
        return [_simple(item, data_type.value_type) for item in value]
    return value if pa.types.is_boolean(data_type) else text(pa.array([value], data_type))[0].as_py()


def _value(array: pa.Array) -> pa.Array:
    """Convert a column of scalars."""
    data_type = array.type
    if pa.types.is_floating(data_type):
        texts = array.cast(pa.string())
        finite = pc.is_finite(array)
        return (
            texts if pc.all(finite, skip_nulls=True).as_py() is not False else pc.if_else(finite, texts, None)
        )
    if pa.types.is_integer(data_type) or pa.types.is_boolean(data_type):
        return array.cast(pa.string())
    return _quoted(array if pa.types.is_string(data_type) else text(array))


def _quoted(array: pa.Array) -> pa.Array:
    encoded = array.dictionary_encode()
    if (
        len(encoded.dictionary) > len(array) // 4
        and not pc.any(pc.match_substring_regex(array, ESCAPED)).as_py()
    ):
        return pc.binary_join_element_wise('"', array, '"', "")
    texts = [_json(value) for value in encoded.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(encoded.indices)


def _fill_null(array: pa.Array) -> pa.Array:
    return pc.fill_null(array, "null") if array.null_count else array


def _struct(array: pa.StructArray) -> pa.Array:
    """Write `{"name":value,…}`, all names in every row."""
    pieces: list[Any] = []
    for i in range(array.type.num_fields):
        name = _json(array.type.field(i).name)
        pieces += [f"{',' if i else '{'}{name}:", _fill_null(_convert_arrays(plain(array.field(i))))]
    if not pieces:
        return pa.repeat(pa.scalar("{}"), len(array))
    return pc.binary_join_element_wise(*pieces, "}", "")


def _map(array: pa.MapArray) -> pa.Array:
    """Write `{"key":value,…}`, the keys of each row."""
    entries = pc.binary_join_element_wise(
        _value(plain(array.keys)), ":", _fill_null(_convert_arrays(plain(array.items))), ""
    )
    return _joined(array, entries, "{", "}")


def _list(array: pa.ListArray) -> pa.Array:
    return _joined(array, _fill_null(_convert_arrays(plain(array.values))), "[", "]")


def _joined(array: pa.Array, parts: pa.Array, before: str, after: str) -> pa.Array:
    """Join the parts of each row; the offsets are those of the array, which may be a slice."""
    if not len(parts):
        return pa.repeat(pa.scalar(before + after), len(array))
    lists = pa.ListArray.from_arrays(array.offsets.cast(pa.int32()), parts)
    return pc.binary_join_element_wise(before, pc.binary_join(lists, ","), after, "")


def from_text(texts: Sequence[str | None], data_type: pa.DataType) -> pa.Array:
    """Parse the JSON that `as_text` wrote.

    >>> from_text(['{"card":3}', None, '{}'], pa.map_(pa.string(), pa.int64())).to_pylist()
    [[('card', 3)], None, []]
    """
    if not any(texts):
        return pa.nulls(len(texts), data_type)
    # Parsing one document takes a third of the time of many small ones.
    # Where the type has no integers, all numbers are parsed as floats: `-0` keeps its sign.
    parse_int = int if _contains_type(data_type, pa.types.is_integer) else float
    values = json.loads("[" + ",".join([document or "null" for document in texts]) + "]", parse_int=parse_int)
    if _contains_type(data_type, pa.types.is_timestamp):
        values = [_parse_times(value, data_type) for value in values]
    if pa.types.is_map(data_type):
        values = [None if value is None else list(value.items()) for value in values]
    return pa.array(values, data_type)


def _contains_type(data_type: pa.DataType, predicate: Callable[[pa.DataType], bool]) -> bool:
    """Return whether a type contains another type."""
    if pa.types.is_nested(data_type):
        return any(_contains_type(data_type.field(i).type, predicate) for i in range(data_type.num_fields))
    return predicate(data_type)


def _parse_times(value: Any, data_type: pa.DataType) -> Any:
    """Parse time strings wherever the type has times."""
    if value is None:
        return None
    if pa.types.is_timestamp(data_type):
        return dt.datetime.fromisoformat(value)
    if pa.types.is_struct(data_type):
        return {field.name: _parse_times(value[field.name], field.type) for field in data_type}
    if pa.types.is_map(data_type):
        return {key: _parse_times(item, data_type.item_type) for key, item in value.items()}
    if pa.types.is_nested(data_type):
        return [_parse_times(item, data_type.value_type) for item in value]
    return value
