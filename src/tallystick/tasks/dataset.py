"""The one form in memory of rows to learn from and to measure, and what is known of their answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.contracts import Contract
from tallystick.contracts.zones import LATEST
from tallystick.feature_extraction import ValueReader

__all__ = ["Dataset", "HeldOut", "Truth", "codes_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Truth:
    """The answers of rows.

    values: float64 (rows,), the code of a class, 1 or 0, or an amount; NaN where unknown; known: int64
    (rows,), from when on each counts in microseconds: when it was known, and the other answers could have
    been; the latest of all where it does not count yet; names: of the codes.
    """

    values: Floats
    known: Ints
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def take(self, index: Ints) -> Truth:
        """Return some of the answers."""
        return Truth(self.values[index], self.known[index], self.names)

    def as_known(self, moment: int | None) -> Truth:
        """Return the answers as they were known at a moment, microseconds; None: as far as they are known."""
        late = self.known > (LATEST - 1 if moment is None else moment)
        return replace(self, values=np.where(late, np.nan, self.values))

    @cached_property
    def there(self) -> NDArray[np.bool_]:
        """Which answers are known."""
        return ~np.isnan(self.values)

    @property
    def codes(self) -> Ints:
        """The answers as codes, -1 where unknown."""
        return np.where(self.there, self.values, -1).astype(np.int64)


@dataclass(frozen=True)
class Dataset:
    """Rows, in the order of the input.

    rows: clean columns, and the column of window features; ids: what decisions call the rows; time: event
    times in microseconds, the latest of all where missing; known: label column → when each label became
    known; counts: label column → from when on each row counts, where that is later, the latest of all where
    its other answer cannot be known yet; index: where each row stands among all records that were read;
    groups: codes of rows that hang together, such as near copies, where that is known; sizes: how much each
    row holds to look at, such as words, and size_unit what that counts, where features can tell;
    warmth: how much history lay before each row, microseconds, at most the longest window (`window`); None
    without windows.
    """

    contract: Contract
    rows: pa.RecordBatch
    ids: pa.Array
    time: Ints
    settings: Settings
    windows: tuple[str, ...] = ()
    known: Mapping[str, Ints] = field(default_factory=dict)
    counts: Mapping[str, Ints] = field(default_factory=dict)
    index: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    groups: Ints | None = None
    sizes: Ints | None = None
    size_unit: str = ""
    warmth: Ints | None = None
    window: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, index: Ints) -> Dataset:
        """Return some of the rows."""
        at = pa.array(index)
        return replace(
            self,
            rows=self.rows.take(at),
            ids=self.ids.take(at),
            time=self.time[index],
            known={name: moments[index] for name, moments in self.known.items()},
            counts={name: moments[index] for name, moments in self.counts.items()},
            index=self.index[index] if len(self.index) else self.index,
            groups=None if self.groups is None else self.groups[index],
            sizes=None if self.sizes is None else self.sizes[index],
            warmth=None if self.warmth is None else self.warmth[index],
        )

    def with_columns(self, columns: Mapping[str, Floats]) -> Dataset:
        """Return the rows with further columns of numbers, NaN as null, such as scores of other tasks."""
        rows = self.rows
        for name, values in columns.items():
            column = pa.array(values, from_pandas=True)
            place = rows.schema.get_field_index(name)
            rows = rows.append_column(name, column) if place < 0 else rows.set_column(place, name, column)
        return replace(self, rows=rows) if columns else self

    @cached_property
    def reader(self) -> ValueReader:
        """How values of the rows are read."""
        return ValueReader.of(self.contract, self.settings.zone, self.settings.currency, self.windows)

    def counted_from(self, label: str) -> Ints:
        """Return from when on each row counts for a label, microseconds; the latest of all: not yet."""
        return self.counts[label] if label in self.counts else self.known[label]

    @property
    def dated(self) -> bool:
        """Whether any row has an event time."""
        return bool((self.time < LATEST).any())

    def column(self, name: str | None) -> pa.Array | None:
        """Return a column; None where there is none, or it holds nothing."""
        if name is None or name not in self.rows.schema.names:
            return None
        column = self.rows.column(name)
        return None if column.null_count == len(column) else column

    def text(self, name: str | None) -> NDArray[Any] | None:
        """Return a column of texts as objects; None where it holds nothing."""
        column = self.column(name)
        return None if column is None else np.array(column.to_pylist(), dtype=object)

    @cached_property
    def person(self) -> Ints | None:
        """The person of each row as a code, a row without one standing alone; None without any."""
        column = self.column(self.contract.person)
        return None if column is None else codes_of(column)

    @cached_property
    def people(self) -> Ints | None:
        """Whose each row is, as a code: of a row without a person, that of the rows it hangs together with.

        None where neither is known.
        """
        person, groups = self.column(self.contract.person), self.groups
        if person is None or groups is None:
            return self.person if groups is None else groups
        known = person.is_valid().to_numpy(zero_copy_only=False)
        codes = codes_of(person)
        return np.where(known, codes, codes.max(initial=0) + 1 + groups)

    def money(self, name: str | None) -> Floats | None:
        """Return amounts in major units, 0 where unknown; None where there are none."""
        if self.column(name) is None or name is None:
            return None
        values = self.reader.read(self.rows).number(name)
        return None if np.isnan(values).all() else np.nan_to_num(values)

    def currencies(self, name: str | None) -> NDArray[Any] | str:
        """Return the currency of each row's amount, or the setting where the rows say none."""
        column = self.text(self.reader.money.get(name or "") or None)
        if column is None:
            return self.settings.currency
        return np.where(column == None, self.settings.currency, column)  # noqa: E711 - elementwise

    def stake(self, name: str | None) -> Floats | None:
        """Return the amounts where all are of one currency, else None: currencies are never added up."""
        currencies = self.currencies(name)
        one = isinstance(currencies, str) or len(set(currencies.tolist())) == 1
        return self.money(name) if one else None


@dataclass(frozen=True)
class HeldOut:
    """Scores of rows by models that did not see them.

    row: int64 (scored,), where each stands among the rows; fold: which held it out; raw: float64 (scored,
    outputs); truth: as in `Truth.values`; time: microseconds; stake: what is at stake in major units, None
    where there is none or in several currencies; ordered: whether each fold was learned from earlier rows.
    groups: codes of rows that hang together, None where that is not known; warmth: as in `Dataset`;
    support: how much of each the models knew (`Sufficiency`), None where they cannot tell; without,
    without_fold: the same of rows made of held-out ones to hold too little, and the fold of each.
    """

    row: Ints
    fold: Ints
    raw: Floats
    truth: Floats
    time: Ints
    stake: Floats | None = None
    ordered: bool = False
    groups: Ints | None = None
    warmth: Ints | None = None
    support: Floats | None = None
    without: Floats | None = None
    without_fold: Ints | None = None

    def __len__(self) -> int:
        return len(self.row)

    def take(self, index: Ints) -> HeldOut:
        """Return some of the rows."""
        stake = None if self.stake is None else self.stake[index]
        return replace(
            self, row=self.row[index], fold=self.fold[index], raw=self.raw[index], truth=self.truth[index],
            time=self.time[index], stake=stake,
            groups=None if self.groups is None else self.groups[index],
            warmth=None if self.warmth is None else self.warmth[index],
            support=None if self.support is None else self.support[index],
        )  # fmt: skip

    def warmest(self, rows: NDArray[np.bool_], least: int) -> NDArray[np.bool_]:
        """Return those of some rows with known answers whose windows had most history before them.

        So many that at least `least` of them are events, and as many are not; all rows where there are fewer,
        or where nothing is known of that. Early rows, whose windows were still filling, look like no later
        ones.
        """
        if self.warmth is None:
            return rows
        enough = []
        for answer in (0, 1):
            warm = np.sort(self.warmth[rows & (self.truth == answer)])
            if len(warm) < least:
                return rows
            enough.append(int(warm[-least]))
        return rows & (self.warmth >= min(enough))

    @property
    def usable(self) -> Ints:
        """The rows that calibrators and thresholds are fitted on: those whose answer is known, if both are.

        Else all: an unknown answer then counts as no, so that a share to be flagged can still be chosen.
        """
        known = np.flatnonzero(~np.isnan(self.truth))
        return known if len(np.unique(self.truth[known])) > 1 else np.arange(len(self.truth))


def codes_of(column: pa.Array) -> Ints:
    """Return texts as codes, rows without one each by itself."""
    codes: Ints = (
        column.dictionary_encode()
        .indices.cast(pa.int64())
        .fill_null(-1)
        .to_numpy(zero_copy_only=False)
        .copy()
    )
    alone = codes < 0
    codes[alone] = codes.max(initial=0) + 1 + np.arange(int(alone.sum()))
    return codes
