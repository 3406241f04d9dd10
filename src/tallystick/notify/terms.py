"""The terms of a rule: how long, how many, and which scores."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

__all__ = ["Limit", "Span", "duration", "in_words"]

SECOND = 1_000_000
UNITS = {"second": SECOND, "minute": 60 * SECOND, "hour": 3600 * SECOND, "day": 86_400 * SECOND}
SHORT = {"s": "second", "sec": "second", "m": "minute", "min": "minute", "h": "hour", "d": "day"}
LONGEST = UNITS["day"]
MOST = 10_000
UNIT = r"(seconds?|minutes?|hours?|days?|sec|min|s|m|h|d)"
DURATION = re.compile(rf"([0-9]{{1,6}})\s*{UNIT}", re.IGNORECASE)
LIMIT = re.compile(rf"([0-9]{{1,6}})\s*(?:per|in|an?|/)\s*([0-9]{{1,6}})?\s*{UNIT}", re.IGNORECASE)
NUMBER = r"((?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))\s*(%?)"
ONE_END = re.compile(
    rf"(at least|from|over|above|more than|at most|up to|below|under|less than)\s+{NUMBER}", re.IGNORECASE
)
TWO_ENDS = re.compile(rf"(?:between\s+|from\s+)?{NUMBER}\s+(?:to|and)\s+{NUMBER}", re.IGNORECASE)


def duration(said: str) -> int:
    """Read a time such as `60s`, `5 minutes` or `1h` into microseconds; ValueError says what would be right.

    >>> duration("5 minutes")
    300000000
    """
    match = DURATION.fullmatch(said)
    if not match:
        raise ValueError("write 30s, 5m, 2 hours.")
    found = int(match[1]) * _unit(match[2])
    if not 0 < found <= LONGEST:
        raise ValueError("it lies between one second and one day.")
    return found


def in_words(span: int) -> str:
    """Write microseconds as they are read.

    >>> in_words(300_000_000), in_words(90_000_000)
    ('5 minutes', '90 seconds')
    """
    name, size = next((n, s) for n, s in reversed(UNITS.items()) if span % s == 0 or s == SECOND)
    count = span // size
    return f"{count} {name}" + ("s" if count != 1 else "")


def _unit(said: str) -> int:
    name = said.lower()
    return UNITS[SHORT.get(name, name.removesuffix("s"))]


@dataclass(frozen=True, slots=True)
class Limit:
    """How many messages in how many microseconds.

    >>> Limit.read("30 per minute")
    Limit(count=30, period=60000000)
    """

    count: int
    period: int

    @classmethod
    def read(cls, said: str) -> Limit:
        """Read what a person wrote; ValueError says what would be right."""
        match = LIMIT.fullmatch(said)
        if not match:
            raise ValueError("write 30 per minute, 100 per hour, 5 per 10 seconds.")
        count, period = int(match[1]), int(match[2] or 1) * _unit(match[3])
        if not 0 < count <= MOST:
            raise ValueError(f"a limit lies between 1 and {MOST:,} messages.")
        if not 0 < period <= LONGEST:
            raise ValueError("its time lies between one second and one day.")
        return cls(count, period)


@dataclass(frozen=True, slots=True)
class Span:
    """A range of scores with both ends in it; a missing score counts as -1.

    >>> Span.read("at least 90%")
    Span(low=0.9, high=inf)
    """

    low: float
    high: float

    @classmethod
    def read(cls, said: str) -> Span:
        """Read a range of shares; ValueError says what would be right."""
        if said.lower() == "none":
            return cls(-1.0, -1.0)
        if two := TWO_ENDS.fullmatch(said):
            low, high = _share(two[1], two[2]), _share(two[3], two[4])
            if low > high:
                raise ValueError("the first number is the greater one.")
            return cls(low, high)
        one = ONE_END.fullmatch(said)
        if not one:
            raise ValueError("write at least .9, below 50%, .5 to .8, or none where there is no score.")
        word, number = one[1].lower(), _share(one[2], one[3])
        if word in ("at least", "from"):
            return cls(number, np.inf)
        if word in ("over", "above", "more than"):
            return cls(float(np.nextafter(number, np.inf)), np.inf)
        if word in ("at most", "up to"):
            return cls(0.0, number)
        return cls(0.0, float(np.nextafter(number, -np.inf)))


def _share(digits: str, percent: str) -> float:
    share = float(digits) / 100 if percent else float(digits)
    if share > 1:
        raise ValueError(f"a score lies between 0 and 1: write .9 or 90%, not {digits}.")
    return share
