"""Ranges of numbers as people write them in files: at least .9, below 50%, over $1,000, .5 to .8."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

__all__ = ["Range", "amount", "share"]

_NUMBER: Final = r"(\$?\s*(?:[0-9][0-9,]*(?:\.[0-9]*)?|\.[0-9]+)\s*%?)"
_ONE_END: Final = re.compile(
    rf"(at least|from|over|above|more than|at most|up to|below|under|less than)\s+{_NUMBER}", re.IGNORECASE
)
_TWO_ENDS: Final = re.compile(rf"(?:between\s+|from\s+)?{_NUMBER}\s+(?:to|and)\s+{_NUMBER}", re.IGNORECASE)


def share(said: str) -> float:
    """Read a share such as `.9` or `90%`; ValueError says what would be right.

    >>> share(".9"), share("90 %")
    (0.9, 0.9)
    """
    if "$" in said:
        raise ValueError(f"a share is no amount: write .9 or 90%, not {said}.")
    number = _decimal(said) / (100 if said.endswith("%") else 1)
    if number > 1:
        hint = f" Did you mean {said}%?" if number <= 100 and not said.endswith("%") else ""
        raise ValueError(f"a share lies between 0 and 1: write .9 or 90%, not {said}.{hint}")
    return float(number)


def amount(said: str, decimals: int) -> float:
    """Read an amount such as `$1,000` into minor units; ValueError says what would be right.

    >>> amount("$1,000", decimals=2)
    100000.0
    """
    minor = _decimal(said).scaleb(decimals)
    if said.endswith("%") or minor != int(minor):
        raise ValueError(f"an amount has no % and at most {decimals} decimals.")
    if minor > 2**53:
        raise ValueError("the amount is too large.")
    return float(minor)


def _decimal(said: str) -> Decimal:
    return Decimal(said.strip("$ %").replace(",", ""))


@dataclass(frozen=True, slots=True)
class Range:
    """A range with both ends in it; what is missing counts as -1.

    >>> Range.read("at least 90%")
    Range(low=0.9, high=inf)
    """

    low: float
    high: float

    @classmethod
    def read(
        cls, said: str, number: Callable[[str], float] = share, like: str = "below .8, at least 95%, .5 to .8"
    ) -> Range:
        """Read what a person wrote; ValueError says what would be right.

        number: reads one number; like: ranges that could be written.
        """
        if said.lower() == "none":
            return cls(-1.0, -1.0)
        if two := _TWO_ENDS.fullmatch(said):
            low, high = number(two[1]), number(two[2])
            if low > high:
                raise ValueError("the first number is the greater one.")
            return cls(low, high)
        if not (one := _ONE_END.fullmatch(said)):
            raise ValueError(f"write {like}, or none where there is none.")
        word, bound = one[1].lower(), number(one[2])
        if word in ("at least", "from"):
            return cls(bound, np.inf)
        if word in ("over", "above", "more than"):
            return cls(float(np.nextafter(bound, np.inf)), np.inf)
        if word in ("at most", "up to"):
            return cls(0.0, bound)
        return cls(0.0, float(np.nextafter(bound, -np.inf)))
