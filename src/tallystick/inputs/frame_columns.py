"""Columns of frames and lists of mappings as Arrow: one odd cell makes its row a broken record, no more."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.connectors.chunk import Broken, shorten
from tallystick.connectors.encoding import from_windows
from tallystick.connectors.render import is_nested, plain, text
from tallystick.errors import DataError

__all__ = ["FrameRows", "frame_rows", "mapping_rows"]

# What Arrow raises for a column of several kinds of values depends on the kinds; half a character is a
# ValueError.
_MIXED = (pa.ArrowException, TypeError, ValueError, OverflowError)
_NOTHING = ("NAType", "NaTType")  # of pandas, which may not be there to ask
# Beyond, a float is no whole number that was meant.
_WHOLE = 2.0**53


@dataclass(frozen=True)
class FrameRows:
    """Rows of a frame: `records` (int64) counts from 1, the numbers missing in it stand in `broken`."""

    table: pa.Table
    records: NDArray[np.int64]
    broken: tuple[Broken, ...]


def frame_rows(
    names: Iterable[Any], columns: Iterable[tuple[Callable[[], Any], Callable[[], Any]]]
) -> FrameRows:
    """Put columns together; each is given by what makes Arrow of it, and what gives its cells one by one.

    A cell of another kind than the others makes text of its column; what is no text breaks its row. Raises
    DataError where two columns have one name.
    """
    titles = [str(name) for name in names]
    doubled = [name for name, count in Counter(titles).items() if count > 1]
    if doubled:
        listed = ", ".join(f'"{name}"' for name in doubled)
        raise DataError(f"The frame has the column {listed} more than once.", "Rename or remove one.")
    arrays: list[pa.ChunkedArray | pa.Array] = []
    odd: dict[int, Broken] = {}
    for title, (whole, cells) in zip(titles, columns, strict=True):
        try:
            arrays.append(_as_found(whole()))
        except _MIXED:
            arrays.append(_text_column(title, cells(), odd))
    table = pa.table(dict(zip(titles, arrays, strict=True)))
    records = np.arange(1, len(table) + 1, dtype=np.int64)
    if not odd:
        return FrameRows(table, records, ())
    stays = ~np.isin(records, list(odd))
    return FrameRows(table.filter(pa.array(stays)), records[stays], tuple(odd[n] for n in sorted(odd)))


def mapping_rows(rows: Sequence[Mapping[str, Any]]) -> FrameRows:
    """Put mappings together as rows; a name that a mapping lacks is null there.

    >>> found = mapping_rows([{"id": 1}, {"id": "A2", "text": "x"}])
    >>> found.table.to_pylist()
    [{'id': '1', 'text': None}, {'id': 'A2', 'text': 'x'}]
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = [[row.get(name) for row in rows] for name in names]
    return frame_rows(names, [(partial(pa.array, column), partial(list, column)) for column in columns])


def _as_found(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Give plain types: nested values as JSON."""
    whole = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if isinstance(whole, pa.ChunkedArray):  # of no chunk at all
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], whole.type)
    return text(plain(whole)) if is_nested(whole.type) else whole


def _text_column(name: str, cells: Iterable[Any], odd: dict[int, Broken]) -> pa.Array:
    """Write the cells of a column as text; add to `odd` those that are none."""
    values: list[str | None] = []
    for record, cell in enumerate(cells, 1):
        try:
            value = _cell_text(cell)
            if value is not None:
                value.encode()
        except UnicodeEncodeError:
            value, message = None, "The cell holds half a character."
            odd.setdefault(record, Broken(record, "bad_encoding", name, shorten(str(cell)), message))
        except TypeError:
            value, message = None, f"A {type(cell).__name__} is no value of a table."
            odd.setdefault(record, Broken(record, "not_a_value", name, shorten(repr(cell)), message))
        values.append(value)
    return pa.array(values, pa.string())


def _cell_text(cell: Any) -> str | None:
    """Write one cell as a CSV would hold it, None for nothing; TypeError for what no table holds."""
    if isinstance(cell, np.generic):
        cell = cell.item() if not isinstance(cell, np.datetime64) else str(cell)
    if cell is None or type(cell).__name__ in _NOTHING:
        return None
    if isinstance(cell, str):
        return str(cell)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        if cell != cell:
            return None
        return str(int(cell)) if cell.is_integer() and abs(cell) < _WHOLE else repr(cell)
    if isinstance(cell, int | Decimal):
        return str(cell)
    if isinstance(cell, date | time):  # a datetime is a date
        return cell.isoformat()
    if isinstance(cell, bytes):
        try:
            return cell.decode()
        except UnicodeDecodeError:
            return from_windows(cell)
    if isinstance(cell, dict | list | tuple):
        return json.dumps(cell, ensure_ascii=False, default=_cell_text)
    raise TypeError(type(cell).__name__)
