"""The reports of `evaluate` on event tasks: figures, the oracle beside them, and rules tried on the past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tallystick.contracts import Report
from tallystick.evaluation import backtest
from tallystick.jobs.event_evaluate import Measured, measure_events
from tallystick.jobs.event_measure import oracle_of, report_on_events
from tallystick.jobs.options import Moment, Work
from tallystick.jobs.past import columns_of, gather_events
from tallystick.models import Bundle
from tallystick.scorer import EventTask, Rules, Solution, Values, act, load_rules, load_windows

__all__ = ["evaluate_events"]


def evaluate_events(
    solution: Solution,
    source: Any,
    tasks: Sequence[EventTask],
    bundles: Mapping[str, Bundle],
    split: str | None,
    span: tuple[Moment | None, Moment | None],
    job: Work,
    *,
    history: Any = None,
    labels: Any = None,
    rules: str | Path | None = None,
) -> tuple[dict[str, dict[str, Any]], Report]:
    """Measure the bundles of event tasks; one report for each task, and the account of the input."""
    windows = load_windows(solution, bundles)
    tried = load_rules(solution, windows, rules)
    # What is later than as_of is passed over, not in the future: it was only not known yet.
    told = replace(job, as_of=None)
    events = gather_events(
        solution, source, told, columns_of(solution, tasks), history=history, labels=labels
    )
    reports = {}
    for task in tasks:
        bundle = bundles[task.name]
        measured = measure_events(solution, task, bundle, events, windows, split, span, job)
        reports[task.name] = report_on_events(
            task,
            measured.rows,
            measured.score,
            measured.thresholds,
            job,
            measured.split,
            oracle=oracle_of(events, measured.rows, job),
            parts=measured.parts,
        ) | {"model": bundle.name, "left_out": measured.passed}
        if tried is not None and not task.anomaly:
            behaviour = windows.names if windows else ()
            reports[task.name]["rules"] = _tried(tried, measured, behaviour, bundle)
    return reports, events.report + Report(notes=() if tried is None else tried.notes)


def _tried(
    rules: Rules, measured: Measured, behaviour: Sequence[str], bundle: Bundle
) -> list[dict[str, Any]]:
    """Try rules on rows of the past, alone and with the model."""
    features = bundle.manifest["features"]
    values = Values(measured.rows.table, features["zone"], features["currency"], behaviour)
    flags = act(measured.thresholds, measured.score) > 0
    return backtest(
        rules.apply(values).hits,
        measured.rows.truth,
        flags,
        measured.rows.stake,
        names=rules.names,
        actions=rules.actions,
    )
