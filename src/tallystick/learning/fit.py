"""Fitting: features and model on some rows, and held-out scores of all by models that did not see them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.errors import DataError
from tallystick.feature_extraction import FitContext, FittedFeatures, augment, fit_features, without_content
from tallystick.inputs.context import Progress, Quiet
from tallystick.learners import Learner, Sample
from tallystick.models import Model, Sufficiency, fit_sufficiency
from tallystick.models.scores import Calibrator, Scores
from tallystick.tasks import Calibrated, Dataset, Fold, HeldOut, Target, Task, Truth

__all__ = ["FitSpec", "Fitted", "FittedModel", "calibrate", "cross_fit", "fit_task", "learned_target"]

MEDIANS = 50_000  # rows from which the medians of features are taken
MADE_OF = 20_000  # rows of which others are made that hold too little

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FittedModel:
    """Features and a model that is not calibrated yet.

    blank: bool, of each dense feature whether a row that it was fitted on lacked it.
    """

    features: FittedFeatures
    model: Model
    blank: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))

    def raw_and_support(self, rows: pa.RecordBatch, threads: int = 1) -> tuple[Floats, Floats | None]:
        """Score rows, and say how much of each is known, None where the features cannot tell."""
        joined = self.features.joined(self.model)
        if joined is not None:
            return joined.explained(rows, 0, threads)[:2]
        return self.raw(rows, threads), self.features.support(rows, threads)

    def raw(self, rows: pa.RecordBatch, threads: int = 1) -> Floats:
        """Score rows with the kernels that score in production: float64 (rows, outputs)."""
        joined = self.features.joined(self.model)
        if joined is not None:
            return joined.raw(rows, threads)
        return self.model.raw(self.features.matrix(rows, threads=threads), threads)


@dataclass(frozen=True)
class Fitted:
    """A task fitted on rows: features, model, calibrator, and what held-out rows got.

    medians: float64, of each dense feature over rows spread evenly, NaN where it is never known; blank: bool,
    of each dense feature whether a training row lacked it; sufficiency: None where the features cannot tell
    how much of a row they know.
    """

    features: FittedFeatures
    model: Model
    held: HeldOut
    calibrated: Calibrated
    calibrator: Calibrator
    medians: Floats
    blank: NDArray[np.bool_]
    target: Target
    sufficiency: Sufficiency | None = None

    def scores(self, rows: pa.RecordBatch, threads: int = 1) -> Scores:
        """Score rows as production does."""
        raw, support = FittedModel(self.features, self.model).raw_and_support(rows, threads)
        return _weighed(self.target, self.calibrator.apply(raw), self.sufficiency, support)


@dataclass(frozen=True)
class FitSpec:
    """How a task is learned: by whom, with which hyperparameters, from which features.

    only: columns and features to use, all when empty; settings: seed and threads among them.
    """

    task: Task
    learner: Learner
    params: dict[str, Any]
    settings: Settings
    only: frozenset[str] = frozenset()
    progress: Progress = field(default_factory=Quiet)

    @property
    def supervised(self) -> bool:
        """Whether it learns from labels."""
        return self.learner.needs_labels

    @classmethod
    def of(
        cls,
        task: Task,
        learner: Learner,
        settings: Settings,
        *,
        only: Collection[str] = (),
        params: dict[str, Any] | None = None,
        progress: Progress | None = None,
    ) -> FitSpec:
        """Make one; the task's own hyperparameters where none are given."""
        chosen = dict(task.learner_params(learner.name)) if params is None else params
        chosen = task.target.params | chosen
        return cls(task, learner, chosen, settings, frozenset(only), progress or Quiet())

    def fit(self, dataset: Dataset, answers: Floats, names: Sequence[str]) -> FittedModel:
        """Fit features and model on rows with their answers; names: of the codes."""
        threads = self.settings.cores()
        context = FitContext(dataset.reader, self.only, threads, dataset.people)
        features = fit_features(self.task.features, dataset.rows, context)
        values = features.values(dataset.rows)
        matrix = features.matrix(dataset.rows, values, threads)
        truth, weight = np.nan_to_num(answers), None
        made = augment(self.task.features, dataset.rows)
        if made is not None:
            from scipy.sparse import vstack

            matrix = vstack([matrix, features.matrix(made.rows, threads=threads)], format="csr")
            weight = np.concatenate([np.ones(len(truth)), np.full(len(made.source), made.weight)])
            truth = np.concatenate([truth, truth[made.source]])
        dense = features.layout == "dense"
        sample = Sample(
            matrix,
            truth if self.task.target.kind == "amount" else truth.astype(np.int64),
            len(names),
            weight,
            self.settings.seed,
            self.params,
            features.names if dense else (),
            threads,
            learned_target(self.task, self.learner),
        )
        blank = np.asarray(np.isnan(matrix if dense else features.dense(values)).any(axis=0))
        return FittedModel(features, self.task.target.prepare(self.learner.fit(sample)), blank)


def learned_target(task: Task, learner: Learner) -> str:
    """Return the kind of target that a learner is asked for.

    A detector of anomalies serves a binary task as well: the labels then only calibrate its scores.
    """
    kind = task.target.kind
    return "anomaly" if kind == "binary" and "anomaly" in learner.targets else kind


def cross_fit(spec: FitSpec, dataset: Dataset, truth: Truth, folds: Sequence[Fold]) -> HeldOut:
    """Score the rows of each fold by a model that did not see them.

    A fold by time that nothing can be learned before is passed over; rows that no fold tests are left out.
    Raises DataError where nothing is left to learn from.
    """
    raw: Floats | None = None
    support: Floats | None = None
    without: list[tuple[Floats, int]] = []
    fold_of = np.full(len(dataset), -1, np.int64)
    step = -(-len(dataset) // MADE_OF)
    spec.progress.stage(f"Learning {spec.task.name}, fold by fold", len(folds))
    for number, fold in enumerate(folds):
        train, test = fold.train, fold.test
        if spec.supervised:
            known = truth if fold.as_of is None else truth.as_known(fold.as_of)
            train = train[known.there[train]]
        answers = truth.values[train]
        if _teaches(spec, answers, truth.names, fold):
            fitted = spec.fit(dataset.take(train), answers, truth.names)
            found, here = fitted.raw_and_support(dataset.take(test).rows, spec.settings.cores())
            raw = np.full((len(dataset), found.shape[1]), np.nan) if raw is None else raw
            raw[test] = found
            fold_of[test] = number
            if here is not None:
                support = np.full((len(dataset), here.shape[1]), np.nan) if support is None else support
                support[test] = here
                without += [(one, number) for one in _without(spec, fitted, dataset.take(test[::step]).rows)]
        spec.progress.step()
    row = np.flatnonzero(fold_of >= 0)
    if raw is None or not len(row):
        yes = int((truth.values == 1).sum())
        raise DataError(
            f"{spec.task.name} cannot be learned: no part of the input has events of both kinds before it; "
            f"of {len(dataset):,} rows with a label {yes:,} are the event.",
            _advice(truth, spec.settings),
        )
    stake = spec.task.target.stake(dataset)
    ordered = any(fold.as_of is not None for fold in folds)
    return HeldOut(
        row, fold_of[row], raw[row], truth.values[row], dataset.time[row],
        None if stake is None else stake[row], ordered,
        None if dataset.groups is None else dataset.groups[row],
        None if dataset.warmth is None else dataset.warmth[row],
        None if support is None else support[row],
        np.concatenate([one for one, _ in without]) if without else None,
        np.repeat([fold for _, fold in without], [len(one) for one, _ in without]) if without else None,
    )  # fmt: skip


def _without(spec: FitSpec, fitted: FittedModel, rows: pa.RecordBatch) -> list[Floats]:
    """Return how much is known of rows that are made of held-out ones to hold too little."""
    found = []
    for one in without_content(spec.task.features, rows):
        support = fitted.features.support(one.rows.filter(pa.array(one.made)), spec.settings.cores())
        if support is not None:
            found.append(support)
    return found


def calibrate(target: Target, held: HeldOut) -> tuple[Calibrated, Sufficiency | None]:
    """Calibrate held-out scores, and learn what holds too little, from rows that the models did not see.

    The figures of a row come from calibrators and from a sufficiency that did not see the row's fold.
    """
    calibrated = target.calibrate(held)
    if held.support is None:
        return calibrated, None
    none = np.zeros((0, held.support.shape[1]))
    made = none if held.without is None else held.without
    made_in = np.zeros(0, np.int64) if held.without_fold is None else held.without_fold
    probability, short = np.ones(len(held)), np.zeros(len(held), bool)
    for fold in np.unique(held.fold):
        out = held.fold == fold
        enough = fit_sufficiency(held.support[~out], made[made_in != fold])
        probability[out] = enough.apply(held.support[out])[0]
        short[out] = probability[out] < enough.cutoff
    scores, chosen_on = (
        target.weigh(one, probability, short) for one in (calibrated.scores, calibrated.chosen_on)
    )
    return replace(calibrated, scores=scores, chosen_on=chosen_on), fit_sufficiency(held.support, made)


def _weighed(
    target: Target, scores: Scores, sufficiency: Sufficiency | None, support: Floats | None
) -> Scores:
    if sufficiency is None or support is None:
        return scores
    probability, _ = sufficiency.apply(support)
    return target.weigh(scores, probability, probability < sufficiency.cutoff)


def _teaches(spec: FitSpec, answers: Floats, names: Sequence[str], fold: Fold) -> bool:
    """Say whether there is anything to learn from answers; DataError where folds are exchangeable."""
    if not spec.supervised or not names:
        return bool(len(fold.train))
    present = np.unique(answers)
    if len(present) > 1:
        return True
    if fold.as_of is None and len(present):
        raise DataError(
            f'Without the rows held out, only "{names[int(present[0])]}" is left '
            f"to learn {spec.task.name} from.",
            "Give more rows of the other classes; near copies of one row count as one.",
        )
    return False


def _advice(truth: Truth, settings: Settings) -> str:
    """Say what could be done where nothing can be learned."""
    event = truth.values == 1
    if event.all() and not settings.good_after:
        return "Where labels name events alone, say when silence means none: --set good_after=60d."
    if event.all() or not event.any():
        return "Give rows of both kinds, or learn what is unusual without labels: --task anomaly."
    return (
        "Give a longer time span, or say how soon after its event a label is known, if that is sooner than "
        "now: --set label_delay=1h."
    )


def fit_task(spec: FitSpec, dataset: Dataset, truth: Truth, folds: Sequence[Fold]) -> Fitted:
    """Fit a task on all rows, calibrated on held-out scores of the folds."""
    target = spec.task.target
    if target.cross_fitted:
        held = cross_fit(spec, dataset, truth, folds)
        calibrated, sufficiency = calibrate(target, held)
    spec.progress.stage(f"Learning {spec.task.name}, from all rows")
    whole = spec.fit(dataset, truth.values, truth.names)
    if not target.cross_fitted:
        rows = np.arange(len(dataset))
        raw = whole.raw(dataset.rows, spec.settings.cores())
        held = HeldOut(rows, np.zeros(len(rows), np.int64), raw, truth.values, dataset.time)
        calibrated, sufficiency = target.calibrate(held), None
    model, calibrator = target.finish(whole.model, calibrated.calibrator)
    middle = medians(whole.features, dataset.rows)
    return Fitted(
        whole.features, model, held, calibrated, calibrator, middle, whole.blank, target, sufficiency
    )


def medians(features: FittedFeatures, rows: pa.RecordBatch) -> Floats:
    """Return the median of each dense feature over rows spread evenly, NaN where it is never known."""
    if features.layout == "sparse":
        return np.zeros(0)
    step = max(1, len(rows) // MEDIANS)
    some = rows if step == 1 else rows.take(pa.array(np.arange(0, len(rows), step)))
    X = features.matrix(some)
    known = ~np.isnan(X).all(axis=0)
    found = np.full(X.shape[1], np.nan)
    found[known] = np.nanmedian(X[:, known], axis=0)
    return found
