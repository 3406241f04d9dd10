"""The report on anomaly scores: how they are spread; with labels that judge them, how well they rank."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tallystick.errors import DataError
from tallystick.evaluation.binary_report import event_report
from tallystick.evaluation.thresholds import Thresholds

__all__ = ["anomaly_report"]

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999)
BINS = 50


def anomaly_report(
    task: str,
    score: ArrayLike,
    truth: ArrayLike | None = None,
    *,
    thresholds: Thresholds | None = None,
    split: Mapping[str, Any] | None = None,
    **columns: Any,
) -> dict[str, Any]:
    """Report on anomaly scores: a dict of plain values, ready for JSON.

    With `truth` (bool, a label that judges) these are the figures of `event_report` without those of
    probabilities; `columns` are its further arguments, unused without. Without it: `quantiles` of the scores,
    how many rows lie `above` each threshold, and their `distribution` in bins of equal width. Scores float64,
    finite, higher is odder. Raises DataError when there is no row or a score is missing.

    >>> report = anomaly_report("odd", [0.1, 0.2, 0.9], thresholds=Thresholds(0.5, None))
    >>> report["above"][0]["rows"], report["quantiles"][3]
    (1, {'quantile': 0.5, 'score': 0.2})
    """
    if truth is not None:
        judged = event_report(
            task, truth, score, thresholds=thresholds, split=split, probability=False, **columns
        )
        return {**judged, "target": "anomaly"}
    scores = np.asarray(score, np.float64)
    if scores.ndim != 1 or not len(scores):
        raise DataError("There is nothing to measure: no row has a score.")
    if not np.isfinite(scores).all():
        raise DataError("Every row needs a score; some are missing or not finite.")
    low, high = float(scores.min()), float(scores.max())
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    counts, edges = np.histogram(scores, BINS, (low, high if high > low else low + 1))
    chosen = thresholds or Thresholds(None, None)
    above = [
        {
            "action": name,
            "threshold": from_,
            "rows": int((scores >= from_).sum()),
            "share": float((scores >= from_).mean()),
        }
        for name, (from_, _) in chosen.by_action.items()
        if from_ is not None
    ]
    return {
        "task": task,
        "target": "anomaly",
        "rows": len(scores),
        "mean": float(scores.mean()),
        "lowest": float(scores.min()),
        "highest": float(scores.max()),
        "quantiles": [
            {"quantile": q, "score": value}
            for q, value in zip(QUANTILES, np.quantile(scores, QUANTILES).tolist(), strict=True)
        ],
        "above": above,
        "distribution": {"edges": edges.tolist(), "counts": counts.tolist()},
        "split": None if split is None else dict(split),
    }
