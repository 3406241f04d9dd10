"""The window kernel: rows in applied order, entity by entity, in one call."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from tallystick.windows.aggregates import read
from tallystick.windows.buckets import advance, insert, turn_to
from tallystick.windows.layout import (
    BY_CURRENCY,
    C_BITS,
    C_CURRENCY,
    C_TIME,
    CAPACITY,
    CURRENCY,
    E_FEATURE,
    E_FEATURES_END,
    E_FIRST_SEEN,
    E_HORIZON,
    E_SINGLE,
    E_TRACK,
    E_TRACKS_END,
    E_WIDTH,
    FIRST,
    FRONTIER,
    LEAD,
    NEVER,
    O_FEATURE,
    O_WIDTH,
    REACH,
    SEGMENT,
    SEQUENCE,
    T_ADDITIVE,
    T_AT,
    T_BUCKET,
    T_COMMON,
    T_CURRENT,
    T_EXACT,
    T_LABELS,
    T_LAG,
    T_PREFIX,
    T_SUBKEY,
    T_TILE,
    T_TOLD,
    T_WIDTH,
    T_WINDOW,
    T_WINDOWS_END,
    W_AT,
    W_OUT,
    W_OUTS_END,
    W_WIDTH,
)

__all__ = ["apply", "group"]

#: An index known to be 0 or more: without it each access first asks whether to count from the end.
U = np.uint64
Array = Any  # as `layout` says


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
def _read_late(
    cells: Array, numbers: Array, r: int, heads: Array, pool: Array, floats: Array, plan: Array, k: int,
    h: int, i: int, tile: int, scale: float, scratch: Array, values: Array, features: Array, q: int,
) -> None:  # fmt: skip
    """Read a window as of a tile before the frontier's: its totals are added up in the spare words."""
    at, mask, words = heads[U(h + SEGMENT)], heads[U(h + CAPACITY)] - 1, plan[U(k + T_BUCKET)]
    low, high = heads[U(h + plan[U(i + W_AT)])], heads[U(h + LEAD)]
    while high > low and pool[U(at + ((high - 1) & mask) * words)] > tile:
        high -= 1
    for x in range(plan[U(k + T_ADDITIVE)]):
        heads[U(x)] = 0
    for b in range(low, high):
        bucket = at + (b & mask) * words
        own = plan[U(k + T_SUBKEY)] != BY_CURRENCY or pool[U(bucket + 1)] == cells[U(r + C_CURRENCY)]
        for x in range(plan[U(k + T_ADDITIVE)] if own else plan[U(k + T_COMMON)]):
            heads[U(x)] += pool[U(bucket + plan[U(k + T_PREFIX)] + x)]
    read(cells, numbers, r, heads, pool, floats, plan, k, h, i, 0, low, high, scale, scratch, values,
         features, q)  # fmt: skip


@njit(nogil=True, cache=True, _nrt=False, inline="always")  # type: ignore[untyped-decorator]
def _visit(
    cells: Array, numbers: Array, r: int, heads: Array, pool: Array, floats: Array, meta: Array, plan: Array,
    k: int, h: int, scales: Array, scratch: Array, values: Array, features: Array, q: int,
) -> bool:  # fmt: skip
    """Take one row through one track; False where the pool must grow first, to be called again as it was."""
    time = cells[U(r + C_TIME)]
    label = cells[U(r + C_BITS)] & 1 == 0
    told = not label or plan[U(k + T_TOLD)] != 0
    tile = time
    lag = plan[U(k + T_LAG)]
    seen = time - lag
    if plan[U(k + T_EXACT)] == 0:
        tile //= plan[U(k + T_TILE)]
        seen = tile if lag == 0 else seen // plan[U(k + T_TILE)]
    if seen > heads[U(h + REACH)]:
        advance(heads, pool, plan, k, h, seen)
    currency = cells[U(r + C_CURRENCY)]
    if plan[U(k + T_SUBKEY)] == BY_CURRENCY and heads[U(h + CURRENCY)] != currency and told:
        turn_to(heads, pool, plan, k, h, currency)
    scale = scales[U(currency)]
    joins_first = label or plan[U(k + T_CURRENT)] != 0
    for step in range(2):
        if (step == 0) == joins_first:
            if not insert(cells, numbers, r, heads, pool, floats, meta, plan, k, h, tile):
                return False
        elif told and seen >= heads[U(h + REACH)]:
            for i in range(plan[U(k + T_WINDOW)], plan[U(k + T_WINDOWS_END)], W_WIDTH):
                w = h + plan[U(i + W_AT)]
                read(cells, numbers, r, heads, pool, floats, plan, k, h, i, w + 1, heads[U(w)],
                     heads[U(h + LEAD)], scale, scratch, values, features, q)  # fmt: skip
        elif told:
            for i in range(plan[U(k + T_WINDOW)], plan[U(k + T_WINDOWS_END)], W_WIDTH):
                _read_late(cells, numbers, r, heads, pool, floats, plan, k, h, i, seen, scale, scratch,
                           values, features, q)  # fmt: skip
    return True


@njit(nogil=True, cache=True, _nrt=False, inline="always")  # type: ignore[untyped-decorator]
def _apply_one(
    cells: Array, numbers: Array, r: int, heads: Array, pool: Array, floats: Array, meta: Array, plan: Array,
    entity: int, h: int, scales: Array, scratch: Array, values: Array, at: Array, features: Array, q: int,
    lateness: int,
) -> bool:  # fmt: skip
    """Take one row through one entity's tracks, from track at[2] on; False where the pool must grow first."""
    time, label = cells[U(r + C_TIME)], cells[U(r + C_BITS)] & 1 == 0
    if h < 0 or time == NEVER or label:
        _nothing(plan, entity, q, features)
        if h < 0:
            return True
    frontier = heads[U(h + FRONTIER)]
    if time != NEVER:
        for k in range(plan[U(entity + E_TRACK)] + at[2], plan[U(entity + E_TRACKS_END)], T_WIDTH):
            deaf = plan[U(k + T_LABELS)] == 0 and plan[U(k + T_TOLD)] == 0
            if label and deaf and time <= frontier:
                continue
            if not _visit(
                cells, numbers, r, heads, pool, floats, meta, plan, k, h + plan[U(k + T_AT)], scales, scratch,
                values, features, q,
            ):  # fmt: skip
                at[2] = k - plan[U(entity + E_TRACK)]
                return False
        at[2] = 0
        horizon = plan[U(entity + E_HORIZON)]
        if frontier == NEVER or time - frontier > horizon:
            heads[U(h + FIRST)] = NEVER
        if not label:
            first = heads[U(h + FIRST)]
            if plan[U(entity + E_FIRST_SEEN)] >= 0:
                age = float(time - first) / 1e6 if first != NEVER and first <= time else math.nan
                features[U(q + plan[U(entity + E_FIRST_SEEN)])] = age
            kept = frontier == NEVER or time > frontier - horizon
            if kept and (first == NEVER or time < first):
                heads[U(h + FIRST)] = time
            if frontier != NEVER and frontier - time > lateness:
                cells[U(r + C_CURRENCY)] = -1  # no longer needed: it says that the row was late
        heads[U(h + FRONTIER)] = max(frontier, time)
    heads[U(h + SEQUENCE)] += 1
    return True


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def apply(
    cells: Array, order: Array, places: Array, heads: Array, pool: Array, meta: Array, plan: Array,
    scales: Array, scratch: Array, block: Array, told: Array, lateness: int, at: Array, features: Array,
    sequence: Array, late: Array,
) -> bool:  # fmt: skip
    """Apply rows; False where the pool must grow before going on from `at` (entity, position, track).

    cells: int64 (rows, C); order: (entities, rows), rows grouped by entity; places: (entities, rows), in that
    order, where its header lies, -1 where it has none. block (B * C) and told (B * features): room for B
    rows, which are fetched and written back together, since a row's place in memory is far from the next
    one's; a row that waits for room keeps in `features` what it was told so far.
    """
    rows, width = cells.shape
    wide = features.shape[1]
    half = len(scratch) // 2
    values = scratch[half:].view(np.float64)
    numbers, floats = block.view(np.float64), pool.view(np.float64)
    for e in range(at[0], order.shape[0]):
        entity = e * E_WIDTH
        single = plan[U(entity + E_SINGLE)]
        seen_first = plan[U(entity + E_FIRST_SEEN)]
        first, last = _outs_of(plan, entity)
        low, high = plan[U(entity + E_FEATURE)], plan[U(entity + E_FEATURES_END)]
        start = at[1]
        while start < rows:
            size = min(len(block) // width, rows - start)
            for i in range(size):
                r = order[U(e), U(start + i)]
                for c in range(width):
                    block[U(i * width + c)] = cells[U(r), U(c)]
            if at[2] > 0:  # the first row goes on where it was left: what it was told by then comes along
                for o in range(first, last, O_WIDTH):
                    f = plan[U(o + O_FEATURE)]
                    told[U(f)] = features[U(order[U(e), U(start)]), U(f)]
            done = 0
            while done < size:
                h = places[U(e), U(start + done)]
                cell = done * width
                if not _apply_one(
                    block, numbers, cell, heads, pool, floats, meta, plan, entity, h, scales, scratch,
                    values, at, told, done * wide, lateness,
                ):  # fmt: skip
                    break
                block[U(cell + C_BITS)] = heads[U(h + SEQUENCE)] if h >= 0 else 0
                done += 1
            for i in range(min(done + 1, size)):
                r = order[U(e), U(start + i)]
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
            start += done
            if done < size:
                at[0], at[1] = e, start
                return False
        at[1] = 0
    return True
