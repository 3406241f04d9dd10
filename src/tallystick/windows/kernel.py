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
    C_CURRENCY,
    C_LABEL,
    C_TIME,
    CAPACITY,
    CURRENCY,
    E_FIRST_SEEN,
    E_HORIZON,
    E_SINGLE,
    E_TRACK,
    E_TRACKS_END,
    FIRST,
    FRONTIER,
    LEAD,
    NEVER,
    O_FEATURE,
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
    T_WINDOW,
    T_WINDOWS_END,
    W_AT,
    W_OUT,
    W_OUTS_END,
)

__all__ = ["apply", "group"]

Array = Any  # as `layout` says


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def group(codes: Array, kinds: int) -> Array:
    """Return the rows of each code together, each in the order that it had; rows without one (-1) last."""
    starts = np.zeros(kinds + 2, np.int64)
    for code in codes:
        starts[(code if code >= 0 else kinds) + 1] += 1
    for i in range(kinds + 1):
        starts[i + 1] += starts[i]
    order = np.empty(len(codes), np.int64)
    for row in range(len(codes)):
        code = codes[row] if codes[row] >= 0 else kinds
        order[starts[code]] = row
        starts[code] += 1
    return order


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _nothing(tracks: Array, wins: Array, outs: Array, entity: Array, r: int, features: Array) -> None:
    for k in range(entity[E_TRACK], entity[E_TRACKS_END]):
        for i in range(tracks[k, T_WINDOW], tracks[k, T_WINDOWS_END]):
            for o in range(wins[i, W_OUT], wins[i, W_OUTS_END]):
                features[r, outs[o, O_FEATURE]] = math.nan
    if entity[E_FIRST_SEEN] >= 0:
        features[r, entity[E_FIRST_SEEN]] = math.nan


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _read_late(
    cells: Array, numbers: Array, r: int, heads: Array, pool: Array, floats: Array, tracks: Array, wins: Array,
    outs: Array, k: int, h: int, i: int, tile: int, scale: float, scratch: Array, values: Array,
    features: Array,
) -> None:  # fmt: skip
    """Read a window as of a tile before the frontier's: its totals are added up in the spare words."""
    at, mask, words = heads[h + SEGMENT], heads[h + CAPACITY] - 1, tracks[k, T_BUCKET]
    low, high = heads[h + wins[i, W_AT]], heads[h + LEAD]
    while high > low and pool[at + ((high - 1) & mask) * words] > tile:
        high -= 1
    for x in range(tracks[k, T_ADDITIVE]):
        heads[x] = 0
    for b in range(low, high):
        bucket = at + (b & mask) * words
        own = tracks[k, T_SUBKEY] != BY_CURRENCY or pool[bucket + 1] == cells[r, C_CURRENCY]
        for x in range(tracks[k, T_ADDITIVE] if own else tracks[k, T_COMMON]):
            heads[x] += pool[bucket + tracks[k, T_PREFIX] + x]
    read(cells, numbers, r, heads, pool, floats, tracks, wins, outs, k, h, i, 0, low, high, scale, scratch,
         values, features)  # fmt: skip


@njit(nogil=True, cache=True, _nrt=False, inline="always")  # type: ignore[untyped-decorator]
def _visit(
    cells: Array, numbers: Array, r: int, heads: Array, pool: Array, floats: Array, meta: Array, tracks: Array,
    wins: Array, accs: Array, outs: Array, k: int, h: int, scales: Array, scratch: Array, values: Array,
    features: Array,
) -> bool:  # fmt: skip
    """Take one row through one track; False where the pool must grow first, to be called again as it was."""
    time = cells[r, C_TIME]
    label = cells[r, C_LABEL] != 0
    tile = time
    seen = time - tracks[k, T_LAG]
    if tracks[k, T_EXACT] == 0:
        tile //= tracks[k, T_TILE]
        seen = tile if tracks[k, T_LAG] == 0 else seen // tracks[k, T_TILE]
    if seen > heads[h + REACH]:
        advance(heads, pool, tracks, wins, k, h, seen)
    currency = cells[r, C_CURRENCY]
    if tracks[k, T_SUBKEY] == BY_CURRENCY and heads[h + CURRENCY] != currency and not label:
        turn_to(heads, pool, tracks, wins, k, h, currency)
    scale = scales[currency]
    joins_first = label or tracks[k, T_CURRENT] != 0
    for step in range(2):
        if (step == 0) == joins_first:
            if not insert(cells, numbers, r, heads, pool, floats, meta, tracks, wins, accs, k, h, tile):
                return False
        elif not label and seen >= heads[h + REACH]:
            for i in range(tracks[k, T_WINDOW], tracks[k, T_WINDOWS_END]):
                w = h + wins[i, W_AT]
                read(cells, numbers, r, heads, pool, floats, tracks, wins, outs, k, h, i, w + 1, heads[w],
                     heads[h + LEAD], scale, scratch, values, features)  # fmt: skip
        elif not label:
            for i in range(tracks[k, T_WINDOW], tracks[k, T_WINDOWS_END]):
                _read_late(cells, numbers, r, heads, pool, floats, tracks, wins, outs, k, h, i, seen, scale,
                           scratch, values, features)  # fmt: skip
    return True


@njit(nogil=True, cache=True, _nrt=False, inline="always")  # type: ignore[untyped-decorator]
def _apply_one(
    cells: Array, numbers: Array, r: int, heads: Array, pool: Array, floats: Array, meta: Array, entity: Array,
    tracks: Array, wins: Array, accs: Array, outs: Array, h: int, scales: Array, scratch: Array, values: Array,
    at: Array, features: Array,
) -> bool:  # fmt: skip
    """Take one row through one entity's tracks, from track at[2] on; False where the pool must grow first."""
    time, label = cells[r, C_TIME], cells[r, C_LABEL] != 0
    if h < 0 or time == NEVER or label:
        _nothing(tracks, wins, outs, entity, r, features)
        if h < 0:
            return True
    frontier = heads[h + FRONTIER]
    if time != NEVER:
        for k in range(entity[E_TRACK] + at[2], entity[E_TRACKS_END]):
            if label and tracks[k, T_LABELS] == 0 and time <= frontier:
                continue
            if not _visit(
                cells, numbers, r, heads, pool, floats, meta, tracks, wins, accs, outs, k, h + tracks[k, T_AT],
                scales, scratch, values, features,
            ):  # fmt: skip
                at[2] = k - entity[E_TRACK]
                return False
        at[2] = 0
        if frontier == NEVER or time - frontier > entity[E_HORIZON]:
            heads[h + FIRST] = NEVER
        if not label:
            first = heads[h + FIRST]
            if entity[E_FIRST_SEEN] >= 0:
                age = float(time - first) / 1e6 if first != NEVER and first <= time else math.nan
                features[r, entity[E_FIRST_SEEN]] = age
            kept = frontier == NEVER or time > frontier - entity[E_HORIZON]
            if kept and (first == NEVER or time < first):
                heads[h + FIRST] = time
        heads[h + FRONTIER] = max(frontier, time)
    heads[h + SEQUENCE] += 1
    return True


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def apply(
    cells: Array, order: Array, places: Array, heads: Array, pool: Array, meta: Array, entities: Array,
    tracks: Array, wins: Array, accs: Array, outs: Array, scales: Array, scratch: Array, block: Array,
    told: Array, lateness: int, at: Array, features: Array, sequence: Array, late: Array,
) -> bool:  # fmt: skip
    """Apply rows; False where the pool must grow before going on from `at` (entity, position, track).

    cells: int64 (rows, C); order: (entities, rows), rows grouped by entity; places: (entities, rows), in
    that order, where its header lies, -1 where it has none. block (B, C) and told (B, features): room for B rows, which are
    fetched and written back together, since a row's place in memory is far from the next one's. Results by row.
    """
    rows, width = cells.shape
    half = len(scratch) // 2
    values = scratch[half:].view(np.float64)
    numbers, floats = block.view(np.float64), pool.view(np.float64)
    for e in range(at[0], entities.shape[0]):
        entity = entities[e]
        single = entity[E_SINGLE]
        first, last = _outs_of(entity, tracks, wins)
        start = at[1]
        while start < rows:
            size = min(len(block), rows - start)
            for i in range(size):
                r = order[e, start + i]
                for c in range(width):
                    block[i, c] = cells[r, c]
            done = 0
            while done < size:
                r = order[e, start + done]
                h = places[e, start + done]
                if single >= 0:
                    sequence[r, single] = heads[h + SEQUENCE] + 1 if h >= 0 else 0
                    time = block[done, C_TIME]
                    if h >= 0 and time != NEVER and block[done, C_LABEL] == 0:
                        frontier = heads[h + FRONTIER]
                        if frontier != NEVER and frontier - time > lateness:
                            late[r] = True
                if not _apply_one(
                    block, numbers, done, heads, pool, floats, meta, entity, tracks, wins, accs, outs, h, scales,
                    scratch, values, at, told,
                ):  # fmt: skip
                    break
                done += 1
            for i in range(done):
                r = order[e, start + i]
                for o in range(first, last):
                    features[r, outs[o, O_FEATURE]] = told[i, outs[o, O_FEATURE]]
                if entity[E_FIRST_SEEN] >= 0:
                    features[r, entity[E_FIRST_SEEN]] = told[i, entity[E_FIRST_SEEN]]
            start += done
            if done < size:
                at[0], at[1] = e, start
                return False
        at[1] = 0
    return True


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _outs_of(entity: Array, tracks: Array, wins: Array) -> tuple[int, int]:
    """Return where an entity's outputs begin and end in their table."""
    begin, end = entity[E_TRACK], entity[E_TRACKS_END]
    if begin == end:
        return 0, 0
    return wins[tracks[begin, T_WINDOW], W_OUT], wins[tracks[end - 1, T_WINDOWS_END] - 1, W_OUTS_END]
