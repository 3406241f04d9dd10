"""The terms of a rule: how long, and how many."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Limit", "duration", "in_words"]

SECOND = 1_000_000
UNITS = {"second": SECOND, "minute": 60 * SECOND, "hour": 3600 * SECOND, "day": 86_400 * SECOND}
SHORT = {"s": "second", "sec": "second", "m": "minute", "min": "minute", "h": "hour", "d": "day"}
LONGEST = UNITS["day"]
MOST = 10_000
UNIT = r"(seconds?|minutes?|hours?|days?|sec|min|s|m|h|d)"
DURATION = re.compile(rf"([0-9]{{1,6}})\s*{UNIT}", re.IGNORECASE)
LIMIT = re.compile(rf"([0-9]{{1,6}})\s*(?:per|in|an?|/)\s*([0-9]{{1,6}})?\s*{UNIT}", re.IGNORECASE)


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
