"""Fitting a task on all rows, and on folds so that every row is also scored by a model that never saw it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.errors import DataError
from tallystick.evaluation import folds
from tallystick.jobs.labelled import Rows
from tallystick.jobs.options import Work
from tallystick.learners import Learner, Sample
from tallystick.models import Calibration, Decided, LinearModel, cross_calibrate
from tallystick.scorer import ClassTask, FittedFeatures

__all__ = ["FOLDS", "Fitted", "fit_task", "out_of_fold"]

FOLDS = 5
Codes = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Fitted:
    """A task's features and model; its scores are logits, which the calibration turns into probabilities."""

    features: FittedFeatures
    model: LinearModel
    calibration: Calibration

    def decide(self, rows: pa.RecordBatch, threads: int = 1) -> Decided:
        """Score rows with the kernel that scores in production."""
        return self.calibration.decide(self.features.scorer(self.model).logits(rows, threads))


def fit_raw(task: ClassTask, learner: Learner, rows: Rows, work: Work) -> tuple[FittedFeatures, LinearModel]:
    """Fit features and model; its scores are not calibrated yet."""
    from scipy.sparse import vstack

    threads = work.settings.cores()
    features = task.features.fit(rows.table, work.settings)
    matrix = features.matrix(rows.table, threads)
    truth, weight = rows.truth, None
    if task.part_weight:
        parts, of = task.features.parts(rows.table)
        matrix = vstack([matrix, features.matrix(parts, threads)], format="csr")
        weight = np.concatenate([np.ones(len(rows)), np.full(len(of), task.part_weight)])
        truth = np.concatenate([truth, truth[of]])
    settings = dict(task.learner_settings(learner.name))
    sample = Sample(matrix, truth, len(rows.classes), weight, work.settings.seed, settings)
    if len(sample.present) < 2:
        present = int(sample.present[0])
        raise DataError(
            f'Without the rows held out, only "{rows.classes[present]}" is left to learn {task.name} from.',
            "Give more rows of the other classes; near copies of one letter count as one.",
        )
    model = learner.fit(sample)
    assert isinstance(model, LinearModel)  # so far, all learners of sparse features are linear
    return features, model.centred()


def cross_fit(task: ClassTask, learner: Learner, rows: Rows, work: Work, kind: str) -> tuple[Floats, Codes]:
    """Score each row by a model of the other folds: raw scores (rows, classes) and the fold of each row."""
    scores = np.zeros((len(rows), len(rows.classes)))
    fold_of = np.zeros(len(rows), np.int64)
    parts = folds(kind, FOLDS, y=rows.truth, groups=rows.groups, seed=work.settings.seed)
    work.progress.stage(f"Learning {task.name}, fold by fold", FOLDS)
    for number, (train, test) in enumerate(parts):
        features, model = fit_raw(task, learner, rows.take(train), work)
        held_out = rows.table.take(pa.array(test))
        scores[test] = features.scorer(model).logits(held_out, work.settings.cores())
        fold_of[test] = number
        work.progress.step()
    return scores, fold_of


def out_of_fold(task: ClassTask, learner: Learner, rows: Rows, work: Work, kind: str) -> Decided:
    """Decide every row by a model that did not see it; kind: how the folds are cut."""
    scores, fold_of = cross_fit(task, learner, rows, work, kind)
    return cross_calibrate(scores, rows.truth, fold_of, task.lean)[1]


def fit_task(task: ClassTask, learner: Learner, rows: Rows, work: Work) -> tuple[Fitted, Decided]:
    """Fit a task on all rows, and decide every row out of fold."""
    scores, fold_of = cross_fit(task, learner, rows, work, task.split)
    calibration, decided = cross_calibrate(scores, rows.truth, fold_of, task.lean)
    work.progress.stage(f"Learning {task.name}, from all rows")
    features, model = fit_raw(task, learner, rows, work)
    return Fitted(features, calibration.fold(model).centred(), calibration), decided
