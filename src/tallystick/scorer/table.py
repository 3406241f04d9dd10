"""What a task looks at in a table: numbers as they are, categories one by one, behaviour from windows."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.errors import DataError, UsageError, did_you_mean
from tallystick.scorer.values import BEHAVIOUR, Values

__all__ = ["FittedTable", "TableFeatures"]

Floats = NDArray[np.float64]

MOST = 20  # values of a category that get a feature of their own, the most frequent ones
LEAST = 10  # rows that a value needs for that


@dataclass(frozen=True)
class TableFeatures:
    """Columns of the contract that a task may look at; it adapts to those that are there.

    numbers: columns and derived values (`hour`, `night` …) taken as numbers, money in major units;
    categories: columns whose frequent values become a feature each (one-hot);
    derived: what follows from the time (`hour`, `night` …); identified_by: columns that tell one row from
    another, the key first.
    """

    numbers: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()
    identified_by: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the contract that may be read, windows aside."""
        return (*self.numbers, *self.categories)

    def fit(
        self,
        rows: pa.RecordBatch,
        settings: Settings,
        behaviour: Sequence[str] = (),
        only: Collection[str] = (),
    ) -> FittedTable:
        """Learn which columns hold anything, and which values categories have.

        behaviour: names of the window features in the rows' column of them; only: the columns and features
        to use, all when empty. Raises UsageError for a name that is none, DataError when nothing is left.
        """
        held = {
            name
            for name in rows.schema.names
            if name != BEHAVIOUR and rows.column(name).null_count < len(rows)
        }
        timed = "event_time" in held
        numbers = [n for n in self.numbers if n in held] + [n for n in self.derived if timed]
        categories = [c for c in self.categories if c in held]
        known = {*self.numbers, *self.derived, *self.categories, *behaviour}
        for name in only:
            if name not in known:
                raise UsageError(f'"{name}" is no feature here.', did_you_mean(name, known))
        wanted = set(only) or known
        vocabulary = {c: _frequent(rows.column(c)) for c in categories if c in wanted}
        fitted = FittedTable(
            tuple(n for n in numbers if n in wanted),
            {c: values for c, values in vocabulary.items() if values},
            tuple(behaviour),
            tuple(i for i, name in enumerate(behaviour) if name in wanted),
            settings.zone,
            settings.currency,
        )
        if not fitted.count:
            raise DataError(
                "There is nothing to learn from: no feature has a value.",
                f"Columns that are looked at: {', '.join(self.columns)}.",
            )
        return fitted

    def load(self, description: Mapping[str, Any]) -> FittedTable:
        """Bring fitted features back from a manifest; ValueError where their order is not the learned one."""
        fitted = FittedTable(
            tuple(description["numbers"]),
            {name: tuple(values) for name, values in description["categories"]},
            tuple(description["behaviour"]),
            tuple(description["used"]),
            description["zone"],
            description["currency"],
        )
        if fitted.names != tuple(description["names"]):
            raise ValueError("its features do not come in the order in which they were learned")
        return fitted

    def identity(self, rows: pa.RecordBatch) -> NDArray[np.uint64]:
        """Hash what tells rows apart, 64 bits of BLAKE2b, so that a row that was trained from is known.

        That is its key; of a row without one, what there is of the other columns.
        """
        names = [n for n in self.identified_by if n in rows.schema.names]
        parts = [_as_text(rows.column(n)) for n in names]
        joined = pc.binary_join_element_wise(*parts, "\x1f", null_handling="replace", null_replacement="\0")
        if names[:1] == [*self.identified_by[:1]]:
            joined = pc.coalesce(parts[0].cast(joined.type), joined)
        digests = (hashlib.blake2b(text.encode(), digest_size=8).digest() for text in joined.to_pylist())
        return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


@dataclass(frozen=True)
class FittedTable:
    """Features that have seen training rows: which columns, which values, which windows.

    numbers: as in TableFeatures, those that are there; categories: column → its values; behaviour: names of
    all window features, in the order of the rows' column of them; used: the places of those looked at;
    zone and currency: what night is, and what money without a currency is.
    """

    numbers: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]
    behaviour: tuple[str, ...]
    used: tuple[int, ...]
    zone: str
    currency: str

    @property
    def names(self) -> tuple[str, ...]:
        """The features, in the order of the matrix; a value of a category is `column=value`."""
        values = [f"{name}={value}" for name, known in self.categories.items() for value in known]
        return (*self.numbers, *values, *(self.behaviour[i] for i in self.used))

    @property
    def count(self) -> int:
        """How many features there are."""
        return len(self.numbers) + sum(map(len, self.categories.values())) + len(self.used)

    def values(
        self,
        rows: pa.RecordBatch,
        behaviour: Floats | None = None,
        columns: Mapping[str, pa.Array] | None = None,
    ) -> Values:
        """Return what rows hold by name.

        behaviour: their window features, if they have no column of them; columns: those that are at hand.
        """
        return Values(rows, self.zone, self.currency, self.behaviour, behaviour, columns)

    def matrix(self, rows: pa.RecordBatch, found: Values | None = None) -> Floats:
        """Return the features, float64 (rows, features), NaN: unknown; a row alone gets the same bits.

        found: what `values` said of the rows, where that was asked for already.
        """
        found = self.values(rows) if found is None else found
        X = np.empty((len(rows), self.count))
        found.write(self.numbers, X)
        at = len(self.numbers)
        for name, known in self.categories.items():
            codes = _codes(rows, name, known)
            X[:, at : at + len(known)] = codes[:, None] == np.arange(len(known))
            at += len(known)
        if self.used:
            whole = found.behaviour
            X[:, at:] = whole if len(self.used) == whole.shape[1] else whole[:, self.used]
        return X

    def describe(self) -> dict[str, Any]:
        """Say what they are, for a manifest; `words` says it for people."""
        window, value = len(self.used), sum(map(len, self.categories.values()))
        parts = (
            (len(self.numbers), "numbers"),
            (value, "values of categories"),
            (window, "of behaviour in windows"),
        )
        return {
            "count": self.count,
            "names": list(self.names),
            "numbers": list(self.numbers),
            # Pairs: their order is that of the matrix, and a manifest sorts the keys of what is named.
            "categories": [[name, list(values)] for name, values in self.categories.items()],
            "behaviour": list(self.behaviour),
            "used": list(self.used),
            "zone": self.zone,
            "currency": self.currency,
            "words": ", ".join(f"{count} {what}" for count, what in parts if count),
        }


def _frequent(column: pa.Array) -> tuple[str, ...]:
    """The most frequent values of a category, in the order of the alphabet."""
    counts = [(-one["counts"], one["values"]) for one in pc.value_counts(column.drop_null()).to_pylist()]
    return tuple(sorted(value for count, value in sorted(counts)[:MOST] if -count >= LEAST))


def _codes(rows: pa.RecordBatch, name: str, known: tuple[str, ...]) -> NDArray[np.int64]:
    """Where each row's value stands among the known ones, -1 for any other and for none."""
    if name not in rows.schema.names:
        return np.full(len(rows), -1, np.int64)
    column = rows.column(name)
    place = {value: i for i, value in enumerate(known)}
    if len(column) <= 64:
        return np.array([place.get(value, -1) for value in column.to_pylist()], np.int64)
    coded = column.dictionary_encode()
    codes = np.array([place.get(value, -1) for value in coded.dictionary.to_pylist()] + [-1], np.int64)
    found: NDArray[np.int64] = codes[coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
    return found


def _as_text(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    return column.cast(pa.string())
