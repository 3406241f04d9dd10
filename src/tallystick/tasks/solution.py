"""A solution: everything that is known about one job of a bank, and nothing about files, engines or verbs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.contracts import Contract
from tallystick.contracts.inference import ColumnTypes
from tallystick.errors import UsageError, did_you_mean
from tallystick.evaluation import Measure
from tallystick.feature_extraction import Columns
from tallystick.report import Nouns
from tallystick.tasks.analysis import Analysis
from tallystick.tasks.dataset import Dataset
from tallystick.tasks.splits import SplitMaker
from tallystick.tasks.table import Table
from tallystick.tasks.task import Task
from tallystick.windows import TableRoles

__all__ = ["Simulate", "Solution", "plain_reason"]


class Simulate(Protocol):
    """Writes records like a bank's own, so that demos and load tests need nobody's data."""

    def __call__(self, rows: int, seed: int = 0, preset: str = "default") -> Iterator[pa.RecordBatch]:
        """Yield `rows` records; the same arguments give the same records."""


def no_inputs(rows: pa.RecordBatch, needs: Collection[str]) -> dict[str, pa.Array]:  # noqa: ARG001 - the shape is the door's
    """Give routing rules nothing to look at but the columns of the contract."""
    return {}


def plain_reason(feature: str, value: float, median: float | None) -> str:
    """Say a reason without knowing what it is about.

    >>> plain_reason("age", 19.0, 41.5)
    'age is 19; usually 41.5'
    """
    return f"{feature} is {value:g}" + ("" if median is None else f"; usually {median:g}")


@dataclass(frozen=True)
class Solution:
    """One job of a bank.

    contract: of its main table, with the columns that it gains from joined ones; tables: further ones,
    such as labels that arrive by themselves; simulate: makes records, where it can; routing: the default
    routing file, if it routes; routing_inputs: what routing rules look at besides columns of the
    contract, of those that are needed. demo_rows: of the demo; demo_later: how many more come as a stream
    in it; try_rows and try_preset: what is simulated where a small trial will do. windows: the file that
    declares its window features, if it has any; rules: a file of rules to begin with, used where it is
    named; label_aliases: names for `known(LABEL)` in conditions of windows; label_delay: how long after
    its event a label becomes known where nothing says when; horizon: how far apart in time two records of
    one key are one and its duplicate (None: however far); reason_text: says a reason in words, of a
    feature, its value and its median; analyses: tables of what happened; splits: protocols of its own for
    `evaluate --split`; nouns: words for reports; measures: figures that only this solution has; oracle:
    what the best that can be expected says of simulated rows, from all records; None where they are none.
    """

    name: str
    title: str
    contract: Contract
    tasks: tuple[Task, ...]
    simulate: Simulate | None = None
    tables: tuple[Table, ...] = ()
    routing: Path | None = None
    routing_inputs: Callable[[pa.RecordBatch, Collection[str]], dict[str, pa.Array]] = no_inputs
    demo_rows: int = 6_000
    demo_later: int = 0
    try_rows: int = 300
    try_preset: str = "default"
    windows: Path | None = None
    rules: Path | None = None
    label_aliases: Mapping[str, str] = field(default_factory=dict)
    label_delay: timedelta = timedelta(0)
    horizon: timedelta | None = None
    reason_text: Callable[[str, float, float | None], str] = plain_reason
    analyses: tuple[Analysis, ...] = ()
    splits: Mapping[str, SplitMaker] = field(default_factory=dict)
    nouns: Nouns = field(default_factory=Nouns)
    measures: tuple[Measure, ...] = ()
    oracle: Callable[[Dataset], NDArray[np.float64] | None] | None = None

    def __post_init__(self) -> None:
        """Give the main table the columns that it gains from joined ones."""
        contract = self.contract
        names = {column.name for column in contract.columns}
        for table in self.joined_tables:
            if table.on not in names:
                raise ValueError(f'{self.name}: there is no column "{table.on}" to join {table.name} on')
            if contract.event_time and table.contract.event_time:
                raise ValueError(
                    f"{self.name}: {table.name} is later than some of the events that it would be joined to; "
                    "declare windows"
                )
            gained = tuple(column for column in table.columns if column.name not in names)
            contract = replace(contract, columns=(*contract.columns, *gained))
        object.__setattr__(self, "contract", contract)

    @property
    def joined_tables(self) -> tuple[Table, ...]:
        """The tables whose rows are aggregated for each row of the main one."""
        return tuple(table for table in self.tables if table.role == "joined")

    @property
    def labels(self) -> Contract | None:
        """The contract of labels that arrive by themselves; None where there are none."""
        return next((table.contract for table in self.tables if table.role == "labels"), None)

    @property
    def window_roles(self) -> TableRoles:
        """The roles of the contract that windows read."""
        return TableRoles.of(self.contract, self.label_aliases)

    @property
    def horizon_us(self) -> int | None:
        """The horizon of duplicates in microseconds."""
        return None if self.horizon is None else self.horizon // timedelta(microseconds=1)

    def opened(self, types: ColumnTypes) -> Solution:
        """Return the solution with the columns that its open contract does not name as features."""
        columns = types.as_columns()
        tasks = tuple(
            replace(
                task,
                features=tuple(
                    part.opened(columns) if isinstance(part, Columns) else part for part in task.features
                ),
            )
            for task in self.tasks
        )
        return replace(self, contract=self.contract.extended(types), tasks=tasks)

    @property
    def simulator(self) -> Simulate:
        """What makes records; UsageError where it can make none."""
        if self.simulate is None:
            raise UsageError(f"{self.name} has no simulator.", "Bring your own records: a file or a folder.")
        return self.simulate

    def task(self, name: str) -> Task:
        """Find a task by name; UsageError says which there are."""
        for task in self.tasks:
            if task.name == name:
                return task
        raise UsageError(
            f'{self.name} has no task "{name}".', did_you_mean(name, [task.name for task in self.tasks])
        )

    def pick(self, names: Sequence[str]) -> tuple[Task, ...]:
        """Find tasks by name, in the solution's order, each once."""
        wanted = {self.task(name).name for name in names}
        return tuple(task for task in self.tasks if task.name in wanted)
