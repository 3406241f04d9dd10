"""Types of the columns that an open contract does not name, inferred from their content.

One pass over batches: the types of each batch merge with `+`, in the order of the batches, and the result
does not depend on where one batch ends and the next begins. From narrow to wide: integer, number, category; a
column of yes and no is a flag, one of dates a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tallystick.config import Settings
from tallystick.contracts import text, times
from tallystick.contracts.column import Column, Kind, fold
from tallystick.contracts.numbers import FLAGS, integers, numbers
from tallystick.errors import DataError

__all__ = ["MISSING", "ColumnType", "ColumnTypes"]

#: Spellings of a missing value in a column of numbers, times or flags, in lower case.
MISSING: Final = ("na", "n/a", "nan", "null", "none", "nil", "?", "-", ".")
#: Distinct values of a category that are listed; of a column with more, none are.
MOST_CATEGORIES: Final = 1_000
#: The first type that fits all values is taken; category fits everything.
ORDER: Final[tuple[Kind, ...]] = ("integer", "number", "flag", "time", "category")
#: A number with a leading zero is a code, such as a ZIP code.
_CODE: Final = r"^[-+]?0[0-9]"
_MAX_BYTES: Final = 65_536

_Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ColumnType:
    """The types that fit all values of a column met so far, and its distinct values.

    kinds: all of them where no value was met; categories: sorted, None where there are too many to list.
    """

    kinds: frozenset[Kind] = frozenset(ORDER)
    categories: tuple[str, ...] | None = ()

    @property
    def kind(self) -> Kind | None:
        """Return the narrowest type; None where nothing but missing values was met."""
        if len(self.kinds) == len(ORDER):
            return None
        return next(kind for kind in ORDER if kind in self.kinds)

    def __add__(self, other: ColumnType) -> ColumnType:
        if self.categories is None or other.categories is None:
            return ColumnType(self.kinds & other.kinds, None)
        together = tuple(sorted({*self.categories, *other.categories}))
        return ColumnType(self.kinds & other.kinds, together if len(together) <= MOST_CATEGORIES else None)


@dataclass(frozen=True, slots=True)
class ColumnTypes:
    """Types of columns by name, in the order in which the names were met.

    >>> first = ColumnTypes.of(pa.record_batch({"age": ["41", "NA"], "owns": ["yes", "no"]}))
    >>> later = ColumnTypes.of(pa.record_batch({"age": ["37.5"], "zip": ["02134"]}))
    >>> {name: column.kind for name, column in (first + later).columns.items()}
    {'age': 'number', 'owns': 'flag', 'zip': 'category'}
    """

    columns: Mapping[str, ColumnType] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: pa.RecordBatch, settings: Settings | None = None) -> ColumnTypes:
        """Infer the types of all columns of one batch; DataError where two names differ only in signs.

        settings: date order and zone decide what a time is.
        """
        settings = settings or Settings()
        found = cls({name: _infer(rows.column(i), settings) for i, name in enumerate(rows.schema.names)})
        found._refuse_alike()
        return found

    def __add__(self, other: ColumnTypes) -> ColumnTypes:
        names = dict.fromkeys((*self.columns, *other.columns))
        none = ColumnType()
        merged = ColumnTypes(
            {name: self.columns.get(name, none) + other.columns.get(name, none) for name in names}
        )
        if len(names) > len(self.columns):
            merged._refuse_alike()
        return merged

    def _refuse_alike(self) -> None:
        spelt: dict[str, str] = {}
        for name in self.columns:
            other = spelt.setdefault(fold(name), name)
            if other != name:
                raise DataError(
                    f'The columns "{other}" and "{name}" differ only in signs and capitals.',
                    "Rename or leave out one of them.",
                )

    def as_columns(self) -> tuple[Column, ...]:
        """Return the columns of a contract, without those that have no value, or no letter in their name."""
        return tuple(
            Column(
                name,
                column.kind,
                "Column that the contract does not name",
                nulls=() if column.kind == "category" else MISSING,
                known_values=("none", "unknown") if column.kind == "category" else (),
            )
            for name, column in self.columns.items()
            if column.kind is not None and fold(name)
        )

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Return plain values for a bundle: the type of each column, and the values of a category.

        >>> ColumnTypes.of(pa.record_batch({"job": ["clerk", "baker"]})).to_dict()
        {'job': {'type': 'category', 'categories': ['baker', 'clerk']}}
        """
        plain: dict[str, dict[str, Any]] = {}
        for name, column in self.columns.items():
            if column.kind == "category":
                listed = None if column.categories is None else list(column.categories)
                plain[name] = {"type": "category", "categories": listed}
            elif column.kind is not None:
                plain[name] = {"type": column.kind}
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Mapping[str, Any]]) -> ColumnTypes:
        """Read what `to_dict` gave."""
        columns = {}
        for name, said in plain.items():
            listed = said.get("categories")
            columns[name] = ColumnType(frozenset([said["type"]]), None if listed is None else tuple(listed))
        return cls(columns)


def _infer(array: pa.Array, settings: Settings) -> ColumnType:
    """Infer the type of one column of a batch."""
    kind = array.type
    if array.null_count == len(array):
        return ColumnType()
    if pa.types.is_boolean(kind):
        return ColumnType(frozenset(("flag", "category")), _listed(pc.unique(array.cast(pa.string()))))
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return ColumnType(frozenset(("time", "category")), None)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind) or kind == pa.uint64():
        values = array.cast(pa.float64(), safe=False).drop_null()
        finite = values.filter(pc.is_finite(values))
        return ColumnType(frozenset(("number", "category")), None) if len(finite) else ColumnType()
    if pa.types.is_integer(kind):
        listed = _listed(pc.unique(array).cast(pa.string()))
        zero_one = listed is not None and set(listed) <= {"0", "1"}
        kinds: frozenset[Kind] = frozenset(("integer", "number", "category"))
        return ColumnType(kinds | {"flag"} if zero_one else kinds, listed)
    return _infer_text(text.as_text(array), settings)


def _infer_text(array: pa.Array, settings: Settings) -> ColumnType:
    """Infer the type of a column of texts from its distinct values."""
    scan = text.scan(pc.unique(text.scan(array, _MAX_BYTES).trimmed()).drop_null(), _MAX_BYTES)
    values = scan.array.to_pylist()
    folded = [value.casefold() for value in values]
    given = np.array([value not in MISSING for value in folded], np.bool_)
    code = pc.match_substring_regex(scan.array, _CODE).to_numpy(zero_copy_only=False)
    fits: dict[Kind, _Flags] = {
        "integer": (integers(scan)[1] == text.OK) & ~code,
        "number": (numbers(scan)[1] == text.OK) & ~code,
        "flag": np.array([FLAGS.get(value) is not None for value in folded], np.bool_),
        "time": times.parse(scan, settings.date_order, settings.zone)[1] == text.OK,
    }
    kinds: list[Kind] = [kind for kind, fit in fits.items() if fit[given].all()]
    return ColumnType(frozenset([*kinds, "category"]), _listed(scan.array))


def _listed(values: pa.Array) -> tuple[str, ...] | None:
    """Return distinct values as they are listed, without null; None where there are too many."""
    values = values.drop_null()
    return tuple(sorted(values.to_pylist())) if len(values) <= MOST_CATEGORIES else None
