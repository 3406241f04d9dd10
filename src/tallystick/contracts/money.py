"""Amounts of money as int64 minor units, exactly, whatever they were written in.

Text is read as decimal digits. A binary fraction stands for the shortest decimal that reads back to it, which
is what programs print. Either is the whole minor unit that it lies within 1e-6 of (real files hold
`85.64999999999999`); anything else with more decimals than its currency has is too precise to be an amount.
A float32 is also the amount whose nearest float32 it is. Forms such as `($12.00)` are not guessed.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation, localcontext
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit

from tallystick.contracts.currencies import digits
from tallystick.contracts.numbers import LONG, NOT_A_NUMBER, OVERFLOW, parts, plain
from tallystick.contracts.text import OK, Scan

__all__ = [
    "LIMIT",
    "TOO_PRECISE",
    "WRITTEN",
    "as_decimal",
    "as_text",
    "from_float",
    "from_floats",
    "from_integers",
    "from_text",
    "major",
    "places",
    "render",
]

Minor = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]

#: More minor units than this, either way, are out of range: what is left lets sums and float64 be exact.
LIMIT: Final = 10**15
#: The state of an amount with more decimals than its currency has, beside those of `numbers`.
TOO_PRECISE: Final = 14
_SLOW: Final = 15

#: The type of amounts in a table that is written: major units, with room for every currency's decimals.
WRITTEN: Final = pa.decimal128(20, 4)

_TENS: Final = 10 ** np.arange(19, dtype=np.int64)
_NEAR: Final = Decimal("1e-6")
#: Below this many rows a dictionary costs more than it saves.
_FEW: Final = 48


@lru_cache(maxsize=256)
def _one(currency: str) -> Codes:
    """Decimals of all rows when they have one currency; the array is shared and never written."""
    found = np.array([digits(currency)], np.int8)
    found.flags.writeable = False
    return found


def places(codes: pa.Array | None, default: str) -> Codes:
    """Return the decimals of each row's currency, or one number where all rows have the same; int8.

    codes: known ISO 4217 codes; where null, or None, the default holds. Raises UsageError for a default that
    is no currency.

    >>> places(pa.array(["JPY", None]), "USD").tolist(), places(None, "KWD").tolist()
    ([0, 2], [3])
    """
    if codes is None or codes.null_count == len(codes):
        return _one(default)
    few = len(codes) < _FEW
    coded = None if few else codes.dictionary_encode()
    distinct = (codes if coded is None else coded.dictionary).to_pylist()
    if not codes.null_count and len(set(distinct)) == 1:
        return _one(distinct[0])
    found = np.array([digits(code or default) for code in distinct], np.int8)
    if coded is None:
        return found
    all_: Codes = np.append(found, np.int8(digits(default)))  # a null's -1 is the one at the end
    each: Codes = all_[coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
    return each


def from_text(found: Scan, decimals: Codes, decimal: str = "point") -> tuple[Minor, Codes, Codes | None]:
    """Read every value; states are OK, NULL (blank too), NOT_A_NUMBER, TOO_PRECISE and OVERFLOW.

    The last is the number of each value's currency sign, as of `parts`.

    >>> from tallystick.contracts.text import scan
    >>> from_text(scan(pa.array(["$1,234.50", "85.64999999999999"]), 64), places(None, "USD"))[0].tolist()
    [123450, 8565]
    """
    mantissa, exponent, state, signs = parts(found, decimal)
    minor = np.zeros(len(state), np.int64)
    if _minor(mantissa, exponent, state, decimals, minor):
        for i in np.flatnonzero(state == LONG).tolist():
            minor[i], state[i] = _exactly(plain(found, i, decimal), _at(decimals, i), int(exponent[i]))
    return minor, state, signs


def from_floats(
    values: npt.NDArray[np.float64], state: Codes, decimals: Codes, *, single: bool = False
) -> tuple[Minor, Codes]:
    """Take float64 major units; `state` (OK or NULL) becomes as in `from_text`.

    single: the values were float32, and stand for the amount whose nearest float32 they are.

    >>> from_floats(np.array([85.65, 1.005]), np.zeros(2, np.int8), places(None, "USD"))[0].tolist()
    [8565, 0]
    """
    minor = np.zeros(len(values), np.int64)
    if _float_minor(values, decimals, single, state, minor):
        for i in np.flatnonzero(state == _SLOW).tolist():
            minor[i], state[i] = _exactly(repr(float(values[i])), _at(decimals, i), 0)
    return minor, state


def from_float(value: float, decimals: int) -> int | None:
    """Return the minor units that one float64 is nearest to; None where that takes a closer look.

    >>> from_float(85.65, 2), from_float(1.005, 2), from_float(float("nan"), 2)
    (8565, None, None)
    """
    power = 10.0**decimals
    scaled = value * power
    if not -LIMIT <= scaled <= LIMIT:
        return None
    whole = round(scaled)
    return whole if whole / power == value else None  # as the kernel reckons it


def from_integers(values: Minor, state: Codes, decimals: Codes) -> tuple[Minor, Codes]:
    """Take int64 whole major units; `state` (OK or NULL) becomes OVERFLOW beyond the limit."""
    power = _TENS[decimals]
    most = LIMIT // power
    state[(state == OK) & ((values > most) | (values < -most))] = OVERFLOW
    return np.where(state == OK, values, 0) * power, state


def _at(decimals: Codes, i: int) -> int:
    return int(decimals[i if len(decimals) > 1 else 0])


def _exactly(text: str, decimals: int, exponent: int) -> tuple[int, int]:
    """Read one value in decimal arithmetic: what has more digits than fit in 64 bits, and close calls."""
    try:
        exact = Decimal(text)
    except InvalidOperation:  # an exponent beyond what a decimal can hold
        return (0, OVERFLOW) if exponent > 0 else (0, OK)
    if exact.adjusted() > 18:
        return 0, OVERFLOW
    if exact.adjusted() < -30:
        return 0, OK
    with localcontext(Context(prec=len(text) + 64)):
        scaled = exact.scaleb(decimals)
        whole = scaled.to_integral_value(ROUND_HALF_EVEN)
        near = abs(scaled - whole) <= _NEAR
    if abs(whole) > LIMIT:
        return 0, OVERFLOW
    return (int(whole), OK) if near else (0, TOO_PRECISE)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _minor(mantissa: Any, exponent: Any, state: Any, decimals: Any, minor: Any) -> Any:
    """Scale each mantissa to minor units; say whether any is left for decimal arithmetic."""
    left = False
    every = 1 if len(decimals) > 1 else 0
    for row in range(len(state)):
        left = left or state[row] == LONG
        if state[row] != OK:
            continue
        m = abs(mantissa[row])
        shift = exponent[row] + decimals[row * every]
        if m == 0:
            continue
        if shift >= 0:
            if shift > 15 or m > LIMIT // _TENS[shift]:
                state[row] = OVERFLOW
                continue
            whole = m * _TENS[shift]
        else:
            down = -shift
            if down > 18:  # below a tenth of a minor unit, for a mantissa has 18 digits
                whole, rest = 0, m
            else:
                whole = m // _TENS[down]
                rest = m - whole * _TENS[down]
                if rest > _TENS[down] - rest:
                    whole += 1
                    rest = _TENS[down] - rest
            if whole > LIMIT:
                state[row] = OVERFLOW
                continue
            # rest / 10**down <= 10**-6, in whole numbers
            if rest and (down < 6 or (down <= 24 and rest > _TENS[down - 6])):
                state[row] = TOO_PRECISE
                continue
        minor[row] = -whole if mantissa[row] < 0 else whole
    return left


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _float_minor(values: Any, decimals: Any, single: Any, state: Any, minor: Any) -> Any:
    """Find the minor units that each float stands for; say whether any is left for decimal arithmetic."""
    left = False
    every = 1 if len(decimals) > 1 else 0
    for row in range(len(state)):
        if state[row] != OK:
            continue
        x = values[row]
        if not np.isfinite(x):
            state[row] = NOT_A_NUMBER
            continue
        power = np.float64(_TENS[decimals[row * every]])
        scaled = x * power
        if abs(scaled) > LIMIT + 1:
            state[row] = OVERFLOW
            continue
        whole = np.rint(scaled)
        back = whole / power  # both exact, so rounded once: the float nearest to that amount
        if back == x or (single and np.float32(back) == np.float32(x)):
            fine = True
        else:
            off = abs(scaled - whole)
            slack = abs(scaled) * 3e-16  # the product's rounding, and that from the decimal to the float
            fine = off + slack < 1e-6
            if not fine:
                close = off - slack <= 1e-6
                state[row] = _SLOW if close else TOO_PRECISE
                left = left or close
                continue
        if abs(whole) > LIMIT:
            state[row] = OVERFLOW
        else:
            minor[row] = np.int64(whole)
    return left


def major(minor: Minor, codes: pa.Array | None = None, default: str = "USD") -> npt.NDArray[np.float64]:
    """Return minor units, int64 (rows,), as the nearest float64 major units.

    codes: each row's currency; where null, or None, the default.

    >>> major(np.array([1230, 1230]), pa.array(["USD", "JPY"])).tolist()
    [12.3, 1230.0]
    """
    decimals = places(codes, default)
    units = 10.0**decimals if len(decimals) > 1 else 10.0 ** int(decimals[0])
    found: npt.NDArray[np.float64] = minor / units
    return found


def render(minor: int, currency: str = "USD", *, code: bool = True) -> str:
    """Write an amount for people: all decimals that its currency has, and the code if wanted.

    >>> render(-1230), render(1230, "JPY"), render(5, "KWD", code=False)
    ('-12.30 USD', '1230 JPY', '0.005')
    """
    decimals = digits(currency)
    whole, rest = divmod(abs(minor), 10**decimals)
    text = f"{'-' if minor < 0 else ''}{whole}" + (f".{rest:0{decimals}d}" if decimals else "")
    return f"{text} {currency}" if code else text


def as_decimal(minor: pa.Array, codes: pa.Array | None, default: str) -> pa.Array:
    """Return a clean column of money as decimals (`WRITTEN`) in major units, null where it is null.

    >>> as_decimal(pa.array([-1230, None]), pa.array(["JPY", "USD"]), "USD").to_pylist()
    [Decimal('-1230.0000'), None]
    """
    kinds = places(codes, default)
    factors = pa.array([Decimal(1).scaleb(-k) for k in range(5)], pa.decimal128(5, 4))
    factor = factors[int(kinds[0])] if len(kinds) == 1 else factors.take(pa.array(kinds))
    return pc.multiply(minor.cast(pa.decimal128(19, 0)), factor).cast(WRITTEN)


def as_text(minor: pa.Array, codes: pa.Array | None, default: str) -> pa.Array:
    """Return a clean column of money as plain decimals, as many as each currency has, null where it is null.

    >>> as_text(pa.array([-1230, 5]), pa.array(["JPY", "USD"]), "USD").to_pylist()
    ['-1230', '0.05']
    """
    kinds = places(codes, default)
    amounts = as_decimal(minor, codes, default)
    texts = pa.nulls(len(minor), pa.string())
    for k in np.unique(kinds).tolist():
        some = amounts.cast(pa.decimal128(20, k), safe=False).cast(pa.string())  # cut in other rows alone
        texts = some if len(kinds) == 1 else pc.if_else(pa.array(kinds == k), some, texts)
    return texts
