"""Latencies as counts in buckets whose width follows their size, in the manner of HDR histograms.

A bucket is 1/32 of its power of two wide, and what is read out of it is its middle: at most 1.6 % beside the
truth, from 2 microseconds to 400 days, in 1,440 numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BUCKETS",
    "EDGES",
    "LatencySummary",
    "chart_bars",
    "count_latencies",
    "cumulative_counts",
    "quantiles",
    "summarise",
]

BITS = 5  # of the mantissa that tell buckets apart
OCTAVES = 45
BUCKETS = OCTAVES << BITS
#: Bucket i holds EDGES[i] < latency <= EDGES[i + 1] in whole microseconds, edges that are not whole (all of
#: them below 33) taken up to the next; the first also holds what is less.
EDGES: NDArray[np.float64] = np.ldexp(
    1 + np.tile(np.arange(1 << BITS), OCTAVES) / (1 << BITS), np.repeat(np.arange(OCTAVES), 1 << BITS)
)
EDGES = np.append(EDGES, np.ldexp(1.0, OCTAVES))
# The middle of the whole microseconds that a bucket holds.
_MIDDLES = (np.ceil(EDGES[:-1]) + 1 + np.ceil(EDGES[1:])) / 2
_SHIFT, _FIRST = 52 - BITS, 1023 << BITS
# What a Prometheus histogram shows: 0.26 ms to 100 s, two buckets to a power of two.
_SHOWN = np.unique([(octave << BITS) + half for octave in range(8, 27) for half in (0, 1 << (BITS - 1))])
_COARSE = 1 << (BITS - 3)  # of ours in one bar of the chart: eight to a power of two


@dataclass(frozen=True, slots=True)
class LatencySummary:
    """How long it took, in milliseconds: percentiles, mean, the longest; None where nothing was counted."""

    count: int = 0
    mean: float | None = None
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    p999: float | None = None
    longest: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values.

        >>> LatencySummary().to_dict()["p99"] is None
        True
        """
        return {name: getattr(self, name) for name in self.__slots__}


def count_latencies(latency: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count latencies in microseconds by bucket: int64 (BUCKETS,).

    >>> int(count_latencies(np.array([1000, 1005, 90_000])).max())
    2
    """
    # The bits of a float64 are its exponent and then its mantissa: the uppermost few are the bucket.
    bits = np.maximum(latency - 1, 1).astype(np.float64).view(np.int64) >> _SHIFT
    counts: NDArray[np.int64] = np.bincount(np.minimum(bits - _FIRST, BUCKETS - 1), minlength=BUCKETS)
    return counts


def quantiles(counts: NDArray[np.integer[Any]], shares: tuple[float, ...]) -> NDArray[np.float64]:
    """Read latencies out of counts (rows, BUCKETS): milliseconds (rows, shares), NaN for a row of none.

    The value of a share is the least that at least so many of the latencies do not exceed.

    >>> quantiles(count_latencies(np.array([2_000, 3_000, 50_000]))[None], (0.5,)).round(1).tolist()
    [[3.0]]
    """
    below = counts.cumsum(axis=1, dtype=np.int64)
    total = below[:, -1]
    found = np.full((len(counts), len(shares)), np.nan)
    for i, share in enumerate(shares):
        wanted = np.maximum(np.ceil(total * share - 1e-9), 1)
        place = (below < wanted[:, None]).sum(axis=1)
        found[:, i] = np.where(total > 0, _MIDDLES[np.minimum(place, BUCKETS - 1)] / 1000, np.nan)
    return found


def summarise(counts: NDArray[np.integer[Any]], total: int, longest: int) -> LatencySummary:
    """Sum up counts (BUCKETS,); total and longest: of all latencies together and the greatest, microseconds.

    >>> summarise(count_latencies(np.array([2_000])), 2_000, 2_000).p99
    2.0
    """
    rows = int(counts.sum())
    if not rows:
        return LatencySummary()
    shares = quantiles(counts[None], (0.5, 0.9, 0.99, 0.999))[0]
    p50, p90, p99, p999 = (float(min(share, longest / 1000)) for share in shares)
    return LatencySummary(rows, total / rows / 1000, p50, p90, p99, p999, longest / 1000)


def cumulative_counts(counts: NDArray[np.integer[Any]]) -> tuple[tuple[float, int], ...]:
    """Return how many latencies are at most so many seconds, for bounds from 0.26 ms to 100 s.

    >>> dict(cumulative_counts(count_latencies(np.array([4_096, 4_097]))))[0.004096]
    1
    """
    below = np.append(0, counts.cumsum(dtype=np.int64))
    return tuple((float(EDGES[i]) / 1e6, int(below[i])) for i in _SHOWN)


def chart_bars(counts: NDArray[np.integer[Any]]) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Return the counts for a chart: edges in milliseconds, one more than bars; both empty for none.

    >>> chart_bars(count_latencies(np.array([4_096])))
    ((3.84, 4.096), (1,))
    """
    bars = counts.reshape(-1, _COARSE).sum(axis=1)
    there = np.flatnonzero(bars)
    if not len(there):
        return (), ()
    first, last = int(there[0]), int(there[-1]) + 1
    edges = EDGES[::_COARSE][first : last + 1] / 1000
    return tuple(edges.tolist()), tuple(bars[first:last].tolist())
