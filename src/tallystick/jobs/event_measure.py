"""The report on scored events: the same for training, which keeps its figures, and evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.contracts.times import DAY
from tallystick.evaluation import (
    ScoredRows,
    Thresholds,
    anomaly_report,
    average_precision,
    event_report,
    roc_auc,
)
from tallystick.jobs.event_rows import EventRows
from tallystick.jobs.options import Work
from tallystick.jobs.past import LATEST, Events
from tallystick.scorer import EventTask
from tallystick.scorer.policy import costs

__all__ = ["oracle_of", "report_on_events"]


def report_on_events(
    task: EventTask,
    rows: EventRows,
    score: NDArray[np.float64],
    thresholds: Thresholds,
    job: Work,
    split: Mapping[str, Any] | None = None,
    oracle: NDArray[np.float64] | None = None,
    parts: Sequence[NDArray[np.int64]] = (),
) -> dict[str, Any]:
    """Report on scored rows: what `event_report` says, at the thresholds that were chosen.

    oracle: what the best that can be expected would have said of each row, for simulated rows; parts: the
    rows of each week of a protocol, whose figures are then told by week, and the headline as their mean.
    """
    job.progress.stage(f"Measuring {task.name}")
    weeks = [_ranking(rows.take(part), score[part], job) for part in parts]
    best = [_ranking(rows.take(part), oracle[part], job) for part in parts] if oracle is not None else []
    if oracle is not None and not parts:
        best = [_ranking(rows, oracle, job)]
    columns: dict[str, Any] = {
        "time": rows.time,
        "zone": job.settings.zone,
        "entity": rows.entity,
        "amount": rows.amount,
        "currency": rows.currencies,
        "scenario": rows.scenario,
        "thresholds": thresholds,
        "costs": costs(job.settings),
        "split": split,
        "seed": job.settings.seed,
        "oracle": _mean(best, rows) if best else None,
        "measures": rows.solution.measures,
        "nouns": rows.solution.nouns,
    }
    if task.anomaly:
        report = anomaly_report(task.name, score, rows.fraud, **columns)
    else:
        report = event_report(task.name, rows.fraud, score, **columns)
    if len(weeks) > 1:
        means = _mean(weeks, rows)
        report |= means
        # Those are of all rows together, and need not hold the mean over weeks.
        report["intervals"] = {k: v for k, v in report["intervals"].items() if k not in means}
        report["weeks"] = [week | ({"oracle": best[i]} if best else {}) for i, week in enumerate(weeks)]
    return report


def _ranking(rows: EventRows, score: NDArray[np.float64], job: Work) -> dict[str, Any]:
    """The figures of ranking on some rows."""
    found: dict[str, Any] = {
        "rows": len(rows),
        "events": int(rows.fraud.sum()),
        "average_precision": average_precision(rows.fraud, score),
        "roc_auc": roc_auc(rows.fraud, score),
    }
    if rows.entity is not None:
        scored = ScoredRows.of(rows.fraud, score, time=rows.time, zone=job.settings.zone, entity=rows.entity)
        for measure in rows.solution.measures:
            measured = measure.on(scored)
            found[measure.name] = None if measured is None else measured.value()
        found["from"] = str(np.datetime64(int(rows.time.min()), "us").astype("datetime64[D]"))
    return found


def _mean(weeks: Sequence[Mapping[str, Any]], rows: EventRows) -> dict[str, float]:
    """The mean of each figure over weeks."""
    names = ("average_precision", "roc_auc", *(measure.name for measure in rows.solution.measures))
    return {
        name: float(np.mean(values))
        for name in names
        if (values := [week[name] for week in weeks if week.get(name) is not None])
    }


def oracle_of(events: Events, rows: EventRows, job: Work) -> NDArray[np.float64] | None:
    """Return what the best that can be expected says of rows of a simulation; None where they are none.

    It knows how the simulator works and every label that was known by then; see `Solution.oracle`.
    """
    oracle = rows.solution.oracle
    if oracle is None or (events.time == LATEST).any():
        return None
    whole = EventRows(rows.solution, events.rows, events.truth, events.known, events.time, job.settings)
    if whole.entity is None or whole.amount is None or whole.scenario is None:
        return None
    known = events.known[whole.fraud] - events.time[whole.fraud]
    scores = oracle(
        events.rows,
        time=whole.time,
        entity=whole.entity,
        amount=whole.amount,
        truth=whole.fraud,
        scenario=whole.scenario,
        delay=float(np.median(known)) / DAY if len(known) else 0.0,
        zone=job.settings.zone,
    )
    return None if scores is None else scores[rows.index]
