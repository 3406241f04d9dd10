"""Times as people and programs write them, read straight from Arrow's buffers.

Read: ISO 8601 dates and date-times (`2024-01-31`, `2024-01-31T10:30:00.123456+01:00`, `20240131`,
`20240131T103000Z`), `01/31/2024` in the order that the setting `date_order` names, `31.01.2024` (day first,
always), `31 Jan 2024`, `31-Jan-2024`, `Jan 31, 2024`; each with a clock time if there is one (`10:30`,
`10:30:00.5`, `9:05 PM`) and a zone (`Z`, `UTC`, `+0100`). A year of two digits is 1969 … 2068, as in POSIX.
Digits beyond microseconds are dropped. What names no zone is local to the setting `zone`.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from tallystick.contracts.text import NULL, OK, Scan, valid_rows, view
from tallystick.contracts.zones import local_to_utc

__all__ = ["BAD", "from_typed", "parse"]

Micros = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]

DAY: Final = 86_400_000_000
#: 1900-01-01 and 2263-01-01 in UTC: what lies outside was never a record's time.
FIRST: Final = -25_567 * DAY
LAST: Final = 107_016 * DAY

#: The state of a value that is no time, beside OK and NULL of the text scan.
BAD: Final = 9

_NAMES: Final = np.array(
    [
        list(f"{name:<9}".encode())
        for name in (
            *("january", "february", "march", "april", "may", "june"),
            *("july", "august", "september", "october", "november", "december"),
        )
    ],
    np.uint8,
)


def parse(found: Scan, date_order: str, zone: str) -> tuple[Micros, Codes]:
    """Read every value; return UTC microseconds, and a state for each: OK, NULL (blank too) or BAD.

    >>> from tallystick.contracts.text import scan
    >>> parse(scan(pa.array(["1970-01-02", "soon", ""]), 64), "month-first", "UTC")[0].tolist()
    [86400000000, 0, 0]
    """
    n = len(found.state)
    moments = np.zeros(n, np.int64)
    naive = np.zeros(n, np.bool_)
    state = np.empty(n, np.int8)
    _parse(found.data, found.spans, date_order == "day-first", moments, naive, state)
    return _placed(moments, naive, state, zone)


def from_typed(array: pa.Array, zone: str) -> tuple[Micros, Codes]:
    """Take dates and timestamps of any unit as UTC microseconds, with states as in `parse`.

    A date is its midnight, and what names no zone is local to `zone`. Finer units are cut to whole
    microseconds, towards the past.
    """
    valid = valid_rows(array)
    days = pa.types.is_date32(array.type)
    values: Micros = view(array, np.int32 if days else np.int64).astype(np.int64)
    values[~valid] = 0
    unit = "d" if days else "ms" if pa.types.is_date64(array.type) else array.type.unit
    factor = {"d": DAY, "s": 1_000_000, "ms": 1_000, "us": 1, "ns": 1}[unit]
    # What cannot be a time at all must not overflow into one that can.
    far = (values > (LAST + DAY) // factor) | (values < (FIRST - DAY) // factor) if unit != "ns" else ~valid
    moments = values // 1_000 if unit == "ns" else np.where(far, 0, values) * factor
    state = np.where(valid, np.where(far, BAD, OK), NULL).astype(np.int8)
    aware = pa.types.is_timestamp(array.type) and array.type.tz is not None
    return _placed(moments, np.full(len(values), not aware), state, zone)


def _placed(moments: Micros, naive: npt.NDArray[np.bool_], state: Codes, zone: str) -> tuple[Micros, Codes]:
    """Turn what is naive into UTC, and refuse what lies outside the years that records have."""
    if zone != "UTC" and naive.any():
        moments[naive] = local_to_utc(moments[naive], zone)
    outside = (moments < FIRST) | (moments >= LAST)
    if outside.any():
        state[outside & (state == OK)] = BAD
        moments[state != OK] = 0
    return moments, state


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _parse(data: Any, spans: Any, day_first: Any, moments: Any, naive: Any, state: Any) -> None:
    for i in range(len(state)):
        start, end, given = spans[0, i], spans[1, i], spans[2, i]
        if given != OK:
            state[i] = NULL if given <= 2 else BAD
            continue
        at, days = _date(data, start, end, day_first)
        if at >= 0:
            at, clock, local = _clock(data, at, end)
        if at < 0:
            state[i] = BAD
        else:
            state[i] = OK
            moments[i] = days * DAY + clock
            naive[i] = local


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _digits(data: Any, i: Any, end: Any) -> Any:
    """Read digits from i: their value and where they end (the value is cut at nine digits)."""
    value = 0
    first = i
    while i < end and 48 <= data[i] <= 57:
        if i - first < 9:
            value = value * 10 + (data[i] - 48)
        i += 1
    return value, i


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _at(data: Any, i: Any, end: Any) -> Any:
    """Return the byte at i in lower case, 0 at the end."""
    if i >= end:
        return 0
    return data[i] + 32 if 65 <= data[i] <= 90 else data[i]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _month(data: Any, i: Any, end: Any) -> Any:
    """Read an English month, short or in full, with a dot or without: its number and its end, or -1."""
    for month in range(12):
        k = 0
        while k < 9 and _NAMES[month, k] != 32 and _at(data, i + k, end) == _NAMES[month, k]:
            k += 1
        if 97 <= _at(data, i + k, end) <= 122:
            continue
        if k == 3 or (k == 4 and month == 8) or (k > 3 and (k == 9 or _NAMES[month, k] == 32)):
            i += k
            return month + 1, i + 1 if _at(data, i, end) == 46 else i
    return 0, -1


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _skip(data: Any, i: Any, end: Any) -> Any:
    while i < end and data[i] == 32:
        i += 1
    return i


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _date(data: Any, i: Any, end: Any, day_first: Any) -> Any:
    """Read a date: where it ends, or -1, and its days since 1970."""
    first, j = _digits(data, i, end)
    width = j - i
    mark = _at(data, j, end)
    short = False  # may the year have two digits
    if width == 0:  # Jan 31, 2024
        month, j = _month(data, i, end)
        if j < 0:
            return -1, 0
        i = _skip(data, j, end)
        day, j = _digits(data, i, end)
        if i == j or j - i > 2:
            return -1, 0
        if _at(data, j, end) == 44:
            j += 1
        i = _skip(data, j, end)
        year, j = _digits(data, i, end)
        width = j - i
    elif width == 8:  # 20240131
        year, month, day, width = first // 10_000, first // 100 % 100, first % 100, 4
    elif width == 4 and (mark == 45 or mark == 47 or mark == 46):  # 2024-01-31
        year = first
        i = j + 1
        month, j = _digits(data, i, end)
        if i == j or j - i > 2 or _at(data, j, end) != mark:
            return -1, 0
        i = j + 1
        day, j = _digits(data, i, end)
        if i == j or j - i > 2:
            return -1, 0
    elif width <= 2 and (mark == 45 or mark == 47 or mark == 46) and 48 <= _at(data, j + 1, end) <= 57:
        i = j + 1
        second, j = _digits(data, i, end)
        if j - i > 2 or _at(data, j, end) != mark:
            return -1, 0
        day, month = (first, second) if day_first or mark == 46 else (second, first)
        i = j + 1
        year, j = _digits(data, i, end)
        width, short = j - i, mark != 45
    elif width <= 2 and (mark == 45 or mark == 32):  # 31 Jan 2024
        day = first
        month, j = _month(data, j + 1 if mark == 45 else _skip(data, j, end), end)
        if j < 0 or (mark == 45 and _at(data, j, end) != 45):
            return -1, 0
        i = j + 1 if mark == 45 else _skip(data, j, end)
        year, j = _digits(data, i, end)
        width, short = j - i, mark == 45
    else:
        return -1, 0
    if short and width == 2:
        year += 1900 if year >= 69 else 2000
    elif width != 4:
        return -1, 0
    if month < 1 or month > 12 or day < 1:
        return -1, 0
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    length = (29 if leap else 28) if month == 2 else 30 if month in (4, 6, 9, 11) else 31
    if day > length:
        return -1, 0
    # Days of the civil calendar, the year begun in March (howardhinnant.github.io/date_algorithms.html).
    y = year - 1 if month <= 2 else year
    era = y // 400
    of_era = y - era * 400
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return j, era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _clock(data: Any, i: Any, end: Any) -> Any:
    """Read what follows a date: its end, or -1; microseconds since midnight, less the offset; if naive."""
    hour, minute, second, micro = 0, 0, 0, 0
    mark = _at(data, i, end)
    if mark == 0:
        return i, 0, True
    if mark == 116 or mark == 32 or mark == 44:
        strict = mark == 116
        i = _skip(data, i + 1, end)
        hour, j = _digits(data, i, end)
        width = j - i
        bare = False
        if strict and (width == 4 or width == 6):
            if width == 6:
                hour, second = hour // 100, hour % 100
            hour, minute = hour // 100, hour % 100
        elif width == 1 or width == 2:
            bare = not strict or width == 1  # an hour alone: T10, or 9 PM
            width = 2
            if _at(data, j, end) == 58:
                bare = False
                i = j + 1
                minute, j = _digits(data, i, end)
                if j - i != 2:
                    return -1, 0, True
                width = 4
                if _at(data, j, end) == 58:
                    i = j + 1
                    second, j = _digits(data, i, end)
                    if j - i != 2:
                        return -1, 0, True
                    width = 6
        else:
            return -1, 0, True
        if width == 6 and (_at(data, j, end) == 46 or _at(data, j, end) == 44):
            i = j + 1
            fraction, j = _digits(data, i, end)
            if i == j:
                return -1, 0, True
            digits = min(j - i, 9)
            micro = fraction // 10 ** (digits - 6) if digits > 6 else fraction * 10 ** (6 - digits)
        i = _skip(data, j, end)
        half = _at(data, i, end)
        if (half == 97 or half == 112) and _at(data, i + 1, end) == 109:
            if hour < 1 or hour > 12:
                return -1, 0, True
            hour = hour % 12 + (12 if half == 112 else 0)
            i = _skip(data, i + 2, end)
        elif bare:
            return -1, 0, True
        if hour > 23 or minute > 59 or second > 59:
            return -1, 0, True
    clock = ((hour * 60 + minute) * 60 + second) * 1_000_000 + micro
    i, offset, local = _offset(data, i, end)
    return i if i == end else -1, clock - offset * 1_000_000, local


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _offset(data: Any, i: Any, end: Any) -> Any:
    """Read a zone: where it ends, or -1, its seconds east of UTC, and whether there is none."""
    if i == end:
        return i, 0, True
    mark = _at(data, i, end)
    if mark == 122:
        return i + 1, 0, False
    if mark == 117 and _at(data, i + 1, end) == 116 and _at(data, i + 2, end) == 99:
        return i + 3, 0, False
    if mark == 103 and _at(data, i + 1, end) == 109 and _at(data, i + 2, end) == 116:
        return i + 3, 0, False
    if mark != 43 and mark != 45:
        return -1, 0, False
    hours, j = _digits(data, i + 1, end)
    minutes, seconds = 0, 0
    width = j - i - 1
    if width == 4:
        hours, minutes = hours // 100, hours % 100
    elif width != 2:
        return -1, 0, False
    elif _at(data, j, end) == 58:
        minutes, k = _digits(data, j + 1, end)
        if k - j != 3:
            return -1, 0, False
        j = k
        if _at(data, j, end) == 58:
            seconds, k = _digits(data, j + 1, end)
            if k - j != 3:
                return -1, 0, False
            j = k
    if hours > 23 or minutes > 59 or seconds > 59:
        return -1, 0, False
    offset = (hours * 60 + minutes) * 60 + seconds
    return j, -offset if mark == 45 else offset, False
