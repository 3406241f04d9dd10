"""Local times of a zone as UTC, for whole columns.

Rule: as Python's `datetime` with `fold=0`. A time that a clock shows twice is the first of the two; one that
a clock skips is read with the offset from before the gap, so it lands as far after the gap as it claims to be
in it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

__all__ = ["local_to_utc", "micros"]

Micros = npt.NDArray[np.int64]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
# No zone has two changes within four days, except one that undoes the other.
_PROBE = timedelta(days=4)


def micros(moment: datetime) -> int:
    """Return an aware moment as microseconds since 1970 in UTC, exactly."""
    return (moment - _EPOCH) // _MICRO


@lru_cache(maxsize=16)
def _changes(zone: str) -> tuple[Micros, Micros]:
    """Return the local times from which a new offset holds, and the offsets (one more), in microseconds."""
    info = ZoneInfo(zone)

    def offset(moment: datetime) -> timedelta:
        found = moment.astimezone(info).utcoffset()
        return found if found is not None else timedelta(0)

    at, end = datetime(1899, 12, 25, tzinfo=UTC), datetime(2263, 1, 8, tzinfo=UTC)
    held = offset(at)
    locals_: list[int] = []
    offsets = [held // _MICRO]
    while at < end:
        after = at + _PROBE
        if offset(after) != held:
            low, high = 0, int(_PROBE.total_seconds())  # the change is in (low, high], to the second
            while high - low > 1:
                middle = (low + high) // 2
                if offset(at + timedelta(seconds=middle)) == held:
                    low = middle
                else:
                    high = middle
            after = at + timedelta(seconds=high)
            now = offset(after)
            # In a gap and in an overlap alike, the old offset holds until the larger of both has passed.
            locals_.append(micros(after) + max(held, now) // _MICRO)
            offsets.append(now // _MICRO)
            held = now
        at = after
    return np.array(locals_, np.int64), np.array(offsets, np.int64)


def local_to_utc(local: Micros, zone: str) -> Micros:
    """Turn what clocks in `zone` show into UTC; both in microseconds, int64, any shape.

    >>> noon = np.array([12 * 3_600_000_000])  # of 1970-01-01
    >>> int(local_to_utc(noon, "Europe/Berlin")[0]) // 3_600_000_000
    11
    """
    if zone == "UTC":
        return local
    starts, offsets = _changes(zone)
    utc: Micros = local - offsets[np.searchsorted(starts, local, side="right")]
    return utc
