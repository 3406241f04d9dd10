"""Binary: whether something happens, with the probability that it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.errors import DataError
from tallystick.models import EventCalibration
from tallystick.models.scores import Scores
from tallystick.tasks.dataset import Dataset, HeldOut, Truth
from tallystick.tasks.event_report import report_on_events
from tallystick.tasks.policies import FittedPolicy
from tallystick.tasks.target import Calibrated, Measured, Target

__all__ = ["EVENT_FIGURES", "YES_NO", "Binary", "flag_truth"]

YES_NO = ("no", "yes")
EVENT_FIGURES = (
    *("rows", "events", "accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc"),
    *("average_precision", "log_loss", "brier", "ece", "intervals", "baseline"),
)


def flag_truth(dataset: Dataset, column: str) -> Truth:
    """Return the answers of a yes/no label: 1, 0, NaN where unknown."""
    values = dataset.rows.column(column).cast(pa.float64()).to_numpy(zero_copy_only=False)
    return Truth(values.astype(np.float64), dataset.counted_from(column), YES_NO)


WARM = 100  # events that a calibration needs, before it takes only those with most history before them


@dataclass(frozen=True)
class Binary(Target):
    """Yes or no.

    column: the label, a flag; at_stake: a column of money that reports and costs add up; event_kind: a column
    that names the kind of event, known only after it, for reports.
    """

    column: str
    at_stake: str | None = None
    event_kind: str | None = None
    kind: ClassVar[str] = "binary"
    explains_all: ClassVar[bool] = False
    figures: ClassVar[tuple[str, ...]] = EVENT_FIGURES

    @property
    def labels(self) -> tuple[str, ...]:
        """The label."""
        return (self.column,)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of what is at stake and of the kind of event."""
        return tuple(name for name in (self.at_stake, self.event_kind) if name)

    def encode(self, dataset: Dataset, names: Sequence[str] = ()) -> Truth:  # noqa: ARG002 - as all targets
        """Return 1 for yes and 0 for no."""
        return flag_truth(dataset, self.column)

    def stake(self, dataset: Dataset) -> NDArray[np.float64] | None:
        """Return the amounts, where all are of one currency."""
        return dataset.stake(self.at_stake)

    def refuse_too_few(self, task: str, truth: Truth) -> None:
        """Raise DataError where no answer is known."""
        if not truth.there.any():
            raise DataError(
                f"There is no row with a known {self.column} to learn {task} from.",
                "Give labels (in the file, or with --labels), or learn what is unusual: --task anomaly.",
            )

    def calibrate(self, held: HeldOut) -> Calibrated:
        """Fit a rising line of log-odds; each row is scored by one that did not see its fold."""
        calibration = _fitted(held, held.warmest(~np.isnan(held.truth), WARM))
        return Calibrated(calibration, _cross_calibrated(held), calibration.apply(held.raw))

    def load_calibrator(
        self,
        description: Mapping[str, Any],
        arrays: Mapping[str, NDArray[Any]],  # noqa: ARG002 - all is in the description
    ) -> EventCalibration:
        """Return the calibration that a bundle kept."""
        return EventCalibration.of(description)

    def outputs(self, names: Sequence[str]) -> tuple[str, ...]:  # noqa: ARG002 - as all targets
        """Return no and yes."""
        return YES_NO

    def label(
        self, scores: Scores, policy: FittedPolicy, action: NDArray[np.int64]
    ) -> NDArray[np.int64] | None:
        """Return yes from the policy's own threshold, or from one half."""
        return policy.yes(scores.score, action)

    def report(self, task: str, measured: Measured, settings: Settings, **context: Any) -> dict[str, Any]:
        """Report on the events; see `evaluation.event_report`."""
        return report_on_events(
            task, measured, settings, at_stake=self.at_stake, event_kind=self.event_kind, **context
        )


def _fitted(held: HeldOut, rows: NDArray[np.bool_]) -> EventCalibration:
    return EventCalibration.fit(held.raw[rows, 0], held.truth[rows] == 1)


def _cross_calibrated(held: HeldOut) -> Scores:
    """Score the rows of each fold by a calibration of other folds, of earlier ones where folds are ordered.

    Rows of a fold that has no others to be calibrated on have the score NaN.
    """
    values = np.full((len(held), 1), np.nan)
    known = ~np.isnan(held.truth)
    for fold in np.unique(held.fold):
        others = known & ((held.fold < fold) if held.ordered else (held.fold != fold))
        if len(np.unique(held.truth[others])) > 1:
            rows = held.fold == fold
            values[rows] = _fitted(held, held.warmest(others, WARM)).apply(held.raw[rows]).values
    if np.isnan(values).all():  # a single fold: nothing else could calibrate it
        values = _fitted(held, held.warmest(known, WARM)).apply(held.raw).values
    return Scores(values, np.ascontiguousarray(values[:, 0]))
