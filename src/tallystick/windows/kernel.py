"""The window kernel: rows in applied order, entity by entity, in one call."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from tallystick.windows.layout import (
    C_BITS,
    C_CURRENCY,
    C_TIME,
    CAPACITY,
    E_FEATURE,
    E_FEATURES_END,
    E_FIRST_SEEN,
    E_HORIZON,
    E_SINGLE,
    E_TRACK,
    E_TRACKS_END,
    E_WORDS,
    END,
    FIRST,
    FRONTIER,
    M_TOP,
    NEVER,
    O_FEATURE,
    O_WIDTH,
    REACH,
    S_COUNTS,
    S_MONEY,
    SEGMENT,
    SEQUENCE,
    T_AT,
    T_BUCKET,
    T_EXACT,
    T_LABELS,
    T_LAG,
    T_SHAPE,
    T_TILE,
    T_TOLD,
    T_WIDTH,
    T_WINDOW,
    T_WINDOWS_END,
    W_AT,
    W_OUT,
    W_OUTS_END,
    W_WIDTH,
    WINDOWS,
)
from tallystick.windows.lines import ask
from tallystick.windows.plain import counts, money
from tallystick.windows.visit import visit

__all__ = ["apply", "group"]

#: An index known to be 0 or more: without it each access first asks whether to count from the end.
U = np.uint64
Array = Any  # as `layout` says
#: Words of one line of memory.
_LINE = 8


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def group(codes: Array, headers: Array, order: Array, places: Array) -> None:
    """Write the rows of each code together, each in the order that it had; rows without one (-1) last.

    headers: where each code's header lies, last that of none; places: the headers of the rows as written.
    """
    kinds = len(headers) - 1
    starts = np.zeros(kinds + 2, np.int64)
    for code in codes:
        starts[(code if code >= 0 else kinds) + 1] += 1
    for i in range(kinds + 1):
        starts[i + 1] += starts[i]
    for row in range(len(codes)):
        code = codes[row] if codes[row] >= 0 else kinds
        order[U(starts[code])] = row
        places[U(starts[code])] = headers[code]
        starts[code] += 1


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _nothing(plan: Array, entity: int, q: int, features: Array) -> None:
    first, last = _outs_of(plan, entity)
    for o in range(first, last, O_WIDTH):
        features[U(q + plan[U(o + O_FEATURE)])] = math.nan
    if plan[U(entity + E_FIRST_SEEN)] >= 0:
        features[U(q + plan[U(entity + E_FIRST_SEEN)])] = math.nan


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _outs_of(plan: Array, entity: int) -> tuple[int, int]:
    """Return where an entity's outputs begin and end."""
    begin, end = plan[U(entity + E_TRACK)], plan[U(entity + E_TRACKS_END)]
    if begin == end:
        return 0, 0
    last = plan[U(end - T_WIDTH + T_WINDOWS_END)] - W_WIDTH
    return plan[U(plan[U(begin + T_WINDOW)] + W_OUT)], plan[U(last + W_OUTS_END)]


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _fetch(
    places: Array, start: int, size: int, entity: int, heads: Array, pool: Array, meta: Array, plan: Array,
    scratch: Array,
) -> int:  # fmt: skip
    """Return how many rows of a block, all of an entity or none, the pool surely has room for.

    On its way it reads a word of each line of memory that the block is about to need: entities lie far apart,
    and met one by one each line would be waited for alone.
    """
    words, before, line = plan[U(entity + E_WORDS)], -1, 0
    for i in range(start, start + size):
        h = places[U(i)]
        if h >= 0 and h != before:
            for x in range(0, words, _LINE):
                line ^= heads[U(h + x)]
        before = h
    need, i = meta[M_TOP], start
    while i < start + size:
        h, n = places[U(i)], 1
        while i + n < start + size and places[U(i + n)] == h:
            n += 1
        if h >= 0:
            for k in range(plan[U(entity + E_TRACK)], plan[U(entity + E_TRACKS_END)], T_WIDTH):
                track, wide = h + plan[U(k + T_AT)], plan[U(k + T_BUCKET)]
                at, capacity = heads[U(track + SEGMENT)], heads[U(track + CAPACITY)]
                end = heads[U(track + END)]
                kept = end - heads[U(track + WINDOWS)]
                if capacity:
                    line ^= pool[U(at + (end & (capacity - 1)) * wide)]
                    line ^= pool[U(at + ((end - 1) & (capacity - 1)) * wide)]
                    for w in range(plan[U(k + T_WINDOW)], plan[U(k + T_WINDOWS_END)], W_WIDTH):
                        head = heads[U(track + plan[U(w + W_AT)])]
                        line ^= pool[U(at + (head & (capacity - 1)) * wide)]
                while capacity < kept + n:
                    capacity = 2 * capacity if capacity else 2
                    need += capacity * wide
            if need > len(pool):
                break
        i += n
    scratch[0] = line  # so that the reading is not thought to be in vain
    return i - start


@njit(nogil=True, cache=True, _nrt=False, inline="always")  # type: ignore[untyped-decorator]
def _visits(
    cells: Array, numbers: Array, width: int, places: Array, start: int, size: int, heads: Array,
    pool: Array, floats: Array, meta: Array, plan: Array, k: int, scales: Array, scratch: Array,
    values: Array, told: Array, wide: int,
) -> None:  # fmt: skip
    """Take a block through a track row by row."""
    lag, length = plan[U(k + T_LAG)], plan[U(k + T_TILE)] if plan[U(k + T_EXACT)] == 0 else 1
    deaf = plan[U(k + T_LABELS)] == 0 and plan[U(k + T_TOLD)] == 0
    for i in range(size):
        r, h = i * width, places[U(start + i)]
        time = cells[U(r + C_TIME)]
        if h < 0 or time == NEVER:
            continue
        h += plan[U(k + T_AT)]
        if deaf and cells[U(r + C_BITS)] & 1 == 0 and (time - lag) // length <= heads[U(h + REACH)]:
            continue
        visit(cells, numbers, r, heads, pool, floats, meta, plan, k, h, scales, scratch, values, told,
              i * wide)  # fmt: skip


@njit(nogil=True, cache=True, _nrt=False, inline="always")  # type: ignore[untyped-decorator]
def _pass(
    cells: Array, r: int, heads: Array, plan: Array, entity: int, h: int, lateness: int, told: Array, q: int
) -> None:
    """Let a row that went through an entity's tracks count there."""
    time, label = cells[U(r + C_TIME)], cells[U(r + C_BITS)] & 1 == 0
    frontier = heads[U(h + FRONTIER)]
    if time != NEVER:
        horizon = plan[U(entity + E_HORIZON)]
        if frontier == NEVER or time - frontier > horizon:
            heads[U(h + FIRST)] = NEVER
        if not label:
            first = heads[U(h + FIRST)]
            if plan[U(entity + E_FIRST_SEEN)] >= 0:
                age = float(time - first) / 1e6 if first != NEVER and first <= time else math.nan
                told[U(q + plan[U(entity + E_FIRST_SEEN)])] = age
            kept = frontier == NEVER or time > frontier - horizon
            if kept and (first == NEVER or time < first):
                heads[U(h + FIRST)] = time
            if frontier != NEVER and frontier - time > lateness:
                cells[U(r + C_CURRENCY)] = -1  # no longer needed: it says that the row was late
        heads[U(h + FRONTIER)] = max(frontier, time)
    heads[U(h + SEQUENCE)] += 1
    cells[U(r + C_BITS)] = heads[U(h + SEQUENCE)]


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def apply(
    entity: int, cells: Array, order: Array, places: Array, heads: Array, pool: Array, meta: Array,
    plan: Array, scales: Array, scratch: Array, block: Array, told: Array, lateness: int, begin: int,
    features: Array, sequence: Array, late: Array,
) -> int:  # fmt: skip
    """Apply rows from `begin` on; return how many are done: less than all where the pool must grow first.

    entity: where its row lies in `plan`. cells: int64 (rows, C); order: (rows,), grouped by entity; places:
    (rows,), in that order, where the header lies, -1 where there is none. block (B * C) and told (B *
    features): room for B rows, which are fetched and written back together, since a row's place in memory is
    far from the next one's, and go through one track after the other.
    """
    rows, width = cells.shape
    wide = features.shape[1]
    values = scratch[len(scratch) // 2 :].view(np.float64)
    numbers, floats = block.view(np.float64), pool.view(np.float64)
    single, seen_first = plan[U(entity + E_SINGLE)], plan[U(entity + E_FIRST_SEEN)]
    first, last = _outs_of(plan, entity)
    low, high = plan[U(entity + E_FEATURE)], plan[U(entity + E_FEATURES_END)]
    start, asked = begin, begin
    while start < rows:
        while asked < min(rows, start + 2 * (len(block) // width)):  # while the block before is worked on
            r = U(order[U(asked)])
            ask(cells, r, U(0))
            for f in range(low, high, _LINE):
                ask(features, r, U(f))
            if low < high:
                ask(features, r, U(high - 1))
            if single >= 0:
                ask(sequence, r, U(single))
            asked += 1
        size = _fetch(
            places, start, min(len(block) // width, rows - start), entity, heads, pool, meta, plan, scratch
        )
        if size == 0:
            break
        for i in range(size):
            r, q = order[U(start + i)], i * width
            for c in range(width):
                block[U(q + c)] = cells[U(r), U(c)]
            if places[U(start + i)] < 0 or block[U(q + C_TIME)] == NEVER or block[U(q + C_BITS)] & 1 == 0:
                _nothing(plan, entity, i * wide, told)
        for k in range(plan[U(entity + E_TRACK)], plan[U(entity + E_TRACKS_END)], T_WIDTH):
            shape = plan[U(k + T_SHAPE)]
            if shape == S_COUNTS:
                counts(block, numbers, width, places, start, size, heads, pool, floats, meta, plan, k, scales,
                       scratch, values, told, wide)  # fmt: skip
            elif shape == S_MONEY:
                money(block, numbers, width, places, start, size, heads, pool, floats, meta, plan, k, scales,
                      scratch, values, told, wide)  # fmt: skip
            else:
                _visits(block, numbers, width, places, start, size, heads, pool, floats, meta, plan, k,
                        scales, scratch, values, told, wide)  # fmt: skip
        for i in range(size):
            r, h = order[U(start + i)], places[U(start + i)]
            if h >= 0:
                _pass(block, i * width, heads, plan, entity, h, lateness, told, i * wide)
            else:
                block[U(i * width + C_BITS)] = 0
            if single >= 0:
                sequence[U(r), U(single)] = block[U(i * width + C_BITS)]
                if block[U(i * width + C_CURRENCY)] < 0:
                    late[U(r)] = True
            if low < high:
                for f in range(low, high):
                    features[U(r), U(f)] = told[U(i * wide + f)]
            else:
                for o in range(first, last, O_WIDTH):
                    f = plan[U(o + O_FEATURE)]
                    features[U(r), U(f)] = told[U(i * wide + f)]
                if seen_first >= 0:
                    features[U(r), U(seen_first)] = told[U(i * wide + seen_first)]
        start += size
    return start
