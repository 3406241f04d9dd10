"""evaluate, for event tasks: the bundle on rows that it did not see, or its learner anew by a protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick import registry
from tallystick.contracts.zones import micros
from tallystick.errors import DataError, UsageError
from tallystick.evaluation import Thresholds, day_numbers, folds, time_split
from tallystick.jobs.event_fitting import FOLDS, Design, FittedEvent, fit_only
from tallystick.jobs.event_rows import EventRows, span, with_behaviour
from tallystick.jobs.options import Moment, Work, moment
from tallystick.jobs.past import LATEST, Events
from tallystick.models import Bundle
from tallystick.scorer import EventModel, EventTask, Solution, choose_thresholds, task_model
from tallystick.solutions.fraud.protocols import Part, handbook, prequential
from tallystick.windows import Windows

__all__ = ["EVENT_SPLITS", "Measured", "measure_events"]

EVENT_SPLITS = ("random", "stratified", "grouped", "time", "handbook", "prequential")
PROTOCOLS = ("handbook", "prequential")  # --from and --until name the days that these test
LAST = 0.2  # of the rows, by time, that a split by time tests
WEEK = 7


@dataclass(frozen=True)
class Measured:
    """Rows with their scores from models that did not see them, and how that came about.

    parts: for a protocol of several weeks, which rows each tested.
    """

    rows: EventRows
    score: NDArray[np.float64]
    thresholds: Thresholds
    split: dict[str, Any]
    passed: dict[str, int] = field(default_factory=dict)
    parts: tuple[NDArray[np.int64], ...] = ()


def measure_events(
    solution: Solution,
    task: EventTask,
    bundle: Bundle,
    events: Events,
    windows: Windows | None,
    split: str | None,
    span_: tuple[Moment | None, Moment | None],
    job: Work,
) -> Measured:
    """Score labelled rows without the model having seen them; windows: the bundle's own."""
    from_, until = span_
    # What a protocol tests lies in the span; what it learns from lies before.
    inside, passed, end = span(events, None if split in PROTOCOLS else from_, until, job.as_of, job)
    unknown = np.isnan(events.truth)
    if job.as_of is not None:
        unknown |= events.known > micros(job.as_of)
    known = inside & ~unknown
    passed |= {f"no {task.label} yet": int((inside & unknown).sum())} if (inside & unknown).any() else {}
    if not known.any():
        raise DataError(
            f"There is no row with a known {task.label}, so there is nothing to compare with.",
            "Give labels: in the input, or with --labels.",
        )
    rows = with_behaviour(solution, events, windows, known, job, end)
    if split is None:
        measured = _as_it_is(solution, task, bundle, rows, job)
    elif split in PROTOCOLS:
        measured = _by_protocol(task, bundle, rows, split, from_, job)
    else:
        measured = _anew(task, bundle, rows, split, job)
    return Measured(
        measured.rows,
        measured.score,
        measured.thresholds,
        measured.split,
        measured.passed | passed,
        measured.parts,
    )


def _as_it_is(solution: Solution, task: EventTask, bundle: Bundle, rows: EventRows, job: Work) -> Measured:
    """Score with the bundle, but rows that it was learned from with what it kept for them, or not at all."""
    model = task_model(solution, task, bundle, job.settings)
    assert isinstance(model, EventModel)
    score = model.chance(rows.table, job.settings.cores())
    identity = task.features.identity(rows.table)
    learned = bundle.arrays["oof.identity"]
    kept = np.full(len(learned), np.nan)
    kept[bundle.arrays["oof.row"]] = bundle.arrays["oof.probability"]
    order = np.argsort(learned, kind="stable")
    at = np.searchsorted(learned, identity, sorter=order)
    at = order[np.minimum(at, len(order) - 1)]
    seen = learned[at] == identity
    score = np.where(seen, kept[at], score)
    usable = np.flatnonzero(~np.isnan(score))
    without = len(score) - len(usable)
    if not len(usable):
        raise DataError(
            "The model was learned from all of these rows, and none of them lies behind its first fold.",
            "Measure it on later rows, or fit it anew: --split time.",
        )
    old, new = int(seen[usable].sum()), int((~seen[usable]).sum())
    how = {"kind": "the model as it is"}
    if old:
        how["rows it was learned from"] = f"{old:,}, each scored by a model of what came before"
    if new:
        how["rows new to it"] = f"{new:,}"
    passed = {"learned from, without a score of its own": without} if without else {}
    return Measured(rows.take(usable), score[usable], model.thresholds, how, passed)


def _design(task: EventTask, bundle: Bundle) -> Design:
    """Learn as the bundle was learned."""
    said, features = bundle.manifest["learner"], bundle.manifest["features"]
    used = [features["behaviour"][i] for i in features["used"]]
    only = [*features["numbers"], *(name for name, _ in features["categories"]), *used]
    return Design(task, registry.learner(said["name"]), dict(said["settings"]), features["behaviour"], only)


def _anew(task: EventTask, bundle: Bundle, rows: EventRows, split: str, job: Work) -> Measured:
    """Fit the bundle's learner anew on each part of a split."""
    design = _design(task, bundle)
    if split == "time":
        before, after = time_split(rows.time, LAST)
        start = rows.time[after].min()
        before = before[rows.known[before] <= start]
        parts = [(before, after)]
        how: dict[str, Any] = {
            "kind": "time",
            "learned from": f"{len(before):,} rows before whose labels were known by then",
            "tested on": f"{len(after):,} rows from {_day(start)}",
        }
    else:
        parts = folds(split, FOLDS, y=rows.fraud, groups=rows.entity, seed=job.settings.seed, rows=len(rows))
        how = {"kind": split, "folds": FOLDS, "seed": job.settings.seed}
    score = np.full(len(rows), np.nan)
    job.progress.stage(f"Learning {task.name} anew", len(parts))
    for train, test in parts:
        score[test] = _fit(design, rows.take(train), job).chance(rows.take(test).table, job.settings.cores())
        job.progress.step()
    tested = np.flatnonzero(~np.isnan(score))
    rest, score = rows.take(tested), score[tested]
    return Measured(
        rest, score, choose_thresholds(rest.fraud, score, rest.time, rest.stake, job.settings), how
    )


def _by_protocol(
    task: EventTask, bundle: Bundle, rows: EventRows, split: str, from_: Moment | None, job: Work
) -> Measured:
    """Test week by week what was learned before it, from labels as they were known when the week began."""
    zone = job.settings.zone
    dated = np.flatnonzero(rows.time < LATEST)
    rows = rows.take(dated)
    if rows.entity is None:
        raise DataError(
            f"The split {split} leaves out cards that are known to be compromised, and no row has one.",
            "Say which column it is: --map THEIRS=customer_id. Or use --split time.",
        )
    day = day_numbers(rows.time, zone)
    end = int(day.max()) + 1
    if from_ is not None:
        first = int(day_numbers(np.array([micros(moment(from_, zone, "from"))]), zone)[0])
    else:
        first = end - (WEEK if split == "handbook" else 3 * WEEK)
    weeks = list(range(first, end - WEEK + 1, WEEK))[: 1 if split == "handbook" else None]
    if not weeks:
        raise UsageError(
            f"There is no whole week to test from {_day(first * 86_400_000_000)}.", "Name an earlier --from."
        )
    if split == "handbook":
        parts = [handbook(day, rows.entity, rows.fraud, first - 2 * WEEK)]
    else:
        parts = prequential(day, weeks, protocol="published", card=rows.entity, fraud=rows.fraud)
    design = _design(task, bundle)
    scores, tested, bounds = [], [], [0]
    job.progress.stage(f"Learning {task.name} week by week", len(parts))
    for part in parts:
        fraud = part.seen(rows.fraud, rows.known, zone)
        fitted = fit_only(design, rows.take(part.train), fraud, job)
        scores.append(fitted.chance(rows.take(part.test).table, job.settings.cores()))
        tested.append(part.test)
        bounds.append(bounds[-1] + len(part.test))
        job.progress.step()
    rest, score = rows.take(np.concatenate(tested)), np.concatenate(scores)
    return Measured(
        rest,
        score,
        choose_thresholds(rest.fraud, score, rest.time, rest.stake, job.settings),
        _said(split, parts),
        parts=tuple(np.arange(a, b) for a, b in pairwise(bounds)),
    )


def _fit(design: Design, rows: EventRows, job: Work) -> FittedEvent:
    return fit_only(design, rows, rows.fraud, job)


def _said(split: str, parts: Sequence[Part]) -> dict[str, Any]:
    first, last = parts[0].describe(), parts[-1].describe()
    return {
        "kind": split,
        "tested on": f"{first['first']} to {last['last']}",
        "weeks": len(parts),
        "learned from": f"{first['train_rows']:,} rows"
        + (f" to {last['train_rows']:,}" if len(parts) > 1 else ""),
        "left out": "cards that were known to be compromised",
    }


def _day(micros_: int) -> str:
    return datetime.fromtimestamp(int(micros_) / 1e6, UTC).strftime("%Y-%m-%d")
