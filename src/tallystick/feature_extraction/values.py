"""Values of rows by name, for features and rules: columns, calendar parts, window features."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as kinds
from numpy.typing import NDArray

from tallystick.calendar import PARTS, derived, moment
from tallystick.contracts import Contract
from tallystick.contracts.currencies import digits
from tallystick.contracts.money import major
from tallystick.contracts.text import valid_rows, view

__all__ = ["DERIVED", "WINDOW_FEATURES", "ValueReader", "Values", "window_column", "window_matrix"]

#: What follows from the event time of a row.
DERIVED = PARTS

#: The column of a batch that holds its window features: fixed_size_list<double>.
WINDOW_FEATURES = "window_features"

Floats = NDArray[np.float64]


def window_column(features: Floats) -> pa.Array:
    """Wrap window features (rows, features) as one Arrow column, without a copy."""
    flat = pa.array(np.ascontiguousarray(features).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, max(features.shape[1], 1))


def window_matrix(column: pa.Array) -> Floats:
    """Return the window features of a column that `window_column` made: float64 (rows, features)."""
    width = column.type.list_size
    flat: Floats = column.values.to_numpy(zero_copy_only=False)
    return flat[column.offset * width : (column.offset + len(column)) * width].reshape(-1, width)


@dataclass(frozen=True)
class ValueReader:
    """How the columns of one table are read as values; it pickles small.

    event_time: the column of the event time; money: columns of money → the column of their currency (empty:
    none); zone: whose clocks decide hour and night; currency: of amounts that name none; windows: names of
    the window features.
    """

    event_time: str | None = None
    money: Mapping[str, str] = field(default_factory=dict)
    zone: str = "UTC"
    currency: str = "USD"
    windows: tuple[str, ...] = ()

    @classmethod
    def of(cls, contract: Contract, zone: str, currency: str, windows: Sequence[str] = ()) -> ValueReader:
        """Take the roles of a contract."""
        money = {column.name: column.currency for column in contract.columns if column.type == "money"}
        return cls(contract.event_time, money, zone, currency, tuple(windows))

    def read(
        self,
        rows: pa.RecordBatch,
        window_features: Floats | None = None,
        columns: Mapping[str, pa.Array] | None = None,
    ) -> Values:
        """Return the values of rows.

        window_features: float64 (rows, features), where the rows have no column of them; columns: those of
        the rows that are at hand, and others of the same length.
        """
        return Values(self, rows, window_features, columns)


class Values(Mapping[str, NDArray[Any]]):
    """What rows hold, looked up by name as it is needed.

    Numbers, flags and money (in major units) come as float64 with NaN for unknown, texts as objects with
    None. Raises KeyError for an unknown name.
    """

    def __init__(
        self,
        reader: ValueReader,
        rows: pa.RecordBatch,
        window_features: Floats | None = None,
        columns: Mapping[str, pa.Array] | None = None,
    ) -> None:
        self._reader, self._rows, self._given = reader, rows, window_features
        self._columns = columns or {}

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name in self._place:
            return self.window_features[:, self._place[name]]
        if name in DERIVED:
            return self._calendar[name]
        column = None if name == WINDOW_FEATURES else self.column(name)
        if column is None:
            raise KeyError(name)
        if kinds.is_string(column.type) or kinds.is_large_string(column.type):
            return np.array(column.to_pylist(), dtype=object)
        return self.number(name)

    def __iter__(self) -> Iterator[str]:
        yield from (name for name in self._rows.schema.names if name != WINDOW_FEATURES)
        yield from (*DERIVED, *self._reader.windows)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def rows(self) -> pa.RecordBatch:
        """The rows themselves."""
        return self._rows

    def column(self, name: str | None) -> pa.Array | None:
        """Return a column as it is, None where there is none of that name."""
        if name is None:
            return None
        column = self._columns.get(name)
        if column is not None:
            return column
        place = self._rows.schema.get_field_index(name)
        return None if place < 0 else self._rows.column(place)

    @cached_property
    def _place(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self._reader.windows)}

    @property
    def window_features(self) -> Floats:
        """The window features of all rows: float64 (rows, features)."""
        if self._given is not None:
            return self._given
        return window_matrix(self._rows.column(WINDOW_FEATURES))

    def number(self, name: str) -> Floats:
        """Return a column of numbers, a part of the time or a window feature, as float64; NaN for none."""
        if name in DERIVED:
            return self._calendar[name]
        column = self.column(name)
        if column is None:
            return self[name] if name in self._place else np.full(len(self._rows), np.nan)
        if name in self._reader.money:
            return self._money(column, self._reader.money[name])
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
        column = self.column(name)
        if column is None:
            return math.nan
        money = name in self._reader.money
        if not money and not kinds.is_float64(column.type):
            return float(self.number(name)[0])
        value = column[0].as_py()
        if value is None:
            return math.nan
        if not money:
            return float(value)
        codes = self.column(self._reader.money[name] or None)
        code = None if codes is None else codes[0].as_py()
        return float(value / 10.0 ** digits(code or self._reader.currency))

    def _moment(self) -> tuple[float, ...]:
        column = self.column(self._reader.event_time)
        utc = None if column is None else column[0].value
        return (math.nan,) * len(DERIVED) if utc is None else moment(utc, self._reader.zone)

    def _money(self, column: pa.Array, currency: str) -> Floats:
        values = major(view(column, np.int64), self.column(currency or None), self._reader.currency)
        if column.null_count:
            values = np.where(column.is_null().to_numpy(zero_copy_only=False), np.nan, values)
        return values

    @cached_property
    def _calendar(self) -> dict[str, Floats]:
        column = self.column(self._reader.event_time)
        if column is None:
            return {name: np.full(len(self._rows), np.nan) for name in DERIVED}
        known = valid_rows(column)
        parts = derived(view(column, np.int64), known, self._reader.zone)
        if not column.null_count:
            return {name: values.astype(np.float64, copy=False) for name, values in parts.items()}
        return {name: np.where(known, values, np.nan) for name, values in parts.items()}


def _floats(column: pa.Array) -> Floats:
    """Arrow numbers as float64, null as NaN."""
    values: Floats = column.to_numpy(zero_copy_only=False)
    return values.astype(np.float64, copy=False)
