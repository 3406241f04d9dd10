"""Folds of a task's rows: exchangeable ones, or each learned from what was known before it."""

from __future__ import annotations

import numpy as np

from tallystick.contracts.zones import LATEST
from tallystick.errors import DataError
from tallystick.evaluation import folds, time_split
from tallystick.tasks import Dataset, Fold, Split, Task, Truth

__all__ = ["SPLITS", "folds_of", "last_part"]

SPLITS = ("random", "stratified", "grouped", "time")
LAST = 0.2  # of the rows, by time, that a split by time tests


def folds_of(task: Task, dataset: Dataset, truth: Truth, split: str, seed: int) -> tuple[Fold, ...]:
    """Cut rows into the task's folds; by time a fold knows the labels that were known when it began.

    Raises DataError when there are too few rows, groups or times.
    """
    groups = None
    if split == "grouped":
        groups = dataset.person if dataset.groups is None else dataset.groups
        if groups is None:
            raise DataError(
                f"{task.name}: no row says which rows hang together, so no split can be grouped.",
                "Use --split stratified.",
            )
    if split == "time" and not dataset.dated:
        raise DataError("A split by time needs times, and no row has one.", "Use --split stratified.")
    answers = truth.codes if truth.names else None
    if answers is None and split == "stratified":
        split = "random"  # amounts, and rows without answers, have no classes to balance
    parts = folds(
        split, task.folds, y=answers, groups=groups, time=dataset.time, seed=seed, rows=len(dataset)
    )
    if split != "time":
        return tuple(Fold(train, test) for train, test in parts)
    return tuple(Fold(train, test, int(dataset.time[test].min())) for train, test in parts)


def last_part(dataset: Dataset, supervised: bool, truth: Truth) -> Split:
    """Test the last fifth of the rows by time, learned from what was known before it."""
    if not dataset.dated:
        raise DataError("A split by time needs times, and no row has one.", "Use --split stratified.")
    dated = np.flatnonzero(dataset.time < LATEST)
    before, after = (dated[part] for part in time_split(dataset.time[dated], LAST))
    start = int(dataset.time[after].min())
    if supervised:
        before = before[truth.known[before] <= start]
    without = len(dataset) - len(dated)
    words = " whose labels were known by then" if supervised else ""
    return Split(
        (Fold(before, after, start),),
        {
            "kind": "time",
            "learned from": f"{len(before):,} rows before{words}",
            "tested on": f"{len(after):,} rows from {np.datetime64(start, 'us').astype('datetime64[D]')}",
            **({"without a time, left out": f"{without:,}"} if without else {}),
        },
    )
