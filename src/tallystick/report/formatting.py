"""Numbers as people read them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["amount", "compact", "interval", "level", "number", "rare", "share", "shares", "spell"]

DECIMALS = 4  # of a share in percent, at most


def share(value: float | None) -> str:
    """Write a share in percent, a dash where it is undefined.

    >>> share(0.8351), share(None)
    ('83.5\\xa0%', '–')
    """
    return "–" if value is None else f"{value * 100:.1f}\N{NO-BREAK SPACE}%"


def number(value: float | None) -> str:
    """Write a number with three decimals, a dash where it is undefined.

    >>> number(0.81572), number(None)
    ('0.816', '–')
    """
    return "–" if value is None else f"{value:.3f}"


def level(report: Mapping[str, Any]) -> str:
    """Write the level of the intervals.

    >>> level({"level": 0.95})
    '95\\xa0%'
    """
    return f"{report.get('level', 0.95) * 100:g}\N{NO-BREAK SPACE}%"


def interval(report: Mapping[str, Any], name: str, write: Any = number) -> str:
    """Write the interval of a figure, a dash where it has none.

    >>> interval({"intervals": {"recall": [0.1, 0.2]}}, "recall"), interval({}, "recall")
    ('0.100 to 0.200', '–')
    """
    low, high = (report.get("intervals") or {}).get(name) or (None, None)
    return "–" if low is None else f"{write(low)} to {write(high)}"


def shares(counts: Sequence[float]) -> list[str]:
    """Write the shares of counts that make up a whole so that, as written, they add up to 100 %.

    All with as many decimals as the smallest one needs, one to four; those with the largest remainders are
    rounded up (largest remainder method). Dashes where there is nothing.

    >>> shares([1, 1, 1])
    ['33.4\\xa0%', '33.3\\xa0%', '33.3\\xa0%']
    >>> shares([9999, 1, 0]), shares([0])
    (['99.99\\xa0%', '0.01\\xa0%', '0.00\\xa0%'], ['–'])
    """
    total = sum(counts)
    if not total:
        return [share(None) for _ in counts]
    least = min(count for count in counts if count) / total
    decimals = next((d for d in range(1, DECIMALS) if least * 10 ** (d + 2) >= 1), DECIMALS)
    whole = 10 ** (decimals + 2)
    exact = [whole * count / total for count in counts]
    units = [math.floor(value + 1e-9) for value in exact]
    # Largest remainders first; of equal ones the first in the table.
    for i in sorted(range(len(exact)), key=lambda i: units[i] - exact[i])[: whole - sum(units)]:
        units[i] += 1
    return [f"{unit * 100 / whole:.{decimals}f}\N{NO-BREAK SPACE}%" for unit in units]


def rare(value: float | None) -> str:
    """Write a share that may be small with as many digits as it needs, a dash where it is undefined.

    >>> rare(0.435), rare(0.00992), rare(0.0), rare(None)
    ('43.5\\xa0%', '0.99\\xa0%', '0\\xa0%', '–')
    """
    if value is None:
        return "–"
    if abs(value) >= 0.01:
        return share(value)
    return f"{value * 100:.2g}\N{NO-BREAK SPACE}%"


def amount(value: float | None, currency: str = "") -> str:
    """Write an amount of money in whole units, its currency behind it.

    >>> amount(-1234.5, "EUR"), amount(None)
    ('\\u22121,234\\xa0EUR', '–')
    """
    if value is None:
        return "–"
    text = f"{abs(value):,.0f}"
    sign = "\N{MINUS SIGN}" if value < 0 and text != "0" else ""
    return sign + text + (f"\N{NO-BREAK SPACE}{currency}" if currency else "")


def spell(value: float | None) -> str:
    """Write a count per day: whole where large, with decimals where small.

    >>> spell(1234.4), spell(1.8), spell(0.048), spell(0.0), spell(None)
    ('1,234', '1.8', '0.05', '0', '–')
    """
    if value is None:
        return "–"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}" if value else "0"


def compact(value: float | None) -> str:
    """Write a number of any size with four significant digits.

    >>> compact(1234567.0), compact(12.3456), compact(-0.000123), compact(None)
    ('1,234,567', '12.35', '\\u22120.000123', '–')
    """
    if value is None:
        return "–"
    text = f"{abs(value):,.0f}" if abs(value) >= 1000 else f"{abs(value):.4g}"
    return ("\N{MINUS SIGN}" if value < 0 else "") + text
