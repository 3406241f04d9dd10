"""Lengths of time and rate limits of a notification rule."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tallystick import durations

__all__ = ["Limit", "duration"]

MAX_DURATION = durations.DAY
MAX_COUNT = 10_000
LIMIT = re.compile(r"([0-9]{1,6})\s*(?:per|in|an?|/)\s*([0-9]{0,6})\s*([a-z]+)", re.IGNORECASE)


def duration(text: str) -> int:
    """Read a length of time such as `60s` or `5 minutes`, up to a day, in microseconds.

    >>> duration("5 minutes")
    300000000
    """
    try:
        microseconds = durations.parse_words(text)
    except ValueError:
        raise ValueError("use 30s, 5m, 2 hours.") from None
    if not 0 < microseconds <= MAX_DURATION:
        raise ValueError("it must be between one second and one day.")
    return microseconds


@dataclass(frozen=True, slots=True)
class Limit:
    """How many messages in how many microseconds.

    >>> Limit.read("30 per minute")
    Limit(count=30, period=60000000)
    """

    count: int
    period: int

    @classmethod
    def read(cls, text: str) -> Limit:
        """Parse a limit; ValueError shows valid forms."""
        match = LIMIT.fullmatch(text)
        try:
            if not match:
                raise ValueError
            period = durations.parse_words(f"{match[2] or 1} {match[3]}")
        except ValueError:
            raise ValueError("use 30 per minute, 100 per hour, 5 per 10 seconds.") from None
        count = int(match[1])
        if not 0 < count <= MAX_COUNT:
            raise ValueError(f"a limit must be between 1 and {MAX_COUNT:,} messages.")
        if not 0 < period <= MAX_DURATION:
            raise ValueError("its time must be between one second and one day.")
        return cls(count, period)
