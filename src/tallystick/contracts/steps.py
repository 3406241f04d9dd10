"""Times that count: steps of a stated length since an epoch, as simulators and anonymised files have them.

A count is read from its column alone: a recognised format, or the setting `step`, says that it is one, and
never the other rows. `epoch` is the first moment of that day in the setting `zone`; a step has the same
length in summer and winter.
"""

from __future__ import annotations

from datetime import date, datetime, time
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from numba import njit

from tallystick.contracts.numbers import numbers
from tallystick.contracts.text import NULL, OK, Scan
from tallystick.contracts.times import BAD, FIRST, LAST
from tallystick.contracts.zones import micros

__all__ = ["from_counts", "from_text"]

Micros = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]


@lru_cache(maxsize=64)
def _start(epoch: str, zone: str) -> int:
    return micros(datetime.combine(date.fromisoformat(epoch), time(0), ZoneInfo(zone)))


def from_counts(
    counts: npt.NDArray[np.float64], valid: npt.NDArray[np.bool_], step: int, epoch: str, zone: str
) -> tuple[Micros, Codes]:
    """Turn counts of steps (`step` microseconds each) into UTC microseconds; states as in `times.parse`.

    Part of a step is rounded to the microsecond; NaN is missing.

    >>> from_counts(np.array([1.5]), np.array([True]), 3_600_000_000, "1970-01-01", "UTC")[0].tolist()
    [5400000000]
    """
    counts = np.where(valid, counts, np.nan)
    missing = np.isnan(counts)
    whole = np.floor(counts)
    far = ~(np.abs(whole) <= (LAST - FIRST) // step + 1)
    whole[far] = 0
    part = np.where(far, 0, counts - whole)  # exact; its product with a step errs below the microsecond
    moments = _start(epoch, zone) + whole.astype(np.int64) * step + np.rint(part * step).astype(np.int64)
    outside = far | (moments < FIRST) | (moments >= LAST)
    state = np.where(missing, NULL, np.where(outside, BAD, OK)).astype(np.int8)
    moments[state != OK] = 0
    return moments, state


def from_text(
    found: Scan, moments: Micros, state: Codes, step: int, epoch: str, zone: str
) -> tuple[Micros, Codes]:
    """Read what is a plain number (`12`, `-1`, `0.5`, `1e+05`) as a count, and leave the rest as parsed."""
    values, read = numbers(found)
    bare = read == OK
    _bare(found.data, found.spans, bare)
    counted, how = from_counts(values, bare, step, epoch, zone)
    return np.where(bare, counted, moments), np.where(bare, how, state).astype(np.int8)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _bare(data: Any, spans: Any, bare: Any) -> None:
    """Leave out numbers that are written as money is: a count has no commas and no currency sign."""
    for row in range(len(bare)):
        for i in range(spans[0, row], spans[1, row]):
            if data[i] == 44 or data[i] == 36 or data[i] > 127:
                bare[row] = False
