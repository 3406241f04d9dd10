"""What a window says: one value for each output, from its totals and from the buckets in it.

Bodies of the window kernel. `t` is where the window's totals lie in `heads`; its buckets are numbers [low,
high). Money comes in major units, times in seconds; NaN where nothing can be said.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from tallystick.windows.layout import (
    BY_CURRENCY,
    C_CURRENCY,
    C_TIME,
    CAPACITY,
    O_COLUMN,
    O_COUNT,
    O_COUNT_OF,
    O_DISTINCT,
    O_FEATURE,
    O_KIND,
    O_LEAST,
    O_MEAN,
    O_MOST,
    O_NUMBER_LEAST,
    O_NUMBER_MEAN,
    O_NUMBER_MOST,
    O_NUMBER_RATIO,
    O_NUMBER_RATIO_TRIMMED,
    O_NUMBER_STD,
    O_NUMBER_SUM,
    O_NUMBER_TRIMMED,
    O_OTHER,
    O_PARAMETER,
    O_RATIO,
    O_RATIO_TRIMMED,
    O_SHARE,
    O_SINCE_FIRST,
    O_SINCE_LAST,
    O_SINCE_RUN,
    O_STD,
    O_SUM,
    O_TRIMMED,
    O_WIDTH,
    O_WORD,
    SEGMENT,
    T_BUCKET,
    T_EXACT,
    T_PREFIX,
    T_SUBKEY,
    W_OUT,
    W_OUTS_END,
)
from tallystick.windows.sums import nearest, spread

__all__ = ["read"]

#: An index known to be 0 or more: without it each access first asks whether to count from the end.
U = np.uint64
Array = Any  # as `layout` says

_HASHES = float(1 << 62)


@njit(nogil=True, cache=True, _nrt=False, inline="always")  # type: ignore[untyped-decorator]
def read(
    cells: Array, numbers: Array, r: int, heads: Array, pool: Array, floats: Array, plan: Array, k: int,
    h: int, win: int, t: int, low: int, high: int, scale: float, scratch: Array, values: Array,
    features: Array, q: int,
) -> None:  # fmt: skip
    """Write what one window says to a row's features."""
    nan = math.nan
    for o in range(plan[U(win + W_OUT)], plan[U(win + W_OUTS_END)], O_WIDTH):
        kind, column = plan[U(o + O_KIND)], plan[U(o + O_COLUMN)]
        count, word = heads[U(t + plan[U(o + O_COUNT)])], t + plan[U(o + O_WORD)]
        value = nan
        if kind == O_COUNT_OF:
            value = float(count)
        elif kind == O_SUM:
            value = nearest(heads[U(word)], heads[U(word + 1)]) / scale
        elif kind == O_MEAN:
            if count > 0:
                value = nearest(heads[U(word)], heads[U(word + 1)]) / (float(count) * scale)
        elif kind == O_SHARE:
            if heads[U(word)] > 0:
                value = float(count) / float(heads[U(word)])
        elif kind == O_RATIO:
            if count > 0 and cells[U(r + column)] != -0x8000000000000000:
                mean = nearest(heads[U(word)], heads[U(word + 1)]) / (float(count) * scale)
                if mean != 0.0:
                    value = float(cells[U(r + column)]) / scale / mean
        elif kind == O_STD:
            if count > 1:
                other = t + plan[U(o + O_OTHER)]
                value = spread(
                    count, heads[U(word)], heads[U(word + 1)], heads[U(other)], heads[U(other + 1)],
                    heads[U(other + 2)],
                    scratch,
                )  # fmt: skip
                value = math.sqrt(value) / scale
        else:
            value = _scan(
                cells,
                numbers,
                r,
                heads,
                pool,
                floats,
                plan,
                o,
                k,
                h,
                low,
                high,
                scale,
                scratch,
                values,
            )
        features[U(q + plan[U(o + O_FEATURE)])] = value


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _scan(
    cells: Array, numbers: Array, r: int, heads: Array, pool: Array, floats: Array, plan: Array,
    o: int, k: int, h: int, low: int, high: int, scale: float, scratch: Array, values: Array,
) -> Any:  # fmt: skip
    """Return a value that is found by looking at the buckets one by one."""
    at, mask, words = heads[U(h + SEGMENT)], heads[U(h + CAPACITY)] - 1, plan[U(k + T_BUCKET)]
    body = at + plan[U(k + T_PREFIX)]
    kind, column, parameter = plan[U(o + O_KIND)], plan[U(o + O_COLUMN)], plan[U(o + O_PARAMETER)]
    count, word = body + plan[U(o + O_COUNT)], body + plan[U(o + O_WORD)]
    money = plan[U(k + T_SUBKEY)] == BY_CURRENCY
    currency = cells[U(r + C_CURRENCY)]
    result = math.nan
    if kind == O_DISTINCT:
        return _distinct(pool, at, mask, words, low, high, scratch)
    if kind in (O_SINCE_LAST, O_SINCE_FIRST, O_SINCE_RUN):
        # first and last time of a bucket: in `exact` both are its tile
        first = body + plan[U(o + O_WORD)] if plan[U(k + T_EXACT)] == 0 else at
        last = body + plan[U(o + O_OTHER)] if plan[U(k + T_EXACT)] == 0 else at
        return _since(
            pool, at, mask, words, low, high, kind, count, first, last, parameter, cells[U(r + C_TIME)]
        )
    if kind in (O_LEAST, O_MOST):
        found, best = False, 0
        for b in range(low, high):
            place = (b & mask) * words
            if pool[U(count + place)] > 0 and (not money or pool[U(at + place + 1)] == currency):
                x = pool[U(word + place)]
                if not found or (x < best if kind == O_LEAST else x > best):
                    found, best = True, x
        return float(best) / scale if found else result
    if kind in (O_TRIMMED, O_RATIO_TRIMMED):
        subkey = currency if money else -1
        result = _trimmed(pool, at, mask, words, low, high, count, word, subkey, parameter, scale, scratch)
        if kind == O_TRIMMED:
            return result
        if result == 0.0 or cells[U(r + column)] == -0x8000000000000000:
            return math.nan
        return float(cells[U(r + column)]) / scale / result
    if kind in (O_NUMBER_TRIMMED, O_NUMBER_RATIO_TRIMMED):
        n = 0
        for b in range(low, high):
            place = (b & mask) * words
            if pool[U(count + place)] > 0:
                values[n] = floats[U(word + place)]
                n += 1
        if n == 0:
            return result
        _sort(values, n)
        cut = n * parameter // 1_000_000
        total = 0.0
        for i in range(cut, n - cut):
            total += values[i]
        result = total / float(n - 2 * cut)
        if kind == O_NUMBER_TRIMMED:
            return result
        return numbers[U(r + column)] / result if result != 0.0 else math.nan
    return _numbers(
        pool,
        floats,
        mask,
        words,
        low,
        high,
        kind,
        count,
        word,
        body + plan[U(o + O_OTHER)],
        numbers[U(r + column)],
    )


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _trimmed(
    pool: Array, at: int, mask: int, words: int, low: int, high: int, count: int, word: int, currency: int,
    share: int, scale: float, scratch: Array,
) -> float:  # fmt: skip
    """Return the mean of amounts without a share (in millionths) at either end; currency -1: of all buckets.

    It is what is left when the ends are taken off the sum. What counts as an end was much the same for the
    row before: values up to that limit are gathered on the way, and mostly only they need a closer look.
    """
    size = len(scratch) // 8
    ends = 4 * size - 2  # where the limits of the last row lie; wrong ones, of another entity, cost time only
    below, above = scratch[ends], scratch[ends + 1]
    n, a, b, lo, hi = 0, size, 2 * size, 0, 0
    for i in range(low, high):
        place = (i & mask) * words
        if pool[U(count + place)] > 0 and (currency < 0 or pool[U(at + place + 1)] == currency):
            x = pool[U(word + place)]
            scratch[U(n)], scratch[U(a)], scratch[U(b)] = x, x, x
            n, a, b = n + 1, a + (x <= below), b + (x >= above)
            lo, hi = lo + (x & 0xFFFFFFFF), hi + (x >> 32)
    if n == 0:
        return math.nan
    cut = n * share // 1_000_000
    if cut > 0:
        few, most = min(cut + cut // 4 + 2, n - 1), 4 * cut + 8
        if not cut <= a - size <= most or not cut <= b - 2 * size <= most:
            _part_off(scratch, 0, n - 1, few)
            scratch[ends] = scratch[few]
            for i in range(few + 1):
                scratch[size + i] = scratch[i]
            _part_off(scratch, 0, n - 1, n - 1 - few)
            scratch[ends + 1] = scratch[n - 1 - few]
            for i in range(few + 1):
                scratch[2 * size + i] = scratch[n - 1 - few + i]
            a, b = size + few + 1, 2 * size + few + 1
        _part_off(scratch, size, a - 1, size + cut - 1)
        _part_off(scratch, 2 * size, b - 1, b - cut)
        for i in range(cut):
            x, y = scratch[size + i], scratch[b - 1 - i]
            lo -= (x & 0xFFFFFFFF) + (y & 0xFFFFFFFF)
            hi -= (x >> 32) + (y >> 32)
    return float(nearest(lo, hi) / (float(n - 2 * cut) * scale))


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _numbers(
    pool: Array, floats: Array, mask: int, words: int, low: int, high: int, kind: int, count: int, word: int,
    other: int, current: float,
) -> float:  # fmt: skip
    """Fold numbers in the order of their tiles."""
    n, total, mean, away, best = 0, 0.0, 0.0, 0.0, math.nan
    for b in range(low, high):
        place = (b & mask) * words
        here = pool[U(count + place)]
        if here == 0:
            continue
        if kind == O_NUMBER_STD:
            step = floats[U(other + place + 1)] - mean
            both = float(n + here)
            mean += step * float(here) / both
            away += floats[U(other + place + 2)] + step * step * float(n) * float(here) / both
        elif kind in (O_NUMBER_LEAST, O_NUMBER_MOST):
            x = floats[U(word + place)]
            if n == 0 or (x < best if kind == O_NUMBER_LEAST else x > best):
                best = x
        else:
            total += floats[U(word + place)]
        n += here
    if kind == O_NUMBER_SUM:
        return total
    if kind == O_NUMBER_STD:
        return math.sqrt(away / float(n - 1)) if n > 1 else math.nan
    if kind in (O_NUMBER_MEAN, O_NUMBER_RATIO):
        if n == 0:
            return math.nan
        mean = total / float(n)
        if kind == O_NUMBER_MEAN:
            return mean
        return current / mean if mean != 0.0 else math.nan
    return best


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _since(
    pool: Array, at: int, mask: int, words: int, low: int, high: int, kind: int, count: int, first: int,
    last: int, gap: int, time: int,
) -> float:  # fmt: skip
    """Return seconds since the last, the first, or the first of the last run (gaps of at most `gap`)."""
    step, b = (1, low) if kind == O_SINCE_FIRST else (-1, high - 1)
    found = False
    moment = time
    while low <= b < high:
        if pool[U(count + (b & mask) * words)] == 0:
            b += step
            continue
        # all buckets of this tile: there is one for each currency
        tile = pool[U(at + (b & mask) * words)]
        least, most = pool[U(first + (b & mask) * words)], pool[U(last + (b & mask) * words)]
        b += step
        while low <= b < high and pool[U(at + (b & mask) * words)] == tile:
            place = (b & mask) * words
            if pool[U(count + place)] > 0:
                least, most = min(least, pool[U(first + place)]), max(most, pool[U(last + place)])
            b += step
        if kind == O_SINCE_FIRST:
            return float(max(time - least, 0)) / 1e6
        if kind == O_SINCE_LAST:
            return float(max(time - most, 0)) / 1e6
        if found and moment - most > gap:
            break
        found = True
        moment = least
    return float(max(time - moment, 0)) / 1e6 if found else math.nan


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _distinct(pool: Array, at: int, mask: int, words: int, low: int, high: int, scratch: Array) -> float:
    """Count hashes; where a tile kept only a sample, estimate from those below its largest.

    Source: Bar-Yossef et al., Counting distinct elements in a data stream (2002), as joined in theta
    sketches.
    """
    if high - low < 2 and low == high:
        return 0.0
    below = 0x7FFFFFFFFFFFFFFF
    tile, largest, sampled = 0, 0, False
    for b in range(low, high):
        place = at + (b & mask) * words
        if b == low or pool[U(place)] != tile:
            if sampled:
                below = min(below, largest)
            tile, largest, sampled = pool[U(place)], 0, False
        largest = max(largest, pool[U(place + 1)] >> 1)
        sampled = sampled or pool[U(place + 1)] & 1 == 1
    if sampled:
        below = min(below, largest)
    size = 4
    while size < 2 * (high - low):
        size *= 2
    for i in range(size):
        scratch[i] = -1
    found = 0
    for b in range(low, high):
        value = pool[U(at + (b & mask) * words + 1)] >> 1
        if value >= below:
            continue
        i = value & (size - 1)
        while scratch[i] >= 0 and scratch[i] != value:
            i = (i + 1) & (size - 1)
        if scratch[i] < 0:
            scratch[i] = value
            found += 1
    if below == 0x7FFFFFFFFFFFFFFF:
        return float(found)
    return math.floor(float(found) / (float(below) / _HASHES) + 0.5)


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _part_off(values: Array, low: int, high: int, place: int) -> None:
    """Put at `place` what sorting low … high would put there, nothing larger before it (Hoare 1961, FIND)."""
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if place <= j:
            high = j
        elif place >= i:
            low = i
        else:
            return


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _sort(values: Array, n: int) -> None:
    """Sort the first n values (Shell's way; gaps of Ciura, 2001, carried on by 2.25)."""
    for gap in (35_927, 15_967, 7_096, 3_154, 1_402, 623, 301, 132, 57, 23, 10, 4, 1):
        for i in range(gap, n):
            value = values[i]
            j = i
            while j >= gap and values[j - gap] > value:
                values[j] = values[j - gap]
                j -= gap
            values[j] = value
