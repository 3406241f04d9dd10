"""The buckets of a track: room for them, time passing over them, an event joining one.

Bodies of the window kernel; `h` is where the track's header begins in `heads`, `k` its row in `tracks`.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from tallystick.windows.layout import (
    A_COLUMN,
    A_CONDITION,
    A_KIND,
    A_WORD,
    BY_CURRENCY,
    BY_HASH,
    C_BITS,
    C_CURRENCY,
    C_TIME,
    CAPACITY,
    CLASSES,
    COUNT,
    COUNT_NUMBER,
    CURRENCY,
    END,
    FIRST_TIME,
    LAST_TIME,
    LEAD,
    LEAST,
    M_EARLY,
    M_FREE,
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
    T_GATE,
    T_HASH,
    T_PREFIX,
    T_SKETCH,
    T_SUBKEY,
    T_WINDOW,
    T_WINDOWS_END,
    W_AT,
    W_TILES,
    WINDOWS,
)
from tallystick.windows.sums import square

__all__ = ["advance", "insert", "turn_to"]

Array = Any  # int64 (n,) or (n, m), as `layout` says


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _grow(heads: Array, pool: Array, meta: Array, tracks: Array, k: int, h: int, start: int) -> bool:
    """Double the track's ring; False where the pool has no room for it."""
    old = heads[h + CAPACITY]
    new = 2 * old if old else 2
    words = tracks[k, T_BUCKET]
    level = 0
    while (1 << level) < new:
        level += 1
    free = M_FREE + k * CLASSES + level
    to = meta[free]
    if to >= 0:
        meta[free] = pool[to]
    else:
        to = meta[M_TOP]
        if to + new * words > len(pool):
            return False
        meta[M_TOP] = to + new * words
    at = heads[h + SEGMENT]
    for b in range(start, heads[h + END]):
        source, target = at + (b & (old - 1)) * words, to + (b & (new - 1)) * words
        for w in range(words):
            pool[target + w] = pool[source + w]
    if old:
        pool[at] = meta[free - 1]
        meta[free - 1] = at
    heads[h + SEGMENT] = to
    heads[h + CAPACITY] = new
    return True


@njit(nogil=True, cache=True, _nrt=False, inline="always")  # type: ignore[untyped-decorator]
def _count_in(
    heads: Array, pool: Array, tracks: Array, k: int, h: int, bucket: int, totals: int, sign: int
) -> None:
    """Add a bucket to the totals of a window, or take it off again."""
    common, words = tracks[k, T_COMMON], tracks[k, T_ADDITIVE]
    body = bucket + tracks[k, T_PREFIX]
    if tracks[k, T_SUBKEY] == BY_CURRENCY and pool[bucket + 1] != heads[h + CURRENCY]:
        words = common
    for w in range(words):
        heads[totals + w] += sign * pool[body + w]


@njit(nogil=True, cache=True, _nrt=False, inline="always")  # type: ignore[untyped-decorator]
def advance(heads: Array, pool: Array, tracks: Array, wins: Array, k: int, h: int, tile: int) -> None:
    """Let the entity's frontier reach a tile: what is old enough is seen, what is too old leaves."""
    heads[h + REACH] = tile
    end = heads[h + END]
    if heads[h + WINDOWS] == end:
        return  # nothing is kept
    lead = heads[h + LEAD]
    at, mask, words = heads[h + SEGMENT], heads[h + CAPACITY] - 1, tracks[k, T_BUCKET]
    first, last = tracks[k, T_WINDOW], tracks[k, T_WINDOWS_END]
    while lead < end and pool[at + (lead & mask) * words] <= tile:
        for i in range(first, last):
            w = h + wins[i, W_AT]
            _count_in(heads, pool, tracks, k, h, at + (lead & mask) * words, w + 1, 1)
        lead += 1
    heads[h + LEAD] = lead
    for i in range(first, last):
        w = h + wins[i, W_AT]
        head = heads[w]
        oldest = tile - wins[i, W_TILES] + 1
        while head < lead:
            bucket = at + (head & mask) * words
            if pool[bucket] >= oldest:
                break
            _count_in(heads, pool, tracks, k, h, bucket, w + 1, -1)
            head += 1
        heads[w] = head


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def turn_to(heads: Array, pool: Array, tracks: Array, wins: Array, k: int, h: int, currency: int) -> None:
    """Make the totals of money those of another currency."""
    heads[h + CURRENCY] = currency
    at, mask, words = heads[h + SEGMENT], heads[h + CAPACITY] - 1, tracks[k, T_BUCKET]
    common, additive, prefix = tracks[k, T_COMMON], tracks[k, T_ADDITIVE], tracks[k, T_PREFIX]
    for i in range(tracks[k, T_WINDOW], tracks[k, T_WINDOWS_END]):
        w = h + wins[i, W_AT]
        for x in range(common, additive):
            heads[w + 1 + x] = 0
        for b in range(heads[w], heads[h + LEAD]):
            bucket = at + (b & mask) * words
            if pool[bucket + 1] == currency:
                for x in range(common, additive):
                    heads[w + 1 + x] += pool[bucket + prefix + x]


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _drop_oldest(heads: Array, pool: Array, tracks: Array, wins: Array, k: int, h: int, start: int) -> None:
    bucket = heads[h + SEGMENT] + (start & (heads[h + CAPACITY] - 1)) * tracks[k, T_BUCKET]
    for i in range(tracks[k, T_WINDOW], tracks[k, T_WINDOWS_END]):
        w = h + wins[i, W_AT]
        if heads[w] == start:
            if start < heads[h + LEAD]:
                _count_in(heads, pool, tracks, k, h, bucket, w + 1, -1)
            heads[w] += 1
    if heads[h + LEAD] == start:
        heads[h + LEAD] += 1


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _make_place(
    heads: Array, pool: Array, tracks: Array, wins: Array, k: int, h: int, place: int, tile: int, subkey: int
) -> int:
    """Open a new bucket as number `place`; those from there on move up by one."""
    at, mask, words = heads[h + SEGMENT], heads[h + CAPACITY] - 1, tracks[k, T_BUCKET]
    end, lead, reach = heads[h + END], heads[h + LEAD], heads[h + REACH]
    for b in range(end, place, -1):
        source, target = at + ((b - 1) & mask) * words, at + (b & mask) * words
        for w in range(words):
            pool[target + w] = pool[source + w]
    for i in range(tracks[k, T_WINDOW], tracks[k, T_WINDOWS_END]):
        w = h + wins[i, W_AT]
        if place < heads[w] or (place == heads[w] and tile < reach - wins[i, W_TILES] + 1):
            heads[w] += 1
    if place < lead or (place == lead and tile <= reach):
        heads[h + LEAD] = lead + 1
    heads[h + END] = end + 1
    bucket = at + (place & mask) * words
    pool[bucket] = tile
    for w in range(1, words):
        pool[bucket + w] = 0
    if tracks[k, T_SUBKEY] != NO_SUBKEY:
        pool[bucket + 1] = subkey
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
        if pool[bucket + 1] >> 1 > pool[largest + 1] >> 1:
            largest = bucket
        pool[bucket + 1] |= 1
    if subkey >> 1 < pool[largest + 1] >> 1:
        pool[largest + 1] = subkey | 1
    return True


@njit(nogil=True, cache=True, _nrt=False, inline="always")  # type: ignore[untyped-decorator]
def insert(
    cells: Array, numbers: Array, r: int, heads: Array, pool: Array, floats: Array, meta: Array,
    tracks: Array, wins: Array, accs: Array, k: int, h: int, tile: int,
) -> bool:  # fmt: skip
    """Let a row join its tile, if that is kept; False, with nothing changed, where the pool has no room."""
    bits = cells[r, C_BITS]
    if (bits & tracks[k, T_GATE]) == 0:
        return True
    first, last = tracks[k, T_WINDOW], tracks[k, T_WINDOWS_END]
    if tile < heads[h + REACH] - wins[first, W_TILES] + 1:
        return True
    start, end = heads[h + WINDOWS], heads[h + END]
    kind = tracks[k, T_SUBKEY]
    subkey = cells[r, C_CURRENCY]
    if kind == BY_HASH:
        subkey = cells[r, tracks[k, T_HASH]]
        if subkey == NO_VALUE:
            return True
    at, mask, words = heads[h + SEGMENT], heads[h + CAPACITY] - 1, tracks[k, T_BUCKET]
    place = end
    while place > start and pool[at + ((place - 1) & mask) * words] > tile:
        place -= 1
    found = -1
    if tracks[k, T_EXACT]:
        if end - start == tracks[k, T_CAP]:
            meta[M_EARLY] += 1
            if place == start:
                return True
            _drop_oldest(heads, pool, tracks, wins, k, h, start)
            start += 1
    else:
        b = place
        while b > start:
            bucket = at + ((b - 1) & mask) * words
            if pool[bucket] != tile:
                break
            if kind == NO_SUBKEY or pool[bucket + 1] == subkey or (
                kind == BY_HASH and pool[bucket + 1] >> 1 == subkey >> 1
            ):  # fmt: skip
                found = b - 1
                break
            b -= 1
        if kind == BY_HASH and (
            found >= 0 or _sample(pool, at, mask, words, b, place, tracks[k, T_SKETCH], subkey)
        ):
            return True
    if found < 0:
        if end - start == heads[h + CAPACITY]:
            if not _grow(heads, pool, meta, tracks, k, h, start):
                return False
            at, mask = heads[h + SEGMENT], heads[h + CAPACITY] - 1
        found = place
        bucket = _make_place(heads, pool, tracks, wins, k, h, place, tile, subkey)
        _prepare(pool, floats, tracks, accs, k, bucket)
    bucket = at + (found & mask) * words
    seen = found < heads[h + LEAD]
    money = seen and (kind != BY_CURRENCY or subkey == heads[h + CURRENCY])
    body = bucket + tracks[k, T_PREFIX]
    common = tracks[k, T_COMMON]
    for a in range(tracks[k, T_ACC], tracks[k, T_ACCS_END]):
        if (bits >> accs[a, A_CONDITION]) & 1 == 0:
            continue
        what, word, column = accs[a, A_KIND], accs[a, A_WORD], accs[a, A_COLUMN]
        if what <= SQUARES:
            x, y, z, n = 1, 0, 0, 1
            if what == COUNT_NUMBER:
                if numbers[r, column] != numbers[r, column]:
                    continue
            elif what != COUNT:
                value = cells[r, column]
                if value == NO_VALUE:
                    continue
                if what == SUM:
                    x, y, n = value & 0xFFFFFFFF, value >> 32, 2
                elif what == SQUARES:
                    x, y, z = square(value)
                    n = 3
            _add_words(pool, body + word, x, y, z, n)
            if money or (seen and word < common):
                for i in range(first, last):
                    w = h + wins[i, W_AT]
                    if found >= heads[w]:
                        _add_words(heads, w + 1 + word, x, y, z, n)
        elif what == FIRST_TIME:
            pool[body + word] = min(pool[body + word], cells[r, C_TIME])
        elif what == LAST_TIME:
            pool[body + word] = max(pool[body + word], cells[r, C_TIME])
        elif LEAST <= what <= MOST:
            value = cells[r, column]
            if value != NO_VALUE:
                old = pool[body + word]
                pool[body + word] = min(old, value) if what == LEAST else max(old, value)
        else:
            _join_number(floats, body + word, what, numbers[r, column])
    return True


@njit(nogil=True, cache=True, _nrt=False, inline="always")  # type: ignore[untyped-decorator]
def _add_words(array: Array, at: int, x: int, y: int, z: int, n: int) -> None:
    array[at] += x
    if n > 1:
        array[at + 1] += y
        if n > 2:
            array[at + 2] += z


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _prepare(pool: Array, floats: Array, tracks: Array, accs: Array, k: int, bucket: int) -> None:
    """Set the words of a new bucket that do not begin at nought."""
    body = bucket + tracks[k, T_PREFIX]
    for a in range(tracks[k, T_ACC], tracks[k, T_ACCS_END]):
        what, word = accs[a, A_KIND], body + accs[a, A_WORD]
        if what in (FIRST_TIME, LEAST):
            pool[word] = 0x7FFFFFFFFFFFFFFF
        elif what in (LAST_TIME, MOST):
            pool[word] = NEVER
        elif what == NUMBER_LEAST:
            floats[word] = float("inf")
        elif what == NUMBER_MOST:
            floats[word] = float("-inf")


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _join_number(floats: Array, at: int, what: int, value: float) -> None:
    """Let a number join a bucket's sum, spread (count, mean, squared distances), least or most."""
    if value != value:
        return
    if what == NUMBER_SUM:
        floats[at] += value
    elif what == NUMBER_SPREAD:
        floats[at] += 1.0
        away = value - floats[at + 1]
        floats[at + 1] += away / floats[at]
        floats[at + 2] += away * (value - floats[at + 1])
    elif what == NUMBER_LEAST:
        floats[at] = min(floats[at], value)
    else:
        floats[at] = max(floats[at], value)
