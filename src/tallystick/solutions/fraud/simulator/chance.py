"""Chance that is the same on every platform: words of 64 bits and integer arithmetic, no floats on the way.

Two ways to a word. What belongs to one customer, terminal or payment is a hash of its number (SplitMix64's
finaliser; Steele, Lea and Flood 2014), so that any payment of any day can be made again without those before
it. All else is drawn in turn from PCG64, whose words NumPy promises never to change (NEP 19).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import exp
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["MOST", "RATES", "SCALE", "Draws", "Weighted", "below", "deviate", "mixed", "normals", "poissons",
           "waits", "word"]  # fmt: skip

Ints = NDArray[np.int64]
# A uint64: the type checker loses it in arithmetic.
Word = Any
Words = NDArray[np.uint64]

#: One standard deviation, or one mean wait, in the tables.
SCALE: Final = 1_000_000
#: Payments that one customer can make on one day, and steps of the mean number of them.
MOST: Final = 32
RATES: Final = 1_024

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_30: Final = np.uint64(30)
_27: Final = np.uint64(27)
_31: Final = np.uint64(31)
_32: Final = np.uint64(32)
_48: Final = np.uint64(48)
_LOW: Final = np.uint64(0xFFFF)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def mixed(seed: Word) -> Word:
    """Turn a word into the next one of its chain."""
    seed = seed + _GOLDEN
    seed = (seed ^ (seed >> _30)) * _FIRST
    seed = (seed ^ (seed >> _27)) * _SECOND
    return seed ^ (seed >> _31)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def word(seed: Word, what: int, item: int, part: int) -> Word:
    """Give the word of a part of an item; `what` says of which kind the item is."""
    one = mixed(seed ^ (np.uint64(what) * _FIRST))
    return mixed(mixed(one ^ (np.uint64(item) * _GOLDEN)) ^ (np.uint64(part) * _SECOND))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def below(chance: Word, limit: int) -> int:
    """Turn a word into a number from 0 up to, not including, `limit` (at most 2**32)."""
    return int(np.int64(((chance >> _32) * np.uint64(limit)) >> _32))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def deviate(chance: Word, normal: Ints) -> int:
    """Turn a word into a normal deviate, in millionths of a standard deviation, by the table of `normals`."""
    at = np.int64(chance >> _48)
    rest = np.int64((chance >> _32) & _LOW)
    return int(normal[at] + ((normal[at + 1] - normal[at]) * rest >> 16))


@cache
def normals() -> Ints:
    """Tabulate the normal distribution's quantiles at 0 … 65,536 parts, in millionths; ends at 4.3.

    Rounding hides in which last bit two mathematical libraries differ.
    """
    from scipy.special import ndtri

    parts = np.clip(np.arange(65_537) / 65_536, 0.5 / 65_536, 1 - 0.5 / 65_536)
    return np.asarray(np.rint(ndtri(parts) * SCALE), np.int64)


@cache
def poissons(highest: float) -> Words:
    """Tabulate P(count ≤ n) for means spread evenly over 0 … highest: uint64 (RATES, MOST), 2**32 is one."""
    means = (np.arange(RATES) + 0.5) * highest / RATES
    term = np.array([exp(-mean) for mean in means])
    total, table = np.zeros(RATES), np.empty((RATES, MOST), np.uint64)
    for n in range(MOST):
        total = total + term
        table[:, n] = np.minimum(np.rint(total * 2.0**32), 2.0**32).astype(np.uint64)
        term = term * means / (n + 1)
    return table


@cache
def waits() -> Ints:
    """Tabulate the exponential distribution's quantiles at 4,096 parts, in millionths of its mean."""
    return np.asarray(np.rint(-np.log1p(-(np.arange(4_096) + 0.5) / 4_096) * SCALE), np.int64)


class Draws:
    """Integers drawn by chance; the same seeds give the same ones.

    >>> Draws(1, 2).below(1000, 3).tolist()
    [448, 430, 419]
    """

    def __init__(self, *seeds: int) -> None:
        self._bits = np.random.PCG64(list(seeds))

    def below(self, limit: int | Ints, size: int) -> Ints:
        """Draw integers from 0 up to, not including, `limit` (at most 2**32)."""
        words = self._bits.random_raw(size) >> _32
        return ((words * np.asarray(limit, np.uint64)) >> _32).astype(np.int64)

    def between(self, low: int, high: int, size: int) -> Ints:
        """Draw integers from `low` to `high`, both among them."""
        return low + self.below(high - low + 1, size)

    def happens(self, millionths: int, size: int) -> NDArray[np.bool_]:
        """Say yes in so many cases of a million."""
        return self.below(1_000_000, size) < millionths


class Weighted:
    """Places of a list of whole weights, drawn by weight.

    >>> Weighted([1, 0, 3]).draw(Draws(1), 4).tolist()
    [2, 2, 0, 2]
    """

    def __init__(self, weights: Sequence[int]) -> None:
        self._ends = np.cumsum(np.array(weights, np.int64))

    def draw(self, draws: Draws, size: int) -> Ints:
        """Draw so many places."""
        return self.at(draws.below(int(self._ends[-1]), size))

    def at(self, numbers: Ints) -> Ints:
        """Give the place of each number below the sum of the weights."""
        return np.asarray(np.searchsorted(self._ends, numbers, side="right"), np.int64)

    @property
    def total(self) -> int:
        """The sum of the weights."""
        return int(self._ends[-1])
