"""Labelled records, for learning and for measuring: gathered, cut to a time span, made ready for a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.contracts import Report
from tallystick.contracts.zones import LATEST
from tallystick.errors import DataError, UsageError
from tallystick.jobs.frames import whole
from tallystick.jobs.intake import Intake
from tallystick.jobs.options import Moment, Work, moment
from tallystick.scorer import ClassTask, Solution

__all__ = ["LATEST", "Gathered", "Rows", "gather", "rows_of", "tasks_with_labels"]


@dataclass(frozen=True)
class Rows:
    """Rows of one task.

    table: what its features read; truth: codes into classes (int64); groups: which rows hang together; time:
    microseconds, the latest where missing, or None when there are no times.
    """

    table: pa.RecordBatch
    truth: NDArray[np.int64]
    classes: tuple[str, ...]
    groups: NDArray[np.int64]
    time: NDArray[np.int64] | None

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, index: NDArray[np.int64]) -> Rows:
        """Return some of the rows; the classes stay."""
        time = None if self.time is None else self.time[index]
        return Rows(
            self.table.take(pa.array(index)), self.truth[index], self.classes, self.groups[index], time
        )


@dataclass(frozen=True)
class Gathered:
    """An input in memory, the account of it, and how many clean rows were passed over, by why."""

    table: pa.Table
    report: Report
    passed_over: dict[str, int]


def gather(
    solution: Solution,
    source: Any,
    job: Work,
    tasks: Sequence[ClassTask],
    *,
    from_: Moment | None = None,
    until: Moment | None = None,
) -> Gathered:
    """Read what the tasks need; rows outside from_ ≤ time < until, or after `as_of`, are passed over."""
    contract = solution.contract
    columns = {column for task in tasks for column in (*task.features.columns, task.label)}
    needs = {column: f"what {task.name} looks at" for task in tasks for column in task.features.columns}
    if len(tasks) == 1:
        needs |= {tasks[0].label: f"the label of {tasks[0].name}"}
    if contract.event_time:
        columns.add(contract.event_time)
    # What is later than now is in the future whatever was known when: as_of only passes over.
    intake = Intake.open(solution, source, replace(job, as_of=None), labels_wanted=True, needs=needs)
    table, report = intake.gather(sorted(columns))
    bounds: list[tuple[str, Any, datetime]] = []
    if from_ is not None:
        bounds.append(("before the time span", pc.less, moment(from_, job.settings.zone, "from")))
    if until is not None:
        bounds.append(("after the time span", pc.greater_equal, moment(until, job.settings.zone, "until")))
    if job.as_of is not None:
        bounds.append(("not known yet", pc.greater, job.as_of))
    if from_ is not None and until is not None and bounds[0][2] >= bounds[1][2]:
        raise UsageError(f"from {from_} until {until} is no time span.", "The first must be the earlier one.")
    passed: dict[str, int] = {}
    for why, outside, bound in bounds:
        if contract.event_time is None:
            raise DataError(f"{contract.name} has no event time to judge {bound.date()} by.")
        times = table.column(contract.event_time)
        if times.null_count:
            # It may be of any time, also of one that is not to be known.
            passed["no time"] = passed.get("no time", 0) + times.null_count
            table = table.filter(pc.is_valid(times))
            times = table.column(contract.event_time)
        out = outside(times, pa.scalar(bound, pa.timestamp("us", "UTC")))
        passed[why] = int(pc.sum(out).as_py() or 0)
        table = table.filter(pc.invert(out))
    return Gathered(table, report, passed)


def tasks_with_labels(table: pa.Table, among: Sequence[ClassTask], *, named: bool) -> tuple[ClassTask, ...]:
    """Return tasks that were named, or those of some whose labels are there; DataError when there is none."""
    if named:
        return tuple(among)
    found = tuple(t for t in among if table.column(t.label).null_count < len(table))
    if not found:
        labels = ", ".join(task.label for task in among)
        raise DataError(
            "There is no label in the input, so there is nothing to compare with.",
            f"Labels are: {labels}. Say which column holds one: --map THEIRS={among[0].label}.",
        )
    return found


def rows_of(
    task: ClassTask, table: pa.Table, time: str | None, classes: Sequence[str] | None = None
) -> tuple[Rows, dict[str, int]]:
    """Pick the rows that have a label and something to look at, and count the others by why.

    classes: those of a model, after which come those that it does not know; without it all that occur, of
    which there must be two.
    """
    rows = whole(table, wide=True)
    unlabelled = rows.column(task.label).is_null().to_numpy(zero_copy_only=False)
    missing = task.features.missing(rows)
    left_out = {
        f"no {task.label}": int(unlabelled.sum()),
        task.features.missing_reason.replace("_", " "): int((missing & ~unlabelled).sum()),
    }
    rows = rows.filter(pa.array(~unlabelled & ~missing))
    coded = rows.column(task.label).dictionary_encode()
    values = coded.dictionary.to_pylist()
    names = (*(classes or ()), *sorted(set(values) - set(classes or ())))
    if classes is None and len(names) < 2:
        held = (
            f'one class, "{names[0]}"'
            if names
            else "no row that has both a label and something to learn from"
        )
        raise DataError(
            f"There is nothing to tell apart for {task.name}: the input holds {held}.",
            f"Give rows of at least two values of {task.label}.",
        )
    place = {name: code for code, name in enumerate(names)}
    codes = np.array([place[value] for value in values], dtype=np.int64)
    truth = codes[coded.indices.to_numpy()] if len(rows) else np.empty(0, np.int64)
    stamps = None
    if time is not None and len(rows) and rows.column(time).null_count < len(rows):
        stamps = rows.column(time).cast(pa.int64()).fill_null(LATEST).to_numpy()
    return Rows(rows, truth, names, task.features.groups(rows), stamps), left_out
