"""Hour, weekday, night and weekend of UTC times, as clocks in a zone show them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tallystick.contracts.zones import changes

__all__ = ["derived", "utc_to_local"]

Micros = NDArray[np.int64]

_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
#: Night ends at six.
_MORNING = 6


def utc_to_local(utc: Micros, zone: str) -> Micros:
    """Turn UTC into what clocks in `zone` show; both in microseconds, int64 (n,).

    >>> int(utc_to_local(np.array([0]), "Europe/Berlin")[0]) // 3_600_000_000
    1
    """
    if zone == "UTC":
        return utc
    starts, offsets = changes(zone)
    local: Micros = utc + offsets[np.searchsorted(starts, utc, side="right")]
    return local


def derived(utc: Micros, known: NDArray[np.bool_], zone: str) -> dict[str, NDArray[np.generic]]:
    """Return `hour` (0 to 23), `weekday` (0 is Monday), `night` and `weekend`; NaN or false where not known.

    >>> found = derived(np.array([5 * 3_600_000_000]), np.array([True]), "UTC")
    >>> {name: values.tolist() for name, values in found.items()}
    {'hour': [5.0], 'weekday': [3.0], 'night': [True], 'weekend': [False]}
    """
    if len(utc) == 1:  # a row by itself, without arrays
        first = int(utc_to_local(utc, zone)[0]) if known[0] else 0
        at = (first // _HOUR % 24, (first // _DAY + 3) % 7) if known[0] else (math.nan, math.nan)
        flags = np.array([[at[0] < _MORNING], [at[1] >= 5]])
        found = np.array([[at[0]], [at[1]]], np.float64)
        return {"hour": found[0], "weekday": found[1], "night": flags[0], "weekend": flags[1]}
    local = utc_to_local(np.where(known, utc, 0), zone)
    hour = np.where(known, local // _HOUR % 24, np.nan)
    weekday = np.where(known, (local // _DAY + 3) % 7, np.nan)  # 1970 began on a Thursday
    return {"hour": hour, "weekday": weekday, "night": hour < _MORNING, "weekend": weekday >= 5}
