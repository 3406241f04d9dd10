"""Calendar days of event times."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tallystick.contracts.times import DAY
from tallystick.contracts.zones import local_to_utc

__all__ = ["DAY", "day_numbers", "days_covered"]

HOUR = DAY // 24


def day_numbers(time: ArrayLike, zone: str = "UTC") -> NDArray[np.int64]:
    """Number the calendar days of times (int64 microseconds UTC) as clocks in `zone` show them.

    >>> day_numbers([0, DAY - 1, DAY]).tolist(), day_numbers([0, DAY - 1, DAY], "Europe/Berlin").tolist()
    ([0, 0, 1], [0, 1, 1])
    """
    moments = np.asarray(time, np.int64)
    if zone == "UTC" or not len(moments):
        return moments // DAY
    first, last = int(moments.min()) // DAY - 1, int(moments.max()) // DAY + 1
    midnights = local_to_utc(np.arange(first, last + 1) * DAY, zone)
    return first - 1 + np.searchsorted(midnights, moments, side="right").astype(np.int64)


def days_covered(time: ArrayLike, zone: str = "UTC") -> float:
    """Say how many days times (int64 microseconds UTC) cover, for figures "a day".

    Each local day on which one lies counts as one, but the first only from its first time on and the last up
    to its last. How much of a day that is, is the share of the times of whole days that lie then: so a night
    without any is not missed. Without a whole day it is a share of the clock, and a day alone counts the
    hours from its first time to its last, at least one.

    >>> noon = np.arange(10 * 24) * HOUR + DAY // 2
    >>> days_covered(noon), days_covered(noon[:36]), days_covered(noon[:6]), days_covered([])
    (10.0, 1.5, 0.25, 0.0)
    """
    moments = np.sort(np.asarray(time, np.int64))
    if not len(moments):
        return 0.0
    days = day_numbers(moments, zone)
    first, last = int(days[0]), int(days[-1])
    begins = moments - local_to_utc(days * DAY, zone)  # since midnight
    if first == last:
        step = (begins[-1] - begins[0]) / max(len(moments) - 1, 1)
        return float(min(max(begins[-1] - begins[0] + step, HOUR), DAY) / DAY)
    inner = begins[(days > first) & (days < last)]
    if len(inner):
        since, until = float((inner >= begins[0]).mean()), float((inner <= begins[-1]).mean())
    else:
        step = (moments[-1] - moments[0]) / (len(moments) - 1)
        since, until = 1 - begins[0] / DAY, min(1.0, (begins[-1] + step) / DAY)
    return float(since + until + len(np.unique(days)) - 2)
