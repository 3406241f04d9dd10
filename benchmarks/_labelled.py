"""Rows to learn from as the verbs read them: checked by the contract, with window features and answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick import registry
from tallystick.inputs.context import RunContext
from tallystick.jobs.open_input import with_unnamed_columns
from tallystick.jobs.options import run_context
from tallystick.jobs.records_input import columns_of, read_records
from tallystick.jobs.task_rows import rows_of
from tallystick.jobs.windows_file import declared_windows
from tallystick.learning import FitSpec, Records, with_windows
from tallystick.learning.records import held_columns
from tallystick.tasks import Dataset, Task, Truth


@dataclass(frozen=True)
class Labelled:
    """Rows of one task, their answers, and all records that were read with them."""

    task: Task
    dataset: Dataset
    truth: Truth
    records: Records
    context: RunContext

    def __len__(self) -> int:
        return len(self.dataset)

    def take(self, index: NDArray[np.int64]) -> Labelled:
        """Return some of the rows."""
        return Labelled(
            self.task, self.dataset.take(index), self.truth.take(index), self.records, self.context
        )

    def spec(self, **changes: Any) -> FitSpec:
        """Return how the task is learned by default; changes: options of `FitSpec.of`."""
        learner = registry.learner(changes.pop("learner", self.task.learner))
        return FitSpec.of(self.task, learner, self.context.settings, **changes)


def labelled(
    solution: str,
    task: str,
    source: Any,
    *,
    windows: Path | None = None,
    **options: Any,
) -> Labelled:
    """Read a source for a task; windows: a file of them, the solution's own when None."""
    context = run_context("evaluate", **options)
    found, _ = with_unnamed_columns(registry.solution(solution), source, context)
    chosen = found.task(task)
    columns = columns_of(found, found.tasks)
    records = read_records(found, source, context, columns, labels_wanted=True)
    declared = declared_windows(found, windows, held_columns(records)) if found.windows else None
    dataset = with_windows(records, declared, records.given, context.settings)
    rows = rows_of(chosen, dataset)
    return Labelled(chosen, rows.dataset, rows.truth, records, context)
