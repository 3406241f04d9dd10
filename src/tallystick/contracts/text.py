"""Text columns: trimmed, measured and checked for NUL bytes straight in Arrow's buffers."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit

__all__ = [
    "BLANK",
    "NULL",
    "NUL_BYTE",
    "OK",
    "TOO_LONG",
    "TRIMMED",
    "WHITE",
    "Scan",
    "as_text",
    "found",
    "scan",
    "valid_rows",
    "view",
]

Bytes = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int32]

#: What is stripped: Python's white space, frozen here since it may change, and the byte order mark.
WHITE: Final = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
)

# What a value is found to be.
OK: Final = 0
NULL: Final = 1
BLANK: Final = 2
TOO_LONG: Final = 3
NUL_BYTE: Final = 4
# Bits of what a whole column holds: 1 << state for each state, and these.
TRIMMED: Final = 32
_LITERAL: Final = 64
_AS_IT_IS: Final = 1 << OK | 1 << NULL | _LITERAL

_STRING: Final = pa.string()


def _view(buffer: pa.Buffer | None, dtype: type[Any]) -> Any:
    """See a buffer as an array, always read-only: the kernels are then compiled for one kind of array."""
    if buffer is None:
        return np.frombuffer(b"", dtype)
    array = np.frombuffer(buffer, dtype)
    if buffer.is_mutable:
        array.flags.writeable = False
    return array


_NO_BITS: Final = _view(None, np.uint8)


class Scan(NamedTuple):
    """A text column and what its values are.

    `spans` is int32 of shape (3, rows): where each trimmed value begins and ends in `data`, and its state.
    `seen` has the bit `1 << state` for each state that occurs.
    """

    array: pa.Array
    data: Bytes
    spans: npt.NDArray[np.int32]
    seen: int

    @property
    def state(self) -> npt.NDArray[np.int32]:
        """Return the state of each value."""
        state: npt.NDArray[np.int32] = self.spans[2]
        return state

    def text(self, i: int) -> str:
        """Return one trimmed value."""
        return bytes(self.data[self.spans[0, i] : self.spans[1, i]]).decode("utf-8")

    def has(self, state: int) -> bool:
        """Say whether any value is in that state."""
        return bool(self.seen >> state & 1)

    def literals(self) -> bool:
        """Say whether any value may be the literal of a Python bytes object."""
        return bool(self.seen & _LITERAL)

    def trimmed(self) -> pa.Array:
        """Return the values without outer white space; what is not OK is null."""
        if not self.seen & ~_AS_IT_IS:
            return self.array
        starts, ends, state = self.spans
        n = len(state)
        offsets = np.zeros(n + 1, np.int32)
        keep = state == OK
        np.cumsum(np.where(keep, ends - starts, 0), out=offsets[1:])
        out = np.empty(int(offsets[-1]), np.uint8)
        _copy(self.data, self.spans, offsets, out)
        bits = None if keep.all() else pa.py_buffer(np.packbits(keep, bitorder="little"))
        return pa.Array.from_buffers(_STRING, n, [bits, pa.py_buffer(offsets), pa.py_buffer(out)])


def scan(array: pa.Array, max_bytes: int) -> Scan:
    """Look at every value of a string array once; `max_bytes` counts the trimmed value.

    >>> scan(pa.array([" a ", "", None]), 10).trimmed().to_pylist()
    ['a', None, None]
    """
    n = len(array)
    buffers = array.buffers()
    offsets = _view(buffers[1], np.int32)[array.offset : array.offset + n + 1]
    data = _view(buffers[2], np.uint8)
    # A bitmap may be there although nothing is null; an empty one says so to the kernel.
    bits = _view(buffers[0], np.uint8) if array.null_count else _NO_BITS
    spans = np.empty((3, n), np.int32)
    return Scan(array, data, spans, _scan(offsets, data, bits, array.offset, max_bytes, spans))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _space_at(data: Any, i: Any, end: Any) -> Any:
    """Length of the white space character that begins at i, 0 if none does (WHITE, in bytes)."""
    b = data[i]
    if b == 32 or 9 <= b <= 13 or 28 <= b <= 31:
        return 1
    if b < 0xC2:
        return 0
    if b == 0xC2 and i + 1 < end and (data[i + 1] == 0x85 or data[i + 1] == 0xA0):
        return 2
    if i + 2 >= end:
        return 0
    c, d = data[i + 1], data[i + 2]
    if b == 0xE2 and c == 0x80 and (0x80 <= d <= 0x8A or d == 0xA8 or d == 0xA9 or d == 0xAF):
        return 3
    if (b == 0xE2 and c == 0x81 and d == 0x9F) or (b == 0xE3 and c == 0x80 and d == 0x80):
        return 3
    if (b == 0xE1 and c == 0x9A and d == 0x80) or (b == 0xEF and c == 0xBB and d == 0xBF):
        return 3
    return 0


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _scan(offsets: Any, data: Any, bits: Any, first: Any, limit: Any, spans: Any) -> Any:
    """Fill the spans; return which states and marks occurred, as bits."""
    seen = 0
    for i in range(spans.shape[1]):
        start, end = offsets[i], offsets[i + 1]
        if len(bits) and not bits[(first + i) >> 3] >> ((first + i) & 7) & 1:
            spans[0, i], spans[1, i], spans[2, i] = start, start, NULL
            seen |= 1 << NULL
            continue
        left, right = start, end
        while left < right:
            step = _space_at(data, left, right)
            if step == 0:
                break
            left += step
        while right > left:
            # One that ends here began one, two or three bytes before.
            if _space_at(data, right - 1, right) == 1:
                right -= 1
            elif right - left >= 2 and _space_at(data, right - 2, right) == 2:
                right -= 2
            elif right - left >= 3 and _space_at(data, right - 3, right) == 3:
                right -= 3
            else:
                break
        spans[0, i], spans[1, i] = left, right
        if left == right:
            found = BLANK
        elif right - left > limit:
            found = TOO_LONG
        else:
            found = OK
            least = data[left]
            for j in range(left, right):
                least = min(least, data[j])
            if least == 0:
                found = NUL_BYTE
            elif right - left >= 3 and data[left] == 98 and data[left + 1] in (34, 39, 88):
                seen |= _LITERAL
        if left != start or right != end:
            seen |= TRIMMED
        spans[2, i] = found
        seen |= 1 << found
    return seen


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _copy(data: Any, spans: Any, offsets: Any, out: Any) -> None:
    """Lay the values side by side."""
    for i in range(spans.shape[1]):
        start, to = spans[0, i], offsets[i]
        for j in range(offsets[i + 1] - to):
            out[to + j] = data[start + j]


def view(array: pa.Array, dtype: type[Any]) -> Any:
    """See the values of an array of fixed width without copying, read-only; what is null has any value."""
    return _view(array.buffers()[1], dtype)[array.offset : array.offset + len(array)]


def valid_rows(array: pa.Array) -> npt.NDArray[np.bool_]:
    """Return which values are not null."""
    if not array.null_count:
        every = np.empty(len(array), np.bool_)
        every.fill(True)  # in a third of the time of np.ones
        return every
    valid: npt.NDArray[np.bool_] = array.is_valid().to_numpy(zero_copy_only=False)
    return valid


def as_text(array: pa.Array) -> pa.Array:
    """Return any array as plain strings: a whole number without decimals, what is nested as JSON.

    Raises pa.ArrowInvalid where more than 2 GiB come together, and where bytes are no UTF-8.

    >>> as_text(pa.array([243002.0, 1.5, None])).to_pylist()
    ['243002', '1.5', None]
    """
    kind = array.type
    if kind == _STRING:
        return array
    if len(array) == 1 and pa.types.is_integer(kind):  # a cast costs twice as much
        value = array[0].as_py()
        return pa.array([None if value is None else str(value)], _STRING)
    if pa.types.is_dictionary(kind):
        return as_text(array.dictionary_decode())
    if pa.types.is_run_end_encoded(kind):
        return as_text(pc.run_end_decode(array))
    if isinstance(array, pa.ExtensionArray) and pa.types.is_string(array.storage.type):
        return array.storage
    if pa.types.is_null(kind):
        return pa.nulls(len(array), _STRING)
    if pa.types.is_floating(kind):
        return _floats(array)
    if pa.types.is_fixed_size_binary(kind):
        array = array.cast(pa.binary())
    elif pa.types.is_nested(kind) or pa.types.is_decimal(kind) or isinstance(array, pa.ExtensionArray):
        return _spelt(array)
    try:
        return array.cast(_STRING)
    except pa.ArrowNotImplementedError:
        return _spelt(array)


def _spelt(array: pa.Array) -> pa.Array:
    return pa.array([None if value is None else _spell(value) for value in array.to_pylist()], _STRING)


def _floats(array: pa.Array) -> pa.Array:
    """Write floats in plain decimals; NaN stays "nan" for the number parser to refuse."""
    values = array.cast(pa.float64())
    plain = np.nan_to_num(values.to_numpy(zero_copy_only=False), nan=0.0)
    whole = (plain == np.rint(plain)) & (abs(plain) < 2.0**63)
    if whole.all() and not pc.any(values.is_nan()).as_py():
        return values.cast(pa.int64()).cast(_STRING)
    return _spelt(values)


def _spell(value: Any) -> str:
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return format(value, "f") if hasattr(value, "as_tuple") else str(value)


def found(array: pa.Array, index: npt.NDArray[np.int64]) -> list[Any]:
    """Return some of the values as Python objects; times that Python cannot hold come as text."""
    if pa.types.is_string_view(array.type):
        array = array.cast(pa.large_string())  # Arrow cannot take from a view
    elif pa.types.is_binary_view(array.type):
        array = array.cast(pa.large_binary())
    array = array.take(pa.array(index))
    try:
        if pa.types.is_timestamp(array.type) and array.type.unit == "ns":
            array = array.cast(pa.string())  # its nanoseconds would need pandas
        values: list[Any] = array.to_pylist()
    except (ValueError, OverflowError, ArithmeticError):
        values = array.cast(pa.string()).to_pylist()
    return values
