"""The report on a predicted amount (regression): errors, their intervals, and where they lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tallystick.errors import DataError
from tallystick.evaluation.bootstrap import percentiles, weights

__all__ = ["amount_report"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PARTS = 10  # parts of equal size, by predicted value
BINS = 41  # an odd number: errors near 0 have a bin of their own
DRAWN = 20_000_000  # a round passes over all rows, so large reports take fewer
LEAST_ROUNDS = 50


def amount_report(
    task: str,
    truth: ArrayLike,
    predicted: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    split: Mapping[str, Any] | None = None,
    seed: int = 0,
    rounds: int = 1000,
    level: float = 0.95,
) -> dict[str, Any]:
    """Report on predicted amounts: a dict of plain values; the same arguments give the same bytes.

    `truth` and `predicted` float64 (rows,), both in the same unit and finite. An error is predicted minus
    true: `bias` is their mean. `mae`, `rmse` and `median_absolute_error` are better when lower; `r2` is
    1 - squared error / variance of the truth (None where the truth is constant). `baseline` predicts the mean
    of these rows. `by_predicted` compares means of predicted and true values in parts of equal size;
    `residuals` counts errors in bins of equal width between the 1st and the 99th percentile, the ends hold
    all beyond. `groups` are drawn together in the intervals. Raises DataError when there is no row, a
    value is missing or the columns do not fit.

    >>> report = amount_report("loss", [1.0, 3.0], [2.0, 3.0], rounds=10)
    >>> report["mae"], report["bias"], report["r2"], report["baseline"]["mae"]
    (0.5, 0.5, 0.5, 1.0)
    """
    actual, expected = np.asarray(truth, np.float64), np.asarray(predicted, np.float64)
    if actual.ndim != 1 or actual.shape != expected.shape:
        raise DataError(f"{actual.shape} true amounts do not fit {expected.shape} predicted ones.")
    if not len(actual):
        raise DataError("There is nothing to measure: no row has both a predicted and a true amount.")
    if not (np.isfinite(actual).all() and np.isfinite(expected).all()):
        raise DataError("Every row needs a true and a predicted amount; some are missing or not finite.")
    mean = float(actual.mean())
    few = min(rounds, max(LEAST_ROUNDS, DRAWN // len(actual)))
    measure = _Errors(actual, expected)
    drawn: dict[str, list[float]] = {}
    for times in weights(len(actual), seed=seed, rounds=few, groups=groups):
        for name, value in measure.figures(times).items():
            drawn.setdefault(name, []).append(np.nan if value is None else value)
    ends = {name: percentiles(np.array(values), level) for name, values in drawn.items()}
    return {
        "task": task,
        "target": "amount",
        "rows": len(actual),
        **measure.figures(np.ones(len(actual), np.int64)),
        "mean_truth": mean,
        "mean_predicted": float(expected.mean()),
        "intervals": {name: [end["low"], end["high"]] for name, end in ends.items()},
        "level": level,
        "rounds": few,
        "groups": None if groups is None else len(np.unique(np.asarray(groups))),
        "baseline": {"predicted": mean, **_baseline(actual, mean)},
        "by_predicted": _by_predicted(actual, expected),
        "residuals": _residuals(expected - actual),
        "split": None if split is None else dict(split),
    }


class _Errors:
    """Errors of rows, sorted once by size, so that resamples only need weights."""

    def __init__(self, truth: Floats, predicted: Floats) -> None:
        self.truth, self.error = truth, predicted - truth
        self.size = np.abs(self.error)
        self.order = np.argsort(self.size, kind="stable")
        self.spread = (truth - truth.mean()) ** 2
        self.constant = bool((truth == truth[0]).all())

    def figures(self, times: Ints) -> dict[str, float | None]:
        """Measure with row i counted `times[i]` times."""
        rows = int(times.sum())
        squared = float((self.error**2 * times).sum())
        shift = float(((self.truth - self.truth.mean()) * times).sum()) / rows
        variance = float((self.spread * times).sum()) - rows * shift**2
        upto = np.cumsum(times[self.order])
        middle = self.size[self.order[np.searchsorted(upto, [(rows - 1) // 2, rows // 2], side="right")]]
        return {
            "mae": float((self.size * times).sum() / rows),
            "rmse": float(np.sqrt(squared / rows)),
            "median_absolute_error": float(middle.mean()),
            "r2": None if self.constant or variance <= 0 else 1 - squared / variance,
            "bias": float((self.error * times).sum() / rows),
        }


def _baseline(truth: Floats, mean: float) -> dict[str, float | None]:
    """Measure the mean as the prediction of every row; its bias is 0 but for rounding."""
    figures = _Errors(truth, np.full(len(truth), mean)).figures(np.ones(len(truth), np.int64))
    return {**figures, "bias": 0.0}


def _by_predicted(truth: Floats, predicted: Floats) -> list[dict[str, Any]]:
    """Compare predicted and true values in parts of equal size, from the lowest predicted value up."""
    order = np.argsort(predicted, kind="stable")
    return [
        {
            "rows": len(rows),
            "low": float(predicted[rows[0]]),
            "high": float(predicted[rows[-1]]),
            "predicted": float(predicted[rows].mean()),
            "truth": float(truth[rows].mean()),
            "truth_low": float(np.quantile(truth[rows], 0.1)),
            "truth_high": float(np.quantile(truth[rows], 0.9)),
            "mae": float(np.abs(predicted[rows] - truth[rows]).mean()),
        }
        for rows in np.array_split(order, min(PARTS, len(order)))
    ]


def _residuals(error: Floats) -> dict[str, list[Any]]:
    """Count errors in bins that are symmetric around 0."""
    widest = float(np.abs(np.quantile(error, [0.01, 0.99])).max()) or float(np.abs(error).max()) or 1.0
    edges = np.linspace(-widest, widest, BINS + 1)
    counts, _ = np.histogram(np.clip(error, -widest, widest), edges)
    return {"edges": edges.tolist(), "counts": counts.tolist()}
