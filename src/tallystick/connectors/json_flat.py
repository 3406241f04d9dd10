"""Reader of flat JSON objects that name their members in one order, straight into Arrow.

A program that writes records writes the same members in the same order, line after line. The first line is
read with care and says which; a kernel then walks over the bytes of all lines and keeps where each value
begins and ends. Whatever is not plainly such an object (a value within a value, an escape, another member, no
JSON at all) is left for the careful way, whose answers these are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray

from tallystick.connectors.json_values import BadRecordError, decoder
from tallystick.connectors.parts import Part
from tallystick.kernels import Kernels

__all__ = ["KERNELS", "FlatLines", "Lines"]

# Shapes of objects that are known at a time, and members of one.
_MOST, _MEMBERS = 4, 200
_STRING = pa.string()

Bytes = NDArray[np.uint8]
Spans = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Lines:
    """Records one after the other in a block: the lines of a file that are not blank, or whole messages.

    places: int32 (records, 2), where each begins and ends; valid: all of the block is UTF-8.
    """

    block: bytes
    data: Bytes
    places: Spans
    valid: bool

    @classmethod
    def of(cls, block: bytes) -> Lines:
        """Find the lines; the last one may lack its end. A block is shorter than 2 GiB.

        >>> len(Lines.of(b"{}\\n \\r\\n[]"))
        2
        """
        data = np.frombuffer(block, np.uint8)
        places = np.empty((block.count(b"\n") + 1, 2), np.int32)
        return cls(block, data, places[: _split(data, places)], _is_text(block))

    @classmethod
    def of_records(cls, records: Sequence[bytes]) -> Lines:
        """Put records into a block, blank ones and those of several lines too; together below 2 GiB.

        >>> lines = Lines.of_records([b'{"a":\\n1}', b""])
        >>> len(lines), lines[0]
        (2, b'{"a":\\n1}')
        """
        # What lies between lets no character reach from one record into the next.
        block = b"\n".join(records)
        places = np.empty((len(records), 2), np.int32)
        lengths = np.fromiter(map(len, records), np.int32, len(records))
        np.cumsum(lengths + 1, out=places[:, 1])
        places[:, 1] -= 1
        np.subtract(places[:, 1], lengths, out=places[:, 0])
        return cls(block, np.frombuffer(block, np.uint8), places, _is_text(block))

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, line: int) -> bytes:
        start, stop = self.places[line].tolist()
        return self.block[start:stop]


@dataclass(slots=True)
class FlatLines:
    """Reads flat lines; shapes that were learned help with later lines.

    >>> lines = Lines.of(b'{"a": 1.50, "b": "x"}\\n{"a": [2]}\\n\\n{"b": null}\\n')
    >>> [part], rest = FlatLines().read(lines, 0, 3)
    >>> part.places.tolist(), [column.to_pylist() for column in part.columns.values()], rest.tolist()
    ([0, 2], [['1.50', None], ['x', None]], [1])
    """

    _shapes: list[_Shape] = field(default_factory=list)

    def read(self, lines: Lines, start: int, stop: int) -> tuple[list[Part], NDArray[np.int64]]:
        """Read some of the lines into columns; return those too that have to be parsed one by one.

        Lines are counted from `start`; what is of one kind is together, a kind that was met first before.
        """
        spans = lines.places[start:stop]
        left = np.arange(len(spans))
        parts: list[Part] = []
        for shape in list(self._shapes):
            before = len(left)
            left = _matched(shape, lines, spans, left, parts)
            if before and len(left) == before:  # of none of these lines: the first to make room
                self._shapes.remove(shape)
                self._shapes.append(shape)
        strange = 0
        while len(left) > strange and len(parts) < _MOST and strange < _MOST:
            before, learned = len(left), _shape(lines[start + int(left[strange])])
            if learned is not None:
                left = _matched(learned, lines, spans, left, parts)
            if learned is None or len(left) == before:
                strange += 1
            else:
                self._shapes[len(parts) - 1 :] = [learned, *self._shapes[len(parts) - 1 : _MOST - 1]]
        return parts, left


class _Shape(NamedTuple):
    """Names of members in their order, and their quoted bytes one after the other."""

    names: tuple[str, ...]
    keys: Bytes
    ends: Spans


def _shape(line: bytes) -> _Shape | None:
    """Learn from a line; None where it is no flat object."""
    try:
        value: Any = decoder().decode(line.decode())
    except (ValueError, RecursionError, BadRecordError):
        return None
    if not isinstance(value, dict) or not 0 < len(value) <= _MEMBERS:
        return None
    if any(isinstance(one, dict | list) for one in value.values()):
        return None
    quoted = [b'"%s"' % name.encode("utf-8", "surrogatepass") for name in value]
    ends = np.cumsum([len(one) for one in quoted]).astype(np.int32)
    return _Shape(tuple(value), np.frombuffer(b"".join(quoted), np.uint8), ends)


def _matched(
    shape: _Shape, lines: Lines, places: Spans, wanted: NDArray[np.int64], parts: list[Part]
) -> NDArray[np.int64]:
    """Add what is of a shape to the parts, and return which lines are not."""
    if not len(wanted):
        return wanted
    spans = np.empty((len(shape.names), len(wanted), 2), np.int32)
    fits = np.empty(len(wanted), np.bool_)
    count = _walk(lines.data, places, wanted, shape.keys, shape.ends, lines.valid, spans, fits)
    if not count:
        return wanted
    columns = {name: _text(lines.data, spans[i, :count]) for i, name in enumerate(shape.names)}
    parts.append(Part(wanted[fits], columns))
    return wanted[~fits]


def _is_text(block: bytes) -> bool:
    """Return whether all of a block is valid UTF-8."""
    if block.isascii():
        return True
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True


def _text(data: Bytes, spans: Spans) -> pa.Array:
    """Make a text column of what stands at some places."""
    rows = len(spans)
    offsets = np.empty(rows + 1, np.int32)
    bits = np.zeros((rows + 7) // 8, np.uint8)
    nulls = _measure(spans, offsets, bits)
    if nulls == rows:
        return pa.nulls(rows, _STRING)
    out = np.empty(offsets[-1], np.uint8)
    _copy(data, spans, offsets, out)
    held = None if not nulls else pa.py_buffer(bits)
    return pa.Array.from_buffers(_STRING, rows, [held, pa.py_buffer(offsets), pa.py_buffer(out)], nulls)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _split(data: Any, lines: Any) -> Any:
    """Find the lines that are not blank; return how many."""
    count, begin, blank = 0, 0, True
    for i in range(len(data)):
        byte = data[i]
        if byte == 10:
            if not blank:
                lines[count, 0], lines[count, 1] = begin, i
                count += 1
            begin, blank = i + 1, True
        elif blank and byte != 32 and byte != 9 and byte != 13:
            blank = False
    if not blank:
        lines[count, 0], lines[count, 1] = begin, len(data)
        count += 1
    return count


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _walk(data: Any, lines: Any, wanted: Any, keys: Any, ends: Any, valid: Any, spans: Any, fits: Any) -> Any:
    """Walk over lines; fill the spans of those that fit, one after the other, and return how many do."""
    count = 0
    for k in range(len(wanted)):
        line = wanted[k]
        for c in range(len(ends)):
            spans[c, count, 0] = spans[c, count, 1] = -1
        fits[k] = _object(data, lines[line, 0], lines[line, 1], keys, ends, valid, spans, count)
        count += fits[k]
    return count


@njit(nogil=True, cache=True, inline="always")  # type: ignore[untyped-decorator]
def _skip(data: Any, i: Any, end: Any) -> Any:
    """Pass over white space as JSON has it, within a line."""
    while i < end and (data[i] == 32 or data[i] == 9 or data[i] == 13):
        i += 1
    return i


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _object(data: Any, i: Any, end: Any, keys: Any, ends: Any, valid: Any, spans: Any, row: Any) -> Any:
    """Read one line; False where it is no flat object of members in this order, each at most once."""
    i = _skip(data, i, end)
    if i >= end or data[i] != 123:  # {
        return False
    i = _skip(data, i + 1, end)
    member = 0
    while True:
        found = -1
        while member < len(ends) and found < 0:
            begin = ends[member - 1] if member else 0
            length = ends[member] - begin
            if i + length <= end:
                same = 0
                while same < length and data[i + same] == keys[begin + same]:
                    same += 1
                if same == length:
                    found = member
                    i += length
            member += 1
        if found < 0:
            return False
        i = _skip(data, i, end)
        if i >= end or data[i] != 58:  # :
            return False
        i = _skip(data, i + 1, end)
        if i >= end:
            return False
        begin = i
        if data[i] == 34:  # "
            i += 1
            while i < end and data[i] != 34:
                byte = data[i]
                if byte == 92 or byte < 32 or (byte > 127 and not valid):
                    return False
                i += 1
            if i >= end:
                return False
            spans[found, row, 0], spans[found, row, 1] = begin + 1, i
            i += 1
        else:
            i = _scalar(data, i, end)
            if i < 0:
                return False
            if data[begin] != 110:  # null
                spans[found, row, 0], spans[found, row, 1] = begin, i
        i = _skip(data, i, end)
        if i >= end:
            return False
        if data[i] == 125:  # }
            return _skip(data, i + 1, end) == end
        if data[i] != 44:  # ,
            return False
        i = _skip(data, i + 1, end)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _scalar(data: Any, i: Any, end: Any) -> Any:
    """Return where a number, true, false or null ends; -1 where there is none."""
    first = data[i]
    if first == 116 and i + 4 <= end:
        return i + 4 if data[i + 1] == 114 and data[i + 2] == 117 and data[i + 3] == 101 else -1
    if first == 110 and i + 4 <= end:
        return i + 4 if data[i + 1] == 117 and data[i + 2] == 108 and data[i + 3] == 108 else -1
    if first == 102 and i + 5 <= end:
        rest = data[i + 1] == 97 and data[i + 2] == 108 and data[i + 3] == 115 and data[i + 4] == 101
        return i + 5 if rest else -1
    if first == 45:  # -
        i += 1
    if i >= end or data[i] < 48 or data[i] > 57:
        return -1
    if data[i] == 48:
        i += 1
    else:
        i = _digits(data, i, end)
    if i < end and data[i] == 46:  # .
        start = i + 1
        i = _digits(data, start, end)
        if i == start:
            return -1
    if i < end and (data[i] == 101 or data[i] == 69):  # e E
        i += 1
        if i < end and (data[i] == 43 or data[i] == 45):
            i += 1
        start = i
        i = _digits(data, start, end)
        if i == start:
            return -1
    return i


@njit(nogil=True, cache=True, inline="always")  # type: ignore[untyped-decorator]
def _digits(data: Any, i: Any, end: Any) -> Any:
    while i < end and 48 <= data[i] <= 57:
        i += 1
    return i


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _measure(spans: Any, offsets: Any, bits: Any) -> Any:
    """Fill offsets and the bits of what is there; return how many are not."""
    nulls = 0
    offsets[0] = 0
    for i in range(len(spans)):
        if spans[i, 0] < 0:
            nulls += 1
            offsets[i + 1] = offsets[i]
        else:
            bits[i >> 3] |= np.uint8(1 << (i & 7))
            offsets[i + 1] = offsets[i] + spans[i, 1] - spans[i, 0]
    return nulls


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _copy(data: Any, spans: Any, offsets: Any, out: Any) -> None:
    for i in range(len(spans)):
        if spans[i, 0] >= 0:
            start = offsets[i]
            for j in range(offsets[i + 1] - start):
                out[start + j] = data[spans[i, 0] + j]


#: What Python calls; the others come with them.
KERNELS = Kernels((_split, _walk, _measure, _copy))
