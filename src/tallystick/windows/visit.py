"""One row and one track of its entity: time passes, the row joins its tile, the windows are read."""

from __future__ import annotations

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
    LEAD,
    REACH,
    SEGMENT,
    T_ADDITIVE,
    T_BUCKET,
    T_COMMON,
    T_CURRENT,
    T_EXACT,
    T_INPUT,
    T_LAG,
    T_PREFIX,
    T_SUBKEY,
    T_TILE,
    T_WINDOW,
    T_WINDOWS_END,
    W_AT,
    W_WIDTH,
)

__all__ = ["visit"]

#: An index known to be 0 or more: without it each access first asks whether to count from the end.
U = np.uint64
Array = Any  # as `layout` says


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
def visit(
    cells: Array, numbers: Array, r: int, heads: Array, pool: Array, floats: Array, meta: Array, plan: Array,
    k: int, h: int, scales: Array, scratch: Array, values: Array, features: Array, q: int,
) -> None:  # fmt: skip
    """Take one row through one track, whatever row and track they are."""
    time = cells[U(r + C_TIME)]
    label = cells[U(r + C_BITS)] & 1 == 0
    reads = not label or plan[U(k + T_INPUT)] != 0
    tile = time
    lag = plan[U(k + T_LAG)]
    seen = time - lag
    if plan[U(k + T_EXACT)] == 0:
        tile //= plan[U(k + T_TILE)]
        seen = tile if lag == 0 else seen // plan[U(k + T_TILE)]
    if seen > heads[U(h + REACH)]:
        advance(heads, pool, plan, k, h, seen)
    currency = cells[U(r + C_CURRENCY)]
    if plan[U(k + T_SUBKEY)] == BY_CURRENCY and heads[U(h + CURRENCY)] != currency and reads:
        turn_to(heads, pool, plan, k, h, currency)
    scale = scales[U(currency)]
    joins_first = label or plan[U(k + T_CURRENT)] != 0
    for step in range(2):
        if (step == 0) == joins_first:
            insert(cells, numbers, r, heads, pool, floats, meta, plan, k, h, tile)
        elif reads and seen >= heads[U(h + REACH)]:
            for i in range(plan[U(k + T_WINDOW)], plan[U(k + T_WINDOWS_END)], W_WIDTH):
                w = h + plan[U(i + W_AT)]
                read(cells, numbers, r, heads, pool, floats, plan, k, h, i, w + 1, heads[U(w)],
                     heads[U(h + LEAD)], scale, scratch, values, features, q)  # fmt: skip
        elif reads:
            for i in range(plan[U(k + T_WINDOW)], plan[U(k + T_WINDOWS_END)], W_WIDTH):
                _read_late(cells, numbers, r, heads, pool, floats, plan, k, h, i, seen, scale, scratch,
                           values, features, q)  # fmt: skip
