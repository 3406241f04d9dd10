"""The fast way through JSON messages: those that look like one before, taken apart by one pattern each.

Messages of one producer name the same members in the same order. The first of a kind is read with care and
becomes a pattern that matches flat objects of these members alone, with texts that hold no escape; what does
not match is left for the reader of `.jsonl` files, whose answers these are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["JsonFast", "Part"]

#: Which of the messages, and their columns by name.
Part = tuple[NDArray[np.int64], dict[str, pa.Array]]

_SPACE = rb"[ \t\r\n]*"
# As JSON has them: no control sign, no leading zero, a digit on both sides of the dot.
_KINDS: dict[str, bytes] = {
    "text": rb'"([^"\\\x00-\x1f]*)"',
    "number": rb"(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)",
    "flag": rb"(true|false)",
}
# Kinds of objects that are looked for in one call, and kept from call to call.
_MOST = 8
# A pattern costs about a thousand messages' time: one for so many messages, after the first few.
_EACH = 500
_MEMBERS = 200
_Row = tuple[bytes | None, ...]


@dataclass(frozen=True, slots=True)
class _Shape:
    names: tuple[str, ...]
    pattern: re.Pattern[bytes]


class JsonFast:
    """Patterns of the messages that were seen, those that matched last first."""

    def __init__(self) -> None:
        self._shapes: list[_Shape] = []
        self._seen = self._learned = 0

    def parts(self, values: Sequence[bytes | None]) -> tuple[list[Part], list[int]]:
        """Take apart what matches; and name those that have to be read in another way.

        A message without a value is in neither.
        """
        rest = [place for place, value in enumerate(values) if value is not None]
        self._seen += len(rest)
        parts: list[Part] = []
        for shape in list(self._shapes):
            if not rest:
                break
            rest = self._matched(shape, values, rest, parts)
        left: list[int] = []
        while rest and len(left) < _MOST and self._learned < _MOST + self._seen // _EACH:
            self._learned += 1
            made = _shape(values[rest[0]] or b"")
            if made is None or any(made.pattern == shape.pattern for shape in self._shapes):
                left.append(rest.pop(0))
            else:
                self._shapes.append(made)
                rest = self._matched(made, values, rest, parts)
        del self._shapes[_MOST:]
        return parts, sorted(left + rest)

    def _matched(
        self, shape: _Shape, values: Sequence[bytes | None], rest: list[int], parts: list[Part]
    ) -> list[int]:
        """Add what a pattern matches to the parts, and give what it does not."""
        match = shape.pattern.fullmatch
        found = [match(values[place]) for place in rest]  # type: ignore[arg-type] # rest names values alone
        rows = [(place, one.groups()) for place, one in zip(rest, found, strict=True) if one is not None]
        arrays = _columns(shape.names, rows)
        if arrays is None:  # bytes that are no UTF-8
            rows = [(place, row) for place, row in rows if _is_text(row)]
            arrays = _columns(shape.names, rows)
        if not rows or arrays is None:
            return rest
        if shape is not self._shapes[0]:
            self._shapes.remove(shape)
            self._shapes.insert(0, shape)
        places = [place for place, _ in rows]
        parts.append((np.array(places, np.int64), arrays))
        return [] if len(places) == len(rest) else sorted(set(rest) - set(places))


def _columns(names: tuple[str, ...], rows: list[tuple[int, _Row]]) -> dict[str, pa.Array] | None:
    """Turn what the groups of a pattern matched into text columns; None for bytes that are no UTF-8."""
    columns = zip(*(row for _, row in rows), strict=True)
    try:
        return {
            name: pa.array(column, pa.string()) for name, column in zip(names, columns, strict=bool(rows))
        }
    except pa.ArrowInvalid:
        return None


def _is_text(row: _Row) -> bool:
    try:
        b" ".join(part for part in row if part is not None).decode()
    except UnicodeDecodeError:
        return False
    return True


def _shape(value: bytes) -> _Shape | None:
    """Make a pattern of a message, or None where it is nested, empty, or no JSON."""
    try:
        pairs: Any = json.loads(value.decode(), object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        return None
    if not isinstance(pairs, tuple) or not 0 < len(pairs) <= _MEMBERS:
        return None
    names = tuple(name for name, _ in pairs)
    if len(set(names)) < len(names) or any(re.search(r'["\\\x00-\x1f]', name) for name in names):
        return None
    try:
        members = [_member(name, part) for name, part in pairs]
    except (ValueError, UnicodeEncodeError):
        return None
    pattern = rb"%s\{%s\}%s" % (_SPACE, b",".join(members), _SPACE)
    shape = _Shape(names, re.compile(pattern))
    return shape if shape.pattern.fullmatch(value) else None


def _member(name: str, value: object) -> bytes:
    """Give the pattern of one member with one group, whose value may be null in other messages."""
    if isinstance(value, bool):
        kind = _KINDS["flag"]
    elif isinstance(value, int | float):
        kind = _KINDS["number"]
    elif isinstance(value, str):
        kind = _KINDS["text"]
    elif value is None:
        kind = b"(?!)()"  # what it is otherwise is not known yet: such a message makes a pattern of its own
    else:
        raise ValueError("nested")
    key = re.escape(f'"{name}"'.encode())
    return rb"%s%s%s:%s(?:%s|null)%s" % (_SPACE, key, _SPACE, _SPACE, kind, _SPACE)
