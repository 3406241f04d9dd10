"""Tracks of one tiled window that count events or add up money, which most are: whole blocks of rows at once.

Bodies of the window kernel. What a track keeps of an entity stays in registers while that entity's rows come
as most do: payments in the order of their times, in the currency of those before. Any other row is taken
through the track as `visit` does it, and gives the same values.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from tallystick.windows.buckets import grow
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
    T_AT,
    T_BUCKET,
    T_COMMON,
    T_CURRENT,
    T_GATE,
    T_LABELS,
    T_LAG,
    T_TILE,
    T_TOLD,
    T_WINDOW,
    W_AT,
    W_OUT,
    W_OUTS_END,
    W_TILES,
)
from tallystick.windows.sums import nearest
from tallystick.windows.visit import visit

__all__ = ["counts", "money"]

#: An index known to be 0 or more: without it each access first asks whether to count from the end.
U = np.uint64
Array = Any  # as `layout` says


@njit(nogil=True, cache=True, _nrt=False, error_model="numpy")  # type: ignore[untyped-decorator]
def counts(
    cells: Array, numbers: Array, width: int, places: Array, start: int, size: int, heads: Array,
    pool: Array, floats: Array, meta: Array, plan: Array, k: int, scales: Array, scratch: Array,
    values: Array, told: Array, wide: int,
) -> None:  # fmt: skip
    """Take a block through a track that counts events under one condition or two."""
    lag, length, words = plan[U(k + T_LAG)], plan[U(k + T_TILE)], plan[U(k + T_BUCKET)]
    shift = lag // length if lag % length == 0 else -1
    window = plan[U(k + T_WINDOW)]
    tiles, at_head = plan[U(window + W_TILES)], plan[U(window + W_AT)]
    first, last = plan[U(window + W_OUT)], plan[U(window + W_OUTS_END)]
    gate, current = plan[U(k + T_GATE)], plan[U(k + T_CURRENT)] != 0
    deaf = plan[U(k + T_LABELS)] == 0 and plan[U(k + T_TOLD)] == 0
    two = plan[U(k + T_ADDITIVE)] > 1
    bit, other = 0, 0
    for a in range(plan[U(k + T_ACC)], plan[U(k + T_ACCS_END)], A_WIDTH):
        if plan[U(a + A_WORD)] == 0:
            bit = plan[U(a + A_CONDITION)]
        else:
            other = plan[U(a + A_CONDITION)]
    h = -1
    at, mask, end, lead, reach, head, n, m = 0, 0, 0, 0, 0, 0, 0, 0
    for i in range(size):
        r, place = i * width, places[U(start + i)]
        time = cells[U(r + C_TIME)]
        if place < 0 or time == NEVER:
            continue
        place += plan[U(k + T_AT)]
        if place != h:
            if h >= 0:
                heads[U(h + END)], heads[U(h + LEAD)], heads[U(h + REACH)] = end, lead, reach
                heads[U(h + at_head)], heads[U(h + at_head + 1)] = head, n
                if two:
                    heads[U(h + at_head + 2)] = m
            h = place
            at, mask, end = heads[U(h + SEGMENT)], heads[U(h + CAPACITY)] - 1, heads[U(h + END)]
            lead, reach, head = heads[U(h + LEAD)], heads[U(h + REACH)], heads[U(h + at_head)]
            n, m = heads[U(h + at_head + 1)], heads[U(h + at_head + 2)] if two else 0
        bits = cells[U(r + C_BITS)]
        seen = (time - lag) // length
        usual, joins, fresh = bits & 1 != 0 and seen >= reach, bits & gate != 0, True
        if not usual and deaf and bits & 1 == 0 and seen <= reach:
            continue
        tile = seen + shift if shift >= 0 else time // length
        if joins and end > head:
            newest = pool[U(at + ((end - 1) & mask) * words)]
            usual, fresh = usual and newest <= tile, newest != tile
        if not usual:
            heads[U(h + END)], heads[U(h + LEAD)], heads[U(h + REACH)] = end, lead, reach
            heads[U(h + at_head)], heads[U(h + at_head + 1)] = head, n
            if two:
                heads[U(h + at_head + 2)] = m
            visit(cells, numbers, r, heads, pool, floats, meta, plan, k, h, scales, scratch, values, told,
                  i * wide)  # fmt: skip
            h = -1
            continue
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
                for o in range(first, last, O_WIDTH):
                    count = m if plan[U(o + O_COUNT)] else n
                    value = float(count)
                    if plan[U(o + O_KIND)] != O_COUNT_OF:  # a share
                        of = m if plan[U(o + O_WORD)] else n
                        value = value / float(of) if of > 0 else math.nan
                    told[U(i * wide + plan[U(o + O_FEATURE)])] = value
            elif joins:
                x, y = (bits >> bit) & 1, (bits >> other) & 1
                if fresh:
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
                else:
                    bucket = at + ((end - 1) & mask) * words
                    pool[U(bucket + 1)] += x
                    if two:
                        pool[U(bucket + 2)] += y
                if end <= lead:
                    n += x
                    m += y
    if h >= 0:
        heads[U(h + END)], heads[U(h + LEAD)], heads[U(h + REACH)] = end, lead, reach
        heads[U(h + at_head)], heads[U(h + at_head + 1)] = head, n
        if two:
            heads[U(h + at_head + 2)] = m


@njit(nogil=True, cache=True, _nrt=False, error_model="numpy")  # type: ignore[untyped-decorator]
def money(
    cells: Array, numbers: Array, width: int, places: Array, start: int, size: int, heads: Array,
    pool: Array, floats: Array, meta: Array, plan: Array, k: int, scales: Array, scratch: Array,
    values: Array, told: Array, wide: int,
) -> None:  # fmt: skip
    """Take a block through a track that adds up one column of money, and may count all events beside it."""
    lag, length, words = plan[U(k + T_LAG)], plan[U(k + T_TILE)], plan[U(k + T_BUCKET)]
    shift = lag // length if lag % length == 0 else -1
    window = plan[U(k + T_WINDOW)]
    tiles, at_head = plan[U(window + W_TILES)], plan[U(window + W_AT)]
    first, last = plan[U(window + W_OUT)], plan[U(window + W_OUTS_END)]
    gate, current = plan[U(k + T_GATE)], plan[U(k + T_CURRENT)] != 0
    deaf = plan[U(k + T_LABELS)] == 0 and plan[U(k + T_TOLD)] == 0
    common = plan[U(k + T_COMMON)]  # 1 where all events are counted: the word before those of money
    bit, bit_all, column = 0, 0, 0
    for a in range(plan[U(k + T_ACC)], plan[U(k + T_ACCS_END)], A_WIDTH):
        if plan[U(a + A_KIND)] == COUNT:
            bit_all = plan[U(a + A_CONDITION)]
        else:
            bit, column = plan[U(a + A_CONDITION)], plan[U(a + A_COLUMN)]
    h = -1
    at, mask, end, lead, reach, head, own, n, known, low, high = 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    for i in range(size):
        r, place = i * width, places[U(start + i)]
        time = cells[U(r + C_TIME)]
        if place < 0 or time == NEVER:
            continue
        place += plan[U(k + T_AT)]
        if place != h:
            if h >= 0:
                _keep(heads, h, at_head, common, end, lead, reach, head, n, known, low, high)
            h = place
            at, mask, end = heads[U(h + SEGMENT)], heads[U(h + CAPACITY)] - 1, heads[U(h + END)]
            lead, reach, head = heads[U(h + LEAD)], heads[U(h + REACH)], heads[U(h + at_head)]
            own, t = heads[U(h + CURRENCY)], h + at_head + 1
            n, t = heads[U(t)] if common else 0, t + common
            known, low, high = heads[U(t)], heads[U(t + 1)], heads[U(t + 2)]
        bits, currency = cells[U(r + C_BITS)], cells[U(r + C_CURRENCY)]
        seen = (time - lag) // length
        usual, joins, fresh = bits & 1 != 0 and seen >= reach and currency == own, bits & gate != 0, True
        if not usual and deaf and bits & 1 == 0 and seen <= reach:
            continue
        tile = seen + shift if shift >= 0 else time // length
        if joins and end > head:
            bucket = at + ((end - 1) & mask) * words
            newest = pool[U(bucket)]
            fresh = newest != tile
            usual = usual and (newest < tile or (newest == tile and pool[U(bucket + 1)] == currency))
        if not usual:
            _keep(heads, h, at_head, common, end, lead, reach, head, n, known, low, high)
            visit(cells, numbers, r, heads, pool, floats, meta, plan, k, h, scales, scratch, values, told,
                  i * wide)  # fmt: skip
            h = -1
            continue
        if seen > reach:
            reach = seen
            while lead < end:
                bucket = at + (lead & mask) * words
                if pool[U(bucket)] > seen:
                    break
                t = bucket + 2 + common
                if common:
                    n += pool[U(bucket + 2)]
                if pool[U(bucket + 1)] == own:
                    known, low, high = known + pool[U(t)], low + pool[U(t + 1)], high + pool[U(t + 2)]
                lead += 1
            oldest = seen - tiles + 1
            while head < lead:
                bucket = at + (head & mask) * words
                if pool[U(bucket)] >= oldest:
                    break
                t = bucket + 2 + common
                if common:
                    n -= pool[U(bucket + 2)]
                if pool[U(bucket + 1)] == own:
                    known, low, high = known - pool[U(t)], low - pool[U(t + 1)], high - pool[U(t + 2)]
                head += 1
        for step in range(2):
            if (step == 0) != current:
                scale, q = scales[U(currency)], i * wide
                total, most = nearest(low, high), float(known) * scale
                for o in range(first, last, O_WIDTH):
                    kind = plan[U(o + O_KIND)]
                    value = math.nan
                    if kind == O_COUNT_OF:
                        value = float(n)
                    elif kind == O_SUM:
                        value = total / scale
                    elif known > 0:
                        value = total / most
                        if kind != O_MEAN:  # this to usual
                            amount = cells[U(r + plan[U(o + O_COLUMN)])]
                            if amount != NO_VALUE and value != 0.0:
                                value = float(amount) / scale / value
                            else:
                                value = math.nan
                    told[U(q + plan[U(o + O_FEATURE)])] = value
            elif joins:
                amount = cells[U(r + column)]
                x, all_ = (bits >> bit) & 1, (bits >> bit_all) & 1
                if amount == NO_VALUE:
                    x = 0
                y, z = (amount & 0xFFFFFFFF, amount >> 32) if x else (0, 0)
                if fresh:
                    if end - head > mask:
                        heads[U(h + END)] = end
                        grow(heads, pool, meta, plan, k, h, head)
                        at, mask = heads[U(h + SEGMENT)], heads[U(h + CAPACITY)] - 1
                    bucket = at + (end & mask) * words
                    pool[U(bucket)], pool[U(bucket + 1)], pool[U(bucket + 2)] = tile, currency, all_
                    t = bucket + 2 + common
                    pool[U(t)], pool[U(t + 1)], pool[U(t + 2)] = x, y, z
                    if end == lead and tile == reach:
                        lead += 1
                    end += 1
                else:
                    bucket = at + ((end - 1) & mask) * words
                    t = bucket + 2 + common
                    if common:
                        pool[U(bucket + 2)] += all_
                    pool[U(t)] += x
                    pool[U(t + 1)] += y
                    pool[U(t + 2)] += z
                if end <= lead:
                    n, known, low, high = n + all_, known + x, low + y, high + z
    if h >= 0:
        _keep(heads, h, at_head, common, end, lead, reach, head, n, known, low, high)


@njit(nogil=True, cache=True, _nrt=False, inline="always")  # type: ignore[untyped-decorator]
def _keep(
    heads: Array, h: int, at_head: int, common: int, end: int, lead: int, reach: int, head: int, n: int,
    known: int, low: int, high: int,
) -> None:  # fmt: skip
    """Write back what lay in registers."""
    heads[U(h + END)], heads[U(h + LEAD)], heads[U(h + REACH)] = end, lead, reach
    heads[U(h + at_head)], t = head, h + at_head + 1 + common
    if common:
        heads[U(t - 1)] = n
    heads[U(t)], heads[U(t + 1)], heads[U(t + 2)] = known, low, high
