"""Columns of a table as features: numbers, categories (one-hot), calendar parts of the event time."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.contracts import Column
from tallystick.feature_extraction.base import Features, FitContext, Layout, RowScorer
from tallystick.feature_extraction.values import Values
from tallystick.models import Model
from tallystick.text import fingerprints

__all__ = ["Columns", "FittedColumns"]

Floats = NDArray[np.float64]

MOST = 20  # values of a category that get a feature of their own, the most frequent ones
LEAST = 10  # rows that a value needs for that
DISTINCT = 0.95  # share of rows that must differ in what they say, for that to tell them apart


@dataclass(frozen=True)
class Columns(Features):
    """Columns of the contract that a task may read; it adapts to those that are there.

    numbers: columns taken as numbers, money in major units; categories: columns whose frequent values become
    a feature each (one-hot); calendar: parts of the event time (`hour`, `weekday`, `night`, `weekend`);
    identified_by: columns that tell one row from another, the key first; unnamed: whether it takes
    the columns that an open contract does not name.
    """

    numbers: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    calendar: tuple[str, ...] = ()
    identified_by: tuple[str, ...] = ()
    unnamed: bool = False
    kind: ClassVar[str] = "columns"

    def opened(self, columns: Sequence[Column]) -> Columns:
        """Return the part with columns that an open contract does not name, where it takes them."""
        if not self.unnamed:
            return self
        numbers = [one.name for one in columns if one.type in ("integer", "number", "flag")]
        categories = [one.name for one in columns if one.type == "category"]
        return replace(
            self, numbers=(*self.numbers, *numbers), categories=(*self.categories, *categories), unnamed=False
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the contract that may be read."""
        return (*self.numbers, *self.categories)

    def selectable(self, windows: Collection[str]) -> tuple[str, ...]:  # noqa: ARG002 - as all parts
        """Return the columns and the calendar parts."""
        return (*self.numbers, *self.calendar, *self.categories)

    def fit(self, rows: pa.RecordBatch, context: FitContext) -> FittedColumns | None:
        """Find which columns hold anything, and which values categories have."""
        held = {name for name in rows.schema.names if rows.column(name).null_count < len(rows)}
        numbers = [name for name in self.numbers if name in held]
        if context.reader.event_time in held:
            numbers += self.calendar
        categories = context.wanted([name for name in self.categories if name in held])
        vocabulary = {name: _frequent(rows.column(name)) for name in categories}
        fitted = FittedColumns(
            context.wanted(numbers), {name: values for name, values in vocabulary.items() if values}
        )
        return fitted if fitted.count else None

    def load(
        self,
        description: Mapping[str, Any],
        arrays: Mapping[str, NDArray[Any]],  # noqa: ARG002 - all is in the description
    ) -> FittedColumns:
        """Return the fitted part; ValueError where its order is not the learned one."""
        fitted = FittedColumns(
            tuple(description["numbers"]),
            {name: tuple(values) for name, values in description["categories"]},
        )
        if fitted.names != tuple(description["names"]):
            raise ValueError("its features do not come in the order in which they were learned")
        return fitted

    def copy_keys(self, rows: pa.RecordBatch, *, training: bool = False) -> NDArray[np.uint64] | None:
        """Hash the key of each row with the column after it, and what else it says.

        A key by itself would not do: many files number their rows from 1. A copy with another key is known by
        what it says.
        Of a row without a key both are of the rest. None where nothing identifies rows. Where many training
        rows say the same there is the key alone.
        """
        if not self.identified_by:
            return None
        key, *rest = self.identified_by
        said = fingerprints(_joined(rows, rest or [name for name in self.columns if name != key]))
        own = said
        if key in rows.schema.names:
            column = _as_text(rows.column(key))
            own = np.where(column.is_valid(), fingerprints(_joined(rows, (key, *rest[:1]))), said)
        alike = training and len(np.unique(said)) < DISTINCT * len(said)
        return own[:, None] if alike else np.column_stack([own, said])

    def identity(self, rows: pa.RecordBatch) -> NDArray[np.uint64] | None:
        """Hash the key of each row, 64 bits of BLAKE2b; of a row without one, the other columns."""
        names = [n for n in self.identified_by if n in rows.schema.names]
        if not names:
            return None
        parts = [_as_text(rows.column(n)) for n in names]
        joined = pc.binary_join_element_wise(*parts, "\x1f", null_handling="replace", null_replacement="\0")
        if names[:1] == [*self.identified_by[:1]]:
            joined = pc.coalesce(parts[0].cast(joined.type), joined)
        digests = (hashlib.blake2b(text.encode(), digest_size=8).digest() for text in joined.to_pylist())
        return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


@dataclass(frozen=True)
class FittedColumns:
    """Columns that have seen training rows.

    numbers: columns and calendar parts; categories: column → its values.
    """

    numbers: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]
    layout: ClassVar[Layout] = "dense"

    @property
    def names(self) -> tuple[str, ...]:
        """The features, in the order of the matrix; a value of a category is `column=value`."""
        values = [f"{name}={value}" for name, known in self.categories.items() for value in known]
        return (*self.numbers, *values)

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns and the parts of the time."""
        return (*self.numbers, *self.categories)

    @property
    def count(self) -> int:
        """How many features there are."""
        return len(self.numbers) + sum(map(len, self.categories.values()))

    def write(self, values: Values, X: Floats) -> None:
        """Write the features of rows (rows, count); NaN: unknown. A row alone gets the bits of a batch."""
        values.write(self.numbers, X)
        at = len(self.numbers)
        for name, known in self.categories.items():
            codes = _codes(values, name, known)
            X[:, at : at + len(known)] = codes[:, None] == np.arange(len(known))
            at += len(known)

    def csr(self, rows: pa.RecordBatch, threads: int = 1) -> Any:
        """A dense part has none."""
        raise NotImplementedError

    def support(self, rows: pa.RecordBatch, threads: int = 1) -> NDArray[np.float64] | None:  # noqa: ARG002 - as all parts
        """Nothing is known of how much it knows."""
        return None

    def joined(self, model: Model) -> RowScorer | None:  # noqa: ARG002 - as all parts
        """There is no kernel that joins columns and a model."""
        return None

    def describe(self) -> dict[str, Any]:
        """Return which columns and values these are."""
        value = sum(map(len, self.categories.values()))
        parts = ((len(self.numbers), "numbers"), (value, "values of categories"))
        return {
            "names": list(self.names),
            "numbers": list(self.numbers),
            # Pairs: their order is that of the matrix, and a manifest sorts the keys of what is named.
            "categories": [[name, list(values)] for name, values in self.categories.items()],
            "words": ", ".join(f"{count} {what}" for count, what in parts if count),
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it is in the description."""
        return {}


def _frequent(column: pa.Array) -> tuple[str, ...]:
    """Return the most frequent values of a category, in alphabetical order."""
    counts = [(-one["counts"], one["values"]) for one in pc.value_counts(column.drop_null()).to_pylist()]
    return tuple(sorted(value for count, value in sorted(counts)[:MOST] if -count >= LEAST))


def _codes(values: Values, name: str, known: tuple[str, ...]) -> NDArray[np.int64]:
    """Return where each row's value stands among the known ones, -1 for any other and for none."""
    column = values.column(name)
    if column is None:
        return np.full(len(values.rows), -1, np.int64)
    place = {value: i for i, value in enumerate(known)}
    if len(column) <= 64:
        return np.array([place.get(value, -1) for value in column.to_pylist()], np.int64)
    coded = column.dictionary_encode()
    codes = np.array([place.get(value, -1) for value in coded.dictionary.to_pylist()] + [-1], np.int64)
    found: NDArray[np.int64] = codes[coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
    return found


def _joined(rows: pa.RecordBatch, names: Sequence[str]) -> pa.Array:
    """Write some columns of each row as one text, those that are not there as blank, in lower case."""
    blank = pa.nulls(len(rows), pa.string())
    parts = [_as_text(rows.column(name)) if name in rows.schema.names else blank for name in names]
    parts = [pc.utf8_lower(one).cast(pa.large_string()) for one in parts]
    separator = pa.scalar("\x1f", pa.large_string())
    return pc.binary_join_element_wise(*parts, separator, null_handling="replace", null_replacement="\0")


def _as_text(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    return column.cast(pa.string())
