"""The buckets of a track: room for them, time passing over them, an event joining one.

Bodies of the window kernel; `h` is where the track's header begins in `heads`, `k` where its row lies in
`plan`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from tallystick.windows.layout import (
    A_COLUMN,
    A_CONDITION,
    A_KIND,
    A_WIDTH,
    A_WORD,
    BY_CURRENCY,
    BY_HASH,
    C_BITS,
    C_CURRENCY,
    C_TIME,
    CAPACITY,
    COUNT,
    COUNT_NUMBER,
    CURRENCY,
    END,
    FIRST_TIME,
    KNOWN_SUM,
    LAST_TIME,
    LEAD,
    LEAST,
    M_EARLY,
    M_TOP,
    MOST,
    NEVER,
    NO_SUBKEY,
    NO_VALUE,
    NUMBER_LEAST,
    NUMBER_MOST,
    NUMBER_SPREAD,
    NUMBER_SUM,
    REACH,
    SEGMENT,
    SQUARES,
    SUM,
    T_ACC,
    T_ACCS_END,
    T_ADDITIVE,
    T_BUCKET,
    T_CAP,
    T_COMMON,
    T_EXACT,
    T_FREE,
    T_GATE,
    T_HASH,
    T_PREFIX,
    T_SKETCH,
    T_SUBKEY,
    T_WINDOW,
    T_WINDOWS_END,
    W_AT,
    W_TILES,
    W_WIDTH,
    WINDOWS,
)
from tallystick.windows.sums import square

__all__ = ["advance", "grow", "insert", "turn_to"]

#: An index known to be 0 or more: without it each access first asks whether to count from the end.
U = np.uint64
Array = Any  # int64 (n,) or (n, m), as `layout` says


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def grow(heads: Array, pool: Array, meta: Array, plan: Array, k: int, h: int, start: int) -> None:
    """Double the track's ring; the pool has room for it."""
    old = heads[U(h + CAPACITY)]
    new = 2 * old if old else 2
    words = plan[U(k + T_BUCKET)]
    level = 0
    while (1 << level) < new:
        level += 1
    free = plan[U(k + T_FREE)] + level
    to = meta[free]
    if to >= 0:
        meta[free] = pool[U(to)]
    else:
        to = meta[M_TOP]
        meta[M_TOP] = to + new * words
    at = heads[U(h + SEGMENT)]
    for b in range(start, heads[U(h + END)]):
        source, target = at + (b & (old - 1)) * words, to + (b & (new - 1)) * words
        for w in range(words):
            pool[U(target + w)] = pool[U(source + w)]
    if old:
        pool[U(at)] = meta[free - 1]
        meta[free - 1] = at
    heads[U(h + SEGMENT)] = to
    heads[U(h + CAPACITY)] = new


@njit(nogil=True, cache=True, _nrt=False, inline="always")  # type: ignore[untyped-decorator]
def _count_in(
    heads: Array, pool: Array, plan: Array, k: int, h: int, bucket: int, totals: int, sign: int
) -> None:
    """Add a bucket to the totals of a window, or take it off again."""
    common, words = plan[U(k + T_COMMON)], plan[U(k + T_ADDITIVE)]
    body = bucket + plan[U(k + T_PREFIX)]
    if plan[U(k + T_SUBKEY)] == BY_CURRENCY and pool[U(bucket + 1)] != heads[U(h + CURRENCY)]:
        words = common
    for w in range(words):
        heads[U(totals + w)] += sign * pool[U(body + w)]


@njit(nogil=True, cache=True, _nrt=False, inline="always")  # type: ignore[untyped-decorator]
def advance(heads: Array, pool: Array, plan: Array, k: int, h: int, tile: int) -> None:
    """Let the entity's frontier reach a tile: what is old enough is seen, what is too old leaves."""
    heads[U(h + REACH)] = tile
    end = heads[U(h + END)]
    if heads[U(h + WINDOWS)] == end:
        return  # nothing is kept
    lead = heads[U(h + LEAD)]
    at, mask, words = heads[U(h + SEGMENT)], heads[U(h + CAPACITY)] - 1, plan[U(k + T_BUCKET)]
    first, last = plan[U(k + T_WINDOW)], plan[U(k + T_WINDOWS_END)]
    while lead < end and pool[U(at + (lead & mask) * words)] <= tile:
        for i in range(first, last, W_WIDTH):
            w = h + plan[U(i + W_AT)]
            _count_in(heads, pool, plan, k, h, at + (lead & mask) * words, w + 1, 1)
        lead += 1
    heads[U(h + LEAD)] = lead
    for i in range(first, last, W_WIDTH):
        w = h + plan[U(i + W_AT)]
        head = heads[U(w)]
        oldest = tile - plan[U(i + W_TILES)] + 1
        while head < lead:
            bucket = at + (head & mask) * words
            if pool[U(bucket)] >= oldest:
                break
            _count_in(heads, pool, plan, k, h, bucket, w + 1, -1)
            head += 1
        heads[U(w)] = head


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def turn_to(heads: Array, pool: Array, plan: Array, k: int, h: int, currency: int) -> None:
    """Make the totals of money those of another currency."""
    heads[U(h + CURRENCY)] = currency
    at, mask, words = heads[U(h + SEGMENT)], heads[U(h + CAPACITY)] - 1, plan[U(k + T_BUCKET)]
    common, additive, prefix = plan[U(k + T_COMMON)], plan[U(k + T_ADDITIVE)], plan[U(k + T_PREFIX)]
    for i in range(plan[U(k + T_WINDOW)], plan[U(k + T_WINDOWS_END)], W_WIDTH):
        w = h + plan[U(i + W_AT)]
        for x in range(common, additive):
            heads[U(w + 1 + x)] = 0
        for b in range(heads[U(w)], heads[U(h + LEAD)]):
            bucket = at + (b & mask) * words
            if pool[U(bucket + 1)] == currency:
                for x in range(common, additive):
                    heads[U(w + 1 + x)] += pool[U(bucket + prefix + x)]


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _drop_oldest(heads: Array, pool: Array, plan: Array, k: int, h: int, start: int) -> None:
    bucket = heads[U(h + SEGMENT)] + (start & (heads[U(h + CAPACITY)] - 1)) * plan[U(k + T_BUCKET)]
    for i in range(plan[U(k + T_WINDOW)], plan[U(k + T_WINDOWS_END)], W_WIDTH):
        w = h + plan[U(i + W_AT)]
        if heads[U(w)] == start:
            if start < heads[U(h + LEAD)]:
                _count_in(heads, pool, plan, k, h, bucket, w + 1, -1)
            heads[U(w)] += 1
    if heads[U(h + LEAD)] == start:
        heads[U(h + LEAD)] += 1


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _make_place(
    heads: Array, pool: Array, plan: Array, k: int, h: int, place: int, tile: int, subkey: int
) -> int:
    """Open a new bucket as number `place`; those from there on move up by one."""
    at, mask, words = heads[U(h + SEGMENT)], heads[U(h + CAPACITY)] - 1, plan[U(k + T_BUCKET)]
    end, lead, reach = heads[U(h + END)], heads[U(h + LEAD)], heads[U(h + REACH)]
    for b in range(end, place, -1):
        source, target = at + ((b - 1) & mask) * words, at + (b & mask) * words
        for w in range(words):
            pool[U(target + w)] = pool[U(source + w)]
    for i in range(plan[U(k + T_WINDOW)], plan[U(k + T_WINDOWS_END)], W_WIDTH):
        w = h + plan[U(i + W_AT)]
        if place < heads[U(w)] or (place == heads[U(w)] and tile < reach - plan[U(i + W_TILES)] + 1):
            heads[U(w)] += 1
    if place < lead or (place == lead and tile <= reach):
        heads[U(h + LEAD)] = lead + 1
    heads[U(h + END)] = end + 1
    bucket = at + (place & mask) * words
    pool[U(bucket)] = tile
    for w in range(1, words):
        pool[U(bucket + w)] = 0
    if plan[U(k + T_SUBKEY)] != NO_SUBKEY:
        pool[U(bucket + 1)] = subkey
    return int(bucket)


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _sample(
    pool: Array, at: int, mask: int, words: int, first: int, place: int, most: int, subkey: int
) -> bool:
    """Say whether a tile is full of distinct hashes; if so keep its smallest ones, marked as a sample."""
    if place - first < most:
        return False
    largest = at + (first & mask) * words
    for b in range(first, place):
        bucket = at + (b & mask) * words
        if pool[U(bucket + 1)] >> 1 > pool[U(largest + 1)] >> 1:
            largest = bucket
        pool[U(bucket + 1)] |= 1
    if subkey >> 1 < pool[U(largest + 1)] >> 1:
        pool[U(largest + 1)] = subkey | 1
    return True


@njit(nogil=True, cache=True, _nrt=False, inline="always")  # type: ignore[untyped-decorator]
def insert(
    cells: Array, numbers: Array, r: int, heads: Array, pool: Array, floats: Array, meta: Array,
    plan: Array, k: int, h: int, tile: int,
) -> None:  # fmt: skip
    """Let a row join its tile, if that is kept; the pool has room for it."""
    bits = cells[U(r + C_BITS)]
    if (bits & plan[U(k + T_GATE)]) == 0:
        return
    first, last = plan[U(k + T_WINDOW)], plan[U(k + T_WINDOWS_END)]
    if tile < heads[U(h + REACH)] - plan[U(first + W_TILES)] + 1:
        return
    start, end = heads[U(h + WINDOWS)], heads[U(h + END)]
    kind = plan[U(k + T_SUBKEY)]
    subkey = cells[U(r + C_CURRENCY)]
    if kind == BY_HASH:
        subkey = cells[U(r + plan[U(k + T_HASH)])]
        if subkey == NO_VALUE:
            return
    at, mask, words = heads[U(h + SEGMENT)], heads[U(h + CAPACITY)] - 1, plan[U(k + T_BUCKET)]
    place = end
    while place > start and pool[U(at + ((place - 1) & mask) * words)] > tile:
        place -= 1
    found = -1
    if plan[U(k + T_EXACT)]:
        if end - start == plan[U(k + T_CAP)]:
            meta[M_EARLY] += 1
            if place == start:
                return
            _drop_oldest(heads, pool, plan, k, h, start)
            start += 1
    else:
        b = place
        while b > start:
            bucket = at + ((b - 1) & mask) * words
            if pool[U(bucket)] != tile:
                break
            if kind == NO_SUBKEY or pool[U(bucket + 1)] == subkey or (
                kind == BY_HASH and pool[U(bucket + 1)] >> 1 == subkey >> 1
            ):  # fmt: skip
                found = b - 1
                break
            b -= 1
        if kind == BY_HASH and (
            found >= 0 or _sample(pool, at, mask, words, b, place, plan[U(k + T_SKETCH)], subkey)
        ):
            return
    if found < 0:
        if end - start == heads[U(h + CAPACITY)]:
            grow(heads, pool, meta, plan, k, h, start)
            at, mask = heads[U(h + SEGMENT)], heads[U(h + CAPACITY)] - 1
        found = place
        if place == end and tile >= heads[U(h + REACH)]:  # as most do: nothing moves, no window is passed by
            bucket = at + (place & mask) * words
            for w in range(2, words):
                pool[U(bucket + w)] = 0
            pool[U(bucket + 1)] = 0 if kind == NO_SUBKEY else subkey
            pool[U(bucket)] = tile
            heads[U(h + END)] = end + 1
            if place == heads[U(h + LEAD)] and tile == heads[U(h + REACH)]:
                heads[U(h + LEAD)] = place + 1
        else:
            bucket = _make_place(heads, pool, plan, k, h, place, tile, subkey)
        if words > plan[U(k + T_PREFIX)] + plan[U(k + T_ADDITIVE)]:
            _prepare(pool, floats, plan, k, bucket)
    bucket = at + (found & mask) * words
    seen = found < heads[U(h + LEAD)]
    money = seen and (kind != BY_CURRENCY or subkey == heads[U(h + CURRENCY)])
    body = bucket + plan[U(k + T_PREFIX)]
    common = plan[U(k + T_COMMON)]
    for a in range(plan[U(k + T_ACC)], plan[U(k + T_ACCS_END)], A_WIDTH):
        if (bits >> plan[U(a + A_CONDITION)]) & 1 == 0:
            continue
        what, word, column = plan[U(a + A_KIND)], plan[U(a + A_WORD)], plan[U(a + A_COLUMN)]
        if what <= SQUARES or what == KNOWN_SUM:
            x, y, z, n = 1, 0, 0, 1
            if what == COUNT_NUMBER:
                if numbers[U(r + column)] != numbers[U(r + column)]:
                    continue
            elif what != COUNT:
                value = cells[U(r + column)]
                if value == NO_VALUE:
                    continue
                if what == KNOWN_SUM:
                    y, z, n = value & 0xFFFFFFFF, value >> 32, 3
                elif what == SUM:
                    x, y, n = value & 0xFFFFFFFF, value >> 32, 2
                elif what == SQUARES:
                    x, y, z = square(value)
                    n = 3
            _add_words(pool, body + word, x, y, z, n)
            if money or (seen and word < common):
                for i in range(first, last, W_WIDTH):
                    w = h + plan[U(i + W_AT)]
                    if found >= heads[U(w)]:
                        _add_words(heads, w + 1 + word, x, y, z, n)
        elif what == FIRST_TIME:
            pool[U(body + word)] = min(pool[U(body + word)], cells[U(r + C_TIME)])
        elif what == LAST_TIME:
            pool[U(body + word)] = max(pool[U(body + word)], cells[U(r + C_TIME)])
        elif LEAST <= what <= MOST:
            value = cells[U(r + column)]
            if value != NO_VALUE:
                old = pool[U(body + word)]
                pool[U(body + word)] = min(old, value) if what == LEAST else max(old, value)
        else:
            _join_number(floats, body + word, what, numbers[U(r + column)])


@njit(nogil=True, cache=True, _nrt=False, inline="always")  # type: ignore[untyped-decorator]
def _add_words(array: Array, at: int, x: int, y: int, z: int, n: int) -> None:
    array[at] += x
    if n > 1:
        array[at + 1] += y
        if n > 2:
            array[at + 2] += z


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _prepare(pool: Array, floats: Array, plan: Array, k: int, bucket: int) -> None:
    """Set the words of a new bucket that do not begin at nought."""
    body = bucket + plan[U(k + T_PREFIX)]
    for a in range(plan[U(k + T_ACC)], plan[U(k + T_ACCS_END)], A_WIDTH):
        what, word = plan[U(a + A_KIND)], body + plan[U(a + A_WORD)]
        if what in (FIRST_TIME, LEAST):
            pool[U(word)] = 0x7FFFFFFFFFFFFFFF
        elif what in (LAST_TIME, MOST):
            pool[U(word)] = NEVER
        elif what == NUMBER_LEAST:
            floats[U(word)] = float("inf")
        elif what == NUMBER_MOST:
            floats[U(word)] = float("-inf")


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _join_number(floats: Array, at: int, what: int, value: float) -> None:
    """Let a number join a bucket's sum, spread (count, mean, squared distances), least or most."""
    if value != value:
        return
    if what == NUMBER_SUM:
        floats[U(at)] += value
    elif what == NUMBER_SPREAD:
        floats[U(at)] += 1.0
        away = value - floats[U(at + 1)]
        floats[U(at + 1)] += away / floats[U(at)]
        floats[U(at + 2)] += away * (value - floats[U(at + 1)])
    elif what == NUMBER_LEAST:
        floats[U(at)] = min(floats[U(at)], value)
    else:
        floats[U(at)] = max(floats[U(at)], value)
