"""Numbers and flags that were written as text.

A number may have a sign, a currency sign, commas in groups (of three, or of two before the last, as in
India), a point and an exponent: `-$1,234.50`, `1,20,540.00`, `1e-3`. With the setting decimal=comma points
and commas change places. Nothing else is guessed: `1,5`, `0,500` and `1.234,50` are no numbers without it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from tallystick.contracts.text import NULL, OK, Scan

__all__ = [
    "FLAGS",
    "LONG",
    "NOT_A_NUMBER",
    "NOT_WHOLE",
    "OVERFLOW",
    "SIGNS",
    "integers",
    "numbers",
    "parts",
    "plain",
]

Codes = npt.NDArray[np.int8]

#: States of a value beside OK and NULL of the text scan.
NOT_A_NUMBER: Final = 10
NOT_WHOLE: Final = 11
OVERFLOW: Final = 12
#: Of `parts` alone: more digits than its mantissa holds.
LONG: Final = 13

#: What yes and no look like, in lower case; N/A is neither and means unknown.
FLAGS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("yes", "y", "true", "t", "1", "1.0"), True),
    **dict.fromkeys(("no", "n", "false", "f", "0", "0.0"), False),
    "n/a": None,
}

#: Currency signs, and the currencies that each may stand for.
SIGNS: Final = {
    "R$": ("BRL",), "$": (
        "USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "TWD", "ARS", "CLP", "COP", "UYU", "JMD", "TTD",
        "BBD", "BSD", "BZD", "BMD", "FJD", "GYD", "KYD", "LRD", "NAD", "SRD", "XCD", "DOP", "BND",
    ),
    "£": ("GBP", "EGP", "LBP", "SYP", "GIP", "FKP", "SHP", "SDG", "SSP"), "¥": ("JPY", "CNY"), "€": ("EUR",),
    "₦": ("NGN",), "₹": ("INR",), "₩": ("KRW", "KPW"), "₽": ("RUB",), "₺": ("TRY",), "₪": ("ILS",),
    "₱": ("PHP",), "₫": ("VND",), "₴": ("UAH",), "CHF": ("CHF",), "Fr.": ("CHF",), "zł": ("PLN",),
    "kr.": ("DKK", "SEK", "NOK", "ISK"), "kr": ("SEK", "NOK", "DKK", "ISK"), "Kč": ("CZK",), "Ft": ("HUF",),
}  # fmt: skip
_SIGN_SIZES: Final = np.array([len(sign.encode()) for sign in SIGNS])
_SIGN_BYTES: Final = np.array([list(sign.encode().ljust(3, b"\0")) for sign in SIGNS], np.uint8)
_CHANGED: Final = str.maketrans(".,", ",.")

# A mantissa below 2**53 times or over one of these is rounded once, so correctly (Clinger 1990).
_POWERS: Final = np.array([10.0**k for k in range(23)])
_EXACT: Final = 2**53


def numbers(found: Scan, decimal: str = "point") -> tuple[npt.NDArray[np.float64], Codes]:
    """Read every value as the nearest float64; states are OK, NULL (blank too) and NOT_A_NUMBER.

    >>> import pyarrow as pa
    >>> from tallystick.contracts.text import scan
    >>> numbers(scan(pa.array(["$1,234.50", "1,5"]), 64))[0].tolist()
    [1234.5, 0.0]
    """
    mantissa, exponent, state, _ = parts(found, decimal)
    power = np.clip(exponent, -22, 22)
    values = np.where(
        power < 0, mantissa / _POWERS[np.maximum(-power, 0)], mantissa * _POWERS[np.maximum(power, 0)]
    )
    slow = (state == LONG) | ((state == OK) & ((abs(mantissa) >= _EXACT) | (power != exponent)))
    for i in np.flatnonzero(slow).tolist():
        values[i] = float(plain(found, i, decimal)) + 0.0  # one zero, not two
        state[i] = OK if np.isfinite(values[i]) else NOT_A_NUMBER
    values[state != OK] = 0
    return values, state


def integers(found: Scan, decimal: str = "point") -> tuple[npt.NDArray[np.int64], Codes]:
    """Read every value as int64; states are OK, NULL (blank too), NOT_A_NUMBER, NOT_WHOLE and OVERFLOW.

    `12.0` is whole, for many programs write whole numbers so once one of them is missing.
    """
    mantissa, exponent, state, _ = parts(found, decimal)
    for i in np.flatnonzero((state == LONG) | ((state == OK) & (exponent != 0))).tolist():
        if abs(exponent[i]) > 9_999:  # beyond what a decimal is asked to hold
            mantissa[i], state[i] = 0, OVERFLOW if exponent[i] > 0 else NOT_WHOLE
        else:
            mantissa[i], state[i] = _whole(plain(found, i, decimal))
    mantissa[state != OK] = 0
    return mantissa, state


def _whole(text: str) -> tuple[int, int]:
    exact = Decimal(text)
    if exact.adjusted() > 18:
        return 0, OVERFLOW
    if exact != exact.to_integral_value():
        return 0, NOT_WHOLE
    return (int(exact), OK) if -(2**63) <= exact < 2**63 else (0, OVERFLOW)


def plain(found: Scan, i: int, decimal: str = "point") -> str:
    """Return a value that the kernel has approved, with a point, without groups and currency."""
    text = found.text(i)
    for sign in SIGNS:
        text = text.replace(sign, "")
    if decimal == "comma":
        text = text.translate(_CHANGED)
    return "".join(sign for sign in text if sign in "+-.0123456789eE")


def parts(
    found: Scan, decimal: str = "point"
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Codes, Codes | None]:
    """Take each value apart into a mantissa of at most 18 digits and a power of ten, both int64.

    States are OK, NULL (blank too), NOT_A_NUMBER and LONG. The last is the number of each value's currency
    sign (`SIGNS`), 0 for none; None where no value has one.
    """
    n = len(found.state)
    mantissa, exponent, state = np.zeros(n, np.int64), np.zeros(n, np.int64), np.empty(n, np.int8)
    signs = np.zeros(n, np.int8)
    point, group = (46, 44) if decimal == "point" else (44, 46)
    some = _read(found.data, found.spans, point, group, mantissa, exponent, state, signs)
    return mantissa, exponent, state, signs if some else None


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _currency(data: Any, i: Any, end: Any, table: Any, lengths: Any) -> Any:
    """Number of the currency sign at i, 0 for none."""
    for s in range(len(lengths)):
        size = lengths[s]
        if i + size > end or data[i] != table[s, 0]:
            continue
        k = 1
        while k < size and data[i + k] == table[s, k]:
            k += 1
        if k == size:
            return s + 1
    return 0


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _read(
    data: Any, spans: Any, mark: Any, comma: Any, mantissa: Any, exponent: Any, state: Any, signs: Any
) -> Any:
    """Split each value into a mantissa and a power of ten; LONG beyond 18 digits; say if any has a sign.

    mark, comma: the bytes that stand before decimals and between groups.
    """
    some = False
    for row in range(len(state)):
        i, end, given = spans[0, row], spans[1, row], spans[2, row]
        if given != OK:
            state[row] = NULL if given <= 2 else NOT_A_NUMBER
            continue
        state[row] = NOT_A_NUMBER
        sign = 0
        coin = 0
        for _ in range(3):  # a sign and a currency sign, in either order
            if i < end and sign == 0 and (data[i] == 43 or data[i] == 45):
                sign = -1 if data[i] == 45 else 1
                i += 1
            elif i < end and not coin and not 48 <= data[i] <= 57 and data[i] != mark:
                number = _currency(data, i, end, _SIGN_BYTES, _SIGN_SIZES)
                if number:
                    coin = number
                    i += _SIGN_SIZES[number - 1]
                    if i < end and data[i] == 32:
                        i += 1
        value, used, power = 0, 0, 0
        digits, group, commas, point, pairs, threes = 0, 0, 0, False, False, False
        zero = i < end and data[i] == 48
        fine = True
        while i < end:
            b = data[i]
            if 48 <= b <= 57:
                if used or b != 48:
                    used += 1
                if used <= 18:
                    value = value * 10 + (b - 48)
                digits += 1
                group += 1
                power -= 1 if point else 0
            elif b == comma and not point:
                if commas:
                    fine = fine and 2 <= group <= 3
                    pairs, threes = pairs or group == 2, threes or group == 3
                else:  # 0,500 is no thousand
                    fine = fine and 1 <= group <= 3 and not zero
                commas += 1
                group = 0
            elif b == mark and not point:
                fine = fine and (commas == 0 or group == 3)
                point = True
            else:
                break
            i += 1
        if not fine or digits == 0 or (commas and not point and group != 3) or (pairs and threes):
            continue
        if i < end and (data[i] == 69 or data[i] == 101):
            i += 1
            minus = i < end and data[i] == 45
            if i < end and (data[i] == 43 or data[i] == 45):
                i += 1
            shift, first = 0, i
            while i < end and 48 <= data[i] <= 57:
                shift = min(shift * 10 + (data[i] - 48), 100_000)
                i += 1
            if i == first:
                continue
            power += -shift if minus else shift
        if i != end and not coin:  # a sign behind the number
            i += 1 if data[i] == 32 else 0
            coin = _currency(data, i, end, _SIGN_BYTES, _SIGN_SIZES) if i < end else 0
            i += _SIGN_SIZES[coin - 1] if coin else 0
        if i != end:
            continue
        signs[row] = coin
        some = some or coin > 0
        mantissa[row] = -value if sign < 0 else value
        exponent[row] = power if value else 0
        state[row] = LONG if used > 18 else OK
    return some
