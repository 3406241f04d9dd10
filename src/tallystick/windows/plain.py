"""Tracks of one tiled window that count events or add up money, which most are: whole runs of rows at once.

Bodies of the window kernel. A run is rows of one entity that come as most do: events in the order of their
times, not before any event so far, all in one currency. `visit` gives the same values one row at a time.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from tallystick.windows.buckets import grow, turn_to
from tallystick.windows.layout import (
    A_COLUMN,
    A_CONDITION,
    A_KIND,
    A_WIDTH,
    A_WORD,
    C_BITS,
    C_CURRENCY,
    C_TIME,
    CAPACITY,
    COUNT,
    CURRENCY,
    END,
    LEAD,
    NEVER,
    NO_VALUE,
    O_COLUMN,
    O_COUNT,
    O_COUNT_OF,
    O_FEATURE,
    O_KIND,
    O_MEAN,
    O_SUM,
    O_WIDTH,
    O_WORD,
    REACH,
    SEGMENT,
    T_ACC,
    T_ACCS_END,
    T_ADDITIVE,
    T_BUCKET,
    T_COMMON,
    T_CURRENT,
    T_GATE,
    T_LAG,
    T_TILE,
    T_WINDOW,
    W_AT,
    W_OUT,
    W_OUTS_END,
    W_TILES,
)
from tallystick.windows.prefetch import prefetch
from tallystick.windows.sums import nearest

__all__ = ["counts", "money"]

#: An index known to be 0 or more: without it each access first asks whether to count from the end.
U = np.uint64
Array = Any  # as `layout` says


@njit(nogil=True, cache=True, _nrt=False, error_model="numpy")  # type: ignore[untyped-decorator]
def counts(
    block: Array, room: int, first: int, last: int, order: Array, start: int, heads: Array, pool: Array,
    meta: Array, plan: Array, k: int, h: int, features: Array, wide: int, asks: int, each: int,
) -> None:  # fmt: skip
    """Take a run, rows [first, last) of a block, through a track that counts under one condition or two."""
    lag, length, words = plan[U(k + T_LAG)], plan[U(k + T_TILE)], plan[U(k + T_BUCKET)]
    shift = lag // length if lag % length == 0 else -1
    window = plan[U(k + T_WINDOW)]
    tiles, at_head = plan[U(window + W_TILES)], plan[U(window + W_AT)]
    out, outs_end = plan[U(window + W_OUT)], plan[U(window + W_OUTS_END)]
    gate, current = plan[U(k + T_GATE)], plan[U(k + T_CURRENT)] != 0
    two = plan[U(k + T_ADDITIVE)] > 1
    bit, other = 0, 0
    for a in range(plan[U(k + T_ACC)], plan[U(k + T_ACCS_END)], A_WIDTH):
        if plan[U(a + A_WORD)] == 0:
            bit = plan[U(a + A_CONDITION)]
        else:
            other = plan[U(a + A_CONDITION)]
    at, mask, end = heads[U(h + SEGMENT)], heads[U(h + CAPACITY)] - 1, heads[U(h + END)]
    lead, reach, head = heads[U(h + LEAD)], heads[U(h + REACH)], heads[U(h + at_head)]
    n, m = heads[U(h + at_head + 1)], heads[U(h + at_head + 2)] if two else 0
    newest = pool[U(at + ((end - 1) & mask) * words)] if end > head else NEVER
    for i in range(first, last):
        for x in range(asks + i * each, asks + i * each + each):
            prefetch(block[U(x)])
        time, bits = block[U(C_TIME * room + i)], block[U(C_BITS * room + i)]
        seen = (time - lag) // length
        tile = seen + shift if shift >= 0 else time // length
        if seen > reach:
            reach = seen
            while lead < end:
                bucket = at + (lead & mask) * words
                if pool[U(bucket)] > seen:
                    break
                n += pool[U(bucket + 1)]
                if two:
                    m += pool[U(bucket + 2)]
                lead += 1
            oldest = seen - tiles + 1
            while head < lead:
                bucket = at + (head & mask) * words
                if pool[U(bucket)] >= oldest:
                    break
                n -= pool[U(bucket + 1)]
                if two:
                    m -= pool[U(bucket + 2)]
                head += 1
        for step in range(2):
            if (step == 0) != current:
                q = order[U(start + i)] * wide
                for o in range(out, outs_end, O_WIDTH):
                    count = m if plan[U(o + O_COUNT)] else n
                    value = float(count)
                    if plan[U(o + O_KIND)] != O_COUNT_OF:  # a share
                        of = m if plan[U(o + O_WORD)] else n
                        value = value / float(of) if of > 0 else math.nan
                    features[U(q + plan[U(o + O_FEATURE)])] = value
            elif bits & gate != 0:
                x, y = (bits >> bit) & 1, (bits >> other) & 1
                if newest != tile:
                    if end - head > mask:
                        heads[U(h + END)] = end
                        grow(heads, pool, meta, plan, k, h, head)
                        at, mask = heads[U(h + SEGMENT)], heads[U(h + CAPACITY)] - 1
                    bucket = at + (end & mask) * words
                    pool[U(bucket)], pool[U(bucket + 1)] = tile, x
                    if two:
                        pool[U(bucket + 2)] = y
                    if end == lead and tile == reach:
                        lead += 1
                    end += 1
                    newest = tile
                else:
                    bucket = at + ((end - 1) & mask) * words
                    pool[U(bucket + 1)] += x
                    if two:
                        pool[U(bucket + 2)] += y
                if end <= lead:
                    n += x
                    m += y
    heads[U(h + END)], heads[U(h + LEAD)], heads[U(h + REACH)] = end, lead, reach
    heads[U(h + at_head)], heads[U(h + at_head + 1)] = head, n
    if two:
        heads[U(h + at_head + 2)] = m


@njit(nogil=True, cache=True, _nrt=False, error_model="numpy")  # type: ignore[untyped-decorator]
def money(
    block: Array, room: int, first: int, last: int, order: Array, start: int, heads: Array, pool: Array,
    meta: Array, plan: Array, k: int, h: int, features: Array, wide: int, asks: int, each: int,
    width: int, scales: Array,
) -> int:  # fmt: skip
    """Take a run through a track without a delay that adds up a column of money, and may count all events.

    Returns the row before which it stopped: the first one, where the newest bucket is of its tile and another
    currency.
    """
    length, words = plan[U(k + T_TILE)], plan[U(k + T_BUCKET)]
    window = plan[U(k + T_WINDOW)]
    tiles, at_head = plan[U(window + W_TILES)], plan[U(window + W_AT)]
    gate, current = plan[U(k + T_GATE)], plan[U(k + T_CURRENT)] != 0
    common = plan[U(k + T_COMMON)]  # 1 where all events are counted: the word before those of money
    bit, bit_all, column = 0, 0, 0
    for a in range(plan[U(k + T_ACC)], plan[U(k + T_ACCS_END)], A_WIDTH):
        if plan[U(a + A_KIND)] == COUNT:
            bit_all = plan[U(a + A_CONDITION)]
        else:
            bit, column = plan[U(a + A_CONDITION)], plan[U(a + A_COLUMN)] * room
    tile_of = (width + 1) * room  # noted of each row: its tile, then the totals of its window
    n_of, known_of = tile_of + room, tile_of + 2 * room
    low_of, high_of = tile_of + 3 * room, tile_of + 4 * room
    by_length = 1.0 / float(length)
    for i in range(first, last):
        time = block[U(C_TIME * room + i)]
        tile = int(float(time) * by_length)  # at most one off, which the rest tells: quicker than to divide
        rest = time - tile * length
        block[U(tile_of + i)] = tile + (rest >= length) - (rest < 0)
    currency = block[U(C_CURRENCY * room + first)]
    at, mask, end = heads[U(h + SEGMENT)], heads[U(h + CAPACITY)] - 1, heads[U(h + END)]
    head, newest = heads[U(h + at_head)], NEVER
    if end > head:
        bucket = at + ((end - 1) & mask) * words
        newest = pool[U(bucket)]
        if newest == block[U(tile_of + first)] and pool[U(bucket + 1)] != currency:
            return first
    if heads[U(h + CURRENCY)] != currency:
        turn_to(heads, pool, plan, k, h, currency)
    t = h + at_head + 1
    n, t = heads[U(t)] if common else 0, t + common
    known, low, high = heads[U(t)], heads[U(t + 1)], heads[U(t + 2)]
    for i in range(first, last):
        for x in range(asks + i * each, asks + i * each + each):
            prefetch(block[U(x)])
        tile = block[U(tile_of + i)]
        oldest = tile - tiles + 1
        while head < end:
            bucket = at + (head & mask) * words
            if pool[U(bucket)] >= oldest:
                break
            n -= pool[U(bucket + 2)]
            b = bucket + 2 + common
            if pool[U(bucket + 1)] == currency:
                known, low, high = known - pool[U(b)], low - pool[U(b + 1)], high - pool[U(b + 2)]
            head += 1
        if not current:
            block[U(n_of + i)], block[U(known_of + i)] = n, known
            block[U(low_of + i)], block[U(high_of + i)] = low, high
        bits = block[U(C_BITS * room + i)]
        if bits & gate != 0:
            amount, keep = block[U(column + i)], -1
            if tile != newest:
                if end - head > mask:
                    heads[U(h + END)] = end
                    grow(heads, pool, meta, plan, k, h, head)
                    at, mask = heads[U(h + SEGMENT)], heads[U(h + CAPACITY)] - 1
                keep = 0
            end += 1 + keep
            newest = tile
            x, all_ = (bits >> bit) & (amount != NO_VALUE), (bits >> bit_all) & 1
            y, z = amount & 0xFFFFFFFF & -x, (amount >> 32) & -x
            bucket = at + ((end - 1) & mask) * words
            b = bucket + 2 + common
            pool[U(bucket)], pool[U(bucket + 1)] = tile, currency
            if common:
                pool[U(bucket + 2)] = (pool[U(bucket + 2)] & keep) + all_
            pool[U(b)] = (pool[U(b)] & keep) + x
            pool[U(b + 1)] = (pool[U(b + 1)] & keep) + y
            pool[U(b + 2)] = (pool[U(b + 2)] & keep) + z
            n, known, low, high = n + all_, known + x, low + y, high + z
        if current:
            block[U(n_of + i)], block[U(known_of + i)] = n, known
            block[U(low_of + i)], block[U(high_of + i)] = low, high
    heads[U(h + END)], heads[U(h + LEAD)], heads[U(h + REACH)] = end, end, block[U(tile_of + last - 1)]
    heads[U(h + at_head)], t = head, h + at_head + 1 + common
    if common:
        heads[U(t - 1)] = n
    heads[U(t)], heads[U(t + 1)], heads[U(t + 2)] = known, low, high
    scale = scales[U(currency)]
    for o in range(plan[U(window + W_OUT)], plan[U(window + W_OUTS_END)], O_WIDTH):
        kind, feature, column = plan[U(o + O_KIND)], plan[U(o + O_FEATURE)], plan[U(o + O_COLUMN)] * room
        for i in range(first, last):
            value = math.nan
            if kind == O_COUNT_OF:
                value = float(block[U(n_of + i)])
            else:
                total, known = nearest(block[U(low_of + i)], block[U(high_of + i)]), block[U(known_of + i)]
                if kind == O_SUM:
                    value = total / scale
                elif known > 0:
                    value = total / (float(known) * scale)
                    if kind != O_MEAN:  # this to usual
                        amount = block[U(column + i)]
                        if amount != NO_VALUE and value != 0.0:
                            value = float(amount) / scale / value
                        else:
                            value = math.nan
            features[U(order[U(start + i)] * wide + feature)] = value
    return last
