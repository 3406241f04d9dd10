"""The way through: raw records in, decisions out. One class with one method, wherever records come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.contracts import Checked, Naming
from tallystick.models import Calibration
from tallystick.scorer.decision import REASON, TIME, decision_schema
from tallystick.scorer.policy import Abstention
from tallystick.scorer.routing import Routing
from tallystick.scorer.solution import RowScorer, Solution, Task

__all__ = ["TOP", "Scored", "Scorer", "TaskModel"]

TOP = 5  # reasons given for one decision
FEW = 16


@dataclass(frozen=True)
class TaskModel:
    """A task with all that decides it: what scores its rows, its classes, and when a person decides."""

    task: Task
    scorer: RowScorer
    calibration: Calibration
    classes: tuple[str, ...]
    abstention: Abstention
    name: str

    @cached_property
    def names(self) -> pa.Array:
        """The classes as an array that codes can pick from."""
        return pa.array(self.classes, pa.string())

    @cached_property
    def actions(self) -> pa.Array:
        """What is done when a person decides, and what when none does."""
        sure, unsure = self.task.actions
        return pa.array([unsure, sure])


@dataclass(frozen=True)
class Scored:
    """What came of one batch: decisions, and what the contract said of each record."""

    decisions: pa.RecordBatch
    checked: Checked


@dataclass(frozen=True)
class Scorer:
    """Solution and models as one. It opens no file, pickles small; a row alone gets the bits of a batch."""

    solution: Solution
    models: tuple[TaskModel, ...]
    settings: Settings = field(default_factory=Settings)
    routing: Routing | None = None
    reasons: bool = True
    all_scores: bool = False
    as_of: datetime | None = None
    threads: int = 1

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns of the decisions."""
        return decision_schema(
            routes=self.routing is not None, reasons=self.reasons, all_scores=self.all_scores
        )

    def score(
        self, rows: pa.RecordBatch, naming: Naming, name: str = "-", records: NDArray[np.int64] | None = None
    ) -> Scored:
        """Check, score, decide and route a batch of records as they were found.

        naming: what the batch's columns are called; name and records: the file and the record number of each
        row, from which rows without a key take their id. Bad rows are in `checked.bad`, not in the decisions.
        Decisions come in the order of the rows, those of one record next to each other.
        """
        checked = self.solution.contract.check(
            rows, naming, self.settings, as_of=self.as_of, labels_wanted=False
        )
        clean, kept = checked.rows, checked.kept
        numbers = kept + 1 if records is None else records[kept]
        shared = self._shared(clean, name, numbers)
        parts = [self._decide(model, clean, shared) for model in self.models]
        if len(parts) == 1:
            return Scored(parts[0], checked)
        together = pa.Table.from_batches(parts).combine_chunks()
        order = np.arange(len(parts) * len(clean)).reshape(len(parts), -1).T.ravel()
        batches = together.take(pa.array(order)).combine_chunks().to_batches()
        return Scored(batches[0] if batches else self.schema.empty_table().to_batches()[0], checked)

    def _shared(self, clean: pa.RecordBatch, name: str, numbers: NDArray[np.int64]) -> dict[str, pa.Array]:
        """The columns that all tasks' decisions have in common."""
        contract, rows = self.solution.contract, len(clean)
        key = _column(clean, contract.key, pa.string())
        if key.null_count:
            places = pc.binary_join_element_wise(name, pa.array(numbers).cast(pa.string()), ":")
            key = pc.coalesce(key, places)
        return {
            "id": key,
            "event_time": _column(clean, contract.event_time, TIME),
            "sequence": _nulls(self.schema.field("sequence").type, rows),
            "late": _repeated(False, rows),
        }

    def _decide(
        self, model: TaskModel, clean: pa.RecordBatch, shared: Mapping[str, pa.Array]
    ) -> pa.RecordBatch:
        rows, features = len(clean), model.task.features
        missing = features.missing(clean)
        seen, place = clean, None
        if missing.any():
            seen = clean.filter(pa.array(~missing))
            # Where each row's result stands among the rows that could be looked at.
            place = pa.array(np.cumsum(~missing) - 1, mask=missing)
        if self.reasons:
            logits, why = model.scorer.logits_and_reasons(seen, TOP, self.threads)
        else:
            logits, why = model.scorer.logits(seen, self.threads), None
        decided = model.calibration.decide(logits)
        score = decided.sure
        automatic = np.zeros(rows, np.int64)
        automatic[~missing] = model.abstention.automatic(score)
        made = {
            "task": _repeated(model.task.name, rows),
            "label": _spread(_picked(model.classes, model.names, decided.label), place),
            "score": _spread(pa.array(score), place),
            "action": _picked(model.task.actions[::-1], model.actions, automatic),
            "model": _repeated(model.name, rows),
        }
        if why is not None:
            made["reasons"] = _explain(why, place, features.missing_reason)
        if self.all_scores:
            made["scores"] = _spread(_scores(model.classes, decided.chance), place)
        if self.routing is not None:
            made["route"] = self._route(self.routing, clean, made, shared["event_time"])
        columns = {**shared, **made}
        return pa.RecordBatch.from_arrays([columns[n] for n in self._names], schema=self.schema)

    @cached_property
    def _names(self) -> list[str]:
        return list(self.schema.names)

    def _route(
        self, routing: Routing, clean: pa.RecordBatch, made: Mapping[str, pa.Array], received_at: pa.Array
    ) -> pa.StructArray:
        given = self.solution.routing_inputs(clean, routing.needs)
        names = clean.schema.names
        columns = {name: clean.column(name) for name in routing.needs.intersection(names)}
        columns["action"] = made["action"]
        return routing.apply(
            narrative=given["narrative"] if "narrative" in given else pa.nulls(len(clean), pa.string()),
            label=made["label"],
            score=made["score"],
            amount=given.get("amount"),
            received_at=received_at,
            columns=columns,
        )


@lru_cache(maxsize=64)
def _repeated(value: str | bool, rows: int) -> pa.Array:
    """One value over and over; arrays never change, so one serves all batches of a size."""
    return pa.repeat(pa.scalar(value), rows)


def _picked(values: Sequence[str], array: pa.Array, codes: NDArray[np.int64]) -> pa.Array:
    """Turn codes into what they stand for; of a few rows by hand, since a `take` costs more than they do."""
    if len(codes) <= FEW:
        return pa.array([values[code] for code in codes.tolist()], pa.string())
    return array.take(pa.array(codes))


@lru_cache(maxsize=16)
def _nulls(kind: pa.DataType, rows: int) -> pa.Array:
    return pa.nulls(rows, kind)


def _column(clean: pa.RecordBatch, name: str | None, kind: pa.DataType) -> pa.Array:
    if name is None or name not in clean.schema.names:
        return pa.nulls(len(clean), kind)
    return clean.column(name)


def _spread(values: pa.Array, place: pa.Array | None) -> pa.Array:
    """Put results back to their rows; rows that could not be looked at are null."""
    return values if place is None else values.take(place)


def _explain(why: pa.Array, place: pa.Array | None, code: str) -> pa.Array:
    """Give rows that could not be looked at the one reason that says so."""
    if place is None:
        return why
    known = pa.concat_arrays(
        [why, pa.array([[{"feature": code, "value": None, "effect": None}]], pa.list_(REASON))]
    )
    return known.take(place.fill_null(len(why)))


def _scores(classes: Sequence[str], chance: NDArray[np.float64]) -> pa.Array:
    """All classes with their probability, for each row."""
    rows, count = chance.shape
    names = pa.array(np.tile(np.arange(count), rows))
    offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * count)
    keys: Any = pa.array(classes, pa.string()).take(names)
    return pa.MapArray.from_arrays(offsets, keys, pa.array(chance.ravel()))
