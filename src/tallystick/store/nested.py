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

#: Characters that JSON wants escaped.
ESCAPED = r'["\\\x00-\x1f]'
#: Up to this many rows are written one by one: the calls of array work cost more than such rows do.
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
    return _one_by_one(array) if len(array) <= FEW else _at_once(array)


def _at_once(array: pa.Array) -> pa.Array:
    """Convert rows with array operations, innermost values first."""
    kind = array.type
    if pa.types.is_struct(kind):
        written = _struct(array)
    elif pa.types.is_map(kind):
        written = _map(array)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        written = _list(array)
    else:
        return _value(array)
    return pc.if_else(array.is_valid(), written, None) if array.null_count else written


def _one_by_one(array: pa.Array) -> pa.Array:
    """Convert rows one by one; numbers may be formatted differently (`1.0`, not `1`)."""
    values = (_simple(value, array.type) for value in array.to_pylist())
    return pa.array([None if value is None else _json(value) for value in values], pa.string())


def _simple(value: Any, kind: pa.DataType) -> Any:
    """Convert a value to JSON types."""
    if value is None or pa.types.is_string(kind) or pa.types.is_integer(kind):
        return value
    if pa.types.is_floating(kind):
        return value if math.isfinite(value) else None
    if pa.types.is_struct(kind):
        return {field.name: _simple(value[field.name], field.type) for field in kind}
    if pa.types.is_map(kind):
        return {key: _simple(one, kind.item_type) for key, one in value}
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [_simple(one, kind.value_type) for one in value]
    return value if pa.types.is_boolean(kind) else text(pa.array([value], kind))[0].as_py()


def _value(array: pa.Array) -> pa.Array:
    """Convert a column of scalars."""
    kind = array.type
    if pa.types.is_floating(kind):
        shown = array.cast(pa.string())
        finite = pc.is_finite(array)
        return (
            shown if pc.all(finite, skip_nulls=True).as_py() is not False else pc.if_else(finite, shown, None)
        )
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return array.cast(pa.string())
    return _quoted(array if pa.types.is_string(kind) else text(array))


def _quoted(array: pa.Array) -> pa.Array:
    each = array.dictionary_encode()
    if (
        len(each.dictionary) > len(array) // 4
        and not pc.any(pc.match_substring_regex(array, ESCAPED)).as_py()
    ):
        return pc.binary_join_element_wise('"', array, '"', "")
    words = [_json(word) for word in each.dictionary.to_pylist()]
    return pa.array(words, pa.string()).take(each.indices)


def _or_null(array: pa.Array) -> pa.Array:
    return pc.fill_null(array, "null") if array.null_count else array


def _struct(array: pa.StructArray) -> pa.Array:
    """Write `{"name":value,…}`, all names in every row."""
    pieces: list[Any] = []
    for i in range(array.type.num_fields):
        name = _json(array.type.field(i).name)
        pieces += [f"{',' if i else '{'}{name}:", _or_null(_at_once(plain(array.field(i))))]
    if not pieces:
        return pa.repeat(pa.scalar("{}"), len(array))
    return pc.binary_join_element_wise(*pieces, "}", "")


def _map(array: pa.MapArray) -> pa.Array:
    """Write `{"key":value,…}`, the keys of each row."""
    entries = pc.binary_join_element_wise(
        _value(plain(array.keys)), ":", _or_null(_at_once(plain(array.items))), ""
    )
    return _joined(array, entries, "{", "}")


def _list(array: pa.ListArray) -> pa.Array:
    return _joined(array, _or_null(_at_once(plain(array.values))), "[", "]")


def _joined(array: pa.Array, parts: pa.Array, before: str, after: str) -> pa.Array:
    """Join the parts of each row; the offsets are those of the array, which may be a slice."""
    if not len(parts):
        return pa.repeat(pa.scalar(before + after), len(array))
    lists = pa.ListArray.from_arrays(array.offsets.cast(pa.int32()), parts)
    return pc.binary_join_element_wise(before, pc.binary_join(lists, ","), after, "")


def from_text(texts: Sequence[str | None], kind: pa.DataType) -> pa.Array:
    """Parse the JSON that `as_text` wrote.

    >>> from_text(['{"card":3}', None, '{}'], pa.map_(pa.string(), pa.int64())).to_pylist()
    [[('card', 3)], None, []]
    """
    if not any(texts):
        return pa.nulls(len(texts), kind)
    # One document is read in a third of the time that as many small ones take.
    # Numbers of which none is whole are read as such: `-0` is one of them.
    whole = int if _holds(kind, pa.types.is_integer) else float
    values = json.loads("[" + ",".join([one or "null" for one in texts]) + "]", parse_int=whole)
    if _holds(kind, pa.types.is_timestamp):
        values = [_revived(value, kind) for value in values]
    if pa.types.is_map(kind):
        values = [None if value is None else list(value.items()) for value in values]
    return pa.array(values, kind)


def _holds(kind: pa.DataType, wanted: Callable[[pa.DataType], bool]) -> bool:
    """Return whether a type contains another type."""
    if pa.types.is_nested(kind):
        return any(_holds(kind.field(i).type, wanted) for i in range(kind.num_fields))
    return wanted(kind)


def _revived(value: Any, kind: pa.DataType) -> Any:
    """Parse time strings wherever the type has times."""
    if value is None:
        return None
    if pa.types.is_timestamp(kind):
        return dt.datetime.fromisoformat(value)
    if pa.types.is_struct(kind):
        return {field.name: _revived(value[field.name], field.type) for field in kind}
    if pa.types.is_map(kind):
        return {key: _revived(one, kind.item_type) for key, one in value.items()}
    if pa.types.is_nested(kind):
        return [_revived(one, kind.value_type) for one in value]
    return value
