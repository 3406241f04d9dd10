"""JSON values as text columns: each as it was written."""

from __future__ import annotations

import functools
import json
from typing import Any

from tallystick.errors import DataError

__all__ = ["BadRecordError", "Number", "decoder", "list_of_records", "row_of"]

# How deep a list of records may lie in a document: {"hits": {"hits": [...]}} is two.
_DEPTH = 4


class BadRecordError(Exception):
    """A record that JSON allows and a table does not."""

    def __init__(self, code: str, message: str, value: str = "", column: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.value = value
        self.column = column


class Number(str):
    """A number as it was written, so that 85.10 stays 85.10."""

    __slots__ = ()


@functools.cache
def decoder() -> json.JSONDecoder:
    """Return the decoder that keeps numbers as written and refuses an object that names a member twice."""
    return json.JSONDecoder(
        object_pairs_hook=_members, parse_float=Number, parse_int=Number, parse_constant=Number
    )


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        doubled = next(name for name in names if names.count(name) > 1)
        raise BadRecordError("doubled_name", f'An object names "{doubled}" more than once.', column=doubled)
    return members


def row_of(value: Any) -> dict[str, str | None]:
    """Turn a record into texts by name; raises BadRecordError.

    >>> row_of(decoder().decode('{"a": 85.10, "b": true, "c": null, "d": [1, "x"]}'))
    {'a': '85.10', 'b': 'true', 'c': None, 'd': '[1,"x"]'}
    """
    if isinstance(value, dict) and isinstance(value.get("_source"), dict):
        value = value["_source"]  # what a search index keeps a record in
    if not isinstance(value, dict):
        raise BadRecordError("not_an_object", "The record is no JSON object.", _text(value) or "null")
    row = {}
    for name, part in value.items():
        text = _text(part)
        _check(name, name)
        if text is not None:
            _check(text, name)
        # A plain text: Arrow asks a subclass more slowly.
        row[name] = str(text) if text is not None else None
    return row


def _check(text: str, column: str) -> None:
    """Refuse what no Arrow text or file can hold."""
    if "\0" in text:
        raise BadRecordError(
            "nul_byte", "The record holds a NUL character.", text, column.replace("\0", "\\0")
        )
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise BadRecordError("bad_encoding", "The record holds half a character.", text, None) from None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return _compact(value)


def _compact(value: Any) -> str:
    """Write a nested value as JSON, its numbers as they were."""
    if isinstance(value, dict):
        return "{" + ",".join(_quoted(name) + ":" + _compact(part) for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_compact(part) for part in value) + "]"
    if isinstance(value, str):
        return str(value) if isinstance(value, Number) else _quoted(value)
    return "null" if value is None else "true" if value else "false"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def list_of_records(document: Any, name: str) -> list[Any]:
    """Find the one list of objects in a document, level by level; DataError for none or several.

    A document of one object of values, such as answers by their keys, is a table of two columns.

    >>> list_of_records({"took": "3", "hits": {"hits": [{"a": "1"}]}}, "api.json")
    [{'a': '1'}]
    >>> list_of_records({"target": {"T1": "Yes", "T2": "No"}}, "labels.json")
    [{'key': 'T1', 'target': 'Yes'}, {'key': 'T2', 'target': 'No'}]
    """
    wanted = "A list of JSON objects is wanted: alone, or as the only such list within the document."
    if not isinstance(document, dict):
        raise DataError(f"{name} is a single JSON value.", wanted)
    if (table := _portal_table(document)) is not None:
        return table
    level = {"": document}
    for _ in range(_DEPTH):
        members = {
            f"{path}.{key}".lstrip("."): part
            for path, within in level.items()
            for key, part in within.items()
        }
        lists = {path: part for path, part in members.items() if _is_list_of_objects(part)}
        if len(lists) > 1:
            raise DataError(f"{name} holds several lists of objects: {', '.join(lists)}.", wanted)
        if lists:
            return next(iter(lists.values()))
        level = {path: part for path, part in members.items() if isinstance(part, dict)}
    if len(document) == 1:
        ((column, values),) = document.items()
        flat = isinstance(values, dict) and not any(isinstance(v, (dict, list)) for v in values.values())
        if flat and values and column != "key":
            return [{"key": key, column: value} for key, value in values.items()]
    names = ", ".join(f'"{key}"' for key in list(document)[:8]) or "nothing"
    raise DataError(f"{name} is a JSON object with {names}, without a list of records.", wanted)


def _portal_table(document: dict[str, Any]) -> list[Any] | None:
    """Return the rows of an open data portal's `rows.json`, whose columns are described beside its data.

    Columns of the portal's own (their names in it begin with a colon) are left out.
    """
    meta, data = document.get("meta"), document.get("data")
    view = meta.get("view") if isinstance(meta, dict) else None
    columns = view.get("columns") if isinstance(view, dict) else None
    if not isinstance(data, list) or not isinstance(columns, list) or not _is_list_of_objects(columns):
        return None
    names = [None if str(one.get("fieldName", "")).startswith(":") else one.get("name") for one in columns]

    def named(row: Any) -> Any:
        if not isinstance(row, list):
            return row
        return {name: value for name, value in zip(names, row, strict=False) if name is not None}

    return [named(row) for row in data]


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(part, dict) for part in value)
