"""Checks and cleans a batch as one array program, the same for one row and for a million."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from time import time_ns
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tallystick.config import Settings
from tallystick.contracts import text
from tallystick.contracts.cleaning import clean
from tallystick.contracts.column import Column
from tallystick.contracts.column_mapping import ColumnMapping
from tallystick.contracts.event_values import event_flags
from tallystick.contracts.faults import Faults, explain
from tallystick.contracts.reasons import CODE, REASONS
from tallystick.contracts.zones import micros

__all__ = ["AsOf", "Checked", "Rows", "check"]

Codes = npt.NDArray[np.int8]
#: When the future begins: for all rows, or for each of them (int64, microseconds UTC); None for now.
AsOf = datetime | date | npt.NDArray[np.int64] | None

_NAMES: Final = tuple(REASONS)

#: How much of a bad value is shown; the record as a whole is kept in the quarantine.
SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Checked:
    """The clean rows of a batch, where in it they were (int64), and the bad ones: every row, once.

    columns: those of the clean rows by name, where they are at hand: to ask a batch for one takes longer;
    unread: column → how many rows have a value there that cannot be read, where that is no fault.
    """

    rows: pa.RecordBatch
    kept: npt.NDArray[np.int64]
    bad: Faults
    columns: Mapping[str, pa.Array] = field(default_factory=dict)
    unread: Mapping[str, int] = field(default_factory=dict)


class Rows(Protocol):
    """What a check asks of a contract."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the label columns, the main one first."""

    @property
    def event_time(self) -> str | None:
        """Name of the column of the event time."""

    @property
    def normalizers(self) -> tuple[Callable[[pa.RecordBatch], pa.RecordBatch], ...]:
        """Functions that run on clean rows."""


def check(
    contract: Rows,
    rows: pa.RecordBatch,
    column_mapping: ColumnMapping,
    settings: Settings,
    *,
    as_of: AsOf = None,
    labels_wanted: bool | Collection[str] = True,
) -> Checked:
    """Check and clean one batch; see `Contract.check`."""
    n = rows.num_rows
    wanted = _wanted(contract, labels_wanted)
    places = column_mapping.places(rows.schema)
    columns: dict[str, pa.Array] = {}
    first: Codes | None = None
    where = np.zeros(0, np.int16)
    known: dict[int, tuple[pa.Array, Codes | None]] = {}  # currencies, cleaned before their amounts
    unread: dict[str, int] = {}
    for number, match in enumerate(column_mapping.matches):
        column = match.column
        if match.currency >= 0 and match.currency not in known:
            coded = column_mapping.matches[match.currency]
            theirs = _column(rows, places[match.currency])
            known[match.currency] = clean(coded, theirs, settings, coded.column.name in wanted)
        if number in known:
            ours, faults = known[number]
        else:
            theirs = _column(rows, places[number])
            if settings.event and column.type == "flag" and column.name in contract.labels:
                theirs = event_flags(theirs, settings.event)
            codes = known.get(match.currency)
            ours, faults = clean(match, theirs, settings, column.name in wanted, codes)
        if column.name == contract.event_time:
            faults = _future(ours, faults, _deadline(as_of, settings.zone))
        if faults is not None and labels_wanted is False and _comes_later(contract, column):
            ours, unread[column.name] = _without(ours, faults)
            faults = None
        columns[column.name] = ours
        if faults is not None:
            if first is None:
                first, where = np.zeros(n, np.int8), np.zeros(n, np.int16)
            new = (first == 0) & (faults != 0)
            first[new], where[new] = faults[new], number
    clean_rows = pa.RecordBatch.from_arrays(list(columns.values()), schema=column_mapping.schema)
    if first is None:
        kept, bad = np.arange(n, dtype=np.int64), Faults.none()
    else:
        kept = np.flatnonzero(first == 0).astype(np.int64)
        clean_rows = clean_rows.take(pa.array(kept))
        bad = _faults(rows, places, column_mapping, first, where, settings)
    for normalizer in contract.normalizers:
        clean_rows = normalizer(clean_rows)
    if first is not None or contract.normalizers:
        columns = {}
    return Checked(clean_rows, kept, bad, columns, unread)


def _comes_later(contract: Rows, column: Column) -> bool:
    """Say whether a column is known only after the event, so that a decision does without it."""
    return column.after_event or column.name in contract.labels


def _without(ours: pa.Array, faults: Codes) -> tuple[pa.Array, int]:
    """Take what cannot be read for unknown; how many values that are."""
    bad = faults != 0
    return pc.if_else(pa.array(bad), pa.scalar(None, ours.type), ours), int(np.count_nonzero(bad))


def _wanted(contract: Rows, labels_wanted: bool | Collection[str]) -> Collection[str]:
    """Return the label columns that a record must not leave blank."""
    if isinstance(labels_wanted, bool):
        return contract.labels[:1] if labels_wanted else ()
    return labels_wanted


def _column(rows: pa.RecordBatch, place: int) -> pa.Array:
    """Return their column by its place, or nulls."""
    return rows.column(place) if place >= 0 else pa.nulls(rows.num_rows)


def _deadline(as_of: AsOf, zone: str) -> int | npt.NDArray[np.int64]:
    """Return the last microsecond (UTC) that is not in the future; a date means that day's end in `zone`."""
    if as_of is None:
        return time_ns() // 1_000
    if isinstance(as_of, np.ndarray):
        return as_of
    if not isinstance(as_of, datetime):
        midnight = datetime.combine(as_of + timedelta(days=1), time(0), ZoneInfo(zone))
        return micros(midnight.astimezone(UTC)) - 1
    return micros(as_of if as_of.tzinfo else as_of.replace(tzinfo=ZoneInfo(zone)))


def _future(moments: pa.Array, faults: Codes | None, deadline: int | npt.NDArray[np.int64]) -> Codes | None:
    """Add what lies after the deadline, or that of each row, to the faults of the event time."""
    n = len(moments)
    late = np.frombuffer(moments.buffers()[1], np.int64, n, 8 * moments.offset) > deadline
    if not np.count_nonzero(late):
        return faults
    faults = np.zeros(n, np.int8) if faults is None else faults
    # Null and bad times are 0 in the buffer, which no deadline precedes unless it lies before 1970.
    late &= (faults == 0) & text.valid_rows(moments)
    faults[late] = CODE["future_time"]
    return faults


def _faults(
    rows: pa.RecordBatch,
    places: Sequence[int],
    column_mapping: ColumnMapping,
    first: Codes,
    where: npt.NDArray[np.int16],
    settings: Settings,
) -> Faults:
    """Describe each bad record by its first fault."""
    index = np.flatnonzero(first).astype(np.int64)
    as_found: dict[int, str | None] = {}
    for number in np.unique(where[index]).tolist():
        some = index[where[index] == number]
        values_ = text.found(_column(rows, places[number]), some)
        as_found |= {i: _spelt(value) for i, value in zip(some.tolist(), values_, strict=True)}
    codes, columns, values, messages = [], [], [], []
    for i in index.tolist():
        column, code, value = column_mapping.matches[where[i]].column, _NAMES[first[i]], as_found[i]
        codes.append(code)
        columns.append(column.name)
        values.append(value if value is None or len(value) <= SHOWN else value[: SHOWN - 1] + "…")
        messages.append(explain(column, code, value, settings))
    return Faults(index, tuple(codes), tuple(columns), tuple(values), tuple(messages))


def _spelt(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return None if value is None else str(value)
