"""Fitting an event task on all rows, and on the past of each fold: rows are scored by what came before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.errors import DataError
from tallystick.evaluation import folds
from tallystick.jobs.event_rows import EventRows
from tallystick.jobs.options import Work
from tallystick.learners import Learner, Sample
from tallystick.models import EventCalibration, Model, RankCalibration
from tallystick.scorer import EventTask, FittedTable

__all__ = ["FOLDS", "Design", "FittedEvent", "fit_event", "fit_only", "out_of_time"]

FOLDS = 5
MEDIANS = 50_000  # rows from which the usual value of a feature is taken

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FittedEvent:
    """A task's features and model, and what turns its raw scores into probabilities."""

    features: FittedTable
    model: Model
    calibration: EventCalibration | RankCalibration
    usual: Floats

    def chance(self, table: pa.RecordBatch, threads: int = 1) -> Floats:
        """Score rows with the kernel that scores in production."""
        return self.calibration.apply(self.model.raw(self.features.matrix(table), threads)[:, 0])


@dataclass(frozen=True)
class Design:
    """How a task is learned: by whom, told what, from which features.

    behaviour: names of the window features; only: columns and features to use, all when empty.
    """

    task: EventTask
    learner: Learner
    settings: dict[str, Any]
    behaviour: Sequence[str] = ()
    only: Collection[str] = ()

    def features(self, rows: EventRows) -> FittedTable:
        """Learn which features there are."""
        return self.task.features.fit(rows.table, rows.settings, self.behaviour, self.only)

    def model(self, X: Floats, fraud: NDArray[np.bool_], names: tuple[str, ...], job: Work) -> Model:
        """Fit the model; raw scores. names: of the features."""
        settings = dict(self.settings)
        seed, threads = job.settings.seed, job.settings.cores()
        sample = Sample(X, fraud.astype(np.int64), 2, None, seed, settings, names, threads, "binary")
        return self.learner.fit(sample)


def out_of_time(design: Design, rows: EventRows, X: Floats, names: tuple[str, ...], job: Work) -> Floats:
    """Score each row by a model of the rows before its fold whose labels were known by then.

    Returns raw scores (rows,), NaN for the first part, which nothing came before.
    """
    raw = np.full(len(rows), np.nan)
    split = design.task.split
    parts = folds(split, FOLDS, time=rows.time, y=rows.fraud, groups=rows.entity, seed=job.settings.seed)
    job.progress.stage(f"Learning {design.task.name}, fold by fold", FOLDS)
    for train, test in parts:
        if split == "time" and design.learner.needs_labels:
            train = train[rows.known[train] <= rows.time[test].min()]
        known = rows.fraud[train]
        if not design.learner.needs_labels or 0 < known.sum() < len(known):
            raw[test] = design.model(X[train], known, names, job).raw(X[test], job.settings.cores())[:, 0]
        job.progress.step()
    return raw


def fit_event(design: Design, rows: EventRows, job: Work) -> tuple[FittedEvent, Floats]:
    """Fit a task on all rows; also give each row's probability by a model of what came before it, or NaN."""
    features = design.features(rows)
    X = features.matrix(rows.table)
    raw = out_of_time(design, rows, X, features.names, job)
    seen = np.flatnonzero(~np.isnan(raw))
    if not len(seen):
        raise DataError(
            f"{design.task.name} cannot be learned: no part of the input has events of both kinds before it; "
            f"of {len(rows):,} rows with a label {int(rows.fraud.sum()):,} are the event.",
            _advice(rows),
        )
    calibration = calibrate(design.task, raw[seen], rows.fraud[seen])
    job.progress.stage(f"Learning {design.task.name}, from all rows")
    model = design.model(X, rows.fraud, features.names, job)
    chance = np.full(len(rows), np.nan)
    chance[seen] = calibration.apply(raw[seen])
    return FittedEvent(features, model, calibration, usual(X)), chance


def _advice(rows: EventRows) -> str:
    """Say what could be done where nothing can be learned."""
    if rows.fraud.all() and not rows.settings.good_after:
        return "Where labels name frauds alone, say when silence means good: --set good_after=60d."
    if rows.fraud.all() or not rows.fraud.any():
        return "Give rows of both kinds, or learn what is odd without labels: --task anomaly."
    return (
        "Give a longer time span, or say how soon after its event a label is known, if that is sooner than "
        "now: --set label_delay=1h."
    )


def fit_only(design: Design, rows: EventRows, fraud: NDArray[np.bool_], job: Work) -> FittedEvent:
    """Fit a task on rows whose labels were known as `fraud` says; calibrated on the last fifth of their time.

    For what is compared by ranks, where one fit is enough.
    """
    features = design.features(rows)
    X = features.matrix(rows.table)
    (train, test), *_ = folds("time", FOLDS, time=rows.time)[-1:]
    train = train[rows.known[train] <= rows.time[test].min()]
    model = design.model(X, fraud, features.names, job)
    if not design.learner.needs_labels:
        return FittedEvent(features, model, calibrate(design.task, model.raw(X)[:, 0], fraud), usual(X))
    if not 0 < fraud[train].sum() < len(train) or not fraud[test].any():
        train, test = np.arange(len(rows)), np.arange(len(rows))
    held_out = design.model(X[train], fraud[train], features.names, job).raw(X[test], job.settings.cores())[
        :, 0
    ]
    return FittedEvent(features, model, calibrate(design.task, held_out, fraud[test]), usual(X))


def calibrate(task: EventTask, raw: Floats, fraud: NDArray[np.bool_]) -> EventCalibration | RankCalibration:
    """Fit what turns raw scores into probabilities, or into ranks for an anomaly."""
    if task.anomaly:
        return RankCalibration.fit(raw)
    return EventCalibration.fit(raw, fraud)


def usual(X: Floats) -> Floats:
    """Return the median of each feature over rows spread evenly, NaN where it is never known."""
    some = X[:: max(1, len(X) // MEDIANS)]
    known = ~np.isnan(some).all(axis=0)
    medians = np.full(X.shape[1], np.nan)
    medians[known] = np.nanmedian(some[:, known], axis=0)
    return medians
