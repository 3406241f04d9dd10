"""How far a figure may be trusted: percentile bootstrap intervals, of one model and of two on the same rows.

Similar rows (copies of one letter) are drawn together. Rows, or groups of rows, that look alike to
the metric are drawn as one multinomial count, which is the same distribution as drawing them one by one and
quick: a thousand resamples cost matrix products, not passes over the rows (Efron & Tibshirani 1993, ch. 13).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tallystick.errors import DataError, UsageError, did_you_mean
from tallystick.evaluation.metrics import COUNTED, counted

__all__ = ["counted_intervals", "interval", "paired_interval", "percentiles", "weights"]

Metric: TypeAlias = str | Callable[..., float]
CHUNK = 4_000_000  # numbers drawn at a time, so that memory stays at some tens of megabytes


def interval(
    metric: Metric,
    *arrays: ArrayLike,
    seed: int,
    rounds: int = 1000,
    level: float = 0.95,
    groups: ArrayLike | None = None,
) -> dict[str, Any]:
    """Give a figure with its bootstrap interval: value, low, high, level, rounds.

    `metric` is the name of a counted figure (`accuracy`, `f1_macro`, …) with the arrays (truth, predicted),
    codes from 0; or `mean` with one array of numbers; or a function of the resampled arrays, which is called
    once a round. `groups` names what is drawn together. Raises UsageError for an unknown metric, DataError
    for arrays that do not fit.

    >>> found = interval("accuracy", [0, 1, 1, 0] * 25, [0, 1, 0, 0] * 25, seed=1)
    >>> found["value"], round(found["low"], 2), round(found["high"], 2)
    (0.75, 0.67, 0.83)
    """
    columns = _columns(arrays)
    if callable(metric):
        value = float(metric(*columns))
        drawn = np.array(
            [
                metric(*(np.repeat(column, times) for column in columns))
                for times in weights(len(columns[0]), seed=seed, rounds=rounds, groups=groups)
            ]
        )
    elif metric == "mean":
        numbers = columns[0].astype(np.float64)
        value = float(numbers.mean())
        drawn = _means(numbers, seed, rounds, groups)
    else:
        _known(metric, columns, 2)
        found = counted_intervals(*columns, seed=seed, rounds=rounds, level=level, groups=groups)
        return found[metric]
    return {"value": value, **percentiles(drawn, level), "level": level, "rounds": rounds}


def counted_intervals(
    truth: ArrayLike,
    predicted: ArrayLike,
    *,
    seed: int,
    rounds: int = 1000,
    level: float = 0.95,
    groups: ArrayLike | None = None,
) -> dict[str, dict[str, Any]]:
    """Give every figure that depends on counts alone with its interval, all from the same resamples.

    >>> sorted(counted_intervals([0, 1], [0, 1], seed=0, rounds=10))[:3]
    ['accuracy', 'balanced_accuracy', 'f1_macro']
    """
    columns = _columns((truth, predicted))
    brings, tally = _kinds(_codes(columns), groups)
    seen = _figures(tally @ brings, 2, 0)
    drawn: dict[str, list[NDArray[np.float64]]] = {name: [] for name in COUNTED}
    for counts in _counts(tally, brings, seed, rounds):
        for name, values in _figures(counts, 2, 0).items():
            drawn[name].append(values)
    return {
        name: {
            "value": float(seen[name]),
            **percentiles(np.concatenate(drawn[name]), level),
            "level": level,
            "rounds": rounds,
        }
        for name in COUNTED
    }


def paired_interval(
    metric: str,
    truth: ArrayLike,
    predicted_a: ArrayLike,
    predicted_b: ArrayLike,
    *,
    seed: int,
    rounds: int = 1000,
    level: float = 0.95,
    groups: ArrayLike | None = None,
) -> dict[str, Any]:
    """Compare two models on the same rows by a counted figure: b minus a, drawn in pairs.

    `value` is the difference, `low` and `high` its interval, `above_zero` the share of resamples in which b
    was better (equal ones count half), `a` and `b` the two figures.

    >>> truth, a, b = [0, 1] * 50, [0, 0] * 50, [0, 1] * 50
    >>> found = paired_interval("accuracy", truth, a, b, seed=1)
    >>> found["value"], found["above_zero"]
    (0.5, 1.0)
    """
    columns = _columns((truth, predicted_a, predicted_b))
    _known(metric, columns, 3)
    brings, tally = _kinds(_codes(columns), groups)
    a, b = (float(_figures(tally @ brings, 3, side)[metric]) for side in (0, 1))
    drawn = np.concatenate(
        [
            _figures(counts, 3, 1)[metric] - _figures(counts, 3, 0)[metric]
            for counts in _counts(tally, brings, seed, rounds)
        ]
    )
    return {
        "value": b - a,
        **percentiles(drawn, level),
        "above_zero": float((drawn > 0).mean() + (drawn == 0).mean() / 2),
        "a": a,
        "b": b,
        "level": level,
        "rounds": rounds,
    }


def weights(
    rows: int, *, seed: int, rounds: int = 1000, groups: ArrayLike | None = None
) -> Iterator[NDArray[np.int64]]:
    """Draw, for each round, how often each of the rows occurs in the resample.

    >>> [int(times.sum()) for times in weights(5, seed=0, rounds=2)]
    [5, 5]
    """
    rng = np.random.default_rng(seed)
    key = np.arange(rows) if groups is None else _groups(groups, rows)
    units = int(key.max()) + 1
    for _ in range(rounds):
        times = np.bincount(rng.integers(units, size=units), minlength=units)
        yield times if groups is None else times[key]


def _columns(arrays: tuple[ArrayLike, ...]) -> list[NDArray[Any]]:
    columns = [np.asarray(array) for array in arrays]
    if not columns or not len(columns[0]):
        raise DataError("There is nothing to draw from: no row.")
    if len({len(column) for column in columns}) > 1:
        raise DataError(f"The arrays differ in length: {[len(column) for column in columns]}.")
    return columns


def _known(metric: str, columns: list[NDArray[Any]], wanted: int) -> None:
    if metric not in COUNTED:
        raise UsageError(f'There is no figure "{metric}".', did_you_mean(metric, [*COUNTED, "mean"]))
    if len(columns) != wanted:
        raise UsageError(f"{metric} needs {wanted} arrays of codes; {len(columns)} were given.")


def _codes(columns: list[NDArray[Any]]) -> NDArray[np.int64]:
    codes = np.column_stack(columns).astype(np.int64)
    if codes.min() < 0:
        raise DataError("Codes of classes start at 0; give rows of an unknown class a code of their own.")
    return codes


def _groups(groups: ArrayLike, rows: int) -> NDArray[np.int64]:
    key = np.unique(np.asarray(groups), return_inverse=True)[1].astype(np.int64)
    if len(key) != rows:
        raise DataError(f"{len(key)} groups do not fit {rows} rows.")
    return key


def _kinds(
    codes: NDArray[np.int64], groups: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Say what one draw of each kind brings, and how many of each kind there are.

    Rows drawn alone are of one kind when their codes are equal; each group of several rows is its own kind.
    A draw brings, true rows, then decisions and hits of each model: (kinds, columns x classes).
    """
    cells, cell = np.unique(codes, axis=0, return_inverse=True)
    cell = cell.ravel()
    rows, sides, k = len(cells), codes.shape[1] - 1, int(codes.max()) + 1
    truth, place = cells[:, 0], np.arange(rows)
    single = np.zeros((rows, 1 + 2 * sides, k))
    single[place, 0, truth] = 1
    for side in range(sides):
        single[place, 1 + 2 * side, cells[:, 1 + side]] = 1
        single[place, 2 + 2 * side, truth] = truth == cells[:, 1 + side]
    single = single.reshape(rows, -1)
    if groups is None:
        return single, np.bincount(cell, minlength=rows).astype(np.float64)
    key = _groups(groups, len(cell))
    alone = np.bincount(key)[key] == 1
    owners, many = np.unique(key[~alone], return_inverse=True)
    bundles = np.zeros((len(owners), single.shape[1]))
    np.add.at(bundles, many, single[cell[~alone]])
    tally = np.ones(rows + len(owners))
    tally[:rows] = np.bincount(cell[alone], minlength=rows)
    return np.vstack([single, bundles]), tally


def _counts(
    tally: NDArray[np.float64], brings: NDArray[np.float64], seed: int, rounds: int
) -> Iterator[NDArray[np.float64]]:
    """Draw resamples, some at a time, as what they bring."""
    rng = np.random.default_rng(seed)
    units = int(tally.sum())
    step = max(1, CHUNK // len(tally))
    for start in range(0, rounds, step):
        drawn = rng.multinomial(units, tally / units, size=min(step, rounds - start))
        # Whole numbers below 2**53: exact in any order, so that the matrix product is the same everywhere.
        yield drawn.astype(np.float64) @ brings


def _figures(counts: NDArray[np.float64], columns: int, side: int) -> dict[str, NDArray[np.float64]]:
    """Turn what resamples brought into the counted figures of one model, of `columns` - 1."""
    parts = counts.reshape(*counts.shape[:-1], 2 * columns - 1, -1)
    return counted(parts[..., 2 + 2 * side, :], parts[..., 0, :], parts[..., 1 + 2 * side, :])


def _means(
    numbers: NDArray[np.float64], seed: int, rounds: int, groups: ArrayLike | None
) -> NDArray[np.float64]:
    return np.array(
        [
            (numbers * times).sum() / times.sum()
            for times in weights(len(numbers), seed=seed, rounds=rounds, groups=groups)
        ]
    )


def percentiles(drawn: NDArray[np.float64], level: float) -> dict[str, float | None]:
    """Cut the same share off both ends; None where every resample was undefined."""
    defined = drawn[np.isfinite(drawn)]
    if not len(defined):
        return {"low": None, "high": None}
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return {"low": float(low), "high": float(high)}
