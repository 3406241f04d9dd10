"""Columns of rows and of their decisions, by name, for aggregates and their conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.calendar import derived
from tallystick.conditions.condition import DERIVED
from tallystick.contracts import Contract
from tallystick.contracts.money import major
from tallystick.contracts.text import valid_rows, view
from tallystick.streams.aggregates.declaration import Declaration
from tallystick.streams.batches import encode

__all__ = ["DECISION", "Columns", "kinds"]

#: What a decision adds, and what kind of value each is; department and priority are those of its route.
DECISION: Final = {
    **dict.fromkeys(("task", "label", "action", "department", "priority", "model"), "text"),
    "score": "number",
    "late": "flag",
}
ROUTED: Final = ("department", "priority")

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def kinds(contract: Contract) -> dict[str, str]:
    """Return the names that a condition may look at, each with its kind: number, text or flag.

    A name that contract and decision share means the decision's.
    """
    words = {"text": "text", "category": "text", "integer": "number", "number": "number", "money": "number"}
    words["flag"] = "flag"
    found = {column.name: words[column.type] for column in contract.columns if column.type in words}
    return found | DERIVED | DECISION


class Columns(Mapping[str, NDArray[Any]]):
    """Rows and their decisions side by side; each column is decoded once.

    As a mapping it gives what conditions take: numbers and flags as float64 with NaN for unknown, money in
    major units, texts as objects. A column that is not there is unknown in all rows.

    declared: knows the column of the time, those of money, and what kind each is of.
    """

    def __init__(
        self,
        rows: pa.RecordBatch,
        decisions: pa.RecordBatch,
        declared: Declaration,
        zone: str,
        currency: str,
    ) -> None:
        if len(rows) != len(decisions):
            raise ValueError(f"{len(rows)} rows came with {len(decisions)} decisions")
        self._rows, self._decisions = rows, decisions
        self._row_names, self._decision_names = set(rows.schema.names), set(decisions.schema.names)
        self._declared = declared
        self._zone, self._currency = zone, currency
        self._asked: dict[str, NDArray[Any]] = {}
        self._coded: dict[str, tuple[list[Any], NDArray[np.int64]]] = {}

    def __getitem__(self, name: str) -> NDArray[Any]:
        found = self._asked.get(name)
        if found is None:
            found = self._asked[name] = self._values(name)
        return found

    def __iter__(self) -> Iterator[str]:
        yield from self._row_names | set(DECISION)

    def __len__(self) -> int:
        return len(self._row_names | set(DECISION))

    @property
    def times(self) -> tuple[NDArray[np.int64], Flags | None]:
        """The time of each row, in microseconds, and where it is known (None: everywhere)."""
        column = self.column(self._declared.event_time)
        if column is None:
            return np.zeros(len(self._rows), np.int64), np.zeros(len(self._rows), np.bool_)
        return view(column, np.int64), valid_rows(column) if column.null_count else None

    def column(self, name: str) -> pa.Array | None:
        """Return a column as it is, the decision's before the rows'; None where it is not there."""
        if name in ROUTED:
            if "route" not in self._decision_names:
                return None
            return pc.struct_field(self._decisions.column("route"), name)
        if name in DECISION:
            return self._decisions.column(name) if name in self._decision_names else None
        return self._rows.column(name) if name in self._row_names else None

    def codes(self, name: str) -> tuple[list[Any], NDArray[np.int64]]:
        """Return the different values of a column, and which of them each row has (int64)."""
        found = self._coded.get(name)
        if found is None:
            found = self._coded[name] = self._codes(name)
        return found

    def _codes(self, name: str) -> tuple[list[Any], NDArray[np.int64]]:
        column = self.column(name)
        if column is None:
            return [None], np.zeros(len(self._rows), np.int64)
        return encode(column)

    def integers(self, name: str) -> tuple[NDArray[np.int64], Flags]:
        """Return whole numbers or minor units (rows,), and where they are known; both own."""
        column = self.column(name)
        if column is None:
            return np.zeros(len(self._rows), np.int64), np.zeros(len(self._rows), np.bool_)
        return view(column, np.int64).copy(), valid_rows(column).copy()

    def floats(self, name: str) -> Floats:
        """Return numbers (rows,), NaN unknown, own; of money the minor units."""
        column = self.column(name)
        if column is None:
            return np.full(len(self._rows), np.nan)
        if pa.types.is_int64(column.type):
            values, known = self.integers(name)
            return np.where(known, values, np.nan)
        numbers: Floats = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return np.where(np.isfinite(numbers), numbers, np.nan)

    def _values(self, name: str) -> NDArray[Any]:
        if name in DERIVED and name not in self._row_names:
            return self._calendar(name)
        column = self.column(name)
        if column is None:
            text = self._declared.kinds.get(name) == "text"
            return np.full(len(self._rows), None if text else np.nan, object if text else np.float64)
        kind = column.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
            values, codes = self.codes(name)
            texts = np.empty(len(values), object)
            texts[:] = values
            return texts[codes]
        if name in self._declared.currencies:
            numbers, known = self.integers(name)
            return np.where(
                known, major(numbers, self.column(self._declared.currencies[name]), self._currency), np.nan
            )
        return self.floats(name)

    def _calendar(self, name: str) -> Floats:
        times, known = self.times
        every = np.ones(len(times), np.bool_) if known is None else known
        for part, values in derived(times, every, self._zone).items():
            self._asked[part] = np.where(every, values, np.nan)
        return self._asked[name]
