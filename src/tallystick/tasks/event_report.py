"""The report on scored events: the same for training, which keeps its figures, and for evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tallystick.config import Settings
from tallystick.evaluation import (
    Measure,
    ScoredRows,
    anomaly_report,
    average_precision,
    event_report,
    roc_auc,
)
from tallystick.report import Nouns
from tallystick.tasks.policies import costs
from tallystick.tasks.target import Measured

__all__ = ["report_on_events"]


def report_on_events(
    task: str,
    measured: Measured,
    settings: Settings,
    *,
    at_stake: str | None = None,
    event_kind: str | None = None,
    probability: bool = True,
    measures: Sequence[Measure] = (),
    nouns: Nouns | None = None,
) -> dict[str, Any]:
    """Report on scored rows: what `event_report` or `anomaly_report` says, at the policy's thresholds.

    With several parts the figures of ranking are told part by part, and the headline is their mean.
    """
    dataset, truth = measured.dataset, measured.truth
    parts = [_ranking(measured.take(part), settings, measures) for part in measured.parts]
    best: list[dict[str, Any]] = []
    if measured.oracle is not None:
        whole = [np.arange(len(dataset))]
        best = [
            _ranking(measured.take(part), settings, measures, oracle=True) for part in measured.parts or whole
        ]
    columns: dict[str, Any] = {
        "time": dataset.time,
        "zone": settings.zone,
        "entity": dataset.person,
        "amount": dataset.money(at_stake),
        "currency": dataset.currencies(at_stake),
        "scenario": dataset.text(event_kind),
        "thresholds": measured.policy.thresholds,
        "costs": costs(settings),
        "split": measured.split,
        "seed": settings.seed,
        "oracle": _mean(best, measures) if best else None,
        "measures": measures,
        "nouns": nouns,
    }
    score = measured.scores.score
    if probability:
        report = event_report(task, truth.values == 1, score, **columns)
    else:
        judged = truth.values == 1 if truth.there.any() else None
        report = anomaly_report(task, score, judged, **columns)
    if len(parts) > 1:
        means = _mean(parts, measures)
        report |= means
        # Those are of all rows together, and need not hold the mean over parts.
        report["intervals"] = {k: v for k, v in report["intervals"].items() if k not in means}
        report["weeks"] = [part | ({"oracle": best[i]} if best else {}) for i, part in enumerate(parts)]
    return report


def _ranking(
    measured: Measured, settings: Settings, measures: Sequence[Measure], *, oracle: bool = False
) -> dict[str, Any]:
    """Return the figures of ranking on some rows, by the scores or by the oracle."""
    dataset, event = measured.dataset, measured.truth.values == 1
    score = measured.scores.score
    if oracle:
        assert measured.oracle is not None
        score = measured.oracle
    found: dict[str, Any] = {
        "rows": len(dataset),
        "events": int(event.sum()),
        "average_precision": average_precision(event, score),
        "roc_auc": roc_auc(event, score),
    }
    if dataset.person is not None:
        rows = ScoredRows.of(event, score, time=dataset.time, zone=settings.zone, entity=dataset.person)
        for measure in measures:
            prepared = measure.on(rows)
            found[measure.name] = None if prepared is None else prepared.value()
        found["from"] = str(np.datetime64(int(dataset.time.min()), "us").astype("datetime64[D]"))
    return found


def _mean(parts: Sequence[Mapping[str, Any]], measures: Sequence[Measure]) -> dict[str, float]:
    """Return the mean of each figure over parts."""
    names = ("average_precision", "roc_auc", *(measure.name for measure in measures))
    return {
        name: float(np.mean(values))
        for name in names
        if (values := [part[name] for part in parts if part.get(name) is not None])
    }
