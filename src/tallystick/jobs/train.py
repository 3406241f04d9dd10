"""train: learn tasks from labelled records, and keep each as a bundle."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

from tallystick import registry
from tallystick.contracts import Report
from tallystick.errors import UsageError
from tallystick.evaluation import render_card
from tallystick.jobs.event_train import Wanted, pick_event_tasks, train_events
from tallystick.jobs.fitting import FOLDS, Fitted, fit_task
from tallystick.jobs.labelled import LATEST, Rows, gather, rows_of, tasks_with_labels
from tallystick.jobs.measure import report_on
from tallystick.jobs.options import Moment, Reading, Work, apart, outside, stamp, work
from tallystick.jobs.past import columns_of, gather_events, refuse_event_options
from tallystick.learners import refuse_unless
from tallystick.models import Decided, save, writable
from tallystick.scorer import ClassTask, EventTask, Solution, Task, choose

__all__ = ["TaskTrained", "Trained", "train"]

LIBRARIES = ("numba", "numpy", "pyarrow", "scikit-learn", "tallystick")
# Of the report, what a manifest keeps: figures, not curves.
KEPT = (
    *(
        "target",
        "rows",
        "accuracy",
        "balanced_accuracy",
        "precision_macro",
        "recall_macro",
        "f1_macro",
        "f1_weighted",
    ),
    *("roc_auc", "average_precision", "log_loss", "brier", "ece", "per_class", "intervals"),
)


@dataclass(frozen=True)
class TaskTrained:
    """One task that was learned: where its bundle is and what its manifest says."""

    task: str
    folder: Path
    manifest: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        m = self.manifest
        kept = ("classes", "learner", "features", "training", "figures", "policy", "fingerprint")
        return {"folder": str(self.folder), **{key: m[key] for key in kept}}


@dataclass(frozen=True)
class Trained:
    """What training did: the account of its input, and each task."""

    intake: Report
    tasks: tuple[TaskTrained, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {**self.intake.to_dict(), "tasks": {task.task: task.to_dict() for task in self.tasks}}


def train(
    solution: str,
    source: Any,
    *,
    model: str | Path,
    task: Sequence[str] = (),
    learner: str | None = None,
    learner_set: Mapping[str, Any] | None = None,
    features: Sequence[str] = (),
    windows: str | Path | None = None,
    history: Any = None,
    labels: Any = None,
    from_: Moment | None = None,
    until: Moment | None = None,
    **options: Unpack[Reading],
) -> Trained:
    """Learn tasks from a path or a frame and write one bundle for each, `model/TASK/`.

    task: those to learn, all whose labels are there when empty; learner_set: what the learner is told beyond
    the task's own settings; from_ ≤ event time < until. windows: a file
    that declares behaviour; history: what came before the input; labels: labels of their own.
    Raises DataError when there is nothing to learn from, UsageError when an option is wrong.
    """
    found = registry.solution(solution)
    job = work("train", **options)
    if learner:
        registry.learner(learner)
    asked = tuple(_told(one, learner, learner_set) for one in found.pick(task) or found.tasks)
    outside(model, quarantine=job.quarantine)
    apart({"history": history, "labels": labels, "windows": windows}, {"quarantine": job.quarantine})
    for one in asked:
        found.contract.refuse_leaks(features, one.name)
        writable(Path(model) / one.name)
    events = [one for one in asked if isinstance(one, EventTask)]
    if events:
        wanted = Wanted(learner, features, windows, from_, until)
        # What is later than as_of is passed over, not in the future: it was only not known yet.
        told = replace(job, as_of=None)
        held = gather_events(found, source, told, columns_of(found, events), history=history, labels=labels)
        done = train_events(found, pick_event_tasks(events, bool(task), held), held, Path(model), wanted, job)
        return Trained(held.report, tuple(TaskTrained(one.name, at, said) for one, at, said in done))
    refuse_event_options(found, windows=windows, history=history, labels=labels)
    classes = [one for one in asked if isinstance(one, ClassTask)]
    return _train_classes(
        found, source, classes, Path(model), learner, features, (from_, until), bool(task), job
    )


def _told(task: Task, learner: str | None, settings: Mapping[str, Any] | None) -> Task:
    """Tell the learner of a task more than the task does by itself."""
    if not settings:
        return task
    name = learner or task.learner
    return replace(task, settings={**task.settings, name: {**task.learner_settings(name), **settings}})


def _train_classes(
    found: Solution,
    source: Any,
    asked: Sequence[ClassTask],
    model: Path,
    learner: str | None,
    features: Sequence[str],
    span: tuple[Moment | None, Moment | None],
    named: bool,
    job: Work,
) -> Trained:
    for one in asked:
        _refuse_features(found, one, features)
        if learner:
            refuse_unless(registry.learner(learner), "classes", "sparse")
    data = gather(found, source, job, asked, from_=span[0], until=span[1])
    trained = []
    for one in tasks_with_labels(data.table, asked, named=named):
        rows, left_out = rows_of(one, data.table, found.contract.event_time)
        chosen = registry.learner(learner or one.learner)
        fitted, decided = fit_task(one, chosen, rows, job)
        manifest = _manifest(found, one, rows, fitted, decided, job)
        manifest["learner"] = {
            "name": chosen.name,
            "title": chosen.title,
            "settings": dict(one.learner_settings(chosen.name)),
            "lean": one.lean,
            "part_weight": one.part_weight,
        }
        manifest["training"]["left_out"] = left_out | data.passed_over
        arrays = {
            **fitted.features.arrays(),
            **fitted.model.arrays(),
            "oof.identity": one.features.identity(rows.table),
            "prior": fitted.calibration.prior,
            "oof.probability": decided.chance,
            "oof.label": decided.label,
            "oof.truth": rows.truth,
        }
        folder = model / one.name
        bundle = save(folder, manifest, arrays, render_card(manifest, one.purpose, one.limits, found.nouns))
        trained.append(TaskTrained(one.name, folder, bundle.manifest))
    return Trained(data.report, tuple(trained))


def _refuse_features(solution: Solution, task: ClassTask, names: Sequence[str]) -> None:
    """Refuse a feature that the task cannot look at."""
    for name in names:
        solution.contract.column(name)
        if name not in task.features.columns:
            raise UsageError(
                f"{task.name} cannot use {name} as a feature.",
                f"It looks at: {', '.join(task.features.columns)}.",
            )


def _manifest(
    solution: Solution, task: ClassTask, rows: Rows, fitted: Fitted, decided: Decided, job: Work
) -> dict[str, Any]:
    """Say what was learned from what, and what it achieved on rows that it was not learned from."""
    contract = solution.contract
    policy = choose(decided.sure, decided.label == rows.truth, job.settings)
    report = report_on(task, rows, decided, policy, job)
    known = None if rows.time is None else rows.time[rows.time != LATEST]
    return {
        "solution": solution.name,
        "task": task.name,
        "classes": list(rows.classes),
        "contract": {
            "name": contract.name,
            "version": contract.version,
            "fingerprint": contract.fingerprint(),
        },
        "features": fitted.features.describe(),
        "training": {
            "rows": len(rows),
            "from": None if known is None else stamp(known.min()),
            "until": None if known is None else stamp(known.max()),
            "data": _data_fingerprint(task, rows),
            "seed": job.settings.seed,
            "split": f"{FOLDS} folds, near copies kept together",
        },
        "calibration": fitted.calibration.describe(),
        "policy": policy.to_dict(),
        "figures": {key: report[key] for key in KEPT},
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def _data_fingerprint(task: ClassTask, rows: Rows) -> str:
    """SHA-256 over what was looked at and what the answers were, row by row."""
    digest = hashlib.sha256(task.features.identity(rows.table).astype("<u8").tobytes())
    digest.update("\0".join(rows.classes).encode())
    digest.update(rows.truth.astype("<i8").tobytes())
    return digest.hexdigest()
