"""Intervals of shares that hold on few rows too, and where rows come in groups that are right or wrong
together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

__all__ = ["evidence", "share_interval", "two_sided", "widened", "wilson"]

Floats = NDArray[np.float64]
MOST = 1_000  # rows, of which an interval without width is widened


def two_sided(level: float) -> float:
    """Return how many standard deviations the ends of a two-sided interval lie away.

    >>> round(two_sided(0.95), 2)
    1.96
    """
    return float(ndtri((1 + level) / 2))


def wilson(share: ArrayLike, rows: ArrayLike, deviations: float) -> tuple[Floats, Floats]:
    """Return both ends of Wilson's interval (1927) of shares seen in so many independent rows.

    >>> low, high = wilson(1.0, 40, two_sided(0.95))
    >>> round(float(low), 3), float(high)
    (0.912, 1.0)
    """
    p, n = np.asarray(share, np.float64), np.maximum(np.asarray(rows, np.float64), 1e-9)
    square = deviations * deviations
    middle = p + square / (2 * n)
    half = deviations * np.sqrt(p * (1 - p) / n + square / (4 * n * n))
    low, high = (middle - half) / (1 + square / n), (middle + half) / (1 + square / n)
    return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)


def evidence(wrong: ArrayLike, groups: ArrayLike | None = None) -> Floats:
    """Say how many independent rows the first k rows are worth, for each k: float64 (rows,).

    Rows of a group are often right or wrong together. Their variance is that of the sums of groups (the
    sandwich estimator); it is never taken for less than that of single rows, and no group is worth more than
    one row.

    >>> evidence([False] * 4).tolist(), evidence([False] * 4, [0, 0, 0, 1]).tolist()
    ([1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 1.0, 2.0])
    """
    missed = np.asarray(wrong, np.float64)
    rows = np.arange(1, len(missed) + 1, dtype=np.float64)
    if groups is None or not len(missed):
        return rows
    # Of the rows of the same group before each row: how many there are, and how many were wrong.
    order = np.argsort(np.asarray(groups), kind="stable")
    ranked = np.asarray(groups)[order]
    starts = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
    sizes = np.diff(np.append(starts, len(ranked)))
    sums = np.cumsum(missed[order]) - missed[order]
    before, wrong_before = np.empty(len(rows)), np.empty(len(rows))
    before[order] = np.arange(len(rows)) - np.repeat(starts, sizes)
    wrong_before[order] = sums - np.repeat(sums[starts], sizes)
    # Sums over groups of wrong², wrong x rows and rows², as each row adds to them.
    squares = np.cumsum(2 * wrong_before * missed + missed)
    mixed = np.cumsum(wrong_before + missed * before + missed)
    share = np.cumsum(missed) / rows
    variance = squares - 2 * share * mixed + share * share * np.cumsum(2 * before + 1)
    single = rows * share * (1 - share)
    effect = np.divide(variance, single, out=np.ones(len(rows)), where=single > 0)
    found: Floats = np.minimum(rows / np.maximum(effect, 1.0), np.cumsum(before == 0))
    return found


def share_interval(
    right: ArrayLike, groups: ArrayLike | None = None, level: float = 0.95
) -> list[float] | None:
    """Return both ends of the interval of how often rows are right, None without rows.

    >>> [round(end, 3) for end in share_interval([True] * 40)]
    [0.912, 1.0]
    """
    hits = np.asarray(right, bool)
    if not len(hits):
        return None
    low, high = wilson(hits.mean(), evidence(~hits, groups)[-1], two_sided(level))
    return [float(low), float(high)]


def widened(ends: dict[str, Any], units: int, level: float) -> dict[str, Any]:
    """Widen an interval that resampling cannot: where all rows are alike, every resample is, too.

    units: how many rows, or groups of them, there are; of more than 1,000 it is narrow anyway.

    >>> widened({"low": 1.0, "high": 1.0}, 40, 0.95)["low"] < 0.92
    True
    """
    low, high = ends["low"], ends["high"]
    if low is None or low != high or low not in (0.0, 1.0) or units > MOST:
        return ends
    bounds = wilson(low, units, two_sided(level))
    return {**ends, "low": float(min(low, bounds[0])), "high": float(max(high, bounds[1]))}
