"""Which rows teach and which rows test: random, stratified, grouped or by time.

Splits are made of row numbers only, so that they serve any engine and any learner. The same seed gives the
same split, whatever the machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tallystick.errors import DataError, UsageError, did_you_mean

__all__ = ["KINDS", "Fold", "folds", "time_split"]

KINDS = ("random", "stratified", "grouped", "time")

Rows: TypeAlias = NDArray[np.int64]
Fold: TypeAlias = tuple[Rows, Rows]


def folds(
    kind: str,
    n: int = 5,
    *,
    rows: int | None = None,
    y: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    time: ArrayLike | None = None,
    seed: int = 0,
) -> list[Fold]:
    """Make n pairs of (rows to train on, rows to test on), row numbers in ascending order.

    `random`, `stratified` (needs `y`) and `grouped` (needs `groups`; balances `y` where given) test each row
    exactly once. `grouped` never has rows of one group on both sides. `time` (needs `time`) is a rolling
    origin: the rows are cut along time into n + 1 parts of about one size, and fold i trains on the parts
    before its own; equal times are never parted, a missing time counts as the latest.

    `rows` is only needed for `random` without any column. Raises UsageError for an unknown kind or a missing
    column, DataError when there are too few rows, groups or times.

    >>> [test.tolist() for _, test in folds("time", 2, time=[3, 1, 2, 1, 3, 2])]
    [[2, 5], [0, 4]]
    >>> [test.tolist() for _, test in folds("grouped", 2, groups=["a", "b", "a", "c", "c"])]
    [[1, 3, 4], [0, 2]]
    """
    if kind not in KINDS:
        raise UsageError(f'There is no split "{kind}".', did_you_mean(kind, KINDS))
    if n < 2:
        raise UsageError(f"{n} folds were asked for; a split needs at least 2.")
    columns = {"y": y, "groups": groups, "time": time}
    needed = {"stratified": "y", "grouped": "groups", "time": "time"}.get(kind)
    if needed and columns[needed] is None:
        raise UsageError(f'A {kind} split needs "{needed}", one value for each row.')
    arrays = {name: np.asarray(column) for name, column in columns.items() if column is not None}
    count = _count(arrays, rows)
    if count < n:
        raise DataError(f"{n} folds need at least {n} rows; there are {count}.", "Give more rows.")
    if kind == "time":
        return _rolling(arrays["time"], n)
    if kind == "random":
        part = np.random.default_rng(seed).permutation(count) % n
    else:
        classes = _codes(arrays["y"]) if "y" in arrays else np.zeros(count, np.int64)
        keys = _codes(arrays["groups"]) if kind == "grouped" else np.arange(count)
        part = _deal(classes, keys, n, seed)
    return [(np.flatnonzero(part != fold), np.flatnonzero(part == fold)) for fold in range(n)]


def time_split(time: ArrayLike, share: float = 0.2) -> Fold:
    """Part the rows by time: the last `share` of them tests, all before it trains.

    Equal times are never parted, so the share is met as nearly as they allow; a missing time counts as the
    latest. Raises DataError when all times are equal.

    >>> train, test = time_split(["2024-01", "2024-03", "2024-02", "2024-03", "2024-01"], share=0.4)
    >>> train.tolist(), test.tolist()
    ([0, 2, 4], [1, 3])
    """
    if not 0 < share < 1:
        raise UsageError(f"The share to test on is {share}; it must lie between 0 and 1.")
    moment, before = _moments(np.asarray(time))
    if len(before) < 2:
        raise DataError(
            "A split by time needs at least two different times; all rows have the same one.",
            "Choose the split random, stratified or grouped.",
        )
    cut = 1 + int(np.argmin(np.abs(before[1:] - (1 - share) * len(moment))))
    return np.flatnonzero(moment < cut), np.flatnonzero(moment >= cut)


def _count(arrays: dict[str, NDArray[Any]], rows: int | None) -> int:
    """Say how many rows there are, once all columns agree."""
    lengths = {name: len(array) for name, array in arrays.items()}
    if rows is not None:
        lengths["rows"] = rows
    if not lengths:
        raise UsageError("A split needs to know how many rows there are: give rows, y, groups or time.")
    if len(set(lengths.values())) > 1:
        raise UsageError("The columns of a split differ in length: " + str(lengths) + ".")
    return next(iter(lengths.values()))


def _codes(values: NDArray[Any]) -> Rows:
    """Number the distinct values from 0."""
    if values.dtype == object:  # may hold None beside text, which does not sort
        seen: dict[Any, int] = {}
        return np.array([seen.setdefault(value, len(seen)) for value in values.tolist()], np.int64)
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def _deal(classes: Rows, keys: Rows, n: int, seed: int) -> Rows:
    """Give each group a fold so that every class spreads over the folds as evenly as the groups allow.

    Groups of several rows go first, the largest first, each to the fold where its classes are scarcest
    (greedy, least sum of squares relative to the class); then single rows level the folds out exactly.
    """
    sizes = np.bincount(keys)
    if len(sizes) < n:
        raise DataError(
            f"{n} folds need at least {n} groups; there are {len(sizes)}.",
            "Give rows of more of them, or evaluate with another split: --split time.",
        )
    rng = np.random.default_rng(seed)
    counts = np.zeros((n, int(classes.max()) + 1), np.int64)
    totals = np.bincount(classes)
    part = np.full(len(keys), -1, np.int64)
    by_key = np.argsort(keys, kind="stable")
    starts = np.concatenate(([0], np.cumsum(sizes)))
    lot = rng.permutation(len(sizes))
    for key in sorted(np.flatnonzero(sizes > 1).tolist(), key=lambda key: (-sizes[key], lot[key])):
        members = by_key[starts[key] : starts[key + 1]]
        held, times = np.unique(classes[members], return_counts=True)
        # How much the sum of squares over folds grows: (c + t)² - c², relative to the class.
        growth = ((2 * counts[:, held] + times) * times / totals[held]).sum(axis=1)
        fold = min(range(n), key=lambda f: (growth[f], counts[f].sum(), f))
        counts[fold, held] += times
        part[members] = fold
    single = np.flatnonzero(part < 0)
    single = single[rng.permutation(len(single))]
    # The largest class first: what is left over of the small ones then evens out the folds' sizes.
    for label in sorted(np.unique(classes[single]).tolist(), key=lambda c: (-totals[c], c)):
        members = single[classes[single] == label]
        given = _level(counts[:, label], counts.sum(axis=1), len(members))
        part[members] = np.repeat(np.arange(n), given)
        counts[:, label] += given
    return part


def _level(held: Rows, sizes: Rows, more: int) -> Rows:
    """Pour `more` rows of one class into the folds until they stand level; the rest to the smallest folds."""
    order = np.argsort(held, kind="stable")
    level, width = 0, 0
    for width in range(1, len(held) + 1):
        level = (int(held[order[:width]].sum()) + more) // width
        if width == len(held) or level < held[order[width]]:
            break
    given = np.zeros(len(held), np.int64)
    given[order[:width]] = level - held[order[:width]]
    rest = more - int(given.sum())
    open_folds = sorted(order[:width].tolist(), key=lambda f: (sizes[f] + given[f], f))
    given[open_folds[:rest]] += 1
    return given


def _moments(time: NDArray[Any]) -> tuple[Rows, Rows]:
    """Number the distinct times in their order, and count the rows before each."""
    if time.dtype == object:
        times: Sequence[Any] = sorted({t for t in time.tolist() if t is not None})
        place = {t: i for i, t in enumerate(times)}
        moment = np.array([place.get(t, len(times)) for t in time.tolist()], np.int64)
    else:
        moment = np.unique(time, return_inverse=True)[1].astype(np.int64)  # NaN and NaT sort last, as one
    tally = np.bincount(moment)
    return moment, np.cumsum(tally) - tally


def _rolling(time: NDArray[Any], n: int) -> list[Fold]:
    """Cut time into n + 1 parts at n moments and test on each part but the first."""
    moment, before = _moments(time)
    if len(before) < n + 1:
        raise DataError(
            f"{n} folds by time need at least {n + 1} different times; there are {len(before)}.",
            "Give rows of more times, or evaluate with another split: --split random.",
        )
    cuts: list[int] = []
    for k in range(1, n + 1):
        wanted = k * len(moment) / (n + 1)
        nearest = int(np.argmin(np.abs(before - wanted)))
        lowest = cuts[-1] + 1 if cuts else 1
        cuts.append(min(max(nearest, lowest), len(before) - (n + 1 - k)))
    ends = [*cuts[1:], len(before)]
    return [
        (np.flatnonzero(moment < cut), np.flatnonzero((moment >= cut) & (moment < end)))
        for cut, end in zip(cuts, ends, strict=True)
    ]
