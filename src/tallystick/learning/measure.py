"""Scores of labelled rows by models that did not see them: a bundle as it is, or its learner fitted anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.errors import DataError
from tallystick.learning.fit import FitSpec, Fitted, calibrate, cross_fit, fit_task
from tallystick.learning.folds import folds_of, last_part
from tallystick.models import Bundle, TrainingRows
from tallystick.models.scores import Scores
from tallystick.models.training_rows import NEW, UNKNOWN
from tallystick.scorer import Predictor
from tallystick.scorer.blanks import UNMET
from tallystick.scorer.copies import copy_keys
from tallystick.scorer.loading import kept_scores
from tallystick.tasks import Dataset, FittedPolicy, Fold, HeldOut, SplitMaker, Truth
from tallystick.tasks.policies import Abstention, held_out_actions

__all__ = ["Scored", "score_anew", "score_as_it_is"]

IN_SAMPLE = "chosen on these rows, so they look a little better than on others"
WITHOUT_SCORE = "learned from, without a score of its own"
NOT_KNOWN = "perhaps learned from: the model knows only a part of its training rows again"


@dataclass(frozen=True)
class Scored:
    """Scores of rows, where these stand in the dataset, and how that came about.

    parts: for a protocol of several stretches of time, which of the scored rows each tested; action: of each,
    where the policy was fitted on these rows and so has no say.
    """

    row: NDArray[np.int64]
    scores: Scores
    policy: FittedPolicy
    split: Mapping[str, Any]
    left_out: dict[str, int] = field(default_factory=dict)
    parts: tuple[NDArray[np.int64], ...] = ()
    action: NDArray[np.int64] | None = None


def score_as_it_is(predictor: Predictor, bundle: Bundle, dataset: Dataset, threads: int) -> Scored:
    """Score with the bundle, but rows that it was learned from with what it kept for them, or not at all.

    A near copy of a training row counts as that row.
    """
    scores = predictor.scores(dataset.rows, threads)
    kept = bundle.part("heldout")
    trained_on = TrainingRows.load(kept)
    at = trained_on.find(copy_keys(predictor.task.features, dataset.rows, dataset.ids))
    seen, unknown = at >= 0, at == UNKNOWN
    held = np.full(max(at.max(initial=0), kept["row"].max(initial=0)) + 1, -1, np.int64)
    held[kept["row"]] = np.arange(len(kept["row"]))
    place = np.where(seen, held[at], -1)
    from_bundle = np.flatnonzero(seen & (place >= 0))
    values, score = scores.values.copy(), scores.score.copy()
    label = None if scores.label is None else scores.label.copy()
    values[from_bundle] = kept["values"][place[from_bundle]]
    score[from_bundle] = kept["score"][place[from_bundle]]
    if label is not None and "label" in kept:
        label[from_bundle] = kept["label"][place[from_bundle]]
    action = predictor.policy.act(score, label)
    action[from_bundle] = _kept_actions(predictor, bundle)[place[from_bundle]]
    usable = np.flatnonzero(((at == NEW) | (place >= 0)) & ~np.isnan(score))
    if not len(usable):
        raise DataError(
            "The model was learned from all of these rows, and none of them has a score of a model that did "
            "not see it.",
            "Measure it on other rows, or fit it anew: --split time.",
        )
    old, new = int(seen[usable].sum()), int((~seen[usable]).sum())
    how: dict[str, Any] = {"kind": "the model as it is"}
    if old:
        how["rows it was learned from, or near copies of them"] = f"{old:,}, with out-of-fold scores"
    if new:
        how["rows new to it"] = f"{new:,}"
    if old and predictor.policy.thresholds is not None:
        how["thresholds"] = IN_SAMPLE
    lost = int((seen & ((place < 0) | np.isnan(score))).sum())
    unmet = int(((at == NEW) & np.isnan(score)).sum())
    reasons = ((WITHOUT_SCORE, lost), (NOT_KNOWN, int(unknown.sum())), (UNMET, unmet))
    left_out = {why: count for why, count in reasons if count}
    scores = Scores(values, score, label).take(usable)
    return Scored(usable, scores, predictor.policy, how, left_out, action=action[usable])


def _kept_actions(predictor: Predictor, bundle: Bundle) -> NDArray[np.int64]:
    """Return the actions of kept training rows by thresholds that they did not choose."""
    held, _, chosen_on = kept_scores(bundle)
    task, policy = predictor.task, predictor.policy
    if not isinstance(policy, Abstention):
        return policy.act(chosen_on.score, chosen_on.label)
    settings = replace(Settings(), **policy.wishes)
    return held_out_actions(task.policy, policy, held, chosen_on, settings)


def score_anew(
    spec: FitSpec, dataset: Dataset, truth: Truth, split: str, maker: SplitMaker | None, start: int | None
) -> Scored:
    """Fit a bundle's learner anew on each part of a split; maker: of a protocol of the solution's own."""
    settings = spec.settings
    if maker is None and split != "time":
        folds = folds_of(spec.task, dataset, truth, split, settings.seed)
        held = cross_fit(spec, dataset, truth, folds)
        calibrated, _ = calibrate(spec.task.target, held)
        policy = spec.task.policy.fit(held, calibrated.chosen_on, settings)
        how: dict[str, Any] = {"kind": split, "folds": len(folds), "seed": settings.seed}
        if policy.thresholds is not None:
            how["thresholds"] = IN_SAMPLE
        action = held_out_actions(spec.task.policy, policy, held, calibrated.chosen_on, settings)
        scored = np.flatnonzero(~np.isnan(calibrated.scores.score))
        return Scored(held.row[scored], calibrated.scores.take(scored), policy, how, action=action[scored])
    made = last_part(dataset, spec.supervised, truth) if maker is None else maker(dataset, truth, start)
    parts = [_fit_fold(spec, dataset, truth, fold) for fold in made.folds]
    row = np.concatenate([fold.test for fold in made.folds])
    threads = settings.cores()
    scores = _joined(
        [
            fitted.scores(dataset.take(fold.test).rows, threads)
            for fitted, fold in zip(parts, made.folds, strict=True)
        ]
    )
    if maker is None:
        first = parts[0]
        policy = spec.task.policy.fit(first.held, first.calibrated.chosen_on, settings)
        return Scored(row, scores, policy, made.described)
    stake = spec.task.target.stake(dataset)
    held = HeldOut(
        np.arange(len(row)), np.zeros(len(row), np.int64), np.zeros((len(row), 0)), truth.values[row],
        dataset.time[row], None if stake is None else stake[row],
    )  # fmt: skip
    bounds = np.cumsum([0, *(len(fold.test) for fold in made.folds)])
    tested = tuple(np.arange(a, b) for a, b in pairwise(bounds.tolist()))
    fitted = spec.task.policy.fit(held, scores, settings)
    how = dict(made.described) | ({"thresholds": IN_SAMPLE} if fitted.thresholds is not None else {})
    return Scored(row, scores, fitted, how, parts=tested)


def _fit_fold(spec: FitSpec, dataset: Dataset, truth: Truth, fold: Fold) -> Fitted:
    """Fit on the training rows of a fold, calibrated on rows held out among them."""
    train, known = dataset.take(fold.train), truth.take(fold.train)
    if fold.answers is not None:
        known = replace(known, values=fold.answers)
    folds = folds_of(spec.task, train, known, spec.task.split, spec.settings.seed)
    if spec.task.split == "time":
        # What is compared by ranks needs no more than one calibration, on the last part of the time.
        last = folds[-1]
        before = known.as_known(last.as_of).values[last.train]
        enough = not spec.supervised or len(np.unique(before[~np.isnan(before)])) > 1
        every = np.arange(len(train))
        both = enough and (not spec.supervised or bool((known.values[last.test] == 1).any()))
        folds = (last,) if both else (Fold(every, every),)
    return fit_task(spec, train, known, folds)


def _joined(scores: list[Scores]) -> Scores:
    if len(scores) == 1:
        return scores[0]
    labels = [one.label for one in scores if one.label is not None]
    return Scores(
        np.concatenate([one.values for one in scores]),
        np.concatenate([one.score for one in scores]),
        np.concatenate(labels) if len(labels) == len(scores) else None,
    )
