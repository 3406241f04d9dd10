"""The map: a square that grows with the number of terminals, so that each customer reaches as many as ever.

The Handbook's square has sides of 100 with 10,000 terminals, and a customer reaches those within 5: about 78.
Both coordinates are whole thousandths.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tallystick.solutions.fraud.simulator.chance import below, mixed, word

__all__ = ["CUSTOMERS", "TERMINALS", "Ground", "homes", "near", "town"]

Ints = NDArray[np.int64]

#: Of which kind an item is, for its words.
CUSTOMERS: Final = 1
TERMINALS: Final = 2

REACH: Final = 5_000
_TRIES: Final = 400
_COLUMNS, _LINES = 6, 4


@dataclass(frozen=True)
class Ground:
    """Terminals, cell by cell in `order`; `start` (cells² + 1) says where each cell begins there."""

    side: int
    cells: int
    x: Ints
    y: Ints
    order: Ints
    start: Ints

    @classmethod
    def of(cls, seed: int, terminals: int) -> Ground:
        """Place so many terminals; `x` and `y` are by number."""
        side = max(isqrt(terminals * 1_000_000), REACH)
        x, y = homes(np.uint64(seed), TERMINALS, np.arange(terminals), side)
        cells = max(side // REACH, 1)
        cell = y * cells // side * cells + x * cells // side
        order = np.asarray(np.argsort(cell, kind="stable"), np.int64)
        start = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=cells * cells))])
        return cls(side, cells, x, y, order, start.astype(np.int64))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def homes(seed: np.uint64, what: int, items: Ints, side: int) -> tuple[Ints, Ints]:
    """Say where customers or terminals are."""
    x, y = np.empty(len(items), np.int64), np.empty(len(items), np.int64)
    for i in range(len(items)):
        chance = word(seed, what, items[i], 0)
        x[i] = below(chance, side)
        y[i] = below(mixed(chance), side)
    return x, y


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def near(
    chance: np.uint64,
    here_x: int,
    here_y: int,
    side: int,
    cells: int,
    x: Ints,
    y: Ints,
    order: Ints,
    start: Ints,
) -> int:
    """Draw one of the terminals within reach, each as likely as any; -1 where there is none.

    Terminals of the nine cells around are drawn until one lies within the circle: about three draws.
    """
    column, line = here_x * cells // side, here_y * cells // side
    left, right = max(column - 1, 0), min(column + 1, cells - 1)
    low, high = max(line - 1, 0), min(line + 1, cells - 1)
    total = 0
    for at in range(low, high + 1):
        total += start[at * cells + right + 1] - start[at * cells + left]
    if total == 0:
        return -1
    for _ in range(_TRIES):
        chance = mixed(chance)
        drawn = below(chance, total)
        for at in range(low, high + 1):
            first = start[at * cells + left]
            size = start[at * cells + right + 1] - first
            if drawn < size:
                found = order[first + drawn]
                across, along = x[found] - here_x, y[found] - here_y
                if across * across + along * along < REACH * REACH:
                    return int(found)
                break
            drawn -= size
    return -1


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def town(x: int, y: int, side: int) -> int:
    """Say in which town a spot lies."""
    return y * _LINES // side * _COLUMNS + x * _COLUMNS // side
