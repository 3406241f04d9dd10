"""Hour, weekday, night and weekend of UTC times, as clocks in a zone show them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tallystick.contracts.zones import changes

__all__ = ["PARTS", "derived", "moment", "utc_to_local"]

#: What follows from a time.
PARTS = ("hour", "weekday", "night", "weekend")

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


def moment(utc: int, zone: str) -> tuple[int, int, bool, bool]:
    """Return the `PARTS` of one time.

    >>> moment(5 * 3_600_000_000, "UTC")
    (5, 3, True, False)
    """
    local = utc if zone == "UTC" else int(utc_to_local(np.array([utc]), zone)[0])
    hour, weekday = local // _HOUR % 24, (local // _DAY + 3) % 7  # 1970 began on a Thursday
    return hour, weekday, hour < _MORNING, weekday >= 5


def derived(utc: Micros, known: NDArray[np.bool_], zone: str) -> dict[str, NDArray[np.generic]]:
    """Return `hour` (0 to 23), `weekday` (0 is Monday), `night` and `weekend`; NaN or false where not known.

    >>> found = derived(np.array([5 * 3_600_000_000]), np.array([True]), "UTC")
    >>> {name: values.tolist() for name, values in found.items()}
    {'hour': [5.0], 'weekday': [3.0], 'night': [True], 'weekend': [False]}
    """
    if len(utc) == 1:  # a row by itself, without arrays
        at = moment(int(utc[0]), zone) if known[0] else (math.nan, math.nan, False, False)
        kinds = (np.float64, np.float64, np.bool_, np.bool_)
        return {name: np.array([one], kind) for name, one, kind in zip(PARTS, at, kinds, strict=True)}
    local = utc_to_local(np.where(known, utc, 0), zone)
    hour = np.where(known, local // _HOUR % 24, np.nan)
    weekday = np.where(known, (local // _DAY + 3) % 7, np.nan)
    return {"hour": hour, "weekday": weekday, "night": hour < _MORNING, "weekend": weekday >= 5}
