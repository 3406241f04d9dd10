"""Lengths of windows as people write them: 30s, 5m, 1h, 7d, 2w."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["DAY", "span"]

_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_FORM: Final = re.compile(r"([1-9][0-9]{0,8})([smhdw])")
DAY: Final = 86_400_000_000
#: A thousand years: times are microseconds in an int64, and sums of them must be too.
_LONGEST: Final = 365_250 * DAY


def span(text: object) -> int:
    """Return a length of time in microseconds; ValueError where the text is none.

    >>> span("5m"), span("1d") // 1_000_000
    (300000000, 86400)
    """
    found = _FORM.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f'"{text}" is not a length of time such as 5m, 1h, 7d (s, m, h, d or w)')
    length = int(found[1]) * _UNITS[found[2]] * 1_000_000
    if length > _LONGEST:
        raise ValueError(f'"{text}" is longer than a thousand years')
    return length
