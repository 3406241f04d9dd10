# ruff: noqa: S608 - every name is quoted
"""Columns as databases keep them: Arrow types in SQL, Arrow values as what a database is handed."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pc_csv

from tallystick.connectors.database_address import quoted
from tallystick.connectors.render import floored, is_nested, plain, text
from tallystick.errors import UsageError

__all__ = [
    "check_names",
    "columns_sql",
    "copy_text",
    "found_column",
    "inserts",
    "postgresql_type",
    "sqlite_type",
]

# SQLite holds whole numbers exactly up to here as real ones.
_EXACT = 2**53
# A statement of many rows takes half the time of one for each; old SQLite has 999 places in one.
_ROWS, _PLACES = 30, 900
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")

_WHOLE = {pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32()}
_SMALL = {pa.int8(), pa.uint8(), pa.int16()}
_PLAIN = {pa.uint16(), pa.int32()}


def sqlite_type(kind: pa.DataType) -> str:
    """Say what a column is in SQLite, where text keeps what it has no type for: times, decimals, JSON."""
    if pa.types.is_dictionary(kind):
        return sqlite_type(kind.value_type)
    if pa.types.is_boolean(kind):
        return "BOOLEAN"
    if kind in _WHOLE or pa.types.is_duration(kind):
        return "INTEGER"
    if pa.types.is_floating(kind):
        return "REAL"
    return "BLOB" if _is_binary(kind) else "TEXT"


def postgresql_type(kind: pa.DataType) -> str:
    """Say what a column is in PostgreSQL."""
    types = pa.types
    if types.is_dictionary(kind):
        return postgresql_type(kind.value_type)
    if types.is_boolean(kind):
        return "boolean"
    if kind in _WHOLE:
        return "smallint" if kind in _SMALL else "integer" if kind in _PLAIN else "bigint"
    if types.is_uint64(kind):
        return "numeric(20)"
    if types.is_duration(kind):
        return "bigint"
    if types.is_floating(kind):
        return "double precision" if types.is_float64(kind) else "real"
    if types.is_decimal(kind):
        return f"numeric({kind.precision},{kind.scale})" if 0 <= kind.scale <= kind.precision else "numeric"
    if types.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    if types.is_date(kind):
        return "date"
    if types.is_time(kind):
        return "time"
    if _is_binary(kind):
        return "bytea"
    return "jsonb" if is_nested(kind) else "text"


def columns_sql(schema: pa.Schema, type_of: Any) -> str:
    """Write the columns of a new table."""
    return ", ".join(f"{quoted(field.name)} {type_of(field.type)}" for field in schema)


def inserts(batch: pa.RecordBatch, table: str) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """Give statements for SQLite that insert a batch, each with the values of its rows."""
    width, rows = batch.num_columns, batch.num_rows
    if not rows:
        return
    flat: list[Any] = [None] * (width * rows)
    for i, column in enumerate(batch.columns):
        flat[i::width] = _for_sqlite(column).to_pylist()
    names = ", ".join(map(quoted, batch.schema.names))
    one = "(" + ",".join("?" * width) + ")"
    many = max(1, min(_ROWS, _PLACES // width))
    whole = rows - rows % many
    for start, stop, together in ((0, whole, many), (whole, rows, 1)):
        if start < stop:
            step = together * width
            values = [tuple(flat[at : at + step]) for at in range(start * width, stop * width, step)]
            yield f"INSERT INTO {table} ({names}) VALUES {','.join([one] * together)}", values


def _for_sqlite(array: pa.Array) -> pa.Array:
    array = plain(array)
    kind = array.type
    if pa.types.is_string(kind) or pa.types.is_boolean(kind) or kind in _WHOLE or pa.types.is_float64(kind):
        return array
    if pa.types.is_floating(kind):
        return array.cast(pa.float64())
    if pa.types.is_duration(kind):
        return array.cast(pa.int64())
    if _is_binary(kind):
        return array
    return text(array)


def copy_text(batch: pa.RecordBatch) -> bytes:
    """Write a batch as PostgreSQL's COPY reads CSV: null is nothing, empty text is quoted.

    A NUL character, which PostgreSQL has no place for, is written as `\\x00`.

    >>> copy_text(pa.RecordBatch.from_pydict({"a": ["x", None, ""], "b": [[1], None, []]}))
    b'"x","[1]"\\n,\\n"","[]"\\n'
    """
    if not batch.num_rows:
        return b""
    table = pa.Table.from_arrays(
        [_for_copy(column) for column in batch.columns], names=[str(i) for i in range(batch.num_columns)]
    )
    buffer = io.BytesIO()
    pc_csv.write_csv(table, buffer, pc_csv.WriteOptions(include_header=False))
    data = buffer.getvalue()
    return data.replace(b"\0", b"\\x00") if b"\0" in data else data


def _for_copy(array: pa.Array) -> pa.Array:
    array = plain(array)
    kind = array.type
    if pa.types.is_timestamp(kind):
        # Without its zone a time is in UTC; the writer marks it as such.
        return floored(array).cast(pa.timestamp("us", tz="UTC" if kind.tz else None))
    if pa.types.is_date64(kind):
        return array.cast(pa.date32())
    if pa.types.is_time64(kind) and kind.unit == "ns":
        return array.cast(pa.time64("us"), safe=False)
    if pa.types.is_duration(kind):
        return array.cast(pa.int64())
    if _is_binary(kind):
        return pa.array([None if v is None else "\\x" + v.hex() for v in array.to_pylist()], pa.string())
    if is_nested(kind):
        written = text(array)
        if pc.any(pc.match_substring(written, "\\u0000")).as_py():
            written = pa.array(
                [None if v is None else _NUL.sub(r"\1\\\\x00", v) for v in written.to_pylist()], pa.string()
            )
        return written
    if pa.types.is_decimal(kind) or kind == pa.float16():
        return array.cast(pa.string())
    return array


def _is_binary(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )  # fmt: skip


def found_column(values: Sequence[Any], declared: str) -> pa.Array:
    """Make a column of what SQLite gave, where each value may be of another kind.

    Values of one kind keep it; mixed ones become text, each as it is written; bytes become hexadecimal text.

    >>> found_column((1, None), "INTEGER").type, found_column((1, "x", 0.1), "").to_pylist()
    (DataType(int64), ['1', 'x', '0.1'])
    """
    kinds = set(map(type, values))
    kinds.discard(type(None))
    declared = declared.upper()
    if kinds == {str}:
        return pa.array(values, pa.string())
    if kinds == {int}:
        if declared.startswith("BOOL") and {*values} <= {0, 1, None}:
            return pa.array([None if v is None else v == 1 for v in values], pa.bool_())
        return pa.array(values, pa.int64())
    if kinds == {float}:
        return pa.array(values, pa.float64())
    if kinds == {int, float} and all(v is None or -_EXACT <= v <= _EXACT for v in values):
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    return pa.array([v if v is None else _as_text(v) for v in values], pa.string())


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return repr(value) if isinstance(value, float) else str(value)


def check_names(names: Sequence[str], place: str, *, longest: int = 0) -> None:
    """Raise UsageError where a database cannot keep column names apart; longest: in bytes, 0 for any."""
    if longest and (long := [name for name in names if len(name.encode()) > longest]):
        raise UsageError(
            f'{place}: the column name "{long[0]}" has more than {longest} bytes, which is all that '
            "PostgreSQL keeps.",
            "Write a file, or an SQLite database.",
        )
    seen: set[str] = set()
    for name in names:
        key = name if longest else name.lower()
        if key in seen:
            raise UsageError(f'{place}: two columns are called "{name}".', "Rename one, or write a file.")
        seen.add(key)
