"""Faults of a batch: for each bad record the first one, in the contract's order of columns."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tallystick.config import Settings
from tallystick.contracts.column import Column
from tallystick.contracts.money import LIMIT
from tallystick.contracts.numbers import numbers
from tallystick.contracts.reasons import REASONS
from tallystick.contracts.text import OK, scan
from tallystick.contracts.times import BAD, parse

__all__ = ["Faults", "explain"]


@dataclass(frozen=True, slots=True)
class Faults:
    """Bad records as columns of one length: index into the batch, code, our column, value, message.

    The index ascends; the value is as it was found, cut. A fault of a whole record has neither column nor
    value.

    >>> Faults.none().count()
    {}
    """

    index: npt.NDArray[np.int64]
    code: tuple[str, ...] = ()
    column: tuple[str | None, ...] = ()
    value: tuple[str | None, ...] = ()
    message: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.index)

    def between(self, start: int, stop: int) -> Faults:
        """Return those of the rows start … stop of the batch, counted from `start`.

        >>> Faults(np.array([1, 5]), ("a", "b"), ("x", "y"), ("1", "2"), ("", "")).between(4, 6).code
        ('b',)
        """
        first, last = np.searchsorted(self.index, (start, stop)).tolist()
        if first == last:
            return _NONE
        part = slice(first, last)
        return Faults(
            self.index[part] - start,
            self.code[part],
            self.column[part],
            self.value[part],
            self.message[part],
        )

    def count(self) -> dict[str, int]:
        """Count the records by code, codes in alphabetical order."""
        return dict(sorted(Counter(self.code).items()))

    @staticmethod
    def none() -> Faults:
        """Return what a batch without faults has."""
        return _NONE


_NONE = Faults(np.empty(0, np.int64))


def explain(column: Column, code: str, value: str | None, settings: Settings) -> str:
    """Say what is wrong with a value, and what its column would take.

    >>> explain(Column("age", "integer", "Years", unit="years", minimum=18), "out_of_range", "3", Settings())
    'age: The number lies outside what its column allows. It allows 18 or more years.'
    """
    message = f"{column.name}: {REASONS[code]}"
    if code == "out_of_range" and (column.minimum is not None or column.maximum is not None):
        message += f" It allows {_span(column)}{' ' + column.unit if column.unit else ''}."
    elif code == "out_of_range" and column.type == "money":
        message += f" It allows {LIMIT:,} minor units either way."
    elif code == "too_precise" or code == "other_currency":
        message += f" A row without a currency is in {settings.currency}: --set currency=CODE."
    elif code in ("not_a_number", "not_an_integer") and value is not None and len(value) <= 64:
        other = "comma" if settings.decimal == "point" else "point"
        if numbers(scan(pa.array([value], pa.string()), 64), other)[1][0] == OK:
            message += f" With --set decimal={other} it is one; decimal is {settings.decimal}."
    elif code == "not_allowed" and column.allowed:
        shown = column.allowed[:12]
        message += f" It allows {', '.join(shown)}{', …' if len(column.allowed) > len(shown) else ''}."
    elif code == "pattern":
        message += f" It must match {column.pattern}"
    elif code == "not_a_flag" and not settings.event:
        message += " If it is a label with words of its own, say which mean yes: --set event=fraud/genuine."
    elif code == "too_long":
        message += f" It allows {column.max_bytes} bytes."
    elif code == "bad_time" and value is not None and len(value) <= 64:
        other = "month-first" if settings.date_order == "day-first" else "day-first"
        state = parse(scan(pa.array([value], pa.string()), 64), other, settings.zone)[1]
        if state[0] != BAD:
            message += f" With --set date_order={other} it is one; date_order is {settings.date_order}."
        elif not settings.step and numbers(scan(pa.array([value], pa.string()), 64))[1][0] == OK:
            message += " If it counts steps, say how long one is: --set step=1h, and from which day: epoch."
    return message


def _span(column: Column) -> str:
    low, high = column.minimum, column.maximum
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    return f"{low:g} or more" if low is not None else f"{high:g} or less"
