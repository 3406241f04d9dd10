"""Lengths of time as people write them: 30s, 15m, 1h, 7d, 2w; in some files also 5 minutes."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

__all__ = ["DAY", "HOUR", "MINUTE", "SECOND", "UNITS", "parse", "parse_words"]

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY

#: Unit → microseconds.
UNITS: Final = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}
#: A thousand years: times are microseconds in an int64, and sums of them must be too.
_LONGEST: Final = 365_250 * DAY
_SHORT: Final = re.compile(r"([1-9][0-9]{0,8})([smhdw])")
_WORDS: Final = re.compile(
    r"([0-9]{1,9})\s*(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?|w|weeks?)", re.IGNORECASE
)


@lru_cache(maxsize=256)
def parse(text: str, *, zero: bool = False) -> int:
    """Return a length of time in microseconds; ValueError where the text is none.

    zero: 0 and 0s are lengths too.

    >>> parse("15m") // SECOND, parse("2w") // DAY
    (900, 14)
    """
    if zero and text.strip() in ("0", "0s"):
        return 0
    match = _SHORT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'"{text}" is not a length of time such as 30s, 15m, 1h, 7d or 2w')
    return _within(int(match[1]) * UNITS[match[2]], text)


def parse_words(text: str) -> int:
    """Return a length of time in microseconds, written short or in words; ValueError where the text is none.

    >>> parse_words("5 minutes") == parse_words("5m") == parse("5m")
    True
    """
    match = _WORDS.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'"{text}" is not a length of time such as 30s, 15m or 2 hours')
    return _within(int(match[1]) * UNITS[match[2][0].lower()], text)


def _within(length: int, text: str) -> int:
    if length > _LONGEST:
        raise ValueError(f'"{text}" is longer than a thousand years')
    return length
