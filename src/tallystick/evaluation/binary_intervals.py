"""Intervals of the figures of a binary task: a bootstrap over groups of rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.evaluation.binary_metrics import confusion, decided, event_losses
from tallystick.evaluation.bootstrap import percentiles, weights
from tallystick.evaluation.measures import Measured
from tallystick.evaluation.metrics import COUNTED
from tallystick.evaluation.proportions import widened
from tallystick.evaluation.ranking import Ranking
from tallystick.evaluation.scored_rows import ScoredRows

__all__ = ["event_intervals"]

# A draw passes over all rows, so large reports take fewer: 400 for 67,000 rows, one to two seconds.
DRAWN = 27_000_000
LEAST_ROUNDS = 25
ORDER = (
    *COUNTED,
    "precision",
    "recall",
    "f1",
    "false_positive_rate",
    "roc_auc",
    "average_precision",
    "log_loss",
    "brier",
)


def event_intervals(
    rows: ScoredRows,
    yes: NDArray[np.bool_],
    measured: Mapping[str, Measured],
    *,
    seed: int,
    rounds: int = 1000,
    level: float = 0.95,
    probability: bool = True,
) -> dict[str, Any]:
    """Give `intervals` ({figure: [low, high]}) and the `rounds` they were drawn in, fewer for many rows.

    `yes` (rows,) is the decision. What is drawn are `rows.groups`, single rows without any. `measured` are a
    solution's own figures by name; those that cannot be resampled have no interval.

    >>> rows = ScoredRows.of([True, False] * 50, [0.9, 0.1] * 50)
    >>> found = event_intervals(rows, rows.score > 0.5, {}, seed=1, rounds=10)["intervals"]
    >>> [round(end, 2) for end in found["recall"]]
    [0.93, 1.0]
    """
    n = len(rows.truth)
    rounds = max(1, min(rounds, max(LEAST_ROUNDS, DRAWN // n)))
    # Its first class is the event: what is not an event gets the code 1, which has no column.
    ranking = Ranking.of((~rows.truth).astype(np.int64), rows.score[:, np.newaxis])
    lost = event_losses(rows.truth, rows.score) if probability else {}
    extra = {name: one for name, one in measured.items() if one.resamples}
    drawn: dict[str, list[float]] = {}
    for times in weights(n, seed=seed, rounds=rounds, groups=rows.groups):
        ranked = ranking.measure(times)
        found: dict[str, float | None] = {
            **decided(confusion(rows.truth, yes, times)),
            "roc_auc": float(ranked.roc_auc[0]),
            "average_precision": float(ranked.average_precision[0]),
            **{name: float((values * times).sum() / times.sum()) for name, values in lost.items()},
        }
        found |= {name: one.value(times) for name, one in extra.items()}
        for name, value in found.items():
            drawn.setdefault(name, []).append(np.nan if value is None else value)
    ends = {name: percentiles(np.array(drawn[name]), level) for name in (*ORDER, *extra) if name in drawn}
    units = _units(rows, yes)
    ends = {
        name: widened(one, units.get(name, units["rows"]), level) if name not in lost else one
        for name, one in ends.items()
    }
    return {"intervals": {name: [end["low"], end["high"]] for name, end in ends.items()}, "rounds": rounds}


def _units(rows: ScoredRows, yes: NDArray[np.bool_]) -> dict[str, int]:
    """Count what each figure is a share of, groups of rows as one."""

    def count(some: NDArray[np.bool_]) -> int:
        return int(some.sum()) if rows.groups is None else len(np.unique(rows.groups[some]))

    events, others = count(rows.truth), count(~rows.truth)
    ranked = min(events, others)
    both = (
        "roc_auc",
        "average_precision",
        "balanced_accuracy",
        "recall_macro",
        "precision_macro",
        "f1_macro",
    )
    return {
        "rows": count(np.ones(len(rows.truth), bool)),
        "precision": count(yes),
        "recall": events,
        "f1": events,
        "false_positive_rate": others,
        **dict.fromkeys(both, ranked),
    }
