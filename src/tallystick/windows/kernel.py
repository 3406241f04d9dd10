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
    T_INPUT,
    T_LABELS,
    T_LAG,
    T_SHAPE,
    T_TILE,
    T_WIDTH,
    T_WINDOW,
    T_WINDOWS_END,
    W_AT,
    W_OUT,
    W_OUTS_END,
    W_WIDTH,
    WINDOWS,
)
from tallystick.windows.plain import counts, money
from tallystick.windows.prefetch import LINE, prefetch
from tallystick.windows.visit import visit

__all__ = ["apply", "group"]

#: An index known to be 0 or more: without it each access first asks whether to count from the end.
U = np.uint64
Array = Any  # as `layout` says
#: Times (microseconds) beyond which a float64 might not tell a tile well enough: 18,000 years.
_FAR = 1 << 59


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
        starts[code] += 1
    first = 0
    for code in range(kinds + 1):  # `starts` are ends now
        places[first : starts[code]] = headers[code]
        first = starts[code]


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
            for x in range(0, words, LINE):
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


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _stage(
    cells: Array, width: int, order: Array, places: Array, start: int, size: int, heads: Array, block: Array,
    room: int,
) -> None:  # fmt: skip
    """Copy a block's cells column by column, and note of each row how many form a run from there on.

    A run is rows of one entity as `plain` takes them; 0: the row is of none.
    """
    runs, before, newest = width * room, -1, NEVER
    for i in range(size):
        r, h = order[U(start + i)] * width, places[U(start + i)]
        for c in range(width):
            block[U(c * room + i)] = cells[U(r + c)]
        time = cells[U(r + C_TIME)]
        same = h == before
        if not same:
            newest, before = heads[U(max(h, 0) + FRONTIER)], h
        plain = h >= 0 and cells[U(r + C_BITS)] & 1 != 0 and -_FAR < time < _FAR and time >= newest
        newest = max(newest, time)
        if plain and same and i and block[U(C_CURRENCY * room + i - 1)] == cells[U(r + C_CURRENCY)]:
            block[U(runs + i)] = 2  # goes on with what is before it
        else:
            block[U(runs + i)] = 1 if plain else 0
    after = 0
    for i in range(size - 1, -1, -1):
        kind = block[U(runs + i)]
        block[U(runs + i)] = after + 1 if kind else 0
        after = after + 1 if kind == 2 else 0


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def _list(
    cells: Array, width: int, features: Array, wide: int, low: int, high: int, sequence: Array, singles: int,
    single: int, rows: Array, size: int, turns: int, each: int, block: Array, at: int, room: int,
) -> None:  # fmt: skip
    """List the lines of memory that some rows will need, so that each track asks for `each` of them a row."""
    for i in range(size):
        r, line = rows[U(min(i, len(rows) - 1))], 0
        for turn in range(turns):
            for x in range(each):
                number = turn + x * turns
                if number == 0:
                    line = cells.ctypes.data + 8 * r * width
                elif number == 1 and single >= 0:
                    line = sequence.ctypes.data + 8 * (r * singles + single)
                elif low < high:
                    f = min(low + max(number - 2, 0) * LINE, high - 1)
                    line = features.ctypes.data + 8 * (r * wide + f)
                block[U(at + (turn * room + i) * each + x)] = line


@njit(nogil=True, cache=True, _nrt=False, inline="always")  # type: ignore[untyped-decorator]
def _pass(
    cells: Array, r: int, heads: Array, plan: Array, entity: int, h: int, lateness: int, features: Array,
    q: int,
) -> bool:  # fmt: skip
    """Let a row that went through an entity's tracks count there; say whether it was late."""
    time, label, late = cells[U(r + C_TIME)], cells[U(r + C_BITS)] & 1 == 0, False
    frontier = heads[U(h + FRONTIER)]
    if time != NEVER:
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
            late = frontier != NEVER and frontier - time > lateness
        heads[U(h + FRONTIER)] = max(frontier, time)
    heads[U(h + SEQUENCE)] += 1
    return late


@njit(nogil=True, cache=True, _nrt=False)  # type: ignore[untyped-decorator]
def apply(
    entity: int, rows: Array, order: Array, places: Array, heads: Array, pool: Array, meta: Array,
    plan: Array, scales: Array, scratch: Array, block: Array, lateness: int, begin: int,
    outputs: Array, numbered: Array, late: Array,
) -> int:  # fmt: skip
    """Apply rows from `begin` on; return how many are done: less than all where the pool must grow first.

    entity: where its row lies in `plan`. rows: int64 (rows, C), their cells; order: (rows,), grouped by
    entity; places: (rows,), in that order, where the header lies, -1 where there is none. outputs, numbered,
    late: what `WindowResult` calls features, sequence and late. block: room for some rows that go through one
    track after the other: their columns, six words more of each, and the lines of memory that the rows after
    them will need, which are asked for meanwhile, since a row's place in memory is far from the next one's.
    """
    count, width = rows.shape
    wide, singles = outputs.shape[1], numbered.shape[1]
    cells, features = rows.reshape(rows.size), outputs.reshape(outputs.size)
    sequence = numbered.reshape(numbered.size)
    values = scratch[len(scratch) // 2 :].view(np.float64)
    numbers, floats = cells.view(np.float64), pool.view(np.float64)
    single = plan[U(entity + E_SINGLE)]
    low, high = plan[U(entity + E_FEATURE)], plan[U(entity + E_FEATURES_END)]
    first, last = plan[U(entity + E_TRACK)], plan[U(entity + E_TRACKS_END)]
    start, turns = begin, (last - first) // T_WIDTH
    lines = (high - low + LINE - 1) // LINE + 3
    room = len(block) // (width + 6 + lines + turns)
    while start < count:
        size = _fetch(places, start, min(room, count - start), entity, heads, pool, meta, plan, scratch)
        if size == 0:
            break
        _stage(cells, width, order, places, start, size, heads, block, room)
        for i in range(size):
            if block[U(width * room + i)] == 0:
                r = order[U(start + i)]
                if places[U(start + i)] < 0 or cells[U(r * width + C_TIME)] == NEVER or (
                    cells[U(r * width + C_BITS)] & 1 == 0
                ):  # fmt: skip
                    _nothing(plan, entity, r * wide, features)
        following = order[U(start + size) : U(min(count, start + 2 * size))]
        each = (lines + turns - 1) // turns if len(following) and turns else 0
        if each:
            _list(cells, width, features, wide, low, high, sequence, singles, single, following, size, turns,
                  each, block, (width + 6) * room, room)  # fmt: skip
        for turn in range(turns):
            k = first + turn * T_WIDTH
            shape, at = plan[U(k + T_SHAPE)], plan[U(k + T_AT)]
            lag, length = plan[U(k + T_LAG)], plan[U(k + T_TILE)] if plan[U(k + T_EXACT)] == 0 else 1
            deaf = plan[U(k + T_LABELS)] == 0 and plan[U(k + T_INPUT)] == 0
            asks, i = (width + 6 + turn * each) * room, 0
            while i < size:
                h, done, run = places[U(start + i)] + at, i, block[U(width * room + i)]
                if run and shape == S_COUNTS:
                    done = i + run
                    counts(block, room, i, done, order, start, heads, pool, meta, plan, k, h, features, wide,
                           asks, each)  # fmt: skip
                elif run and shape == S_MONEY:
                    done = money(block, room, i, i + run, order, start, heads, pool, meta, plan, k, h,
                                 features, wide, asks, each, width, scales)  # fmt: skip
                if done == i:
                    r, done = order[U(start + i)] * width, i + 1
                    for x in range(asks + i * each, asks + i * each + each):
                        prefetch(block[U(x)])
                    time = cells[U(r + C_TIME)]
                    if h < at or time == NEVER:
                        pass
                    elif not deaf or cells[U(r + C_BITS)] & 1 or (time - lag) // length > heads[U(h + REACH)]:
                        visit(cells, numbers, r, heads, pool, floats, meta, plan, k, h, scales, scratch,
                              values, features, order[U(start + i)] * wide)  # fmt: skip
                i = done
        for i in range(size):
            r, h = order[U(start + i)], places[U(start + i)]
            if h >= 0:
                tardy = _pass(cells, r * width, heads, plan, entity, h, lateness, features, r * wide)
                if single >= 0:
                    sequence[U(r * singles + single)] = heads[U(h + SEQUENCE)]
                    if tardy:
                        late[U(r)] = True
        start += size
    return start
