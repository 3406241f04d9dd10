"""Which tasks an input has answers for, and which of its rows a task can use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.contracts.zones import LATEST
from tallystick.errors import DataError
from tallystick.feature_extraction import groups_of, missing_of, sizes_of
from tallystick.learning.records import Records
from tallystick.tasks import Dataset, Task, Truth

__all__ = ["TaskRows", "rows_of", "tasks_to_do"]


@dataclass(frozen=True)
class TaskRows:
    """The rows that a task can use, their answers, and how many others there are, by why."""

    dataset: Dataset
    truth: Truth
    left_out: dict[str, int] = field(default_factory=dict)


def tasks_to_do(tasks: Sequence[Task], records: Records, *, named: bool, learning: bool) -> tuple[Task, ...]:
    """Return tasks that were named; else those whose labels are there, and those that learn without any.

    learning: a task that learns without labels but is judged by one stands in for those that learn from it,
    so it is not learned where that label is there. Raises DataError when no task is left.
    """
    if named:
        return tuple(tasks)
    done = []
    for task in tasks:
        labels = task.target.judged_by
        there = [name for name in labels if _holds(records.rows, name)]
        if len(there) == len(labels) if task.target.labels else not (there and learning):
            done.append(task)
    if not done:
        names = list(dict.fromkeys(name for task in tasks for name in task.target.judged_by))
        raise DataError(
            "There is no label in the input, so there is nothing to compare with.",
            f"Labels are: {', '.join(names)}. Say which column holds one: --map THEIRS={names[0]}.",
        )
    return tuple(done)


def _holds(rows: pa.RecordBatch, name: str) -> bool:
    return name in rows.schema.names and rows.column(name).null_count < len(rows)


def rows_of(
    task: Task, dataset: Dataset, *, names: Sequence[str] = (), as_of: int | None = None, judged: bool = False
) -> TaskRows:
    """Return the rows that hold something to look at, with an answer where the task wants one.

    names: of the codes of a model; as_of: the moment up to which answers are known, microseconds; judged:
    for measuring, where a label that only judges is wanted too, and answers count whenever they came.
    """
    every = np.arange(len(dataset))
    inside, left_out = np.ones(len(dataset), bool), {}
    labels = task.target.judged_by if judged else task.target.labels
    missing, reason = missing_of(task.features, dataset.rows)
    for label in labels:
        known = _valid(dataset.rows, label)
        left_out[f"no {label}"] = int((inside & ~known).sum())
        inside &= known
        if label in dataset.counts:  # its answer is known, but no other one could be yet
            waiting = (dataset.counts[label] == LATEST) & (dataset.time < LATEST)
            left_out[f"no {label} yet"] = int((inside & waiting).sum())
            inside &= ~waiting
    if missing is not None:
        left_out[reason.replace("_", " ")] = int((inside & missing).sum())
        inside &= ~missing
    index = np.flatnonzero(inside)
    some = dataset if len(index) == len(every) else dataset.take(index)
    truth = task.target.encode(some, names)
    known_then = truth if judged and as_of is None else truth.as_known(as_of)
    if labels and not known_then.there.all():
        yet = f"no {labels[0]} yet"
        left_out[yet] = left_out.get(yet, 0) + int((~known_then.there).sum())
        index = np.flatnonzero(known_then.there)
        some, known_then = some.take(index), known_then.take(index)
    groups = groups_of(task.features, some.rows)
    sizes, unit = sizes_of(task.features, some.rows)
    return TaskRows(
        replace(some, groups=groups, sizes=sizes, size_unit=unit),
        known_then,
        {why: count for why, count in left_out.items() if count},
    )


def _valid(rows: pa.RecordBatch, name: str) -> NDArray[np.bool_]:
    if name not in rows.schema.names:
        return np.zeros(len(rows), bool)
    valid: NDArray[np.bool_] = rows.column(name).is_valid().to_numpy(zero_copy_only=False)
    return valid
