"""Values of rows by name, for features and rules: columns, what follows from the time, behaviour."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as kinds
from numpy.typing import NDArray

from tallystick.calendar import PARTS, derived, moment
from tallystick.contracts.currencies import digits
from tallystick.contracts.money import major
from tallystick.contracts.text import valid_rows, view

__all__ = ["BEHAVIOUR", "DERIVED", "Values", "behaviour_column"]

#: What follows from the time of a row.
DERIVED = PARTS

#: The column of a batch that holds its window features: fixed_size_list<double>.
BEHAVIOUR = "behaviour"
#: Columns of money: minor units in the column, major units as values.
MONEY = frozenset({"amount"})
CURRENCY = "currency"
EVENT_TIME = "event_time"

Floats = NDArray[np.float64]


def behaviour_column(features: Floats) -> pa.Array:
    """Wrap window features (rows, features) as one Arrow column, without a copy."""
    flat = pa.array(np.ascontiguousarray(features).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, max(features.shape[1], 1))


class Values(Mapping[str, NDArray[Any]]):
    """What rows hold, looked up by name as it is needed.

    Numbers, flags and money (in major units) come as float64 with NaN for unknown, texts as objects with
    None. names: of the window features, which are those of `behaviour`, float64 (rows, features), or of the
    rows' column of them. columns: those of the rows that are at hand. Raises KeyError for a name that is
    none.
    """

    def __init__(
        self,
        rows: pa.RecordBatch,
        zone: str,
        currency: str,
        names: Sequence[str] = (),
        behaviour: Floats | None = None,
        columns: Mapping[str, pa.Array] | None = None,
    ) -> None:
        self._rows, self._zone, self._currency = rows, zone, currency
        self._names, self._given = names, behaviour
        self._columns = columns or {}

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name in self._place:
            return self.behaviour[:, self._place[name]]
        if name in DERIVED:
            return self._calendar[name]
        column = None if name == BEHAVIOUR else self._column(name)
        if column is None:
            raise KeyError(name)
        if kinds.is_string(column.type) or kinds.is_large_string(column.type):
            return np.array(column.to_pylist(), dtype=object)
        return self.number(name)

    def __iter__(self) -> Iterator[str]:
        yield from (name for name in self._rows.schema.names if name != BEHAVIOUR)
        yield from (*DERIVED, *self._names)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _column(self, name: str) -> pa.Array | None:
        found = self._columns.get(name)
        if found is not None:
            return found
        place = self._rows.schema.get_field_index(name)
        return None if place < 0 else self._rows.column(place)

    @cached_property
    def _place(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self._names)}

    @property
    def behaviour(self) -> Floats:
        """The window features of all rows: float64 (rows, features)."""
        if self._given is not None:
            return self._given
        column = self._rows.column(BEHAVIOUR)
        width = column.type.list_size
        flat: Floats = column.values.to_numpy(zero_copy_only=False)
        return flat[column.offset * width : (column.offset + len(column)) * width].reshape(-1, width)

    def number(self, name: str) -> Floats:
        """Return a column of numbers, or what follows from the time, as float64; NaN where there is none."""
        if name in DERIVED:
            return self._calendar[name]
        column = self._column(name)
        if column is None:
            return np.full(len(self._rows), np.nan)
        if name in MONEY:
            return self._money(column)
        if not kinds.is_float64(column.type):
            column = column.cast(pa.float64())
        return _floats(column)

    def write(self, names: Sequence[str], X: Floats) -> None:
        """Write what `number` returns for each name into a column of a matrix (rows, names or more)."""
        if len(self._rows) != 1:
            for at, name in enumerate(names):
                X[:, at] = self.number(name)
            return
        times: tuple[float, ...] = ()
        for at, name in enumerate(names):  # a row by itself, without arrays
            if name in DERIVED:
                times = times or self._moment()
                X[0, at] = times[DERIVED.index(name)]
            else:
                X[0, at] = self._one(name)

    def _one(self, name: str) -> float:
        column = self._column(name)
        if column is None:
            return math.nan
        if name not in MONEY and not kinds.is_float64(column.type):
            return float(self.number(name)[0])
        value = column[0].as_py()
        if value is None:
            return math.nan
        if name not in MONEY:
            return float(value)
        codes = self._column(CURRENCY)
        code = None if codes is None else codes[0].as_py()
        return float(value / 10.0 ** digits(code or self._currency))

    def _moment(self) -> tuple[float, ...]:
        column = self._column(EVENT_TIME)
        utc = None if column is None else column[0].value
        return (math.nan,) * len(DERIVED) if utc is None else moment(utc, self._zone)

    def _money(self, column: pa.Array) -> Floats:
        values = major(view(column, np.int64), self._column(CURRENCY), self._currency)
        if column.null_count:
            values = np.where(column.is_null().to_numpy(zero_copy_only=False), np.nan, values)
        return values

    @cached_property
    def _calendar(self) -> dict[str, Floats]:
        column = self._column(EVENT_TIME)
        if column is None:
            return {name: np.full(len(self._rows), np.nan) for name in DERIVED}
        known = valid_rows(column)
        found = derived(view(column, np.int64), known, self._zone)
        if not column.null_count:
            return {name: values.astype(np.float64, copy=False) for name, values in found.items()}
        return {name: np.where(known, values, np.nan) for name, values in found.items()}


def _floats(column: pa.Array) -> Floats:
    """Arrow numbers as float64, null as NaN."""
    values: Floats = column.to_numpy(zero_copy_only=False)
    return values.astype(np.float64, copy=False)
