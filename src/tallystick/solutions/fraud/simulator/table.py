"""Payments as the contract's columns: texts, exact decimals, times in UTC."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit
from numpy.typing import NDArray

from tallystick.solutions.fraud.simulator.bank import Bank
from tallystick.solutions.fraud.simulator.chance import SCALE, Weighted, below, waits, word
from tallystick.solutions.fraud.simulator.ground import CUSTOMERS, TERMINALS
from tallystick.solutions.fraud.simulator.payments import (
    AMOUNT,
    CHANNEL,
    CHANNELS,
    CUSTOMER,
    DEVICE,
    DEVICE_ID,
    DEVICES,
    NUMBER,
    OUTSIDE,
    PAYEE,
    PLACE,
    PLACES,
    SCENARIO,
    SCENARIOS,
    SECOND,
    TERMINAL,
    Payments,
)

__all__ = ["cents", "named", "numbered", "table", "times"]

Ints = NDArray[np.int64]

_EPOCH: Final = date(1970, 1, 1)
_LABELS: Final = 4
#: A label is known an hour after the payment at the earliest.
_SOONEST: Final = 3_600
_CATEGORIES: Final = {
    "groceries": 28, "restaurants": 16, "fuel": 12, "clothing": 10, "household": 9, "pharmacy": 8,
    "travel": 6, "electronics": 5, "entertainment": 4, "jewellery": 2,
}  # fmt: skip


def table(bank: Bank, rows: Payments) -> pa.RecordBatch:
    """Turn payments into a batch of the preset's columns."""
    return pa.RecordBatch.from_pydict({name: _COLUMNS[name](bank, rows) for name in bank.preset.columns})


def cents(amounts: Ints) -> pa.Array:
    """Give exact decimals with two places.

    >>> cents(np.array([5716, -1])).to_pylist()
    [Decimal('57.16'), Decimal('-0.01')]
    """
    halves = np.stack([amounts, amounts >> 63], axis=1)  # 128 bits, the lower half first
    return pa.Array.from_buffers(pa.decimal128(18, 2), len(amounts), [None, pa.py_buffer(halves.tobytes())])


def named(names: Sequence[str | None], places: Ints) -> pa.Array:
    """Give the name at each place."""
    return pa.array(names, pa.string()).take(pa.array(places))


def numbered(letter: str, numbers: Ints, width: int) -> pa.Array:
    """Give keys such as C0000012; null below nought.

    >>> numbered("C", np.array([12, -1]), 7).to_pylist()
    ['C0000012', None]
    """
    digits = max(width, len(str(int(numbers.max(initial=0)))))
    there = numbers >= 0
    # Digit by digit: three times as fast as formatting and padding each number.
    text = np.empty((len(numbers), digits + 1), np.uint8)
    text[:, 0] = ord(letter)
    rest = np.where(there, numbers, 0)
    for place in range(digits, 0, -1):
        rest, last = np.divmod(rest, 10)
        text[:, place] = last + ord("0")
    kind = pa.binary(digits + 1)
    array = pa.Array.from_buffers(kind, len(numbers), [None, pa.py_buffer(text.tobytes())])
    array = array.cast(pa.binary()).cast(pa.string())
    return array if there.all() else pc.if_else(pa.array(there), array, None)


def times(start: date, seconds: Ints) -> pa.Array:
    """Give times in UTC, in microseconds, of seconds after the first midnight."""
    return pa.array((seconds + (start - _EPOCH).days * 86_400) * 1_000_000, pa.timestamp("us", "UTC"))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _words(seed: np.uint64, what: int, items: Ints, part: int, limit: int) -> Ints:
    """Draw a number below `limit` for each item, the same whenever it is asked for."""
    out = np.empty(len(items), np.int64)
    for i in range(len(items)):
        out[i] = below(word(seed, what, items[i], part), limit)
    return out


def _payee(rows: Payments) -> pa.Array:
    """Customers of this bank are paid by their own key, others by one that starts with X."""
    payee = rows[PAYEE]
    if payee.max(initial=-1) < 0:
        return pa.nulls(len(payee), pa.string())
    elsewhere = payee >= OUTSIDE
    inside = numbered("C", np.where(elsewhere, -1, payee), 7)
    return pc.coalesce(inside, numbered("X", np.where(elsewhere, payee - OUTSIDE, -1), 7))


def _currency(bank: Bank, rows: Payments) -> pa.Array:
    """Each customer pays in one currency."""
    names = bank.preset.currencies
    weighted = Weighted(list(names.values()))
    drawn = _words(np.uint64(bank.seed), CUSTOMERS, rows[CUSTOMER], 4, weighted.total)
    return named(list(names), weighted.at(drawn))


def _category(bank: Bank, rows: Payments) -> pa.Array:
    weighted = Weighted(list(_CATEGORIES.values()))
    drawn = _words(np.uint64(bank.seed), TERMINALS, rows[TERMINAL], 1, weighted.total)
    names = named(list(_CATEGORIES), weighted.at(drawn))
    return pc.if_else(pa.array(rows[TERMINAL] >= 0), names, None)


def _known_at(bank: Bank, rows: Payments) -> pa.Array:
    preset = bank.preset
    delay = np.full(rows.shape[1], preset.label_delay)
    if preset.label_spread == "exponential":
        table = waits()
        drawn = _words(np.uint64(bank.seed), _LABELS, rows[NUMBER], 0, len(table))
        delay = np.maximum(delay * table[drawn] // SCALE, _SOONEST)
    return times(preset.start, rows[SECOND] + delay)


_COLUMNS: Final[dict[str, Callable[[Bank, Payments], Any]]] = {
    "transaction_id": lambda _, rows: numbered("T", rows[NUMBER], 9),
    "event_time": lambda bank, rows: times(bank.preset.start, rows[SECOND]),
    "customer_id": lambda _, rows: numbered("C", rows[CUSTOMER], 7),
    "terminal_id": lambda _, rows: numbered("M", rows[TERMINAL], 7),
    "amount": lambda _, rows: cents(rows[AMOUNT]),
    "currency": _currency,
    "place": lambda _, rows: named(PLACES, rows[PLACE]),
    "merchant_category": _category,
    "channel": lambda _, rows: named(CHANNELS, rows[CHANNEL]),
    "device": lambda _, rows: named(DEVICES, rows[DEVICE]),
    "device_id": lambda _, rows: numbered("D", rows[DEVICE_ID], 8),
    "payee_id": lambda _, rows: _payee(rows),
    "is_fraud": lambda _, rows: pa.array(rows[SCENARIO] > 0),
    "scenario": lambda _, rows: named(SCENARIOS, rows[SCENARIO]),
    "label_known_at": _known_at,
}
