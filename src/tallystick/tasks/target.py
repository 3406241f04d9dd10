"""What a task predicts: how its answers are encoded, its scores calibrated, its rows measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.contracts.zones import LATEST
from tallystick.models import Model
from tallystick.models.scores import Calibrator, Scores
from tallystick.tasks.dataset import Dataset, HeldOut, Truth
from tallystick.tasks.policies import FittedPolicy

__all__ = ["Calibrated", "Measured", "Target", "unlabelled"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Calibrated:
    """A calibrator fitted on all held-out rows, and the scores of these rows.

    scores: for figures; chosen_on: those that thresholds are chosen on.
    """

    calibrator: Calibrator
    scores: Scores
    chosen_on: Scores


@dataclass(frozen=True)
class Measured:
    """Rows with scores of models that did not see them, ready for a report.

    split: how that came about, in plain values; parts: for a protocol of several stretches of time, which
    rows each tested; oracle: what the best that can be expected says of each row, for simulated rows; action:
    of each row, where it is not the policy's own, because the policy was fitted on these rows.
    """

    dataset: Dataset
    truth: Truth
    scores: Scores
    policy: FittedPolicy
    split: Mapping[str, Any] | None = None
    parts: tuple[NDArray[np.int64], ...] = ()
    oracle: Floats | None = None
    action: NDArray[np.int64] | None = None

    def take(self, index: NDArray[np.int64]) -> Measured:
        """Return some of the rows, without parts."""
        return Measured(
            self.dataset.take(index), self.truth.take(index), self.scores.take(index), self.policy,
            self.split, oracle=None if self.oracle is None else self.oracle[index],
            action=None if self.action is None else self.action[index],
        )  # fmt: skip


class Target:
    """The kind of a task; a kind overrides what it does otherwise than here.

    kind: names it in bundles and to learners; cross_fitted: whether the scores of training rows come from
    models that did not see them; explains_all: whether every decision gets reasons, not only those on which
    something is done; signed_reasons: whether what lowers a score explains it as well; figures: keys of its
    report that a bundle keeps.
    """

    kind: ClassVar[str] = ""
    cross_fitted: ClassVar[bool] = True
    explains_all: ClassVar[bool] = True
    signed_reasons: ClassVar[bool] = False
    figures: ClassVar[tuple[str, ...]] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The columns to learn from; none for a task that learns without."""
        return ()

    @property
    def judged_by(self) -> tuple[str, ...]:
        """The columns to measure by and to choose thresholds with: the labels, or others without any."""
        return self.labels

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that reports look at, besides labels."""
        return ()

    @property
    def params(self) -> dict[str, Any]:
        """Hyperparameters that follow from the target, such as the number of segments."""
        return {}

    def encode(self, dataset: Dataset, names: Sequence[str] = ()) -> Truth:  # noqa: ARG002 - for those that learn
        """Return the answers of rows; names: of the codes of a model, after which unknown ones come."""
        return unlabelled(dataset)

    def stake(self, dataset: Dataset) -> Floats | None:  # noqa: ARG002
        """Return what is at stake in each row, in major units of one currency; None where there is none."""
        return None

    def calibrate(self, held: HeldOut) -> Calibrated:
        """Fit the calibrator on held-out scores; figures come from calibrators that did not see the row."""
        raise NotImplementedError

    def load_calibrator(
        self, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Calibrator:
        """Return the calibrator that a bundle kept."""
        raise NotImplementedError

    def weigh(self, scores: Scores, probability: Floats, short: NDArray[np.bool_]) -> Scores:  # noqa: ARG002
        """Return scores of rows in the light of the probability that each holds enough to say anything.

        short: which hold too little; a person decides these, whatever their score.
        """
        return scores

    def refuse_too_few(self, task: str, truth: Truth) -> None:
        """Raise DataError where the answers leave nothing to learn."""

    def prepare(self, model: Model) -> Model:
        """Return the fitted model as its scores are taken."""
        return model

    def finish(self, model: Model, calibrator: Calibrator) -> tuple[Model, Calibrator]:
        """Return model and calibrator as the bundle keeps them."""
        return model, calibrator

    def outputs(self, names: Sequence[str]) -> tuple[str, ...]:  # noqa: ARG002
        """Return what the codes of labels stand for; names: of the codes of the answers."""
        return ()

    def label(
        self,
        scores: Scores,
        policy: FittedPolicy,  # noqa: ARG002
        action: NDArray[np.int64],  # noqa: ARG002
    ) -> NDArray[np.int64] | None:
        """Return the code of each row's label; None for a task without labels."""
        return scores.label

    def report(self, task: str, measured: Measured, settings: Settings, **context: Any) -> dict[str, Any]:
        """Measure rows: plain values, ready for JSON."""
        raise NotImplementedError


def unlabelled(dataset: Dataset) -> Truth:
    """Return answers of which none is known."""
    return Truth(np.full(len(dataset), np.nan), np.full(len(dataset), LATEST))
