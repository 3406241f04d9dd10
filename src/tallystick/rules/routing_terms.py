"""Due times of cases, in business days too."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Due"]

LONGEST_DAYS = 3660
UNITS = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1, "business day": 1, "working day": 1, "week": 7}
DURATION = re.compile(r"([0-9]{1,7})\s*(minute|hour|day|business day|working day|week)s?", re.IGNORECASE)


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
