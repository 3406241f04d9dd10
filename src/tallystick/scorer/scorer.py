"""The way through: raw records in, decisions out. One class with one method, wherever records come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.contracts import Checked, Naming
from tallystick.contracts.zones import LATEST
from tallystick.rules.routing import Routing
from tallystick.rules.rules import Rules
from tallystick.scorer.classes import ClassModel
from tallystick.scorer.decision import TIME, decision_schema, mapped, repeated
from tallystick.scorer.events import EventModel
from tallystick.scorer.solution import Solution
from tallystick.scorer.values import BEHAVIOUR, behaviour_column
from tallystick.windows import Windows, WindowState, order

__all__ = ["Behaved", "Scored", "Scorer", "times"]

_NONE: Mapping[str, pa.Array] = {}


@dataclass(frozen=True)
class Scored:
    """What came of one batch: decisions, and what the contract said of each record."""

    decisions: pa.RecordBatch
    checked: Checked


@dataclass(frozen=True)
class Behaved:
    """Clean rows that were applied to the window state: with their behaviour, sequences, and which were late.

    sequence: int64 (rows, entities), 0 where a row has no such entity; None where nothing declares windows;
    applied: the same of all rows that were applied, labels among them; features: float64 (rows, features),
    the behaviour of clean rows that have no column of it; told: float64 (rows,
    `Windows.condition_inputs`), of all rows that were applied, what conditions looked at; columns: those of
    the clean rows at hand.
    """

    clean: pa.RecordBatch
    sequence: NDArray[np.int64] | None = None
    late: NDArray[np.bool_] | None = None
    applied: NDArray[np.int64] | None = None
    features: NDArray[np.float64] | None = None
    told: NDArray[np.float64] | None = None
    columns: Mapping[str, pa.Array] = field(default_factory=dict)

    @cached_property
    def rows(self) -> pa.RecordBatch:
        """The rows with their behaviour as a column."""
        if self.features is None:
            return self.clean
        return self.clean.append_column(BEHAVIOUR, behaviour_column(self.features))

    def take(self, index: NDArray[np.int64]) -> Behaved:
        """Return some of the rows."""
        sequence = None if self.sequence is None else self.sequence[index]
        late = None if self.late is None else self.late[index]
        features = None if self.features is None else self.features[index]
        return Behaved(self.clean.take(pa.array(index)), sequence, late, None, features)


@dataclass(frozen=True)
class Scorer:
    """Solution, models and window state as one; a row alone gets the bits of a batch.

    It opens no file and pickles small. windows: what the models were trained with; state: what came before,
    which every payment and every label that is applied changes.
    """

    solution: Solution
    models: tuple[ClassModel | EventModel, ...]
    settings: Settings = field(default_factory=Settings)
    routing: Routing | None = None
    rules: Rules | None = None
    windows: Windows | None = None
    state: WindowState | None = None
    reasons: bool = True
    all_scores: bool = False
    as_of: datetime | None = None
    threads: int = 1

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns of the decisions."""
        return decision_schema(
            routes=self.routing is not None,
            reasons=self.reasons,
            all_scores=self.all_scores,
            worded=any(isinstance(model, EventModel) for model in self.models),
        )

    def score(
        self, rows: pa.RecordBatch, naming: Naming, name: str = "-", records: NDArray[np.int64] | None = None
    ) -> Scored:
        """Check, score, decide and route a batch of records as they were found.

        naming: what the batch's columns are called; name and records: the file and the record number of each
        row, from which rows without a key take their id. Bad rows are in `checked.bad`, not in the decisions.
        Decisions come in the order of the rows, those of one record next to each other; windows see the rows
        in the order of their times.
        """
        checked = self.solution.contract.check(
            rows, naming, self.settings, as_of=self.as_of, labels_wanted=False
        )
        clean, kept = checked.rows, checked.kept
        ids = self.ids(clean, name, kept + 1 if records is None else records[kept], checked.columns)
        if self.state is None or len(clean) == 1:
            return Scored(self.decide(self.behave(clean, columns=checked.columns), ids), checked)
        index = order(
            times(clean, self.solution.contract.event_time),
            np.zeros(len(clean), bool),
            ids,
            np.arange(len(clean)),
        )
        back = np.empty_like(index)
        back[index] = np.arange(len(index))
        return Scored(self.decide(self.behave(clean.take(pa.array(index))).take(back), ids), checked)

    def ids(
        self,
        clean: pa.RecordBatch,
        name: str,
        numbers: NDArray[np.int64],
        columns: Mapping[str, pa.Array] = _NONE,
    ) -> pa.Array:
        """Return what decisions call each row: its key, or its place; columns: those that are at hand."""
        key = _column(clean, self.solution.contract.key, pa.string(), columns)
        if key.null_count:
            places = pc.binary_join_element_wise(name, pa.array(numbers).cast(pa.string()), ":")
            key = pc.coalesce(key, places)
        return key

    def behave(
        self,
        clean: pa.RecordBatch,
        labels: NDArray[np.bool_] | None = None,
        columns: Mapping[str, pa.Array] = _NONE,
    ) -> Behaved:
        """Apply clean rows to the window state, in the order in which they come.

        labels: which of them are labels of earlier payments, that changed the state and get no decision;
        columns: those of the rows that are at hand.
        """
        if self.state is None:
            return (
                Behaved(clean, columns=columns)
                if labels is None
                else Behaved(clean.filter(pa.array(~labels)))
            )
        applied = self.state.apply(clean, labels, self.settings.cores(), columns=columns)
        features, sequence, late = applied.features, applied.sequence, applied.late
        if labels is not None and labels.any():
            kept = ~labels
            clean = clean.filter(pa.array(kept))
            features, sequence, late, columns = features[kept], sequence[kept], late[kept], _NONE
        return Behaved(clean, sequence, late, applied.sequence, features, applied.condition_inputs, columns)

    def decide(self, behaved: Behaved, ids: pa.Array) -> pa.RecordBatch:
        """Decide rows that went through `behave`: those of one record next to each other."""
        clean, rows = behaved.clean, len(behaved.clean)
        shared = {
            "id": ids,
            "event_time": _column(clean, self.solution.contract.event_time, TIME, behaved.columns),
            "sequence": self._sequences(behaved),
            "late": repeated(False, rows)
            if behaved.late is None or not np.count_nonzero(behaved.late)
            else pa.array(behaved.late),
        }
        parts = [self._decide(model, behaved, shared) for model in self.models]
        if len(parts) == 1 or not rows:
            return parts[0]
        together = pa.Table.from_batches(parts).combine_chunks()
        index = np.arange(len(parts) * rows).reshape(len(parts), -1).T.ravel()
        return together.take(pa.array(index)).combine_chunks().to_batches()[0]

    def _decide(
        self, model: ClassModel | EventModel, behaved: Behaved, shared: Mapping[str, pa.Array]
    ) -> pa.RecordBatch:
        clean = behaved.clean
        if isinstance(model, EventModel):
            made = model.decide(
                clean,
                reasons=self.reasons,
                all_scores=self.all_scores,
                threads=self.threads,
                rules=None if model.task.anomaly else self.rules,
                behaviour=behaved.features,
                columns=behaved.columns,
            )
        else:
            made = model.decide(clean, reasons=self.reasons, all_scores=self.all_scores, threads=self.threads)
        if self.routing is not None:
            made["route"] = self._route(self.routing, clean, made, shared["event_time"])
        columns = {**shared, **made}
        return pa.RecordBatch.from_arrays([columns[n] for n in self._names], schema=self.schema)

    @cached_property
    def _names(self) -> list[str]:
        return list(self.schema.names)

    def _sequences(self, behaved: Behaved) -> pa.Array:
        rows = len(behaved.clean)
        if behaved.sequence is None or self.windows is None:
            return _nulls(self.schema.field("sequence").type, rows)
        if np.count_nonzero(behaved.sequence) == behaved.sequence.size:
            return mapped(*_all_of(self.windows.entities, rows), behaved.sequence.ravel())
        row, entity = np.nonzero(behaved.sequence)
        offsets = np.zeros(rows + 1, np.int32)
        np.cumsum(np.count_nonzero(behaved.sequence, axis=1), out=offsets[1:])
        keys = pa.array(self.windows.entities, pa.string()).take(pa.array(entity))
        return mapped(pa.py_buffer(offsets), keys, behaved.sequence[row, entity])

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


def times(clean: pa.RecordBatch, event_time: str | None) -> NDArray[np.int64]:
    """Return the event times as microseconds, the latest of all where there is none."""
    if event_time is None or event_time not in clean.schema.names:
        return np.full(len(clean), LATEST)
    found: NDArray[np.int64] = clean.column(event_time).cast(pa.int64()).fill_null(LATEST).to_numpy()
    return found


@lru_cache(maxsize=8)
def _all_of(names: tuple[str, ...], rows: int) -> tuple[pa.Buffer, pa.Array]:
    """Return where each row's sequences begin and their names, where all rows have all entities."""
    offsets = np.arange(0, len(names) * rows + 1, len(names), dtype=np.int32)
    codes = pa.array(np.tile(np.arange(len(names)), rows))
    return pa.py_buffer(offsets), pa.array(names, pa.string()).take(codes)


@lru_cache(maxsize=16)
def _nulls(kind: pa.DataType, rows: int) -> pa.Array:
    return pa.nulls(rows, kind)


def _column(
    clean: pa.RecordBatch, name: str | None, kind: pa.DataType, columns: Mapping[str, pa.Array] = _NONE
) -> pa.Array:
    if name is not None and name in columns:
        return columns[name]
    place = -1 if name is None else clean.schema.get_field_index(name)
    return _nulls(kind, len(clean)) if place < 0 else clean.column(place)
