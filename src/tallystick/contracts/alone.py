"""Fast path for one value: cleaned without arrays where it is valid and of a common type.

What is not clear at a glance is left to the array program. The values are the same either way.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import pyarrow as pa

from tallystick.config import Settings
from tallystick.contracts import money, times
from tallystick.contracts.column import ARROW
from tallystick.contracts.column_mapping import ColumnMatch

__all__ = ["INTEGERS", "alone", "free", "text_of"]

#: Numbers of types: comparing them costs a hundredth of comparing types.
INTEGERS: Final = frozenset(
    kind().id for kind in (pa.int8, pa.int16, pa.int32, pa.int64, pa.uint8, pa.uint16, pa.uint32)
)
_MICROS: Final = {"s": 1_000_000, "ms": 1_000, "us": 1}
_TIME: Final = ARROW["time"]
_WHOLE: Final = pa.int64()

Currencies = tuple[pa.Array, Any] | None


def alone(
    match: ColumnMatch, array: pa.Array, settings: Settings, codes: Currencies = None
) -> pa.Array | None:
    """Clean a column of one row; None where the array program has to look.

    codes: for an amount, its currency and what is wrong with that.

    >>> from tallystick.contracts.column import Column
    >>> match = ColumnMatch(Column("amount", "money", "Paid"), "Amount", 0, lambda text: (text, 0))
    >>> alone(match, pa.array([12.5]), Settings()).to_pylist(), alone(match, pa.array(["12.5"]), Settings())
    ([1250], None)
    """
    read = _READ.get((match.column.type, array.type.id))
    if read is None:
        return None
    value = array[0]
    return read(match, value, settings, codes) if value.is_valid else None


def _amount(_: ColumnMatch, value: pa.Scalar, settings: Settings, codes: Currencies) -> pa.Array | None:
    decimals = money.places(None if codes is None else codes[0], settings.currency)
    minor = money.from_float(value.as_py(), int(decimals[0]))
    return None if minor is None else _number(minor, _WHOLE)


def _moment(_: ColumnMatch, value: pa.Scalar, settings: Settings, __: Currencies) -> pa.Array | None:
    kind, ticks = value.type, value.value
    if kind.tz is None and settings.zone != "UTC":
        return None
    moment = ticks // 1_000 if kind.unit == "ns" else ticks * _MICROS[kind.unit]
    return _number(moment, _TIME) if times.FIRST <= moment < times.LAST else None


def _flag(_: ColumnMatch, value: pa.Scalar, __: Settings, ___: Currencies) -> pa.Array | None:
    return _FLAGS.get(value.as_py())


def _digits(match: ColumnMatch, value: pa.Scalar, settings: Settings, _: Currencies) -> pa.Array | None:
    return text_of(str(value.as_py())) if free(match) and not settings.placeholders else None


def free(match: ColumnMatch) -> bool:
    """Say whether a column takes any text that is as long as a number may be."""
    column = match.column
    text = column.type in ("text", "category") and not match.money and not column.listed()
    return text and column.max_bytes >= 20


_FLAGS: Final = {0: pa.array([False]), 1: pa.array([True])}

_READ: Final[dict[tuple[str, int], Callable[[ColumnMatch, Any, Settings, Currencies], pa.Array | None]]] = {
    ("money", pa.float64().id): _amount,
    ("time", pa.timestamp("us").id): _moment,
    **{("flag", kind): _flag for kind in INTEGERS},
    **{(name, kind): _digits for name in ("text", "category") for kind in INTEGERS},
}


def _number(value: int, kind: pa.DataType) -> pa.Array:
    """Return an array of one value of 64 bits."""
    return pa.Array.from_buffers(kind, 1, [None, pa.py_buffer(value.to_bytes(8, sys.byteorder, signed=True))])


def text_of(value: str) -> pa.Array:
    """Return an array of one text, in a quarter of the time that `pa.array` takes.

    >>> text_of("abc").to_pylist()
    ['abc']
    """
    data = value.encode()
    return pa.StringArray.from_buffers(1, _ends(len(data)), pa.py_buffer(data))


@lru_cache(maxsize=64)
def _ends(size: int) -> pa.Buffer:
    return pa.py_buffer((0).to_bytes(4, sys.byteorder) + size.to_bytes(4, sys.byteorder))
