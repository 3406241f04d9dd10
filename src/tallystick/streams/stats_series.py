"""Figures of a stream over time, in a bounded number of points, and over the last seconds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.streams.stats_latency import BUCKETS, LatencySummary, quantiles, summarise

__all__ = ["Recent", "Series"]

SECOND = 1_000_000
LIMIT = 1_200  # points; the buckets of all of them are 7 MB, touched only as far as they are used
SHARES = (0.5, 0.99)
RATE_SECONDS, TAIL_SECONDS = 5, 10
RING = TAIL_SECONDS + 1


class Series:
    """Points of equal length from the start on: seconds at first, twice as long each time there are too many.

    Latencies are kept as counts by bucket, so that the percentiles of a longer point are those of all that
    lies in it. Not thread-safe.

    >>> series = Series(0)
    >>> series.add(500_000, 10, np.bincount([40], minlength=BUCKETS), 1)
    >>> series.columns(2_000_000)["rate"]
    [10.0, 0.0]
    """

    def __init__(self, started: int) -> None:
        self.started, self.seconds, self.used = started, 1, 1
        self._events = np.zeros(LIMIT, np.int64)
        self._alerts = np.zeros(LIMIT, np.int64)
        self._lag = np.full(LIMIT, -1, np.int64)
        self._counts = np.zeros((LIMIT, BUCKETS), np.uint32)
        self._shown = np.full((LIMIT, len(SHARES)), np.nan)
        self._stale = np.ones(LIMIT, np.bool_)

    def add(self, at: int, events: int, counts: NDArray[np.int64], alerts: int) -> None:
        """Count what was committed at a time, in microseconds."""
        place = self._place(at)
        self._events[place] += events
        self._alerts[place] += alerts
        row = self._counts[place]
        np.add(row, counts, out=row, casting="unsafe")
        self._stale[place] = True

    def waits(self, at: int, lag: int) -> None:
        """Set how many records wait; the maximum within a point counts."""
        place = self._place(at)
        self._lag[place] = max(int(self._lag[place]), lag)

    def work(self, most: int = 16) -> bool:
        """Read the percentiles of some points that have changed, 0.1 ms each; say whether there were any.

        Called before `columns`, so that whoever holds a lock need not hold it for all of them at once.
        """
        stale = np.flatnonzero(self._stale[: self.used])[:most]
        if len(stale):
            self._shown[stale] = quantiles(self._counts[stale], SHARES)
            self._stale[stale] = False
        return len(stale) > 0

    def columns(self, now: int) -> dict[str, list[Any]]:
        """Return for each point `at` (microseconds), `rate`, `p50` and `p99` (milliseconds), `alerts`, `lag`.

        None where nothing was counted. The last point ends now; one that has only just begun is counted into
        the one before it.
        """
        self._place(now)
        used = self.used
        while self.work():
            pass
        span = self.seconds * SECOND
        lengths = np.full(used, float(self.seconds))
        lengths[-1] = max((now - self.started - (used - 1) * span) / SECOND, 0.001)
        events, alerts, lag = (column[:used].copy() for column in (self._events, self._alerts, self._lag))
        if used > 1 and lengths[-1] < self.seconds / 4:
            for column in (events, alerts, lengths):
                column[-2] += column[-1]
            lag[-2] = max(lag[-2:])
            used -= 1
        tail = self._shown[:used]
        return {
            "at": [self.started + i * span for i in range(used)],
            "rate": (events[:used] / lengths[:used]).tolist(),
            "p50": _some(tail[:, 0]),
            "p99": _some(tail[:, 1]),
            "alerts": alerts[:used].tolist(),
            "lag": [None if one < 0 else one for one in lag[:used].tolist()],
        }

    def _place(self, at: int) -> int:
        """Find the point of a time, with longer points where there would be too many."""
        place = max(at - self.started, 0) // (self.seconds * SECOND)
        while place >= LIMIT:
            self._halve()
            place = max(at - self.started, 0) // (self.seconds * SECOND)
        self.used = max(self.used, place + 1)
        return place

    def _halve(self) -> None:
        half = LIMIT // 2
        for column in (self._events, self._alerts, self._counts):
            np.add(column[0::2], column[1::2], out=column[:half])
            column[half:] = 0
        np.maximum(self._lag[0::2], self._lag[1::2], out=self._lag[:half])
        self._lag[half:] = -1
        self._stale[:] = True
        self.seconds, self.used = self.seconds * 2, (self.used + 1) // 2


def _some(column: NDArray[np.float64]) -> list[float | None]:
    """Turn NaN, which JSON does not know, into None."""
    return [None if one != one else one for one in column.tolist()]


class Recent:
    """Counts of the last seconds, second by second. Not thread-safe.

    >>> recent = Recent(0)
    >>> recent.add(1_500_000, 100, np.bincount([40], minlength=BUCKETS), 9, 9)
    >>> recent.rate(2_000_000), recent.rate(60_000_000)
    (50.0, 0.0)
    """

    def __init__(self, started: int) -> None:
        self._started = started
        self._second = np.full(RING, -1, np.int64)
        self._events = np.zeros(RING, np.int64)
        self._counts = np.zeros((RING, BUCKETS), np.int64)
        self._total = np.zeros(RING, np.int64)
        self._longest = np.zeros(RING, np.int64)

    def add(self, at: int, events: int, counts: NDArray[np.int64], total: int, longest: int) -> None:
        """Count what was committed at a time; total and longest: of its latencies, microseconds."""
        second = at // SECOND
        place = second % RING
        if self._second[place] != second:
            self._second[place] = second
            self._events[place] = self._total[place] = self._longest[place] = 0
            self._counts[place] = 0
        self._events[place] += events
        self._counts[place] += counts
        self._total[place] += total
        self._longest[place] = max(int(self._longest[place]), longest)

    def rate(self, now: int) -> float:
        """Return how many events a second there were in the last five."""
        from_second = now // SECOND - RATE_SECONDS + 1
        covered = (now - max(from_second * SECOND, self._started)) / SECOND
        return float(self._events[self._since(from_second)].sum()) / max(covered, 0.25)

    def tails(self, now: int) -> LatencySummary:
        """Sum up the latencies of the last ten seconds."""
        there = self._since(now // SECOND - TAIL_SECONDS + 1)
        if not there.any():
            return LatencySummary()
        return summarise(
            self._counts[there].sum(axis=0), int(self._total[there].sum()), int(self._longest[there].max())
        )

    def _since(self, second: int) -> NDArray[np.bool_]:
        there: NDArray[np.bool_] = self._second >= second
        return there
