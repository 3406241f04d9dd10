"""Calendar days of event times."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tallystick.contracts.times import DAY
from tallystick.contracts.zones import local_to_utc

__all__ = ["DAY", "day_numbers"]


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
