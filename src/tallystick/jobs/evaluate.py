"""evaluate: how good a model is, on rows that it was not learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from tallystick import registry
from tallystick.contracts import Report
from tallystick.errors import DataError, UsageError, did_you_mean
from tallystick.evaluation import time_split
from tallystick.jobs.event_evaluate import EVENT_SPLITS
from tallystick.jobs.event_report import evaluate_events
from tallystick.jobs.fitting import FOLDS, fit_task, out_of_fold
from tallystick.jobs.labelled import LATEST, Rows, gather, rows_of, tasks_with_labels
from tallystick.jobs.measure import report_on
from tallystick.jobs.options import Moment, Reading, Work, apart, outside, work
from tallystick.jobs.pages import check_page, write_page
from tallystick.jobs.past import refuse_event_options
from tallystick.models import Bundle, Decided
from tallystick.scorer import (
    Abstention,
    ClassModel,
    ClassTask,
    EventTask,
    Solution,
    choose,
    find_bundles,
    task_model,
)

__all__ = ["SPLITS", "Evaluated", "evaluate"]

SPLITS = ("random", "stratified", "grouped", "time")
LAST = 0.2  # of the rows, by time, that a split by time tests


@dataclass(frozen=True)
class Evaluated:
    """What was measured: the account of the input, and a report for each task."""

    intake: Report
    reports: dict[str, dict[str, Any]]
    page: str | Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            **self.intake.to_dict(),
            "tasks": self.reports,
            "report": str(self.page) if self.page else None,
        }


def evaluate(
    solution: str,
    source: Any,
    *,
    model: str | Path,
    task: Sequence[str] = (),
    split: str | None = None,
    rules: str | Path | None = None,
    history: Any = None,
    labels: Any = None,
    from_: Moment | None = None,
    until: Moment | None = None,
    report: str | Path | None = None,
    **options: Unpack[Reading],
) -> Evaluated:
    """Measure the models of a folder on labelled records.

    Without `split` the model is applied as it is, and a row that it was learned from gets its out-of-fold
    score. With one (random, stratified, grouped, time; for events also handbook, prequential) its learner is
    fitted anew on each part. rules: a file of rules beside the model, to be tried on the past; history: what
    came before the input; labels: labels of their own; report: an HTML file.
    """
    found = registry.solution(solution)
    job = work("evaluate", **options)
    outside(model, report=report, quarantine=job.quarantine)
    apart(
        {"history": history, "labels": labels, "rules": rules or job.settings.rules},
        {"report": report, "quarantine": job.quarantine},
    )
    if report is not None:
        check_page(report, source)
    timed = any(isinstance(one, EventTask) for one in found.tasks)
    if split is not None and split not in (EVENT_SPLITS if timed else SPLITS):
        raise UsageError(
            f'There is no split "{split}" for {solution}.',
            did_you_mean(split, EVENT_SPLITS if timed else SPLITS),
        )
    bundles = find_bundles(found, model, task)
    tasks = found.pick(list(bundles))
    events = [one for one in tasks if isinstance(one, EventTask)]
    if events:
        reports, account = evaluate_events(
            found, source, events, bundles, split, (from_, until), job,
            history=history, labels=labels, rules=rules or job.settings.rules,
        )  # fmt: skip
    else:
        refuse_event_options(found, rules=rules, history=history, labels=labels)
        classes = [one for one in tasks if isinstance(one, ClassTask)]
        reports, account = _evaluate_classes(
            found, source, classes, bundles, split, (from_, until), bool(task), job
        )
    if report is not None:
        write_page(report, found, {"tasks": reports}, bundles)
    return Evaluated(account, reports, report)


def _evaluate_classes(
    found: Solution,
    source: Any,
    tasks: Sequence[ClassTask],
    bundles: Mapping[str, Bundle],
    split: str | None,
    span: tuple[Moment | None, Moment | None],
    named: bool,
    job: Work,
) -> tuple[dict[str, dict[str, Any]], Report]:
    data = gather(found, source, job, tasks, from_=span[0], until=span[1])
    reports = {}
    for one in tasks_with_labels(data.table, tasks, named=named):
        bundle = bundles[one.name]
        classes = bundle.manifest["classes"] if split is None else None
        rows, left_out = rows_of(one, data.table, found.contract.event_time, classes)
        if not len(rows):
            raise DataError(f"There is no row with both a {one.label} and something to look at.")
        measured = (
            _as_it_is(found, one, bundle, rows, job)
            if split is None
            else _anew(one, bundle, rows, split, job)
        )
        reports[one.name] = report_on(
            one, measured.rows, measured.decided, measured.abstention, job, measured.split
        ) | {
            "model": bundle.name,
            "left_out": left_out | data.passed_over,
        }
    return reports, data.report


@dataclass(frozen=True)
class _Measured:
    """Rows with what is measured of them, when a person decides instead, and how that came about."""

    rows: Rows
    decided: Decided
    abstention: Abstention
    split: dict[str, Any]


def _as_it_is(solution: Solution, task: ClassTask, bundle: Bundle, rows: Rows, job: Work) -> _Measured:
    """Score with the bundle, but rows that it was learned from with what the bundle kept for them."""
    ready = task_model(solution, task, bundle, job.settings)
    assert isinstance(ready, ClassModel)
    fresh = ready.calibration.decide(ready.scorer.logits(rows.table, job.settings.cores()))
    kept = {identity: i for i, identity in enumerate(bundle.arrays["oof.identity"].tolist())}
    at = np.array([kept.get(identity, -1) for identity in task.features.identity(rows.table).tolist()])
    known = at >= 0
    fresh.chance[known] = bundle.arrays["oof.probability"][at[known]]
    fresh.label[known] = bundle.arrays["oof.label"][at[known]]
    how = {
        "kind": "the model as it is",
        "rows it was learned from": f"{int(known.sum()):,}, each with its out-of-fold score",
        "rows new to it": f"{int((~known).sum()):,}",
    }
    return _Measured(rows, fresh, ready.abstention, how)


def _anew(task: ClassTask, bundle: Bundle, rows: Rows, split: str, job: Work) -> _Measured:
    """Fit the bundle's learner anew on each part of a split."""
    said = bundle.manifest["learner"]
    learner = registry.learner(said["name"])
    task = replace(
        task, settings={said["name"]: said["settings"]}, lean=said["lean"], part_weight=said["part_weight"]
    )
    if split != "time":
        decided = out_of_fold(task, learner, rows, job, split)
        chosen = choose(decided.sure, decided.label == rows.truth, job.settings)
        return _Measured(rows, decided, chosen, {"kind": split, "folds": FOLDS, "seed": job.settings.seed})
    if rows.time is None:
        raise DataError("A split by time needs times, and no row has one.", "Use --split grouped.")
    dated = np.flatnonzero(rows.time != LATEST)
    undated = len(rows) - len(dated)
    rows = rows.take(dated)
    assert rows.time is not None
    before, after = time_split(rows.time, LAST)
    seen = rows.take(before)
    fitted, kept = fit_task(task, learner, seen, job)
    chosen = choose(kept.sure, kept.label == seen.truth, job.settings)
    rest = rows.take(after)
    start = int(rest.time.min()) if rest.time is not None else 0
    how = {
        "kind": "time",
        "learned from": f"{len(seen):,} rows before",
        "tested on": f"{len(rest):,} rows from {np.datetime64(start, 'us').astype('datetime64[D]')}",
        **({"without a time, left out": f"{undated:,}"} if undated else {}),
    }
    return _Measured(rest, fitted.decide(rest.table, job.settings.cores()), chosen, how)
