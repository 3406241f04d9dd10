"""evaluate: how good a model is, on rows that it was not learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from tallystick import registry
from tallystick.contracts import Report
from tallystick.contracts.zones import micros
from tallystick.errors import DataError, UsageError, did_you_mean
from tallystick.evaluation import backtest
from tallystick.feature_extraction import output_name
from tallystick.inputs.context import RunContext
from tallystick.jobs.options import (
    Moment,
    Reading,
    moment,
    refuse_inside_model,
    refuse_same_path,
    run_context,
)
from tallystick.jobs.pages import check_page, write_page
from tallystick.jobs.records_input import columns_of, read_records, refuse_unused
from tallystick.jobs.task_rows import TaskRows, rows_of, tasks_to_do
from tallystick.learning.fit import FitSpec
from tallystick.learning.folds import SPLITS
from tallystick.learning.measure import Scored, score_anew, score_as_it_is
from tallystick.learning.records import Records, Span, with_windows
from tallystick.models import Bundle
from tallystick.rules import Rules
from tallystick.scorer import (
    find_bundles,
    load_predictor,
    load_rules,
    load_windows,
    needed_columns,
    opened_by,
)
from tallystick.tasks import Dataset, Measured, Solution, Task

__all__ = ["Evaluated", "evaluate"]


@dataclass(frozen=True)
class Evaluated:
    """What was measured: the account of the input, and a report for each task."""

    input_report: Report
    reports: dict[str, dict[str, Any]]
    report: str | Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            **self.input_report.to_dict(),
            "tasks": self.reports,
            "report": str(self.report) if self.report else None,
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
    score. With one (random, stratified, grouped, time, or a protocol of the solution's own) its learner is
    fitted anew on each part. rules: a file of rules beside the model, to be tried on the past; history: what
    came before the input; labels: labels of their own; report: an HTML file.
    """
    found = registry.solution(solution)
    context = run_context("evaluate", **options)
    rules = rules or context.settings.rules or None
    refuse_inside_model(model, report=report, quarantine=context.quarantine)
    refuse_same_path(
        {"history": history, "labels": labels, "rules": rules},
        {"report": report, "quarantine": context.quarantine},
    )
    if report is not None:
        check_page(report, source)
    known = (*(name for name in SPLITS if name != "time" or found.contract.event_time), *found.splits)
    if split is not None and split not in known:
        raise UsageError(f'There is no split "{split}" for {solution}.', did_you_mean(split, known))
    refuse_unused(found, history=history, labels=labels)
    bundles = find_bundles(found, model, task)
    found = opened_by(found, bundles)
    windows = load_windows(found, bundles)
    tried = load_rules(found, windows, rules)
    tasks = found.pick(task or list(bundles))
    needs = needed_columns(found, bundles)
    if len(tasks) == 1 and found.labels is None:
        needs |= {name: f"the label of {one.name}" for one in tasks for name in one.target.labels}
    # What is later than as_of is passed over, not in the future: it was only not known yet.
    records = read_records(
        found, source, replace(context, as_of=None), columns_of(found, found.pick(list(bundles))),
        history=history, labels=labels, needs=needs, labels_wanted=True, known_by=context.as_of,
    )  # fmt: skip
    zone = context.settings.zone
    start = None if from_ is None else moment(from_, zone, "from")
    protocol = found.splits.get(split or "")
    span = Span.of(
        records,
        # What a protocol tests lies in the span; what it learns from lies before.
        None if protocol else start,
        None if until is None else moment(until, zone, "until"),
        context.as_of,
    )
    dataset = with_windows(records, windows, span.inside, context.settings, span.end, context.progress)
    run = _Evaluation(found, bundles, records, span, dataset, split, tried, context)
    first = None if start is None else micros(start)
    reports = {
        one.name: run.report(one, first)
        for one in tasks_to_do(tasks, records, named=bool(task), learning=False)
    }
    if report is not None:
        write_page(report, found, {"tasks": reports}, bundles)
    account = records.report + Report(notes=() if tried is None else tried.notes)
    return Evaluated(account, reports, report)


@dataclass(frozen=True)
class _Evaluation:
    """What the tasks of one run have in common."""

    solution: Solution
    bundles: Mapping[str, Bundle]
    records: Records
    span: Span
    dataset: Dataset
    split: str | None
    rules: Rules | None
    context: RunContext

    def report(self, task: Task, start: int | None) -> dict[str, Any]:
        """Score the rows of one task by models that did not see them, and measure them."""
        bundle, context = self.bundles[task.name], self.context
        usable = self._rows(task, bundle)
        scored = self._scored(task, bundle, usable, start)
        rows = usable.dataset.take(scored.row)
        measured = Measured(
            rows,
            usable.truth.take(scored.row),
            scored.scores,
            scored.policy,
            scored.split,
            parts=scored.parts,
            action=scored.action,
            oracle=self._oracle(rows),
        )
        context.progress.stage(f"Measuring {task.name}")
        found = task.target.report(
            task.name,
            measured,
            context.settings,
            measures=self.solution.measures,
            nouns=self.solution.nouns,
        ) | {
            "model": bundle.name,
            "left_out": {**scored.left_out, **self.span.left_out, **usable.left_out},
        }
        if self.rules is not None and task.name == self.solution.tasks[0].name:
            found["rules"] = self._tried(self.rules, measured, task)
        return found

    def _rows(self, task: Task, bundle: Bundle) -> TaskRows:
        as_of = None if self.context.as_of is None else micros(self.context.as_of)
        dataset = self.dataset.with_columns(
            {output_name(other): self._output(other) for other in task.reads_tasks}
        )
        usable = rows_of(task, dataset, names=bundle.manifest["classes"], as_of=as_of, judged=True)
        if not len(usable.dataset):
            label = " or ".join(task.target.judged_by) or "anything"
            raise DataError(
                f"There is no row with both a known {label} and something to look at, "
                "so there is nothing to compare with.",
                "Give labels: in the input, or with --labels.",
            )
        return usable

    def _output(self, name: str) -> NDArray[np.float64]:
        """Return the scores of another task on all rows, of models that did not see them."""
        task, bundle = self.solution.task(name), self.bundles[name]
        predictor = load_predictor(self.solution, task, bundle, self.context.settings)
        usable = TaskRows(self.dataset, task.target.encode(self.dataset, predictor.outputs))
        scored = score_as_it_is(predictor, bundle, usable.dataset, self.context.settings.cores())
        column = np.full(len(self.dataset), np.nan)
        column[scored.row] = scored.scores.score
        return column

    def _scored(self, task: Task, bundle: Bundle, usable: TaskRows, start: int | None) -> Scored:
        settings = self.context.settings
        if self.split is None:
            predictor = load_predictor(self.solution, task, bundle, settings)
            return score_as_it_is(predictor, bundle, usable.dataset, settings.cores())
        said = bundle.manifest["learner"]
        spec = FitSpec.of(
            task, registry.learner(said["name"]), settings, only=said["only"], params=dict(said["settings"]),
            progress=self.context.progress,
        )  # fmt: skip
        maker = self.solution.splits.get(self.split)
        return score_anew(spec, usable.dataset, usable.truth, self.split, maker, start)

    def _oracle(self, rows: Dataset) -> NDArray[np.float64] | None:
        """Return what the best that can be expected says of simulated rows; None for others."""
        if self.solution.oracle is None:
            return None
        whole = self.records.dataset(self.context.settings, np.ones(len(self.records), bool))
        said = self.solution.oracle(whole)
        return None if said is None else said[rows.index]

    def _tried(self, rules: Rules, measured: Measured, task: Task) -> list[dict[str, Any]]:
        """Try rules on rows of the past, alone and with the model."""
        values = measured.dataset.reader.read(measured.dataset.rows)
        flags = measured.policy.act(measured.scores.score, measured.scores.label) > 0
        return backtest(
            rules.apply(values).hits,
            measured.truth.values,
            flags,
            task.target.stake(measured.dataset),
            names=rules.names,
            actions=rules.actions,
        )
