"""Anomaly: how unusual a row is among those learned from, without any label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.models import RankCalibration
from tallystick.models.identity_calibration import IdentityCalibration
from tallystick.models.scores import Calibrator
from tallystick.tasks.binary import EVENT_FIGURES, flag_truth
from tallystick.tasks.dataset import Dataset, HeldOut, Truth
from tallystick.tasks.event_report import report_on_events
from tallystick.tasks.target import Calibrated, Measured, Target, unlabelled

__all__ = ["Anomaly"]


@dataclass(frozen=True)
class Anomaly(Target):
    """How unusual a row is, 0 … 1.

    judge: a flag that only measures and chooses thresholds, where it is known; calibration: `rank`, the share
    of training rows that are less unusual, or `none`, where the model's score is a share itself; at_stake and
    event_kind: as of `Binary`.
    """

    judge: str | None = None
    calibration: Literal["rank", "none"] = "rank"
    at_stake: str | None = None
    event_kind: str | None = None
    kind: ClassVar[str] = "anomaly"
    explains_all: ClassVar[bool] = False
    figures: ClassVar[tuple[str, ...]] = EVENT_FIGURES

    @property
    def judged_by(self) -> tuple[str, ...]:
        """The judging label."""
        return (self.judge,) if self.judge else ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of what is at stake and of the kind of event."""
        return tuple(name for name in (self.at_stake, self.event_kind) if name)

    def encode(self, dataset: Dataset, names: Sequence[str] = ()) -> Truth:  # noqa: ARG002 - as all targets
        """Return what the judging label says, for measuring."""
        if self.judge is None or self.judge not in dataset.rows.schema.names:
            return unlabelled(dataset)
        return flag_truth(dataset, self.judge)

    def stake(self, dataset: Dataset) -> NDArray[np.float64] | None:
        """Return the amounts, where all are of one currency."""
        return dataset.stake(self.at_stake)

    def calibrate(self, held: HeldOut) -> Calibrated:
        """Rank held-out scores, or leave them."""
        calibrator: Calibrator = (
            IdentityCalibration() if self.calibration == "none" else RankCalibration.fit(held.raw[:, 0])
        )
        scores = calibrator.apply(held.raw)
        return Calibrated(calibrator, scores, scores)

    def load_calibrator(
        self, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Calibrator:
        """Return the calibration that a bundle kept."""
        return (
            IdentityCalibration() if self.calibration == "none" else RankCalibration.of(description, arrays)
        )

    def report(self, task: str, measured: Measured, settings: Settings, **context: Any) -> dict[str, Any]:
        """Report on the events that the judging label knows."""
        return report_on_events(
            task, measured, settings, at_stake=self.at_stake, event_kind=self.event_kind, probability=False,
            **context,
        )  # fmt: skip
