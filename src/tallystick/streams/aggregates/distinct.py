"""How many different values a column has: exact up to a bound, by the values' hashes.

Two values in 2⁶² share a hash. A group remembers the first `bound` values of each period; beyond that its
count may be more than what is said, and is said not to be exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tallystick.streams.aggregates.columns import Columns
from tallystick.windows.hashes import hashes

__all__ = ["Distinct", "add_values", "join_values", "rebuild"]

#: Values that all groups of one aggregate remember together; sixteen bytes each, and four to find them.
MOST: Final = 1_000_000
FREE: Final = -1
MIX: Final = 0x9E3779B97F4A7C15
SHIFT: Final = 32

Cells = NDArray[np.int64]
Floats = NDArray[np.float64]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _place(cell: Any, value: Any, table: Any, cells: Any, values: Any) -> Any:
    """Return where in the table a pair stands, or where it would."""
    size = len(table)
    mixed = (np.uint64(value) ^ (np.uint64(cell) * np.uint64(MIX))) * np.uint64(MIX)
    place = np.int64(mixed >> np.uint64(SHIFT)) & (size - 1)
    while table[place] != FREE and (cells[table[place]] != cell or values[table[place]] != value):
        place = (place + 1) & (size - 1)
    return place


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def add_values(
    lines: Any, slots: Any, new: Any, counts: Any, full: Any, bound: Any, used: Any, cells: Any, values: Any,
    table: Any,
) -> Any:  # fmt: skip
    """Remember new values of cells, row after row; return how many pairs are then used."""
    for i in range(len(lines)):
        if new[i] < 0:
            continue
        cell = lines[i] << SHIFT | slots[i]
        place = _place(cell, new[i], table, cells, values)
        if table[place] != FREE:
            continue
        if counts[lines[i], slots[i]] >= bound or used >= MOST:
            full[lines[i], slots[i]] = 1
            continue
        cells[used], values[used] = cell, new[i]
        table[place] = used
        counts[lines[i], slots[i]] += 1
        used += 1
    return used


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def rebuild(used: Any, cells: Any, values: Any, table: Any) -> None:
    """Find the places of all pairs anew."""
    table[:] = FREE
    for i in range(used):
        table[_place(cells[i], values[i], table, cells, values)] = i


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def join_values(wanted: Any, groups: Any, used: Any, cells: Any, values: Any, table: Any) -> Any:
    """Count the different values of each group over the wanted periods: int64 (groups,)."""
    found = np.zeros(groups, np.int64)
    own_cells, own_values = np.empty(used, np.int64), np.empty(used, np.int64)
    own = 0
    table[:] = FREE
    for i in range(used):
        if wanted[cells[i] >> SHIFT]:
            slot = cells[i] & ((1 << SHIFT) - 1)
            place = _place(slot, values[i], table, own_cells, own_values)
            if table[place] == FREE:
                own_cells[own], own_values[own] = slot, values[i]
                table[place] = own
                own += 1
                found[slot] += 1
    return found


class Distinct:
    """The values of each cell that were seen, as pairs of cell and hash."""

    def __init__(self, kept: int, room: int, column: str, bound: int) -> None:
        self.column, self.bound = column, bound
        self.counts, self.full = np.zeros((kept, room), np.int64), np.zeros((kept, room), np.int64)
        self.used = 0
        self.cells, self.values = np.zeros(64, np.int64), np.zeros(64, np.int64)
        self.table = np.full(256, FREE, np.int64)
        self.new = np.zeros(0, np.int64)

    def prepare(self, columns: Columns, rows: Cells | None) -> None:
        """Take the hashes of the values; what is unknown counts nowhere."""
        values, codes = columns.codes(self.column)
        known = hashes(["" if value is None else str(value) for value in values])
        known[[value is None for value in values]] = FREE
        self.new = known[codes if rows is None else codes[rows]]

    def add(self, start: int, stop: int, cells: Cells) -> None:
        """Remember them."""
        lines, slots = np.divmod(cells, self.counts.shape[1])
        self._reserve(min(self.used + stop - start, MOST))
        new = self.new[start:stop]
        kept = self.cells, self.values, self.table
        self.used = add_values(lines, slots, new, self.counts, self.full, self.bound, self.used, *kept)

    def _reserve(self, pairs: int) -> None:
        if pairs > len(self.cells):
            size = max(2 * len(self.cells), pairs)
            self.cells, self.values = (np.resize(array, size) for array in (self.cells, self.values))
        if 2 * pairs > len(self.table):
            self.table = np.full(1 << (4 * pairs).bit_length(), FREE, np.int64)
            rebuild(self.used, self.cells, self.values, self.table)

    def read(self, lines: Cells, used: int, kind: str, rows: Cells, scale: Floats) -> Floats:  # noqa: ARG002
        """Return how many different values a window has."""
        if len(lines) == 1:
            return self.counts[lines[0], :used].astype(np.float64)
        wanted = np.zeros(len(self.counts), np.bool_)
        wanted[lines] = True
        table = np.empty(len(self.table), np.int64)
        found: NDArray[np.int64] = join_values(wanted, used, self.used, self.cells, self.values, table)
        return found.astype(np.float64)

    def exact(self, lines: Cells, used: int) -> NDArray[np.bool_]:
        """Return where no value was passed over."""
        passed: NDArray[np.bool_] = self.full[lines, :used].max(axis=0) > 0
        return np.logical_not(passed)

    def clear(self, line: int) -> None:
        """Forget a period."""
        if self.counts[line].any():
            stays = np.flatnonzero(self.cells[: self.used] >> SHIFT != line)
            self.used = len(stays)
            self.cells[: self.used], self.values[: self.used] = self.cells[stays], self.values[stays]
            rebuild(self.used, self.cells, self.values, self.table)
        self.counts[line] = self.full[line] = 0

    def grow(self, room: int) -> None:
        """Make room for so many groups."""
        more = ((0, 0), (0, room - self.counts.shape[1]))
        self.counts, self.full = np.pad(self.counts, more), np.pad(self.full, more)

    def arrays(self, used: int) -> dict[str, NDArray[Any]]:
        """Return copies of what is kept, for a snapshot."""
        return {
            "counts": self.counts[:, :used].copy(),
            "full": self.full[:, :used].copy(),
            "cells": self.cells[: self.used].copy(),
            "values": self.values[: self.used].copy(),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]], room: int) -> None:
        """Restore what `arrays` returned."""
        self.counts, self.full = np.array(arrays["counts"]), np.array(arrays["full"])
        self.grow(room)
        self.used = len(arrays["cells"])
        self.cells, self.values = np.zeros(self.used + 64, np.int64), np.zeros(self.used + 64, np.int64)
        self.cells[: self.used], self.values[: self.used] = arrays["cells"], arrays["values"]
        self.table = np.full(256, FREE, np.int64)
        self._reserve(self.used + 64)
        rebuild(self.used, self.cells, self.values, self.table)
