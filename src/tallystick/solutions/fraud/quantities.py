"""Quantities as people write them: numbers in few digits, money, shares, times, and the nouns with them."""

from __future__ import annotations

import math

__all__ = ["counted", "duration", "money", "number", "percent", "plural"]

#: Unit of time, its seconds, and from how many of it on the next one is taken.
STEPS = (("second", 1, 60), ("minute", 60, 60), ("hour", 3_600, 24), ("day", 86_400, math.inf))
LARGE = 1e15  # from here on a number is said with a power of ten


def plural(noun: str, value: float) -> str:
    """Return a noun as it stands with a number of things."""
    if value == 1:
        return noun
    return (
        noun[:-1] + "ies"
        if noun[-1:] == "y" and noun[-2:-1] not in "aeiou"
        else noun
        if noun.endswith("s")
        else noun + "s"
    )


def counted(value: float, noun: str) -> str:
    """Write a number of things: 1 payment, 11 payments."""
    said = number(value)
    return f"{said} {plural(noun, 1 if said in ('1', '−1') else 0)}"


def number(value: float) -> str:
    """Write a number in few digits: 1,234, 54.2, 0.3, −5.2, 0.034."""
    size = abs(value)
    if math.isinf(value):
        said = "∞"
    elif size >= LARGE:
        said = f"{size:.3g}"
    elif size >= 100 or size == int(size):
        said = f"{size:,.0f}"
    elif size >= 1:
        said = f"{size:.1f}".removesuffix(".0")
    else:
        said = f"{size:.2g}"
    return f"−{said}" if value < 0 and said != "0" else said


def money(value: float, currency: str) -> str:
    """Write an amount in major units, with its currency where there is one.

    >>> money(-1234.5, "EUR")
    '−1,234.50 EUR'
    """
    said = number(value) if abs(value) >= LARGE or math.isinf(value) else f"{abs(value):,.2f}"
    sign = "−" if value < 0 and not said.startswith("−") else ""
    return f"{sign}{said} {currency}".rstrip()


def percent(share: float) -> str:
    """Write a share from 0 to 1.

    >>> percent(0.38), percent(0.0042)
    ('38 %', '0.42 %')
    """
    return f"{number(round(100 * share, 1) if abs(share) >= 0.01 else 100 * share)} %"


def duration(seconds: float) -> str:
    """Write a time in the largest unit of which it is at least one: 12 seconds, 3 minutes, 2.5 days."""
    if 0 < abs(seconds) < 1:
        return "less than a second"
    amount = seconds
    for unit, each, most in STEPS:
        amount = seconds / each
        amount = round(amount, 1 if abs(amount) < 10 else 0)
        if abs(amount) < most:
            return counted(amount, unit)
    return counted(amount, "day")
