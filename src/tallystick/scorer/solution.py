"""What a solution fills in: its contract, its tasks, what each task looks at, and how it decides."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.contracts import Contract
from tallystick.errors import UsageError, did_you_mean
from tallystick.evaluation import Measure
from tallystick.models import LinearModel
from tallystick.report import Nouns
from tallystick.scorer.analysis import Analysis
from tallystick.scorer.table import TableFeatures
from tallystick.windows import TableRoles

__all__ = [
    "ClassTask",
    "EventTask",
    "Features",
    "FittedFeatures",
    "RowScorer",
    "Simulate",
    "Solution",
    "Task",
    "plain_words",
]


class RowScorer(Protocol):
    """Fitted features and a model as one: clean rows in, logits and reasons out."""

    def logits(self, rows: pa.RecordBatch, threads: int = 1) -> NDArray[np.float64]:
        """Score rows: float64 (rows, classes)."""

    def logits_and_reasons(
        self, rows: pa.RecordBatch, top: int, threads: int = 1
    ) -> tuple[NDArray[np.float64], pa.Array]:
        """Score rows and say why: list of struct feature, value, effect, the strongest first."""


class FittedFeatures(Protocol):
    """Features that have seen training data: they know their names and can be kept as plain arrays."""

    @property
    def count(self) -> int:
        """How many features there are."""

    def matrix(self, rows: pa.RecordBatch, threads: int = 1) -> Any:
        """Return the features of rows as a SciPy CSR matrix, for learners."""

    def scorer(self, model: LinearModel) -> RowScorer:
        """Join the features and a model into one that scores rows."""

    def describe(self) -> dict[str, Any]:
        """Say what they are, for a manifest; `words` says it for people."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a bundle keeps of them."""


class Features(Protocol):
    """What a task looks at, declared once."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the contract that it reads."""

    def missing(self, rows: pa.RecordBatch) -> NDArray[np.bool_]:
        """Say which rows hold nothing to look at; they are never scored, a person sees them."""

    @property
    def missing_reason(self) -> str:
        """The reason code such rows get."""

    def fit(self, rows: pa.RecordBatch, settings: Settings) -> FittedFeatures:
        """Learn from training rows what scoring needs (a vocabulary, say)."""

    def load(self, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> FittedFeatures:
        """Bring fitted features back from a bundle."""

    def parts(self, rows: pa.RecordBatch) -> tuple[pa.RecordBatch, NDArray[np.int64]]:
        """Cut rows into parts that teach as well, and say of which row each is; there may be none."""

    def groups(self, rows: pa.RecordBatch) -> NDArray[np.int64]:
        """Say which rows hang together (near copies, one person …) and may not be split up."""

    def identity(self, rows: pa.RecordBatch) -> NDArray[np.uint64]:
        """Hash what is looked at, so that a row that was trained from is known again."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One thing that a solution predicts; what it looks at depends on its kind.

    name: as on the command line; label: the contract's column that holds the answer; learner: the default;
    settings: of learners, by their name; split: how folds are cut; actions: what its decisions lead to;
    purpose and limits: words of the model card.
    """

    name: str
    label: str
    learner: str
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    split: str = "grouped"
    actions: tuple[str, ...] = ("auto", "review")
    purpose: str = ""
    limits: str = ""

    def learner_settings(self, learner: str) -> Mapping[str, Any]:
        """Return what this task tells a learner; nothing for one that it does not name."""
        return self.settings.get(learner, {})

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The columns of the contract that it may read."""
        raise NotImplementedError

    @property
    def needs(self) -> tuple[str, ...]:
        """Those of them without which there is nothing to look at."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class ClassTask(Task):
    """Which of several classes a record belongs to.

    actions: taken without a person, and left to one; lean: how much labels favour rare classes
    (`models.Calibration`); part_weight: how much parts of rows count in learning.
    """

    features: Features
    lean: float = 0.0
    part_weight: float = 0.0

    @property
    def looks_at(self) -> tuple[str, ...]:
        """What its features read."""
        return self.features.columns

    @property
    def needs(self) -> tuple[str, ...]:
        """All of it."""
        return self.features.columns


@dataclass(frozen=True, kw_only=True)
class EventTask(Task):
    """Whether something happens (a fraud, a default), or how odd a record is (`anomaly`).

    features: the columns of a table, and behaviour from windows; usual: those of them that are looked at
    where nobody names any, all when empty; actions: nothing done, looked at by a person, and refused, in this
    order.
    """

    features: TableFeatures
    usual: tuple[str, ...] = ()
    anomaly: bool = False
    split: str = "time"
    actions: tuple[str, ...] = ("accept", "review", "decline")

    @property
    def looks_at(self) -> tuple[str, ...]:
        """What its features read, of which any may be missing."""
        return self.features.columns

    @property
    def needs(self) -> tuple[str, ...]:
        """Nothing: its features adapt to the columns that are there."""
        return ()

    def usual_of(self, behaviour: Collection[str]) -> tuple[str, ...]:
        """Return the usual features, of window features those there are; none, which means all, without any.

        behaviour: names of the window features that there are.
        """
        if not set(self.usual) & set(behaviour):
            return ()
        own = {*self.features.columns, *self.features.derived}
        return tuple(name for name in self.usual if name in own or name in behaviour)


class Oracle(Protocol):
    """Knows how records were simulated, and gives the best scores that a model could."""

    def __call__(
        self,
        table: pa.RecordBatch,
        *,
        time: NDArray[np.int64],
        entity: NDArray[np.int64],
        amount: NDArray[np.float64],
        truth: NDArray[np.bool_],
        scenario: NDArray[np.object_],
        delay: float,
        zone: str,
    ) -> NDArray[np.float64] | None:
        """Return a score for each row of the whole table; None where it does not know these records.

        time: microseconds UTC; entity: codes; amount: major units; delay: days until a label is known.
        """


class Simulate(Protocol):
    """Writes records like a bank's own, so that demos and load tests need nobody's data."""

    def __call__(self, rows: int, seed: int = 0, preset: str = "default") -> Iterator[pa.RecordBatch]:
        """Yield `rows` records; the same arguments give the same records."""


def no_inputs(rows: pa.RecordBatch, needs: Collection[str]) -> dict[str, pa.Array]:  # noqa: ARG001 - the shape is the door's
    """Give routing rules nothing to look at but the columns of the contract."""
    return {}


def plain_words(feature: str, value: float, usual: float | None) -> str:
    """Say a reason without knowing what it is about.

    >>> plain_words("age", 19.0, 41.5)
    'age is 19; usually 41.5'
    """
    return f"{feature} is {value:g}" + ("" if usual is None else f"; usually {usual:g}")


@dataclass(frozen=True)
class Solution:
    """One job of a bank: everything that is known about it, and nothing about files, engines or verbs.

    routing: the default routing file, if it routes; routing_inputs: what routing rules look at besides
    columns of the contract (`narrative`, `amount`), of those that are needed.
    demo_rows: of the demo; demo_later: how many more come as a stream in it; try_rows and try_preset: what is
    simulated where a small trial will do.
    windows: the file that declares its behaviour windows, if it has any; rules: a file of rules to begin
    with, used where it is named; labels: the contract of labels that
    arrive by themselves; label_aliases: names for `known(LABEL)` in conditions of windows; label_delay:
    how long after its event a label becomes known where nothing says when;
    horizon: how far apart in time two records of one key are one and its duplicate (None: however far);
    amount and scenario: the columns of what is at stake and of the kind of event, for reports; in_words: says
    a reason in words; analyses: tables of what happened; nouns: words for reports; measures: figures that
    only this solution has; oracle: the best scores to be expected for simulated records.
    """

    name: str
    title: str
    contract: Contract
    tasks: tuple[Task, ...]
    simulate: Simulate
    routing: Path | None = None
    routing_inputs: Callable[[pa.RecordBatch, Collection[str]], dict[str, pa.Array]] = no_inputs
    demo_rows: int = 6_000
    demo_later: int = 0
    try_rows: int = 300
    try_preset: str = "default"
    windows: Path | None = None
    rules: Path | None = None
    labels: Contract | None = None
    label_aliases: Mapping[str, str] = field(default_factory=dict)
    label_delay: timedelta = timedelta(0)
    horizon: timedelta | None = None
    amount: str | None = None
    scenario: str | None = None
    in_words: Callable[[str, float, float | None], str] = plain_words
    analyses: tuple[Analysis, ...] = ()
    nouns: Nouns = field(default_factory=Nouns)
    measures: tuple[Measure, ...] = ()
    oracle: Oracle | None = None

    @property
    def horizon_us(self) -> int | None:
        """The horizon of duplicates in microseconds."""
        return None if self.horizon is None else self.horizon // timedelta(microseconds=1)

    @property
    def window_roles(self) -> TableRoles:
        """The roles of the contract that windows read."""
        return TableRoles.of(self.contract, self.label_aliases)

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
