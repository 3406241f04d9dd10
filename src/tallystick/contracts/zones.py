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

__all__ = ["LATEST", "changes", "local_to_utc", "micros"]

Micros = npt.NDArray[np.int64]

#: Where what has no time stands: after all that has one.
LATEST = int(np.iinfo(np.int64).max)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
# No zone has two changes within four days, except one that undoes the other.
_PROBE = timedelta(days=4)


def micros(moment: datetime) -> int:
    """Return an aware moment as microseconds since 1970 in UTC, exactly."""
    return (moment - _EPOCH) // _MICRO


@lru_cache(maxsize=16)
def changes(zone: str) -> tuple[Micros, Micros]:
    """Return the UTC times from which a new offset holds, and the offsets (one more), in microseconds.

    >>> [array.tolist() for array in changes("UTC")]
    [[], [0]]
    """
    info = ZoneInfo(zone)

    def offset(moment: datetime) -> timedelta:
        return moment.astimezone(info).utcoffset() or timedelta(0)

    at, end = datetime(1899, 12, 25, tzinfo=UTC), datetime(2263, 1, 8, tzinfo=UTC)
    held = offset(at)
    found: list[int] = []
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
            held = offset(after)
            found.append(micros(after))
            offsets.append(held // _MICRO)
        at = after
    return np.array(found, np.int64), np.array(offsets, np.int64)


@lru_cache(maxsize=16)
def _local_changes(zone: str) -> tuple[Micros, Micros]:
    """Return the local times from which a new offset holds, and the offsets."""
    starts, offsets = changes(zone)
    # In a gap and in an overlap alike, the old offset holds until the larger of both has passed.
    return starts + np.maximum(offsets[:-1], offsets[1:]), offsets


def local_to_utc(local: Micros, zone: str) -> Micros:
    """Turn what clocks in `zone` show into UTC; both in microseconds, int64, any shape.

    >>> noon = np.array([12 * 3_600_000_000])  # of 1970-01-01
    >>> int(local_to_utc(noon, "Europe/Berlin")[0]) // 3_600_000_000
    11
    """
    if zone == "UTC":
        return local
    starts, offsets = _local_changes(zone)
    utc: Micros = local - offsets[np.searchsorted(starts, local, side="right")]
    return utc
