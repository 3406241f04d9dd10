"""Anomaly scores as a share: how many of the rows learned from were less odd."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tallystick.models.scores import Scores

__all__ = ["RankCalibration"]

Floats = NDArray[np.float64]

#: Quantiles kept in each tenfold of the upper tail (.9, .99, …) and in all below it.
GRID = 200
#: The nearest to 0 and 1 that a share comes.
LEAST = 1e-12


@dataclass(frozen=True)
class RankCalibration:
    """A rising line from raw scores to shares.

    scores, shares: float64 (kept,), both strictly rising, the shares inside 0 … 1; scale: how fast it goes on
    beyond the scores seen. The grid is the finer, the nearer to the oddest rows.

    >>> import numpy as np
    >>> calibration = RankCalibration.fit(np.arange(9.0))
    >>> calibration.share(np.array([4.0])).tolist()
    [0.5]
    """

    scores: Floats
    shares: Floats
    scale: float

    @classmethod
    def fit(cls, raw: Floats, weight: Floats | None = None) -> RankCalibration:
        """Fit on raw scores (rows,), higher is odder; weight: how much each row counts."""
        raw = np.asarray(raw, np.float64)
        heavy = np.ones(len(raw)) if weight is None else np.asarray(weight, np.float64)
        values, which = np.unique(raw, return_inverse=True)
        mass = np.bincount(which, heavy, len(values))
        # Half of its own and half a row: the lowest and the highest stay inside.
        shares = (mass.cumsum() - mass / 2 + 0.5) / (mass.sum() + 1.0)
        tail = 1.0 - shares
        depth = max(1, int(np.ceil(-np.log10(max(tail[-1], 1e-12)))))
        wanted = np.unique(
            np.concatenate(
                [np.linspace(0.0, 1.0, GRID)]
                + [1.0 - 10.0**-d * np.linspace(1.0, 0.1, GRID) for d in range(1, depth + 1)]
            )
        )
        kept = np.unique(np.append(np.searchsorted(shares, wanted).clip(0, len(values) - 1), 0))
        spread = float(values[-1] - values[0])
        return cls(values[kept], shares[kept], spread if spread > 0 else 1.0)

    def apply(self, raw: Floats) -> Scores:
        """Calibrate raw scores (rows, 1)."""
        share = self.share(raw[:, 0])
        return Scores(share[:, None], share)

    def direction(self, scores: Scores) -> None:
        """The only output is explained."""

    def share(self, raw: Floats) -> Floats:
        """Turn raw scores (rows,) into shares; a row gives the same bits alone and in a batch."""
        out = np.empty(len(raw))
        _apply(np.ascontiguousarray(raw, np.float64), self.scores, self.shares, self.scale, out)
        return out

    def describe(self) -> dict[str, Any]:
        """Return what a manifest keeps."""
        return {"scale": self.scale}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a bundle keeps."""
        return {"scores": self.scores, "shares": self.shares}

    @classmethod
    def of(cls, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> RankCalibration:
        """Bring back what `describe` and `arrays` gave."""
        return cls(arrays["scores"], arrays["shares"], float(description["scale"]))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _apply(raw: Floats, scores: Floats, shares: Floats, scale: float, out: Floats) -> None:
    last = len(scores) - 1
    for r in range(len(raw)):
        x = raw[r]
        if x <= scores[0]:
            out[r] = shares[0] / (1.0 + (scores[0] - x) / scale)
        elif x >= scores[last]:
            out[r] = 1.0 - (1.0 - shares[last]) / (1.0 + (x - scores[last]) / scale)
        elif x != x:
            out[r] = x
        else:
            low, high = 0, last
            while high - low > 1:
                middle = (low + high) // 2
                if scores[middle] <= x:
                    low = middle
                else:
                    high = middle
            share = (x - scores[low]) / (scores[high] - scores[low])
            out[r] = shares[low] + (shares[high] - shares[low]) * share
        # Far beyond all that was seen the last digit would round to 0 or 1.
        if out[r] < LEAST:
            out[r] = LEAST
        elif out[r] > 1.0 - LEAST:
            out[r] = 1.0 - LEAST
