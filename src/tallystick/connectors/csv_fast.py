"""The fast way through a CSV: a block whose quotes all stand where they should, to Arrow at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from tallystick.connectors.dialect import Dialect

__all__ = ["count_records", "parse", "whole_records"]

_LINE_ENDS = (ord("\n"), ord("\r"))
# The last line end is nearly always among these; beyond, looking at all at once is quicker.
_GAPS = 64


def whole_records(buffer: bytes, dialect: Dialect, last: bool) -> int:
    """Say how many bytes of a buffer that starts at a record are whole, well-formed records; 0 if unsure.

    Quotes are well formed when, counted from the start, each one that opens stands after a delimiter or a
    line end, and each one that closes before one, or two stand together for one. Where that holds every
    reader sees the same fields; elsewhere a quote was left open or stands loose: `csv_careful` judges. So it
    does where a quote may have a backslash before it.
    """
    if dialect.backslash and b"\\" in buffer:
        return 0
    if b"\0" in buffer or buffer.startswith(b"\xef\xbb\xbf"):  # Arrow takes a mark off at every start
        return 0
    array = np.frombuffer(buffer, np.uint8)
    quotes = np.flatnonzero(array == dialect.quote[0])
    end = _last_line_end(buffer, quotes, last)
    quotes = quotes[: np.searchsorted(quotes, end)]
    return end if end and _well_formed(array[:end], quotes, dialect.delimiter[0]) else 0


def _last_line_end(buffer: bytes, quotes: npt.NDArray[np.intp], last: bool) -> int:
    """Find where the last whole record ends, going by the number of quotes before."""
    if last:
        return 0 if len(quotes) % 2 else len(buffer)
    # A carriage return at the very end may be half of a line end.
    end = len(buffer) - 1 if buffer.endswith(b"\r") else len(buffer)
    starts = np.append(0, quotes[1::2] + 1)
    ends = np.append(quotes[::2], [end] if len(quotes) % 2 == 0 else [])
    outside = np.flatnonzero(starts < ends)
    for gap in outside[:-_GAPS:-1]:
        start, stop = int(starts[gap]), int(ends[gap])
        if (found := max(buffer.rfind(b"\n", start, stop), buffer.rfind(b"\r", start, stop))) >= 0:
            return found + 1
    if len(outside) < _GAPS:
        return 0
    lines = np.flatnonzero(np.isin(np.frombuffer(buffer, np.uint8, end), _LINE_ENDS))
    lines = lines[np.searchsorted(quotes, lines) % 2 == 0]
    return int(lines[-1]) + 1 if len(lines) else 0


def _well_formed(block: npt.NDArray[np.uint8], quotes: npt.NDArray[np.intp], delimiter: int) -> bool:
    """Check each quote by its neighbour."""
    if not len(quotes):
        return True
    if len(quotes) % 2:
        return False
    opening, closing = quotes[::2], quotes[1::2]
    before = block[np.maximum(opening - 1, 0)]
    opens = (opening == 0) | (before == delimiter) | np.isin(before, _LINE_ENDS)
    opens[1:] |= opening[1:] == closing[:-1] + 1
    after = block[np.minimum(closing + 1, len(block) - 1)]
    closes = (closing == len(block) - 1) | (after == delimiter) | np.isin(after, _LINE_ENDS)
    closes[:-1] |= closing[:-1] + 1 == opening[1:]
    return bool(opens.all() and closes.all())


def count_records(buffer: bytes, size: int, dialect: Dialect) -> int:
    """Count the records in `size` bytes that `whole_records` found; a blank line is none.

    >>> count_records(b'a,"x\\ny"\\r\\n\\nb,', 12, Dialect())
    2
    """
    array = np.frombuffer(buffer, np.uint8, size)
    ends = np.flatnonzero((array == _LINE_ENDS[0]) | (array == _LINE_ENDS[1]))
    quotes = np.flatnonzero(array == dialect.quote[0])
    if len(quotes):
        ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
    # Between the two characters of one line end, and between two line ends, nothing stands.
    last = int(ends[-1]) if len(ends) else -1
    return int(np.count_nonzero(np.diff(ends, prepend=-1) > 1)) + (last < size - 1)


def parse(buffer: bytes, size: int, columns: Sequence[str], dialect: Dialect) -> pa.Table | None:
    """Turn `size` bytes of whole records into text columns; None for ragged rows, bad UTF-8 or no row.

    >>> parse(b'1,"x, y"\\n2,', 9, ["a", "b"], Dialect()).to_pylist()
    [{'a': '1', 'b': 'x, y'}]
    """
    try:
        return pa.csv.read_csv(
            pa.BufferReader(pa.py_buffer(buffer).slice(0, size)),
            read_options=pa.csv.ReadOptions(
                use_threads=False, block_size=size + 1, column_names=list(columns)
            ),
            parse_options=pa.csv.ParseOptions(
                delimiter=dialect.delimiter.decode(),
                quote_char=dialect.quote.decode(),
                newlines_in_values=True,
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False, check_utf8=True
            ),
        )
    except pa.ArrowException:  # whatever it refuses is for the careful reader to explain
        return None
