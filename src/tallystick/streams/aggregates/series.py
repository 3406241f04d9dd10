"""The series of a watched value: its expected value, anomaly score and trend.

**Anomaly.** The robust z-score of Iglewicz and Hoaglin (How to Detect and Handle Outliers, ASQC 1993): (x −
m) / s with m the median of `past` windows before, a season or else a window's length apart, and s = 1.4826 ·
median |xᵢ − m|, or 1.2533 · mean |xᵢ − m| where that is 0. Small counts differ by chance alone, so s of a
count is at least √max(m, 1) (Poisson), and that of a share p of n rows at least √(p(1 − p)/n), with p = (mn +
1)/(n + 2) (binomial, Laplace's rule). Scores end at ±1000, which also stands where the past never differed.
They propose 3.5 as the limit for one test; a stream makes thousands, so 5 is the default here.

**Trend.** The slope of Theil and Sen (Sen, JASA 63, 1968): the median of (xⱼ − xᵢ)/(j − i) over all pairs of
known values among the last periods, the newest included; up to 29 % of them may be wild.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tallystick.streams.aggregates.declaration import Value, Watch

__all__ = ["FEWEST", "Series", "judge", "slopes"]

#: A trend needs so many known values.
FEWEST: Final = 3
HIGHEST: Final = 1000.0
OF_MEDIAN: Final = 1.4826022185056018  # 1 / the upper quartile of the normal distribution
OF_MEAN: Final = 1.2533141373155001  # √(π/2)
FLOORS: Final = {"count": 1, "distinct": 1, "share": 2}

Floats = NDArray[np.float64]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def judge(
    kept: Any, at: Any, season: Any, past: Any, least: Any, values: Any, rows: Any, floor: Any, expected: Any,
    score: Any,
) -> None:  # fmt: skip
    """Compare the newest value of each group with its past; NaN where too little is known."""
    seen, away = np.empty(past), np.empty(past)
    for group in range(len(values)):
        count = 0
        for back in range(1, past + 1):
            value = kept[group, (at - back * season) % kept.shape[1]]
            if value == value:
                seen[count] = value
                count += 1
        if count < least:
            continue
        middle = np.median(seen[:count])
        expected[group] = middle
        value = values[group]
        if value != value:
            continue
        for i in range(count):
            away[i] = abs(seen[i] - middle)
        scale = OF_MEDIAN * np.median(away[:count])
        if scale == 0.0:
            scale = OF_MEAN * np.mean(away[:count])
        if floor == 1:
            scale = max(scale, np.sqrt(max(middle, 1.0)))
        elif floor == 2 and rows[group] > 0:
            n = float(rows[group])
            share = (middle * n + 1.0) / (n + 2.0)
            scale = max(scale, np.sqrt(share * (1.0 - share) / n))
        if value == middle:
            score[group] = 0.0
        elif scale > abs(value - middle) / HIGHEST:
            score[group] = (value - middle) / scale
        else:
            score[group] = HIGHEST if value > middle else -HIGHEST


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def slopes(kept: Any, at: Any, periods: Any, found: Any) -> None:
    """Take the trend of each group over the last periods up to `at`; NaN where too little is known."""
    values, places = np.empty(periods), np.empty(periods)
    steep = np.empty(periods * (periods - 1) // 2)
    for group in range(len(found)):
        count = 0
        for back in range(periods):
            value = kept[group, (at - back) % kept.shape[1]]
            if value == value:
                values[count], places[count] = value, -back
                count += 1
        if count < FEWEST:
            continue
        pairs = 0
        for i in range(count):
            for j in range(i + 1, count):
                steep[pairs] = (values[i] - values[j]) / (places[i] - places[j])
                pairs += 1
        found[group] = np.median(steep[:pairs])


class Series:
    """The last values of each group, for each watched value: a ring of periods.

    >>> watch = Watch((0,), season=1, past=5, least=3, limit=5.0, trend=5)
    >>> series = Series(watch, (Value("count", "count"),), room=1)
    >>> for period, count in enumerate([100.0, 102.0, 104.0, 106.0, 300.0]):
    ...     said = series.update(period, np.array([[count]]), np.array([int(count)]), np.array([True]))
    >>> trend, expected, score = (array.item() for array in said)
    >>> trend, expected, round(score, 1)
    (2.0, 103.0, 19.4)
    """

    def __init__(self, watch: Watch, of: tuple[Value, ...], room: int) -> None:
        self.watch = watch
        self._floors = [FLOORS.get(of[place].kind, 0) for place in watch.values]
        self._kept = np.full((len(watch.values), room, watch.kept), np.nan)

    def update(
        self, period: int, values: Floats, rows: NDArray[np.int64], there: NDArray[np.bool_]
    ) -> tuple[Floats, Floats, Floats]:
        """Take a period of each group and return trend, expected and anomaly: float64 like `values`.

        values: (values of the aggregate, groups); rows: (groups,) in the window; there: bool (groups,), which
        groups the period is of.
        """
        watch = self.watch
        trend, expected, score = (np.full(values.shape, np.nan) for _ in range(3))
        at = period % self._kept.shape[2]
        for i, place in enumerate(watch.values):
            kept = self._kept[i, : values.shape[1]]
            now = np.where(there, values[place], np.nan)
            past = watch.season, watch.past, watch.least
            judge(kept, at, *past, now, rows, self._floors[i], expected[place], score[place])
            kept[:, at] = now
            slopes(kept, at, watch.trend, trend[place])
        return trend, expected, score

    def clear(self, groups: NDArray[np.int64]) -> None:
        """Forget groups."""
        self._kept[:, groups] = np.nan

    def grow(self, room: int) -> None:
        """Make room for so many groups."""
        wide = np.full((self._kept.shape[0], room, self._kept.shape[2]), np.nan)
        wide[:, : self._kept.shape[1]] = self._kept
        self._kept = wide

    def arrays(self, used: int) -> dict[str, NDArray[Any]]:
        """Return copies of what is kept, for a snapshot."""
        return {"series": self._kept[:, :used].copy()}

    def restore(self, arrays: Mapping[str, NDArray[Any]], room: int) -> None:
        """Restore what `arrays` returned."""
        self._kept = np.array(arrays["series"])
        self.grow(room)
