"""Accumulators of cells, a class for each kind of value.

All have the same shape: matrices (kept periods, room for groups), `add` for rows, `read` for a window.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from tallystick.streams.aggregates.columns import Columns
from tallystick.streams.aggregates.declaration import Value
from tallystick.streams.aggregates.distinct import Distinct
from tallystick.streams.aggregates.kernels import (
    add_extremes,
    add_floats,
    add_spread,
    add_whole,
    join_floats,
    join_spread,
)

__all__ = ["Accumulator", "Extremes", "Hits", "Spread", "Sums", "WholeSums", "accumulator"]

Floats = NDArray[np.float64]
Cells = NDArray[np.int64]
#: Whole numbers below this, either way, are float64 without rounding.
EXACT = 1 << 53


class Accumulator(Protocol):
    """Accumulated values of each cell (one period of one group)."""

    def prepare(self, columns: Columns, rows: Cells | None) -> None:
        """Read the column of a batch: those rows of it, or all."""

    def add(self, start: int, stop: int, cells: Cells) -> None:
        """Add the rows start … stop of those that were looked at to their cells."""

    def read(self, lines: Cells, used: int, kind: str, rows: NDArray[np.int64], scale: Floats) -> Floats:
        """Return a value of the window that some periods make: float64 (used,), NaN where nothing is known.

        rows: of each group in the window; scale: minor units in a major one, 1 where there is no money.
        """

    def exact(self, lines: Cells, used: int) -> NDArray[np.bool_]:
        """Return for which groups the value is exact."""

    def clear(self, line: int) -> None:
        """Forget a period."""

    def grow(self, room: int) -> None:
        """Make room for so many groups."""

    def arrays(self, used: int) -> dict[str, NDArray[Any]]:
        """Return copies of what is kept, for a snapshot."""

    def restore(self, arrays: Mapping[str, NDArray[Any]], room: int) -> None:
        """Restore what `arrays` returned."""


class _Matrices:
    """Matrices that grow, are cleared and kept together."""

    START: ClassVar[Mapping[str, float]] = {}
    WHOLE: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, kept: int, room: int, column: str = "") -> None:
        self.column = column
        self.all = {
            name: np.full((kept, room), start, np.int64 if name in self.WHOLE else np.float64)
            for name, start in self.START.items()
        }
        self.flat: dict[str, NDArray[Any]] = {}
        self._flatten()

    def _flatten(self) -> None:
        self.flat = {name: array.ravel() for name, array in self.all.items()}  # views: all are contiguous

    def exact(self, lines: Cells, used: int) -> NDArray[np.bool_]:  # noqa: ARG002 - as the protocol has it
        return np.ones(used, np.bool_)

    def clear(self, line: int) -> None:
        for name, array in self.all.items():
            array[line] = self.START[name]

    def grow(self, room: int) -> None:
        for name, array in self.all.items():
            wide = np.full((len(array), room), self.START[name], array.dtype)
            wide[:, : array.shape[1]] = array
            self.all[name] = wide
        self._flatten()

    def arrays(self, used: int) -> dict[str, NDArray[Any]]:
        return {name: array[:, :used].copy() for name, array in self.all.items()}

    def restore(self, arrays: Mapping[str, NDArray[Any]], room: int) -> None:
        for name in self.all:
            self.all[name] = np.array(arrays[name])
        self.grow(room)


class Hits(_Matrices):
    """How many rows a condition holds for."""

    START: ClassVar = {"hits": 0}
    WHOLE: ClassVar = frozenset({"hits"})

    def __init__(self, kept: int, room: int, value: Value) -> None:
        super().__init__(kept, room)
        self.when = value.when
        self.flags = np.zeros(0, np.bool_)

    def prepare(self, columns: Columns, rows: Cells | None) -> None:
        """Evaluate the condition."""
        assert self.when is not None
        flags = self.when.holds(columns)
        self.flags = flags if rows is None else flags[rows]

    def add(self, start: int, stop: int, cells: Cells) -> None:
        """Count those that it holds for."""
        np.add.at(self.flat["hits"], cells[self.flags[start:stop]], 1)

    def read(self, lines: Cells, used: int, kind: str, rows: NDArray[np.int64], scale: Floats) -> Floats:  # noqa: ARG002
        """Return the share of all rows."""
        return _over(self.all["hits"][lines, :used].sum(axis=0).astype(np.float64), rows)


class WholeSums(_Matrices):
    """Sums of whole numbers and of minor units, exactly."""

    START: ClassVar = {"counts": 0, "high": 0, "low": 0}
    WHOLE: ClassVar = frozenset({"counts", "high", "low"})

    def prepare(self, columns: Columns, rows: Cells | None) -> None:
        """Take the numbers."""
        values, known = columns.integers(self.column)
        self.values, self.known = (values, known) if rows is None else (values[rows], known[rows])

    def add(self, start: int, stop: int, cells: Cells) -> None:
        """Add them."""
        kept = self.flat["counts"], self.flat["high"], self.flat["low"]
        add_whole(cells, self.values[start:stop], self.known[start:stop], *kept)

    def read(self, lines: Cells, used: int, kind: str, rows: NDArray[np.int64], scale: Floats) -> Floats:  # noqa: ARG002
        """Return the sum or the mean, rounded once."""
        counts, high, low = (self.all[name][lines, :used].sum(axis=0) for name in ("counts", "high", "low"))
        below = scale * np.where(counts > 0, counts, 1) if kind == "mean" else scale
        if len(high) == 0 or ((np.abs(high) < EXACT >> 33).all() and (below < EXACT).all()):
            found = ((high << 32) + low) / below
        else:
            totals = [(h << 32) + part for h, part in zip(high.tolist(), low.tolist(), strict=True)]
            found = np.array([t / int(b) for t, b in zip(totals, below.tolist(), strict=True)])
        return np.where(counts > 0, found, np.nan)


class _Numbers(_Matrices):
    """Matrices accumulated from the numbers of a column."""

    def prepare(self, columns: Columns, rows: Cells | None) -> None:
        """Take the numbers."""
        values = columns.floats(self.column)
        self.values = values if rows is None else values[rows]


class Sums(_Numbers):
    """Sums of numbers, in the order of the rows."""

    START: ClassVar = {"counts": 0, "sums": 0.0}
    WHOLE: ClassVar = frozenset({"counts"})

    def add(self, start: int, stop: int, cells: Cells) -> None:
        """Add them."""
        add_floats(cells, self.values[start:stop], self.flat["counts"], self.flat["sums"])

    def read(self, lines: Cells, used: int, kind: str, rows: NDArray[np.int64], scale: Floats) -> Floats:  # noqa: ARG002
        """Return the sum or the mean."""
        counts = self.all["counts"][lines, :used].sum(axis=0)
        found = join_floats(lines, used, self.all["sums"])
        return _over(found, counts) if kind == "mean" else np.where(counts > 0, found, np.nan)


class Extremes(_Numbers):
    """The least and the most."""

    START: ClassVar = {"least": np.inf, "most": -np.inf}

    def add(self, start: int, stop: int, cells: Cells) -> None:
        """Compare them."""
        add_extremes(cells, self.values[start:stop], self.flat["least"], self.flat["most"])

    def read(self, lines: Cells, used: int, kind: str, rows: NDArray[np.int64], scale: Floats) -> Floats:  # noqa: ARG002
        """Return the one or the other."""
        if kind == "min":
            found = self.all["least"][lines, :used].min(axis=0)
        else:
            found = self.all["most"][lines, :used].max(axis=0)
        return np.where(np.isfinite(found), found / scale, np.nan)


class Spread(_Numbers):
    """Standard deviation."""

    START: ClassVar = {"counts": 0, "means": 0.0, "squares": 0.0}
    WHOLE: ClassVar = frozenset({"counts"})

    def add(self, start: int, stop: int, cells: Cells) -> None:
        """Add them."""
        kept = self.flat["counts"], self.flat["means"], self.flat["squares"]
        add_spread(cells, self.values[start:stop], *kept)

    def read(self, lines: Cells, used: int, kind: str, rows: NDArray[np.int64], scale: Floats) -> Floats:  # noqa: ARG002
        """Return it with n - 1."""
        kept = self.all["counts"], self.all["means"], self.all["squares"]
        found: Floats = join_spread(lines, used, *kept) / scale
        return found


def accumulator(value: Value, kept: int, room: int, distinct: int) -> Accumulator | None:
    """Return the accumulator of a value; None for a count, which is kept anyway."""
    match value.kind:
        case "count":
            return None
        case "share":
            return Hits(kept, room, value)
        case "distinct":
            return Distinct(kept, room, value.column, distinct)
        case "min" | "max":
            return Extremes(kept, room, value.column)
        case "std":
            return Spread(kept, room, value.column)
    return (Sums if value.type == "number" else WholeSums)(kept, room, value.column)


def _over(values: Floats, counts: NDArray[np.int64]) -> Floats:
    """Divide where there is something to divide by; NaN elsewhere."""
    return np.where(counts > 0, values / np.where(counts > 0, counts, 1), np.nan)
