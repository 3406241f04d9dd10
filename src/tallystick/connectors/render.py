"""Values as text: how times, booleans, numbers and nested values are written in CSV and JSON."""

from __future__ import annotations

import datetime as dt
import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tallystick.connectors import json_columns

__all__ = ["is_nested", "json_lines", "plain", "text"]

#: Rows for which what is done once for a column takes longer than writing them one by one.
FEW = 24


def is_nested(kind: pa.DataType) -> bool:
    """Say whether values of a type hold values."""
    return bool(pa.types.is_nested(kind))


def plain(array: pa.Array) -> pa.Array:
    """Take away how values are kept, not what they are: dictionaries, views, large offsets of text.

    >>> plain(pa.array(["a", "a"]).dictionary_encode()).type
    DataType(string)
    """
    kind = array.type
    if pa.types.is_dictionary(kind):
        return plain(array.dictionary_decode())
    if isinstance(array, pa.ExtensionArray):
        return plain(array.storage)
    if pa.types.is_large_string(kind) or kind == pa.string_view():
        return array.cast(pa.string())
    if pa.types.is_run_end_encoded(kind):
        return plain(pc.run_end_decode(array))
    return array


def text(array: pa.Array) -> pa.Array:
    """Give the values of an array as text, null where they are null.

    Times are ISO 8601, in UTC with a `Z` where the type has a zone, microseconds only when there are any;
    booleans are true and false; nested values are JSON.

    >>> text(pa.array([0, 1_500_000], pa.timestamp("us", tz="UTC"))).to_pylist()
    ['1970-01-01T00:00:00Z', '1970-01-01T00:00:01.500000Z']
    """
    array = plain(array)
    kind = array.type
    if pa.types.is_timestamp(kind):
        return _times(array)
    if is_nested(kind):
        if pa.types.is_list(kind) and array.null_count < len(array):
            held = pc.fill_null(pc.greater(pc.list_value_length(array), 0), False)
            if not pc.all(held).as_py():
                return _lists(array, held)
        column = _in_columns(array)
        if json_columns.can_write(column.type):
            return pc.if_else(pc.is_valid(array), json_columns.json_text(column).cast(pa.string()), None)
        lines = json_lines(pa.RecordBatch.from_arrays([array], names=["v"])).split(b"\n")
        # Each line is {"v":...}: what is between stays.
        values = [line[5:-1] for line in lines[: len(array)]]
        return pc.if_else(pc.is_valid(array), pa.array(values, pa.binary()).cast(pa.string()), None)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.array(
            [None if v is None else v.decode("utf-8", "backslashreplace") for v in array.to_pylist()],
            pa.string(),
        )
    if pa.types.is_duration(kind):
        return array.cast(pa.int64()).cast(pa.string())
    return array.cast(pa.string())


def _lists(array: pa.Array, held: pa.Array) -> pa.Array:
    """Write lists of which most hold nothing, as those of reasons."""
    empty = pa.repeat(pa.scalar("[]"), len(array))
    some = array.filter(held)
    some = pc.replace_with_mask(empty, held, text(some)) if len(some) else empty
    return pc.if_else(array.is_valid(), some, None) if array.null_count else some


def _times(array: pa.Array) -> pa.Array:
    """Write times; whole seconds without a fraction."""
    mark = "Z" if array.type.tz else ""
    micro = floored(array).cast(pa.timestamp("us"))  # without its zone a time is in UTC
    whole = pc.floor_temporal(micro, unit="second")
    seconds = whole.cast(pa.timestamp("s")).cast(pa.string())
    shown = pc.if_else(pc.equal(micro, whole), seconds, micro.cast(pa.string()))
    return pc.binary_join_element_wise(pc.replace_substring(shown, " ", "T", max_replacements=1), mark, "")


def floored(array: pa.Array) -> pa.Array:
    """Bring nanoseconds down to the microsecond before, and leave other units as they are."""
    if array.type.unit != "ns":
        return array
    kind = pa.timestamp("us", tz=array.type.tz)
    nanos = array.cast(pa.timestamp("ns")).cast(pa.int64())
    micros = pc.divide(pc.subtract(nanos, _modulo(nanos, 1000)), 1000)
    return micros.cast(pa.timestamp("us")).cast(pa.int64()).cast(kind)


def _modulo(values: pa.Array, by: int) -> pa.Array:
    """Give the rest of a division, never negative: Arrow's own division goes towards zero."""
    rest = pc.subtract(values, pc.multiply(pc.divide(values, by), by))
    return pc.if_else(pc.less(rest, 0), pc.add(rest, by), rest)


def json_lines(batch: pa.RecordBatch) -> bytes:
    """Write rows as JSON objects, one a line; nested values stay nested.

    >>> json_lines(pa.RecordBatch.from_pydict({"a": ["x"], "b": [[1, 2]]}))
    b'{"a":"x","b":[1,2]}\\n'
    """
    if not batch.num_columns:
        return b"{}\n" * int(batch.num_rows)
    arrays = [_in_columns(plain(array)) for array in batch.columns]
    if any(is_nested(array.type) and _needs_python(array.type) for array in arrays):
        names = batch.schema.names
        in_columns = len(set(names)) == len(names) and all(_can_write(array.type) for array in arrays)
        if not in_columns or batch.num_rows <= FEW:
            return _json_by_python(names, arrays, quickly=in_columns)
        parts = [json_columns.json_text(array if _is_json(array.type) else text(array)) for array in arrays]
        return json_columns.lines(json_columns.objects(names, parts))
    import polars as pl  # a tenth of a second of a start; where all rows are nested it is never needed

    arrays = [array if _is_json(array.type) else text(array) for array in arrays]
    buffer = io.BytesIO()
    frame = pl.from_arrow(pa.Table.from_arrays(arrays, names=batch.schema.names))
    assert isinstance(frame, pl.DataFrame)
    frame.write_ndjson(buffer)
    return buffer.getvalue()


def _in_columns(array: pa.Array) -> pa.Array:
    """Spare nested values the way row by row: only times in a struct, or a map without any value."""
    kind = array.type
    if pa.types.is_map(kind) and array.null_count == len(array):
        return pa.nulls(len(array), pa.string())
    if not pa.types.is_struct(kind) or not kind.num_fields:
        return array
    parts = [_in_columns(plain(part)) for part in array.flatten()]
    parts = [part if _is_json(part.type) else text(part) for part in parts]
    names = [kind.field(i).name for i in range(kind.num_fields)]
    return pa.StructArray.from_arrays(parts, names, mask=array.is_null())


def _is_json(kind: pa.DataType) -> bool:
    """Say whether JSON has values like these."""
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_string(kind)
        or pa.types.is_null(kind)
        or is_nested(kind)
    )


def _needs_python(kind: pa.DataType) -> bool:
    """Say whether a nested type holds what Polars would write in its own way: times, maps, bytes."""
    if pa.types.is_map(kind) or not _is_json(kind):
        return True
    return is_nested(kind) and any(_needs_python(kind.field(i).type) for i in range(kind.num_fields))


def _can_write(kind: pa.DataType) -> bool:
    """Say whether a column, or its text, is written without going row by row."""
    return json_columns.can_write(kind) or not _is_json(kind)


def _json_by_python(names: list[str], arrays: list[pa.Array], *, quickly: bool = False) -> bytes:
    """Write rows one by one; quickly: their types are such as `json_columns.can_write`, or become text."""
    columns = [
        _values(array) if is_nested(array.type) or _is_json(array.type) else text(array).to_pylist()
        for array in arrays
    ]
    lines = []
    for row in zip(*columns, strict=True):
        members = dict(zip(names, row, strict=True))
        try:
            lines.append(_encode(members if quickly else _jsonable(members)))
        except ValueError:  # a number that JSON has not
            lines.append(_encode(_jsonable(members)))
    return "".join(line + "\n" for line in lines).encode("utf-8", "backslashreplace")


def _values(array: pa.Array) -> Any:
    try:
        return array.to_pylist(maps_as_pydicts="strict")
    except KeyError:
        raise ValueError("a map has a key twice") from None


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def _jsonable(value: Any) -> Any:
    """Turn a nested value into what JSON has, times as everywhere."""
    if isinstance(value, dict):
        return {str(name): _jsonable(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(part) for part in value]
    if isinstance(value, float):
        return value if value - value == 0 else None  # JSON has no NaN and no infinity
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, dt.datetime | dt.date | bytes):
        return text(pa.array([value])).to_pylist()[0]
    return str(value)
