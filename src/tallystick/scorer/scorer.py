"""The scorer: validates, applies windows, scores and routes Arrow batches, wherever they come from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.contracts import Checked, ColumnMapping, Contract
from tallystick.feature_extraction import WINDOW_FEATURES, Features, missing_of, output_name, window_column
from tallystick.rules.routing import Routing
from tallystick.rules.rules import Rules
from tallystick.scorer.copies import copy_keys
from tallystick.scorer.decision import TIME, decision_schema, mapped, nulls, repeated
from tallystick.scorer.predictor import Predictor, Want
from tallystick.tasks.labels import event_times
from tallystick.windows import Windows, WindowState, order

__all__ = ["Scored", "Scorer", "WindowedBatch"]

_NONE: Mapping[str, pa.Array] = {}
RoutingInputs = Callable[[pa.RecordBatch, Collection[str]], dict[str, pa.Array]]


@dataclass(frozen=True)
class Scored:
    """What came of one batch: decisions, and what the contract said of each record."""

    decisions: pa.RecordBatch
    checked: Checked


@dataclass(frozen=True)
class WindowedBatch:
    """Clean rows that were applied to the window state, with their window features and sequences.

    sequence: int64 (rows, entities), 0 where a row has no such entity; None where nothing declares windows;
    late: bool (rows,); applied: the sequences of all rows that were applied, label events among them;
    features: float64 (rows, features), the window features of clean rows that have no column of them;
    condition_inputs: float64, what conditions of windows looked at, of all rows that were applied; columns:
    those of the clean rows at hand.
    """

    clean: pa.RecordBatch
    sequence: NDArray[np.int64] | None = None
    late: NDArray[np.bool_] | None = None
    applied: NDArray[np.int64] | None = None
    features: NDArray[np.float64] | None = None
    condition_inputs: NDArray[np.float64] | None = None
    columns: Mapping[str, pa.Array] = field(default_factory=dict)

    @cached_property
    def rows(self) -> pa.RecordBatch:
        """The rows with their window features as a column."""
        if self.features is None:
            return self.clean
        return self.clean.append_column(WINDOW_FEATURES, window_column(self.features))

    def take(self, index: NDArray[np.int64]) -> WindowedBatch:
        """Return some of the rows."""
        sequence = None if self.sequence is None else self.sequence[index]
        late = None if self.late is None else self.late[index]
        features = None if self.features is None else self.features[index]
        return WindowedBatch(self.clean.take(pa.array(index)), sequence, late, None, features)


#: Rows that are looked at first, to see whether any of many was trained on.
SPREAD = 1_024


@dataclass(frozen=True)
class Scorer:
    """Contract, predictors, windows, rules and routing as one value, which never changes and pickles small.

    `score` does the whole way from raw records to decisions; batch, stream and API call it, or its parts
    where they keep their own order: `contract.check`, `apply_windows`, `decide`. main: the main task, to
    which rules and routing belong; routing_inputs: what routing looks at besides columns; needs: the columns
    that the models read → what for; never_blank: those of them that no training row lacked. A row alone gets
    the bits of a batch.
    """

    solution: str
    main: str
    contract: Contract
    predictors: tuple[Predictor, ...]
    settings: Settings = field(default_factory=Settings)
    windows: Windows | None = None
    rules: Rules | None = None
    routing: Routing | None = None
    routing_inputs: RoutingInputs | None = None
    want: Want = field(default_factory=Want)
    as_of: datetime | None = None
    needs: Mapping[str, str] = field(default_factory=dict)
    never_blank: frozenset[str] = frozenset()

    @cached_property
    def needs_of_row(self) -> dict[str, str]:
        """The columns that a record by itself cannot do without: a name left out means blank elsewhere."""
        return {name: why for name, why in self.needs.items() if name in self.never_blank}

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns of the decisions."""
        return decision_schema(reasons=self.want.reasons, all_scores=self.want.all_scores)

    @property
    def harmless(self) -> frozenset[str]:
        """The actions that ask for nobody, of all tasks."""
        return frozenset(one.task.policy.actions[0] for one in self.predictors if one.task.policy.actions)

    def new_state(self) -> WindowState | None:
        """Return a window state without any history; None where nothing declares windows."""
        if self.windows is None:
            return None
        return WindowState(self.windows, self.settings.zone, self.settings.currency)

    def score(
        self,
        rows: pa.RecordBatch,
        column_mapping: ColumnMapping,
        name: str = "-",
        records: NDArray[np.int64] | None = None,
        state: WindowState | None = None,
    ) -> Scored:
        """Check, score, decide and route a batch of records as they were found.

        column_mapping: what the columns are called; name and records: the file and the record number of each
        row, from which rows without a key take their id; state: what came before, which the rows are applied
        to; without it they have no history. Bad rows are in `checked.bad`, not in the decisions. Decisions
        come in the order of the rows, those of one record next to each other; windows see the rows in the
        order of their times.
        """
        checked = self.contract.check(
            rows, column_mapping, self.settings, as_of=self.as_of, labels_wanted=False
        )
        clean, kept = self._with_window_columns(checked.rows), checked.kept
        ids = self.ids(clean, name, kept + 1 if records is None else records[kept], checked.columns)
        state = self.new_state() if state is None else state
        if state is None or len(clean) == 1:
            windowed = self.apply_windows(clean, state, columns=checked.columns)
            return Scored(self.decide(windowed, ids), checked)
        index = order(
            event_times(clean, self.contract.event_time),
            np.zeros(len(clean), bool),
            ids,
            np.arange(len(clean)),
        )
        back = np.empty_like(index)
        back[index] = np.arange(len(index))
        windowed = self.apply_windows(clean.take(pa.array(index)), state).take(back)
        return Scored(self.decide(windowed, ids), checked)

    def _with_window_columns(self, clean: pa.RecordBatch) -> pa.RecordBatch:
        """Add the columns that windows read and these rows lack, all null, as reading an input does."""
        names = clean.schema.names
        for name in self.windows.columns if self.windows is not None else ():
            if name not in names:
                column = nulls(self.contract.column(name).arrow, len(clean))
                clean = clean.append_column(name, column)
        return clean

    def trained_on(self, clean: pa.RecordBatch, ids: pa.Array) -> NDArray[np.bool_]:
        """Say which clean rows a model was trained on, or near copies of such rows: bool (rows,).

        Rows that hold nothing to look at are no copies of anything.
        """
        found = np.zeros(len(clean), bool)
        keys: dict[tuple[Features, ...], NDArray[np.uint64]] = {}
        for one in self.predictors:
            features = one.task.features
            if features not in keys:
                keys[features] = copy_keys(features, clean, ids)
            if one.trained_on is not None:
                missing, _ = missing_of(features, clean)
                copies = one.trained_on.find(keys[features]) >= 0
                found |= copies if missing is None else copies & ~missing
        return found

    def count_trained_on(self, clean: pa.RecordBatch, ids: pa.Array) -> int:
        """Count the clean rows that a model was trained on, or near copies of such rows.

        Where none of a thousand rows, spread evenly, is one, the others are not looked at: that costs a tenth
        of scoring them.
        """
        if len(clean) > 4 * SPREAD:
            some = pa.array(np.linspace(0, len(clean) - 1, SPREAD).astype(np.int64))
            if not self.trained_on(clean.take(some), ids.take(some)).any():
                return 0
        return int(self.trained_on(clean, ids).sum())

    def ids(
        self,
        clean: pa.RecordBatch,
        name: str,
        numbers: NDArray[np.int64],
        columns: Mapping[str, pa.Array] = _NONE,
    ) -> pa.Array:
        """Return what decisions call each row: its key, or its place; columns: those that are at hand."""
        key = _column(clean, self.contract.key, pa.string(), columns)
        if key.null_count:
            places = pc.binary_join_element_wise(name, pa.array(numbers).cast(pa.string()), ":")
            key = pc.coalesce(key, places)
        return key

    def apply_windows(
        self,
        clean: pa.RecordBatch,
        state: WindowState | None,
        labels: NDArray[np.bool_] | None = None,
        columns: Mapping[str, pa.Array] = _NONE,
    ) -> WindowedBatch:
        """Apply clean rows to a window state, in the order in which they come.

        labels: which of them are label events of earlier records, that change the state and get no decision;
        columns: those of the rows that are at hand.
        """
        if state is None:
            if labels is None:
                return WindowedBatch(clean, columns=columns)
            return WindowedBatch(clean.filter(pa.array(~labels)))
        applied = state.apply(clean, labels, self.settings.cores(), columns=columns)
        features, sequence, late = applied.features, applied.sequence, applied.late
        if labels is not None and labels.any():
            kept = ~labels
            clean = clean.filter(pa.array(kept))
            features, sequence, late, columns = features[kept], sequence[kept], late[kept], _NONE
        return WindowedBatch(
            clean, sequence, late, applied.sequence, features, applied.condition_inputs, columns
        )

    def decide(self, windowed: WindowedBatch, ids: pa.Array) -> pa.RecordBatch:
        """Decide rows that went through `apply_windows`: decisions of one record next to each other."""
        clean, rows = windowed.clean, len(windowed.clean)
        shared = {
            "id": ids,
            "event_time": _column(clean, self.contract.event_time, TIME, windowed.columns),
            "sequence": self._sequences(windowed),
            "late": repeated(False, rows)
            if windowed.late is None or not np.count_nonzero(windowed.late)
            else pa.array(windowed.late),
        }
        columns: Mapping[str, pa.Array] = windowed.columns
        parts = []
        for predictor in self.predictors:
            part = self._decide(predictor, windowed, columns, shared)
            parts.append(part)
            if predictor.task.name in self._read:
                columns = {**columns, output_name(predictor.task.name): part.column("score")}
        if len(parts) == 1 or not rows:
            return parts[0]
        together = pa.Table.from_batches(parts).combine_chunks()
        index = np.arange(len(parts) * rows).reshape(len(parts), -1).T.ravel()
        return together.take(pa.array(index)).combine_chunks().to_batches()[0]

    @cached_property
    def _read(self) -> frozenset[str]:
        """The tasks whose scores another one reads."""
        return frozenset(name for one in self.predictors for name in one.task.reads_tasks)

    def _decide(
        self,
        predictor: Predictor,
        windowed: WindowedBatch,
        columns: Mapping[str, pa.Array],
        shared: Mapping[str, pa.Array],
    ) -> pa.RecordBatch:
        clean, main = windowed.clean, predictor.task.name == self.main
        made = predictor.decide(
            clean,
            self.want,
            rules=self.rules if main else None,
            window_features=windowed.features,
            columns=columns,
        )
        if self.routing is not None and main:
            made["route"] = self._route(self.routing, clean, made, shared["event_time"])
        else:
            made["route"] = nulls(self.schema.field("route").type, len(clean))
        every = {**shared, **made}
        return pa.RecordBatch.from_arrays([every[name] for name in self._names], schema=self.schema)

    @cached_property
    def _names(self) -> list[str]:
        return list(self.schema.names)

    def _sequences(self, windowed: WindowedBatch) -> pa.Array:
        rows = len(windowed.clean)
        if windowed.sequence is None or self.windows is None:
            return nulls(self.schema.field("sequence").type, rows)
        if np.count_nonzero(windowed.sequence) == windowed.sequence.size:
            return mapped(*_all_of(self.windows.entities, rows), windowed.sequence.ravel())
        row, entity = np.nonzero(windowed.sequence)
        offsets = np.zeros(rows + 1, np.int32)
        np.cumsum(np.count_nonzero(windowed.sequence, axis=1), out=offsets[1:])
        keys = pa.array(self.windows.entities, pa.string()).take(pa.array(entity))
        return mapped(pa.py_buffer(offsets), keys, windowed.sequence[row, entity])

    def _route(
        self, routing: Routing, clean: pa.RecordBatch, made: Mapping[str, pa.Array], received_at: pa.Array
    ) -> pa.StructArray:
        given = {} if self.routing_inputs is None else self.routing_inputs(clean, routing.needs)
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

    def __getstate__(self) -> dict[str, Any]:
        """Travel without what can be built again."""
        return {name: value for name, value in self.__dict__.items() if not isinstance(value, pa.Schema)}


@lru_cache(maxsize=8)
def _all_of(names: tuple[str, ...], rows: int) -> tuple[pa.Buffer, pa.Array]:
    """Return where each row's sequences begin and their names, where all rows have all entities."""
    offsets = np.arange(0, len(names) * rows + 1, len(names), dtype=np.int32)
    codes = pa.array(np.tile(np.arange(len(names)), rows))
    return pa.py_buffer(offsets), pa.array(names, pa.string()).take(codes)


def _column(
    clean: pa.RecordBatch, name: str | None, kind: pa.DataType, columns: Mapping[str, pa.Array] = _NONE
) -> pa.Array:
    if name is not None and name in columns:
        return columns[name]
    place = -1 if name is None else clean.schema.get_field_index(name)
    return nulls(kind, len(clean)) if place < 0 else clean.column(place)
