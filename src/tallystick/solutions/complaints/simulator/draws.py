"""Chance that is the same on every platform: raw words of PCG64 and integer arithmetic, no floats.

NumPy promises that a bit generator's words never change (NEP 19); what `Generator` makes of them may.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["Draws", "Weighted"]

HALF = np.uint64(32)


class Draws:
    """Integers drawn by chance; the same seeds give the same ones."""

    def __init__(self, *seeds: int) -> None:
        self._bits = np.random.PCG64(list(seeds))

    def below(self, limit: int | NDArray[np.int64], size: int | tuple[int, ...]) -> NDArray[np.int64]:
        """Draw integers from 0 up to, not including, `limit` (at most 2**32)."""
        words = self._bits.random_raw(int(np.prod(size))).reshape(size) >> HALF
        return ((words * np.asarray(limit, np.uint64)) >> HALF).astype(np.int64)

    def one(self, limit: int) -> int:
        """Draw one integer below `limit`."""
        return (int(self._bits.random_raw()) >> 32) * limit >> 32

    def happens(self, per_mille: int | NDArray[np.int64], size: int | tuple[int, ...]) -> NDArray[np.bool_]:
        """Say yes in so many cases of a thousand."""
        return self.below(1000, size) < per_mille


class Weighted:
    """Items with whole weights, in groups; items are numbered through all groups.

    >>> draws, weighted = Draws(1), Weighted([[1, 3], [5]])
    >>> weighted.draw(draws, np.array([1, 1])).tolist()
    [2, 2]
    """

    def __init__(self, groups: Sequence[Sequence[int]]) -> None:
        self._ends = np.cumsum([weight for group in groups for weight in group])
        self._totals = np.array([sum(group) for group in groups])
        self._starts = np.cumsum(self._totals) - self._totals

    def draw(self, draws: Draws, groups: NDArray[np.int64]) -> NDArray[np.int64]:
        """Draw an item of its group for each row."""
        at = self._starts[groups] + draws.below(self._totals[groups], len(groups))
        return np.asarray(np.searchsorted(self._ends, at, side="right"), np.int64)

    def at(self, parts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Pick an item of the only group for each number below 65,536."""
        return np.asarray(np.searchsorted(self._ends, parts * self._totals[0] >> 16, side="right"), np.int64)
