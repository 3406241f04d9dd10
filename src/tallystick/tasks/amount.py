"""Amount: a number that a row will have (regression)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.evaluation import amount_report
from tallystick.models.identity_calibration import IdentityCalibration
from tallystick.models.scores import Calibrator
from tallystick.tasks.dataset import Dataset, HeldOut, Truth
from tallystick.tasks.target import Calibrated, Measured, Target

__all__ = ["Amount"]


@dataclass(frozen=True)
class Amount(Target):
    """A number; money is in major units. column: the label."""

    column: str
    kind: ClassVar[str] = "amount"
    signed_reasons: ClassVar[bool] = True
    figures: ClassVar[tuple[str, ...]] = (
        "rows",
        "mae",
        "rmse",
        "median_absolute_error",
        "r2",
        "bias",
        "intervals",
        "baseline",
    )

    @property
    def labels(self) -> tuple[str, ...]:
        """The label."""
        return (self.column,)

    def encode(self, dataset: Dataset, names: Sequence[str] = ()) -> Truth:  # noqa: ARG002 - as all targets
        """Return the numbers, NaN where unknown."""
        values = dataset.reader.read(dataset.rows).number(self.column)
        return Truth(values, dataset.counted_from(self.column))

    def calibrate(self, held: HeldOut) -> Calibrated:
        """Take the raw scores as they are."""
        calibrator = IdentityCalibration()
        scores = calibrator.apply(held.raw)
        return Calibrated(calibrator, scores, scores)

    def load_calibrator(
        self,
        description: Mapping[str, Any],  # noqa: ARG002 - as all targets
        arrays: Mapping[str, NDArray[Any]],  # noqa: ARG002
    ) -> Calibrator:
        """Return no calibration."""
        return IdentityCalibration()

    def report(self, task: str, measured: Measured, settings: Settings, **context: Any) -> dict[str, Any]:  # noqa: ARG002
        """Report on the errors."""
        return amount_report(
            task, measured.truth.values, measured.scores.score, groups=measured.dataset.groups,
            split=measured.split, seed=settings.seed,
        )  # fmt: skip
