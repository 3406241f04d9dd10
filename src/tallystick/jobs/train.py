"""train: learn tasks from records, and keep each as a bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from tallystick import registry
from tallystick.contracts import Report
from tallystick.contracts.inference import ColumnTypes
from tallystick.contracts.zones import LATEST, micros
from tallystick.errors import DataError, UsageError
from tallystick.evaluation import render_card
from tallystick.feature_extraction import output_name
from tallystick.inputs.context import RunContext
from tallystick.jobs.bundles import bundle_parts
from tallystick.jobs.joined_tables import find_tables
from tallystick.jobs.open_input import with_unnamed_columns
from tallystick.jobs.options import (
    Moment,
    Reading,
    moment,
    refuse_inside_model,
    refuse_same_path,
    run_context,
)
from tallystick.jobs.records_input import columns_of, read_records, refuse_unused
from tallystick.jobs.task_rows import rows_of, tasks_to_do
from tallystick.jobs.windows_file import declared_windows
from tallystick.learners import refuse_unless
from tallystick.learning.fit import FitSpec, fit_task, learned_target
from tallystick.learning.folds import folds_of
from tallystick.learning.records import Records, Span, held_columns, with_windows
from tallystick.models import save, writable
from tallystick.tasks import Dataset, Solution, Task
from tallystick.windows import Windows

__all__ = ["TaskTrained", "Trained", "train"]


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

    input_report: Report
    tasks: tuple[TaskTrained, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {**self.input_report.to_dict(), "tasks": {task.task: task.to_dict() for task in self.tasks}}


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

    task: those to learn, all whose labels are there when empty; learner_set: hyperparameters beyond the
    task's own; features: columns and features to use; from_ ≤ event time < until; windows: a file that
    declares window features; history: what came before the input; labels: labels of their own. Raises
    DataError when there is nothing to learn from, UsageError when an option is wrong.
    """
    context = run_context("train", **options)
    found, types = with_unnamed_columns(registry.solution(solution), source, context)
    asked = tuple(_with_params(one, learner, learner_set) for one in found.pick(task) or found.tasks)
    refuse_inside_model(model, quarantine=context.quarantine)
    refuse_same_path(
        {"history": history, "labels": labels, "windows": windows}, {"quarantine": context.quarantine}
    )
    refuse_unused(found, windows=windows, history=history, labels=labels)
    for one in asked:
        _refuse_features(found, one, features)
        writable(Path(model) / one.name)
        if learner and task:
            named = registry.learner(learner)
            refuse_unless(named, learned_target(one, named), one.layout)
    needs = {name: f"what {one.name} looks at" for one in asked for name in one.required}
    if len(asked) == 1 and found.labels is None:
        needs |= {name: f"the label of {one.name}" for one in asked for name in one.target.labels}
    needs |= {
        name: f"from the table {table.name}: --table {table.name}=PATH"
        for table in found.joined_tables
        for name in table.names
        if table.name not in find_tables(found, source, context)[1]
        and any(name in one.columns for one in asked)
    }
    # What is later than as_of is passed over, not in the future: it was only not known yet.
    records = read_records(
        found, source, replace(context, as_of=None), columns_of(found, asked), history=history, labels=labels,
        needs=needs, labels_wanted=True, known_by=context.as_of,
    )  # fmt: skip
    zone = context.settings.zone
    span = Span.of(
        records,
        None if from_ is None else moment(from_, zone, "from"),
        None if until is None else moment(until, zone, "until"),
        context.as_of,
    )
    run = _Training(found, types, records, span, context, learner, features, windows)
    return Trained(
        records.report, run.all(tasks_to_do(asked, records, named=bool(task), learning=True), Path(model))
    )


def _refuse_features(solution: Solution, task: Task, names: Sequence[str]) -> None:
    """Raise UsageError for a feature that a task cannot use, as far as that can be said before any work."""
    solution.contract.refuse_leaks(names, task.name)
    if task.reads_windows:  # whose names are known only once the columns are
        return
    usable = [name for part in task.features for name in part.selectable(())]
    for name in names:
        if name not in usable:
            raise UsageError(
                f"{task.name} cannot use {name} as a feature.", f"It looks at: {', '.join(usable)}."
            )


def _with_params(task: Task, learner: str | None, params: Mapping[str, Any] | None) -> Task:
    """Give the learner of a task more hyperparameters than the task does by itself."""
    if not params:
        return task
    name = learner or task.learner
    return replace(task, params={**task.params, name: {**task.learner_params(name), **params}})


@dataclass(frozen=True)
class _Training:
    """What the tasks of one run have in common."""

    solution: Solution
    types: ColumnTypes | None
    records: Records
    span: Span
    context: RunContext
    learner: str | None
    features: Sequence[str]
    windows: str | Path | None

    def all(self, tasks: Sequence[Task], folder: Path) -> tuple[TaskTrained, ...]:
        """Learn tasks one after another; the held-out scores of one are features of those that read it."""
        self._need_times()
        windows = declared_windows(self.solution, self.windows, held_columns(self.records))
        used = windows if any(task.reads_windows for task in tasks) else None
        dataset = with_windows(
            self.records, used, self.span.inside, self.context.settings, self.span.end, self.context.progress
        )
        done: list[TaskTrained] = []
        for task in tasks:
            trained, rows, scores = self._one(task, used, dataset, folder, done)
            done.append(trained)
            if any(task.name in other.reads_tasks for other in tasks):
                column = np.full(len(dataset), np.nan)
                column[np.searchsorted(dataset.index, rows)] = scores
                dataset = dataset.with_columns({output_name(task.name): column})
        return tuple(done)

    def _need_times(self) -> None:
        """Raise DataError where windows or labels need times and no row has one."""
        contract, inside = self.records.contract, self.span.inside
        if self.solution.windows is None or contract.event_time is None:
            return
        if inside.any() and (self.records.time[inside] == LATEST).all():
            raise DataError(
                f"What is needed is missing: {contract.event_time}, to know what came before what.",
                f'Say which column it is: --map "THEIRS={contract.event_time}".',
            )

    def _one(
        self, task: Task, windows: Windows | None, dataset: Dataset, folder: Path, done: Sequence[TaskTrained]
    ) -> tuple[TaskTrained, NDArray[np.int64], NDArray[np.float64]]:
        """Learn one task; its bundle, and the held-out scores of rows, which stand so among all records."""
        settings = self.context.settings
        learner = registry.learner(self.learner or task.learner)
        refuse_unless(learner, learned_target(task, learner), task.layout)
        as_of = None if self.context.as_of is None else micros(self.context.as_of)
        usable = rows_of(task, dataset, as_of=as_of)
        rows, truth = usable.dataset, usable.truth
        task.target.refuse_too_few(task.name, truth)
        for other in task.reads_tasks:
            if output_name(other) not in rows.rows.schema.names:
                raise UsageError(
                    f"{task.name} reads the scores of {other}, which is not trained with it.",
                    f"Train both: --task {other} --task {task.name}.",
                )
        names = windows.names if windows and task.reads_windows else ()
        # Who declares windows wants them used.
        only = self.features or (() if self.windows else task.chosen_features(names))
        spec = FitSpec.of(task, learner, settings, only=only, progress=self.context.progress)
        cross = task.target.cross_fitted
        fitted = fit_task(
            spec, rows, truth, folds_of(task, rows, truth, task.split, settings.seed) if cross else ()
        )
        needs = {one.task: one.manifest["fingerprint"] for one in done if one.task in task.reads_tasks}
        manifest, arrays = bundle_parts(
            self.solution, spec, windows, rows, truth, fitted, needs, self.context
        )
        if self.types is not None:
            manifest["contract"]["unnamed"] = self.types.to_dict()
        manifest["training"]["left_out"] = {**self.span.left_out, **usable.left_out}
        card = render_card(manifest, task.purpose, task.limits, self.solution.nouns)
        bundle = save(folder / task.name, manifest, arrays, card)
        trained = TaskTrained(task.name, folder / task.name, bundle.manifest)
        return trained, rows.index[fitted.held.row], fitted.calibrated.scores.score
