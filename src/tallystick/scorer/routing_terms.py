"""The terms of a routing rule: how long a case may take, and ranges of amounts and of certainty."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

__all__ = ["Due", "Span"]

LONGEST_DAYS = 3660
UNITS = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1, "business day": 1, "working day": 1, "week": 7}
DURATION = re.compile(r"([0-9]{1,7})\s*(minute|hour|day|business day|working day|week)s?", re.IGNORECASE)
NUMBER = r"\$?\s*([0-9][0-9,]*(?:\.[0-9]+)?|\.[0-9]+)\s*(%?)"
ONE_END = re.compile(
    rf"(at least|from|over|above|more than|at most|up to|below|under|less than)\s+{NUMBER}", re.IGNORECASE
)
TWO_ENDS = re.compile(rf"(?:between\s+|from\s+)?{NUMBER}\s+(?:to|and)\s+{NUMBER}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Due:
    """How long a case may take: a count of minutes, hours, days, weeks or business days.

    >>> Due.read("10 business days")
    Due(count=10, unit='business days')
    """

    count: int
    unit: str

    @classmethod
    def read(cls, said: str) -> Due | None:
        """Read what a person wrote; `none` is no due time; ValueError says what would be right."""
        if said.lower() == "none":
            return None
        match = DURATION.fullmatch(said)
        if not match:
            raise ValueError("write 4 hours, 2 days, 10 business days, 3 weeks, or none.")
        count, unit = int(match[1]), match[2].lower()
        if not 0 < count * UNITS[unit] <= LONGEST_DAYS:
            raise ValueError(f"a due time lies between one minute and {LONGEST_DAYS} days.")
        return cls(count, "business days" if unit == "working day" else f"{unit}s")


@dataclass(frozen=True, slots=True)
class Span:
    """A range with both ends in it; what is missing counts as -1.

    >>> Span.read("at least $1,000", "amount", decimals=2)
    Span(low=100000.0, high=inf)
    """

    low: float
    high: float

    @classmethod
    def read(cls, said: str, key: str, decimals: int) -> Span:
        """Read a range of `amount` (into minor units) or `certainty` (into shares); ValueError as above."""
        if said.lower() == "none":
            return cls(-1.0, -1.0)
        two = TWO_ENDS.fullmatch(said)
        if two:
            low, high = _number(two[1], two[2], key, decimals), _number(two[3], two[4], key, decimals)
            if low > high:
                raise ValueError("the first number is the greater one.")
            return cls(low, high)
        one = ONE_END.fullmatch(said)
        if not one:
            example = (
                "over 1000, at least 50, below 20" if key == "amount" else "below .8, at least 95%, .5 to .8"
            )
            raise ValueError(f"write {example}, or none where there is none.")
        word, number = one[1].lower(), _number(one[2], one[3], key, decimals)
        if word in ("at least", "from"):
            return cls(number, np.inf)
        if word in ("over", "above", "more than"):
            return cls(float(np.nextafter(number, np.inf)), np.inf)
        if word in ("at most", "up to"):
            return cls(0.0, number)
        return cls(0.0, float(np.nextafter(number, -np.inf)))


def _number(digits: str, percent: str, key: str, decimals: int) -> float:
    number = Decimal(digits.replace(",", ""))
    if key == "amount":
        minor = number.scaleb(decimals)
        if percent or minor != int(minor):
            raise ValueError(f"an amount has no % and at most {decimals} decimals.")
        if minor > 2**53:
            raise ValueError("the amount is too large.")
        return float(minor)
    share = number / 100 if percent else number
    if share > 1:
        raise ValueError(f"a share lies between 0 and 1: write .8 or 80%, not {digits}.")
    return float(share)
