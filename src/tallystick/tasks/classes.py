"""Classes: which of several values of a label a row has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.errors import DataError
from tallystick.evaluation import classification_report
from tallystick.models import Calibration, LinearModel, Model, cross_calibrate, weighed
from tallystick.models.scores import Calibrator, Scores
from tallystick.tasks.dataset import Dataset, HeldOut, Truth
from tallystick.tasks.policies import Abstention, coverage_target
from tallystick.tasks.target import Calibrated, Measured, Target

__all__ = ["Classes"]


@dataclass(frozen=True)
class Classes(Target):
    """One of several values.

    column: the label; prior_correction: how much labels favour rare classes (`models.Calibration`).
    """

    column: str
    prior_correction: float = 0.0
    kind: ClassVar[str] = "classes"
    figures: ClassVar[tuple[str, ...]] = (
        *("rows", "accuracy", "balanced_accuracy", "precision_macro", "recall_macro", "f1_macro"),
        *("f1_weighted", "roc_auc", "average_precision", "log_loss", "brier", "ece", "per_class"),
        *("intervals", "threshold", "few"),
    )

    @property
    def labels(self) -> tuple[str, ...]:
        """The label."""
        return (self.column,)

    def encode(self, dataset: Dataset, names: Sequence[str] = ()) -> Truth:
        """Return codes of the values: those of a model first, then others in alphabetical order."""
        coded = dataset.rows.column(self.column).cast(pa.string()).dictionary_encode()
        values = coded.dictionary.to_pylist()
        every = (*names, *sorted(set(values) - set(names)))
        place = {name: float(code) for code, name in enumerate(every)}
        codes = np.array([*(place[value] for value in values), np.nan])
        found = codes[coded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)]
        return Truth(found, dataset.counted_from(self.column), every)

    def calibrate(self, held: HeldOut) -> Calibrated:
        """Fit the calibration, and score each row by one that was fitted on the other folds."""
        truth = held.truth.astype(np.int64)
        calibration, decided = cross_calibrate(held.raw, truth, held.fold, self.prior_correction)
        scores = Scores(decided.probability, decided.confidence, decided.label)
        return Calibrated(calibration, scores, scores)

    def weigh(self, scores: Scores, probability: NDArray[np.float64], short: NDArray[np.bool_]) -> Scores:
        """A label is as sure as it would be of a whole row, times the probability that the row is one."""
        return weighed(scores, probability, short)

    def load_calibrator(
        self, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Calibration:
        """Return the calibration that a bundle kept."""
        return Calibration.of(description, arrays)

    def prepare(self, model: Model) -> Model:
        """Centre linear weights over classes, so that each says what sets a class apart."""
        return model.centred() if isinstance(model, LinearModel) else model

    def finish(self, model: Model, calibrator: Calibrator) -> tuple[Model, Calibrator]:
        """Fold the first step of the calibration into linear weights."""
        if not isinstance(model, LinearModel) or not isinstance(calibrator, Calibration):
            return model, calibrator
        return calibrator.fold(model).centred(), replace(calibrator, folded=True)

    def outputs(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the classes."""
        return tuple(names)

    def report(self, task: str, measured: Measured, settings: Settings, **context: Any) -> dict[str, Any]:  # noqa: ARG002
        """Report on the classes; see `classification_report`."""
        policy = measured.policy
        fitted = policy if isinstance(policy, Abstention) else None
        wanted = coverage_target(settings) if fitted is None else fitted.wishes
        action = measured.action
        if action is None and fitted is not None:
            action = fitted.act(measured.scores.score, measured.scores.label)
        return classification_report(
            task,
            measured.truth.codes,
            measured.scores.values,
            measured.truth.names,
            predicted=measured.scores.label,
            threshold=None if fitted is None else fitted.threshold,
            by_class=None if fitted is None else fitted.by_class,
            automatic=None if fitted is None or action is None else action == 0,
            accuracy=wanted.get("accuracy"),
            automation=wanted.get("automation"),
            groups=measured.dataset.groups,
            sizes=measured.dataset.sizes,
            size_unit=measured.dataset.size_unit,
            split=measured.split,
            seed=settings.seed,
        )

    def refuse_too_few(self, task: str, truth: Truth) -> None:
        """Raise DataError where there are not two classes to tell apart."""
        present = np.unique(truth.codes[truth.there])
        if len(present) < 2:
            held = (
                f'one class, "{truth.names[int(present[0])]}"'
                if len(present)
                else "no row that has both a label and something to learn from"
            )
            raise DataError(
                f"There is nothing to tell apart for {task}: the input holds {held}.",
                f"Give rows of at least two values of {self.column}.",
            )
