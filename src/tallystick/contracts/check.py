"""The checks and the cleaning of a batch as one array program, the same for one row and for a million."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tallystick.config import Settings
from tallystick.contracts import literals, numbers, text, times
from tallystick.contracts.column import ARROW, Column, Kind
from tallystick.contracts.faults import Faults, explain
from tallystick.contracts.naming import Match, Naming
from tallystick.contracts.reasons import CODE, REASONS
from tallystick.contracts.values import each
from tallystick.contracts.zones import micros
from tallystick.errors import DataError

if TYPE_CHECKING:
    from tallystick.contracts.contract import Contract

__all__ = ["Checked", "check"]

Codes = npt.NDArray[np.int8]

#: State of a text, a time or a number → number of the reason.
_REASON: Final = np.zeros(16, np.int8)
_REASON[text.TOO_LONG] = CODE["too_long"]
_REASON[text.NUL_BYTE] = CODE["nul_byte"]
_REASON[times.BAD] = CODE["bad_time"]
_REASON[numbers.NOT_A_NUMBER] = CODE["not_a_number"]
_REASON[numbers.NOT_WHOLE] = CODE["not_an_integer"]
_REASON[numbers.OVERFLOW] = CODE["out_of_range"]
_NAMES: Final = tuple(REASONS)

_STRING: Final = pa.string()
_NULL: Final = pa.null()

#: How much of a bad value is shown; the record as a whole is kept in the quarantine.
SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Checked:
    """The clean rows of a batch, where in it they were (int64), and the bad ones: every row, once."""

    rows: pa.RecordBatch
    kept: npt.NDArray[np.int64]
    bad: Faults


def check(
    contract: Contract,
    rows: pa.RecordBatch,
    naming: Naming,
    settings: Settings,
    *,
    as_of: datetime | date | None = None,
    labels_wanted: bool | Collection[str] = True,
) -> Checked:
    """Check and clean one batch; see `Contract.check`."""
    n = rows.num_rows
    wanted = _wanted(contract, labels_wanted)
    names = rows.schema.names
    arrays: list[pa.Array] = []
    first: Codes | None = None
    where = np.zeros(0, np.int16)
    for number, match in enumerate(naming.matches):
        column = match.column
        theirs = _column(rows, names, match)
        clean, faults = _clean(match, theirs, settings, column.name in wanted)
        if column.name == contract.event_time:
            faults = _future(clean, faults, _deadline(as_of, settings.zone))
        arrays.append(clean)
        if faults is not None:
            if first is None:
                first, where = np.zeros(n, np.int8), np.zeros(n, np.int16)
            new = (first == 0) & (faults != 0)
            first[new], where[new] = faults[new], number
    clean_rows = pa.RecordBatch.from_arrays(arrays, schema=naming.schema)
    if first is None:
        kept, bad = np.arange(n, dtype=np.int64), Faults.none()
    else:
        kept = np.flatnonzero(first == 0).astype(np.int64)
        clean_rows = clean_rows.take(pa.array(kept))
        bad = _faults(rows, names, naming, first, where, settings)
    for tidy in contract.tidy:
        clean_rows = tidy(clean_rows)
    return Checked(clean_rows, kept, bad)


def _wanted(contract: Contract, labels_wanted: bool | Collection[str]) -> Collection[str]:
    """Return the label columns that a record must not leave blank."""
    if isinstance(labels_wanted, bool):
        return contract.labels[:1] if labels_wanted else ()
    return labels_wanted


def _column(rows: pa.RecordBatch, names: list[str], match: Match) -> pa.Array:
    """Return their column: by its place, by its name where a batch has another order, else nulls."""
    if match.place < len(names) and names[match.place] == match.theirs:
        return rows.column(match.place)
    place = rows.schema.get_field_index(match.theirs)
    return rows.column(place) if place >= 0 else pa.nulls(rows.num_rows)


def _clean(match: Match, array: pa.Array, settings: Settings, wanted: bool) -> tuple[pa.Array, Codes | None]:
    """Turn one of their columns into ours; the faults are None when there are none."""
    column, given = match.column, array.type
    kind = column.type
    if array.null_count == len(array) and given in (_STRING, _NULL):
        return _nothing(column.arrow, len(array)), None
    if given == _STRING:
        return _from_text(match, array, settings, wanted)
    if pa.types.is_dictionary(given):
        array = array.dictionary_decode()
        given = array.type
    if given == ARROW[kind] and kind == "flag":
        return array, None
    if kind == "time" and (pa.types.is_timestamp(given) or pa.types.is_date(given)):
        return _times(*times.from_typed(array, settings.zone))
    if kind == "number" and (pa.types.is_integer(given) or pa.types.is_floating(given)):
        values = array.cast(pa.float64(), safe=False)
        plain = values.fill_null(0).to_numpy(zero_copy_only=False)
        state = np.where(np.isfinite(plain), text.OK, numbers.NOT_A_NUMBER).astype(np.int8)
        return _range(
            column, values, plain, np.where(text.valid_rows(array), state, text.NULL).astype(np.int8)
        )
    if kind == "integer" and pa.types.is_integer(given) and given != pa.uint64():
        values = array.cast(pa.int64())
        plain = values.fill_null(0).to_numpy(zero_copy_only=False)
        state = np.where(text.valid_rows(array), text.OK, text.NULL).astype(np.int8)
        return _range(column, values, plain, state)
    if pa.types.is_floating(given) and kind not in ("number", "integer"):
        array = pc.if_else(pc.is_nan(array), None, array)  # a frame's word for "missing"
    return _from_text(match, array, settings, wanted)


@lru_cache(maxsize=64)
def _nothing(kind: pa.DataType, rows: int) -> pa.Array:
    """A column without any value; arrays never change, so one serves all batches of a size."""
    return pa.nulls(rows, kind)


def _from_text(
    match: Match, array: pa.Array, settings: Settings, wanted: bool
) -> tuple[pa.Array, Codes | None]:
    """Parse and check what is text, or has no shorter way than by its text."""
    column = match.column
    array, undecoded = _decoded(column, array)
    found = text.scan(array, column.max_bytes)
    if column.type == "text" and found.literals():
        found = text.scan(literals.undo_all(found), column.max_bytes)
    clean, faults = _parsed(match, found, settings)
    if wanted and not column.may_be_blank and found.has(text.BLANK):
        faults = np.zeros(len(array), np.int8) if faults is None else faults
        faults[found.state == text.BLANK] = CODE["blank_label"]
    if undecoded is not None:
        faults = np.zeros(len(array), np.int8) if faults is None else faults
        faults[undecoded] = CODE["bad_encoding"]
    return clean, faults


def _decoded(column: Column, array: pa.Array) -> tuple[pa.Array, npt.NDArray[np.bool_] | None]:
    """Return the column as strings, and which values are bytes that are no UTF-8."""
    try:
        return text.as_text(array), None
    except pa.ArrowInvalid as error:
        if not _is_binary(array.type):
            raise DataError(
                f"The column {column.name} is too large for one batch: {error}.",
                "Read fewer rows at once: --set batch_rows=1024.",
            ) from None
    raws = [b"" if raw is None else raw for raw in array.to_pylist()]
    bad = np.array([raw.decode("utf-8", "replace").encode() != raw for raw in raws])
    valid = text.valid_rows(array)
    values = [raw.decode("utf-8", "replace") if ok else None for raw, ok in zip(raws, valid, strict=True)]
    return pa.array(values, _STRING), bad


def _is_binary(kind: pa.DataType) -> bool:
    kinds = (
        pa.types.is_binary,
        pa.types.is_large_binary,
        pa.types.is_binary_view,
        pa.types.is_fixed_size_binary,
    )
    return any(of(kind) for of in kinds)


def _parsed(match: Match, found: text.Scan, settings: Settings) -> tuple[pa.Array, Codes | None]:
    """Turn trimmed text into the column's type."""
    column, kind = match.column, match.column.type
    if kind == "time":
        moments, state = times.parse(found, settings.date_order, settings.zone)
        return _times(moments, _missing(match, found, state))
    if kind == "number":
        values, state = numbers.numbers(found)
        state = _missing(match, found, state)
        return _range(column, _array(values, state, kind), values, state)
    if kind == "integer":
        wholes, state = numbers.integers(found)
        state = _missing(match, found, state)
        return _range(column, _array(wholes, state, kind), wholes, state)
    clean = found.trimmed()
    faults = None
    if found.has(text.TOO_LONG) or found.has(text.NUL_BYTE):
        faults = _REASON[found.state]
    if kind == "flag" or column.listed():
        clean, unfit = each(clean, match.look, column.arrow)
        if unfit is not None:
            faults = unfit if faults is None else np.where(faults != 0, faults, unfit)
    return clean, faults


def _missing(match: Match, found: text.Scan, state: Codes) -> Codes:
    """Let what could not be parsed be null where it is the column's word for "missing"."""
    if match.column.nulls and len(state) and state.max() > text.NULL:
        for i in np.flatnonzero((found.state == text.OK) & (state > text.NULL)).tolist():
            if match.look(found.text(i))[0] is None:
                state[i] = text.NULL
    return state


def _array(values: npt.NDArray[np.int64] | npt.NDArray[np.float64], state: Codes, kind: Kind) -> pa.Array:
    """Build the Arrow column; what is not OK is null."""
    valid = state == text.OK
    bits = None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(ARROW[kind], len(values), [bits, pa.py_buffer(values)])


def _times(moments: npt.NDArray[np.int64], state: Codes) -> tuple[pa.Array, Codes | None]:
    return _array(moments, state, "time"), _REASON[state] if (state == times.BAD).any() else None


def _range(
    column: Column, array: pa.Array, values: npt.NDArray[np.int64] | npt.NDArray[np.float64], state: Codes
) -> tuple[pa.Array, Codes | None]:
    """Find the reasons of numbers: those of the parser, and what lies outside the column's range."""
    faults = _REASON[state]
    low, high = column.minimum, column.maximum
    if low is not None or high is not None:
        outside = np.zeros(len(values), np.bool_)
        if low is not None:
            outside |= values < low
        if high is not None:
            outside |= values > high
        faults[outside & (state == text.OK)] = CODE["out_of_range"]
    return array, faults if faults.any() else None


def _deadline(as_of: datetime | date | None, zone: str) -> int:
    """Return the last microsecond (UTC) that is not in the future; a date means that day's end in `zone`."""
    if as_of is None:
        return micros(datetime.now(UTC))
    if not isinstance(as_of, datetime):
        midnight = datetime.combine(as_of + timedelta(days=1), time(0), ZoneInfo(zone))
        return micros(midnight.astimezone(UTC)) - 1
    return micros(as_of if as_of.tzinfo else as_of.replace(tzinfo=ZoneInfo(zone)))


def _future(clean: pa.Array, faults: Codes | None, deadline: int) -> Codes | None:
    """Add what lies after the deadline to the faults of the event time."""
    n = len(clean)
    late = np.frombuffer(clean.buffers()[1], np.int64)[clean.offset : clean.offset + n] > deadline
    if not late.any():
        return faults
    faults = np.zeros(n, np.int8) if faults is None else faults
    # Null and bad times are 0 in the buffer, which no deadline precedes unless it lies before 1970.
    late &= (faults == 0) & text.valid_rows(clean)
    faults[late] = CODE["future_time"]
    return faults


def _faults(
    rows: pa.RecordBatch,
    names: list[str],
    naming: Naming,
    first: Codes,
    where: npt.NDArray[np.int16],
    settings: Settings,
) -> Faults:
    """Describe each bad record by its first fault."""
    index = np.flatnonzero(first).astype(np.int64)
    as_found: dict[int, str | None] = {}
    for number in np.unique(where[index]).tolist():
        some = index[where[index] == number]
        values_ = text.found(_column(rows, names, naming.matches[number]), some)
        as_found |= {i: _spelt(value) for i, value in zip(some.tolist(), values_, strict=True)}
    codes, columns, values, messages = [], [], [], []
    for i in index.tolist():
        column, code, value = naming.matches[where[i]].column, _NAMES[first[i]], as_found[i]
        codes.append(code)
        columns.append(column.name)
        values.append(value if value is None or len(value) <= SHOWN else value[: SHOWN - 1] + "…")
        messages.append(explain(column, code, value, settings))
    return Faults(index, tuple(codes), tuple(columns), tuple(values), tuple(messages))


def _spelt(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return None if value is None else str(value)
