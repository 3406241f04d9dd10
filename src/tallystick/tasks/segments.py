"""Segments: groups of rows that are alike, found without any label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.evaluation import segments_report
from tallystick.models.scores import Calibrator
from tallystick.models.segment_calibration import SegmentCalibration
from tallystick.tasks.dataset import HeldOut
from tallystick.tasks.target import Calibrated, Measured, Target

__all__ = ["Segments"]


@dataclass(frozen=True)
class Segments(Target):
    """So many segments; names: of them, numbered where there are none."""

    count: int = 4
    names: tuple[str, ...] = ()
    kind: ClassVar[str] = "segments"
    cross_fitted: ClassVar[bool] = False
    figures: ClassVar[tuple[str, ...]] = ("rows", "separation", "segments", "stability")

    @property
    def params(self) -> dict[str, Any]:
        """The number of segments."""
        return {"n_clusters": self.count}

    def calibrate(self, held: HeldOut) -> Calibrated:
        """Rank the distances."""
        calibrator = SegmentCalibration.fit(held.raw)
        scores = calibrator.apply(held.raw)
        return Calibrated(calibrator, scores, scores)

    def load_calibrator(
        self, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Calibrator:
        """Return the ranks that a bundle kept."""
        return SegmentCalibration.of(description, arrays)

    def outputs(self, names: Sequence[str]) -> tuple[str, ...]:  # noqa: ARG002 - as all targets
        """Return the segments' names."""
        return self.names or tuple(f"segment {number}" for number in range(1, self.count + 1))

    def report(self, task: str, measured: Measured, settings: Settings, **context: Any) -> dict[str, Any]:  # noqa: ARG002
        """Report on sizes and distances."""
        return segments_report(
            task, measured.scores.values, names=self.outputs(()), split=measured.split, seed=settings.seed
        )
