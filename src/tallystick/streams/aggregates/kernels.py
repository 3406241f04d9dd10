"""Kernels that add rows to cells one after the other, so that batch limits cannot matter.

A cell is one period of one group; cells lie in matrices (kept periods, groups), the same place in each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["add_extremes", "add_floats", "add_rows", "add_spread", "add_whole", "join_floats", "join_spread"]

WORD = 32
MASK = (1 << WORD) - 1


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def add_rows(cells: Any, slots: Any, panes: Any, counts: Any, last: Any) -> None:
    """Count rows, and keep the newest period of each group."""
    for i in range(len(cells)):
        counts[cells[i]] += 1
        last[slots[i]] = max(last[slots[i]], panes[i])


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def add_whole(cells: Any, values: Any, known: Any, counts: Any, high: Any, low: Any) -> None:
    """Sum whole numbers exactly: the sum is high · 2³² + low, 0 ≤ low < 2³²."""
    for i in range(len(cells)):
        if known[i]:
            cell = cells[i]
            counts[cell] += 1
            part = low[cell] + (values[i] & MASK)
            high[cell] += (values[i] >> WORD) + (part >> WORD)
            low[cell] = part & MASK


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def add_floats(cells: Any, values: Any, counts: Any, sums: Any) -> None:
    """Sum numbers in the order of the rows; NaN is unknown."""
    for i in range(len(cells)):
        if values[i] == values[i]:
            counts[cells[i]] += 1
            sums[cells[i]] += values[i]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def add_extremes(cells: Any, values: Any, least: Any, most: Any) -> None:
    """Keep the least and the most; NaN is unknown."""
    for i in range(len(cells)):
        cell = cells[i]
        if values[i] < least[cell]:
            least[cell] = values[i]
        if values[i] > most[cell]:
            most[cell] = values[i]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def add_spread(cells: Any, values: Any, counts: Any, means: Any, squares: Any) -> None:
    """Keep mean and squared differences from it (Welford, Technometrics 4, 1962); NaN is unknown."""
    for i in range(len(cells)):
        if values[i] == values[i]:
            cell = cells[i]
            counts[cell] += 1
            away = values[i] - means[cell]
            means[cell] += away / counts[cell]
            squares[cell] += away * (values[i] - means[cell])


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def join_floats(lines: Any, used: Any, sums: Any) -> Any:
    """Sum the cells of some periods, the oldest first: float64 (used,)."""
    found = np.zeros(used)
    for line in lines:
        for slot in range(used):
            found[slot] += sums[line, slot]
    return found


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def join_spread(lines: Any, used: Any, counts: Any, means: Any, squares: Any) -> Any:
    """Return the standard deviation with n - 1 over some periods, NaN below two: float64 (used,).

    Joined as Chan, Golub and LeVeque do (Updating formulae, 1979), the oldest first.
    """
    found = np.full(used, np.nan)
    for slot in range(used):
        count, mean, square = 0, 0.0, 0.0
        for line in lines:
            more = counts[line, slot]
            if more:
                away = means[line, slot] - mean
                total = count + more
                square += squares[line, slot] + away * away * count * more / total
                mean += away * more / total
                count = total
        if count > 1:
            found[slot] = np.sqrt(max(square, 0.0) / (count - 1))
    return found
