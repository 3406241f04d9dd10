"""Which decisions need no person: thresholds on the score, for all classes together and for each by
itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from tallystick.evaluation.proportions import evidence, share_interval, wilson

__all__ = ["FLOOR", "automation_outcome", "automation_thresholds", "by_size"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

FLOOR = 0.9  # of the accuracy in each class, where nothing else is wanted
#: How sure a wanted accuracy must be (one-sided), so that rows that did not choose the threshold keep it; in
#: a class a little surer, since several are chosen at once.
LIKELY, CLASS_LIKELY = 0.6, 0.75
#: How sure it must be that the accuracy misses the wanted one by no more than this, in all and in a class:
#: few rows prove little.
SURE, SLACK, CLASS_SLACK = 0.95, 0.01, 0.06
LEAST = 30  # independent rows that anything is decided by
EDGES = (0, 5, 20, 50, 100, 200, 500)  # sizes of rows, each band without its first number


def automation_thresholds(
    score: ArrayLike,
    label: ArrayLike,
    right: ArrayLike,
    classes: int,
    *,
    accuracy: float,
    floor: float = FLOOR,
    groups: ArrayLike | None = None,
) -> tuple[float | None, list[float | None]]:
    """Choose the scores from which on a decision needs no person: for all, and for each class.

    score: float64 (rows,); label: codes of decisions; right: whether each was right; groups: rows that are
    right or wrong together. The first is the lowest score from which on decisions are right as often as
    `accuracy` wants; that of a class is not lower than the first, and the lowest from which on decisions for
    it are right as often as `floor` wants. "As often" is meant with the uncertainty of so many rows: the
    lower end of a one-sided interval of 60 % must reach what is wanted (75 % in a class), and that of 95 %
    must miss it by no more than .01 (.06), on 30 independent rows at least. None where no score does: a
    person decides.

    >>> score, right = np.linspace(1, 0.5, 200), np.arange(200) < 150
    >>> threshold, by_class = automation_thresholds(score, np.zeros(200, int), right, 2, accuracy=0.95)
    >>> round(threshold, 2), by_class[0] == threshold, by_class[1]
    (0.62, True, None)
    """
    scores, labels = np.asarray(score, np.float64), np.asarray(label, np.int64)
    wrong = ~np.asarray(right, bool)
    drawn = None if groups is None else np.asarray(groups)
    lowest = _lowest(scores, wrong, drawn, accuracy, LIKELY, SLACK)
    found: list[float | None] = []
    for code in range(classes):
        mine = np.flatnonzero(labels == code)
        of_mine = None if drawn is None else drawn[mine]
        own = _lowest(scores[mine], wrong[mine], of_mine, min(floor, accuracy), CLASS_LIKELY, CLASS_SLACK)
        found.append(None if own is None or lowest is None else max(own, lowest))
    return lowest, found


def _lowest(
    score: Floats, wrong: Flags, groups: NDArray[Any] | None, wanted: float, likely: float, slack: float
) -> float | None:
    """Return the lowest score from which on rows are right as often as is wanted, None where none is."""
    if not len(score):
        return None
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    rows = np.arange(1, len(ranked) + 1)
    share = 1 - np.cumsum(wrong[order]) / rows
    worth = evidence(wrong[order], None if groups is None else groups[order])
    low, _ = wilson(share, worth, float(ndtri(likely)))
    lower, _ = wilson(share, worth, float(ndtri(SURE)))
    # Rows of equal score are taken together: a threshold cannot tell them apart.
    ends = np.append(ranked[1:] != ranked[:-1], True)
    met = np.flatnonzero(ends & (worth >= LEAST) & (low >= wanted) & (lower >= wanted - slack))
    return float(ranked[met[-1]]) if len(met) else None


def automation_outcome(
    automatic: Flags,
    right: Flags,
    truth: Ints,
    predicted: Ints,
    names: Sequence[str],
    *,
    groups: ArrayLike | None = None,
    level: float = 0.95,
) -> dict[str, Any]:
    """Say how often automatic decisions are right: all, those for each class, and rows that are of it.

    `automation` is the share of rows that is decided automatically, `accuracy` how often those are right with
    its `interval`, `review_accuracy` how often the others would have been; None where there are no such rows.
    """
    drawn = None if groups is None else np.asarray(groups)
    taken, hits = int(automatic.sum()), int((automatic & right).sum())
    left = len(right) - taken
    return {
        "rows": len(right),
        "accepted": taken,
        "automation": taken / len(right),
        "wrong": taken - hits,
        "review_accuracy": float(right[~automatic].mean()) if left else None,
        **_accuracy(automatic, right, drawn, level),
        "per_class": [
            {
                "class": name,
                **_accuracy(automatic & (predicted == code), right, drawn, level, count=True),
                "true_rows": int((automatic & (truth == code)).sum()),
                "true_accuracy": _mean(right[automatic & (truth == code)]),
            }
            for code, name in enumerate(names)
        ],
    }


def by_size(
    size: ArrayLike, automatic: Flags, right: Flags, groups: ArrayLike | None = None, level: float = 0.95
) -> list[dict[str, Any]]:
    """Say for rows of each band of sizes how many are decided automatically, and how often these are right.

    >>> automatic, right = np.array([True, True, False]), np.array([True, False, True])
    >>> [(band["above"], band["to"], band["rows"]) for band in by_size([3, 8, 2000], automatic, right)]
    [(0, 5, 1), (5, 20, 1), (500, None, 1)]
    """
    sizes, drawn = np.asarray(size), None if groups is None else np.asarray(groups)
    found = []
    for above, to in zip(EDGES, (*EDGES[1:], None), strict=True):
        inside = (sizes > above if above else sizes >= 0) & (sizes <= (np.inf if to is None else to))
        if inside.any():
            of_band = _accuracy(inside & automatic, right, drawn, level, count=True)
            found.append({"above": above, "to": to, "rows": int(inside.sum()), **of_band})
    return found


def _accuracy(
    rows: Flags, right: Flags, groups: NDArray[Any] | None, level: float, *, count: bool = False
) -> dict[str, Any]:
    """Say how often some rows are right, with the interval; count: how many they are as well."""
    interval = share_interval(right[rows], None if groups is None else groups[rows], level)
    found: Mapping[str, Any] = {"accuracy": _mean(right[rows]), "interval": interval}
    return {"accepted": int(rows.sum()), **found} if count else dict(found)


def _mean(values: Flags) -> float | None:
    return float(values.mean()) if len(values) else None
