"""Segments: the nearest centre is the label, and the rank of its distance says how typical a row is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.models.rank_calibration import RankCalibration
from tallystick.models.scores import Scores

__all__ = ["SegmentCalibration"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SegmentCalibration:
    """Of squared distances to centres: the nearest, and which share of training rows lay nearer to theirs."""

    ranks: RankCalibration

    @classmethod
    def fit(cls, raw: Floats) -> SegmentCalibration:
        """Fit on squared distances (rows, segments)."""
        return cls(RankCalibration.fit(raw.min(axis=1)))

    def apply(self, raw: Floats) -> Scores:
        """Return the segment of each row, and the rank of its distance, 0 … 1."""
        label = raw.argmin(axis=1).astype(np.int64)
        return Scores(raw, self.ranks.share(raw[np.arange(len(raw)), label]), label)

    def direction(self, scores: Scores) -> Floats:
        """Return the distance to the row's own centre: float64 (rows, segments)."""
        assert scores.label is not None
        found: Floats = np.eye(scores.values.shape[1])[scores.label]
        return found

    def describe(self) -> dict[str, Any]:
        """Return what a manifest keeps."""
        return self.ranks.describe()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a bundle keeps."""
        return self.ranks.arrays()

    @classmethod
    def of(cls, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> SegmentCalibration:
        """Return what `describe` and `arrays` kept."""
        return cls(RankCalibration.of(description, arrays))
