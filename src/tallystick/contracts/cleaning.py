"""Cleans one column: parses and trims its values and finds the faults."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tallystick import durations
from tallystick.config import Settings
from tallystick.contracts import literals, money, numbers, steps, text, times
from tallystick.contracts.alone import INTEGERS, alone, free
from tallystick.contracts.column import ARROW, Column, Kind
from tallystick.contracts.column_mapping import ColumnMatch
from tallystick.contracts.placeholders import without_placeholders
from tallystick.contracts.reasons import CODE
from tallystick.contracts.values import each
from tallystick.errors import DataError

__all__ = ["clean"]

Codes = npt.NDArray[np.int8]
Clean = tuple[pa.Array, Codes | None]

#: State of a text, a time or a number → number of the reason.
_REASON: Final = np.zeros(16, np.int8)
_REASON[text.TOO_LONG] = CODE["too_long"]
_REASON[text.NUL_BYTE] = CODE["nul_byte"]
_REASON[times.BAD] = CODE["bad_time"]
_REASON[numbers.NOT_A_NUMBER] = CODE["not_a_number"]
_REASON[numbers.NOT_WHOLE] = CODE["not_an_integer"]
_REASON[numbers.OVERFLOW] = CODE["out_of_range"]
_REASON[money.TOO_PRECISE] = CODE["too_precise"]
_OTHER_CURRENCY: Final = 15  # beside the states of money
_REASON[_OTHER_CURRENCY] = CODE["other_currency"]

_STRING: Final = pa.string()
_NULL: Final = pa.null()
# Comparing the numbers of types costs a hundredth of comparing types.
_DICTIONARY: Final = pa.dictionary(pa.int32(), pa.string()).id
_DOUBLE: Final = pa.float64().id
_OTHER_FLOATS: Final = frozenset({pa.float16().id, pa.float32().id})
_DECIMALS: Final = frozenset({pa.decimal128(9).id, pa.decimal256(9).id})


def clean(
    match: ColumnMatch,
    array: pa.Array,
    settings: Settings,
    wanted: bool,
    codes: Clean | None = None,
) -> Clean:
    """Turn one of their columns into ours; the faults are None when there are none.

    codes: for an amount, the currency of each row and what is wrong with it.
    """
    if len(array) == 1 and (one := alone(match, array, settings, codes)) is not None:
        return one, None
    if match.column.type == "money":
        return _money(match, array, settings, codes)
    ours, faults = _of_kind(match, array, settings, wanted)
    if match.money and ours.null_count:
        ours = ours.fill_null(settings.currency)
    return ours, faults


def _money(match: ColumnMatch, array: pa.Array, settings: Settings, codes: Clean | None) -> Clean:
    """Turn amounts into minor units; where the currency is bad, that is what is wrong."""
    decimals = money.places(None if codes is None else codes[0], settings.currency)
    undecoded = None
    kind = array.type.id
    if kind == _DICTIONARY:
        array = array.dictionary_decode()
        kind = array.type.id
    if array.null_count == len(array):
        return _nothing(match.column.arrow, len(array)), None
    if kind == _DOUBLE:
        values = text.view(array, np.float64)
        minor, state = money.from_floats(values, _given(array, values), decimals)
    elif kind in _OTHER_FLOATS:
        plain = text.view(array.cast(pa.float64()), np.float64)
        single = kind == pa.float32().id
        minor, state = money.from_floats(plain, _given(array, plain), decimals, single=single)
    elif kind in INTEGERS:
        wholes = text.view(array.cast(pa.int64()), np.int64)
        minor, state = money.from_integers(wholes, _given(array), decimals)
    else:
        if kind in _DECIMALS:
            array = array.cast(_STRING)
        array, undecoded = _decoded(match.column, array)
        found = without_placeholders(
            text.scan(array, match.column.max_bytes), match.column, settings.placeholders
        )
        minor, state, signs = money.from_text(found, decimals, settings.decimal)
        state = _missing(match, found, state)
        if signs is not None:
            state[_other_currency(signs, codes, settings) & (state == text.OK)] = _OTHER_CURRENCY
    faults = _REASON[state] if np.count_nonzero(state > text.BLANK) else None
    if faults is not None and codes is not None and codes[1] is not None:
        faults[codes[1] != 0] = 0
    if undecoded is not None:
        faults = np.zeros(len(array), np.int8) if faults is None else faults
        faults[undecoded] = CODE["bad_encoding"]
    return _array(minor, state, "money"), faults


def _other_currency(signs: Codes, codes: Clean | None, settings: Settings) -> npt.NDArray[np.bool_]:
    """Say which amounts have a sign that does not stand for the currency of their row."""
    known = None if codes is None else codes[0]
    currencies = [None] * len(signs) if known is None else known.to_pylist()
    names = list(numbers.SIGNS.values())
    other = np.zeros(len(signs), np.bool_)
    for i in np.flatnonzero(signs).tolist():
        other[i] = (currencies[i] or settings.currency) not in names[signs[i] - 1]
    return other


def _given(array: pa.Array, floats: npt.NDArray[np.float64] | None = None) -> Codes:
    """Return the state of each value of a typed column: OK, or NULL, which NaN among floats is too."""
    state = np.zeros(len(array), np.int8)
    if array.null_count:
        state[~text.valid_rows(array)] = text.NULL
    if floats is not None:
        state[np.isnan(floats)] = text.NULL
    return state


def _of_kind(match: ColumnMatch, array: pa.Array, settings: Settings, wanted: bool) -> Clean:
    """Turn one of their columns that is no amount into ours."""
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
    if given.id in INTEGERS and free(match) and not settings.placeholders:
        return text.as_text(array), None  # digits: nothing to trim, to measure or to judge
    if kind == "flag" and given.id in INTEGERS and not array.null_count:
        ones = text.view(array, given.to_pandas_dtype())
        if not np.count_nonzero(ones | 1 != 1):  # nothing but 0 and 1, as in every file of numbers
            bits = pa.py_buffer(np.packbits(ones != 0, bitorder="little"))
            return pa.Array.from_buffers(ARROW[kind], len(ones), [None, bits]), None
    if kind == "time" and (pa.types.is_timestamp(given) or pa.types.is_date(given)):
        return _times(*times.from_typed(array, settings.zone))
    counts = kind == "time" and (pa.types.is_integer(given) or pa.types.is_floating(given))
    if counts and (step := _step(match, settings)):
        count = array.cast(pa.float64(), safe=False).fill_null(0).to_numpy(zero_copy_only=False)
        valid = text.valid_rows(array)
        return _times(*steps.from_counts(count, valid, step, settings.epoch, settings.zone))
    if kind == "number" and (pa.types.is_integer(given) or pa.types.is_floating(given)):
        values = array.cast(pa.float64(), safe=False)
        plain = values.fill_null(0).to_numpy(zero_copy_only=False)
        state = np.where(np.isfinite(plain), text.OK, numbers.NOT_A_NUMBER).astype(np.int8)
        state[np.isnan(plain) | ~text.valid_rows(array)] = text.NULL
        return _range(column, _array(plain, state, kind), plain, state)
    if kind == "integer" and pa.types.is_integer(given) and given != pa.uint64():
        values = array.cast(pa.int64())
        plain = values.fill_null(0).to_numpy(zero_copy_only=False)
        return _range(column, values, plain, _given(array))
    if pa.types.is_floating(given) and kind not in ("number", "integer"):
        array = pc.if_else(pc.is_nan(array), None, array)  # a frame's word for "missing"
    return _from_text(match, array, settings, wanted)


@lru_cache(maxsize=64)
def _nothing(kind: pa.DataType, rows: int) -> pa.Array:
    """A column without any value; arrays never change, so one serves all batches of a size."""
    return pa.nulls(rows, kind)


def _from_text(match: ColumnMatch, array: pa.Array, settings: Settings, wanted: bool) -> Clean:
    """Parse and check what is text, or has no shorter way than by its text."""
    column = match.column
    array, undecoded = _decoded(column, array)
    found = text.scan(array, column.max_bytes)
    if column.type == "text" and found.literals():
        found = text.scan(literals.undo_all(found), column.max_bytes)
    found = without_placeholders(found, column, settings.placeholders)
    ours, faults = _parsed(match, found, settings)
    if wanted and not column.may_be_blank and found.has(text.BLANK):
        faults = np.zeros(len(array), np.int8) if faults is None else faults
        faults[found.state == text.BLANK] = CODE["blank_label"]
    if undecoded is not None:
        faults = np.zeros(len(array), np.int8) if faults is None else faults
        faults[undecoded] = CODE["bad_encoding"]
    return ours, faults


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


def _parsed(match: ColumnMatch, found: text.Scan, settings: Settings) -> Clean:
    """Turn trimmed text into the column's type."""
    column, kind = match.column, match.column.type
    if kind == "time":
        moments, state = times.parse(found, settings.date_order, settings.zone)
        if step := _step(match, settings):
            moments, state = steps.from_text(found, moments, state, step, settings.epoch, settings.zone)
        return _times(moments, _missing(match, found, state))
    if kind == "number":
        values, state = numbers.numbers(found, settings.decimal)
        state = _missing(match, found, state)
        return _range(column, _array(values, state, kind), values, state)
    if kind == "integer":
        wholes, state = numbers.integers(found, settings.decimal)
        state = _missing(match, found, state)
        return _range(column, _array(wholes, state, kind), wholes, state)
    ours = found.trimmed()
    faults = None
    if found.has(text.TOO_LONG) or found.has(text.NUL_BYTE):
        faults = _REASON[found.state]
    if kind == "flag" or match.money or column.listed():
        ours, unfit = each(ours, match.parse, column.arrow)
        if unfit is not None:
            faults = unfit if faults is None else np.where(faults != 0, faults, unfit)
    return ours, faults


def _step(match: ColumnMatch, settings: Settings) -> int:
    """Return the microseconds of what a time counts: by the setting, else by the make of the file, else 0."""
    return durations.parse(settings.step) if settings.step else match.step


def _missing(match: ColumnMatch, found: text.Scan, state: Codes) -> Codes:
    """Let what could not be parsed be null where it is the column's word for "missing"."""
    if match.column.nulls and len(state) and state.max() > text.NULL:
        for i in np.flatnonzero((found.state == text.OK) & (state > text.NULL)).tolist():
            if match.parse(found.text(i))[0] is None:
                state[i] = text.NULL
    return state


def _array(values: npt.NDArray[np.int64] | npt.NDArray[np.float64], state: Codes, kind: Kind) -> pa.Array:
    """Build the Arrow column; what is not OK is null."""
    bits = pa.py_buffer(np.packbits(state == text.OK, bitorder="little")) if np.count_nonzero(state) else None
    return pa.Array.from_buffers(ARROW[kind], len(values), [bits, pa.py_buffer(values)])


def _times(moments: npt.NDArray[np.int64], state: Codes) -> Clean:
    return _array(moments, state, "time"), _REASON[state] if (state == times.BAD).any() else None


def _range(
    column: Column, array: pa.Array, values: npt.NDArray[np.int64] | npt.NDArray[np.float64], state: Codes
) -> Clean:
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
