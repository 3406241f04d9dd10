"""Frames as input, and input that cannot be read twice."""

from __future__ import annotations

import inspect
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import narwhals as nw
import pyarrow as pa

from tallystick.connectors import Chunk, Source
from tallystick.connectors.chunk import Broken
from tallystick.connectors.splits import Split
from tallystick.contracts import Report
from tallystick.errors import DataError, DataWarning, UsageError
from tallystick.inputs.frame_columns import FrameRows, frame_rows

__all__ = [
    "BufferedInput",
    "FrameInput",
    "frame_like",
    "rows_of",
    "single_batch",
    "warn_of_missing_rows",
]


class FrameInput:
    """A pandas, Polars or Arrow frame as chunks; its rows are counted from 1 under the name `frame`."""

    notes: Sequence[str] = ()
    names: Sequence[str] = ("frame",)

    def __init__(self, frame: Any, batch_rows: int) -> None:
        self._found, self._batch_rows = rows_of(frame), batch_rows

    small = False

    def splits(self) -> Iterator[Split]:
        """Give it as one split: it lies in memory."""
        yield self

    def refuse_empty(self) -> NoReturn:
        """Raise the DataError for a frame without a row."""
        raise DataError("There is no row in the frame.", "At least one record is wanted.")

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows in order."""
        found, start = self._found, 0
        broken = found.broken
        for batch in found.table.combine_chunks().to_batches(max_chunksize=self._batch_rows):
            yield Chunk(batch, "frame", found.records[start : start + len(batch)], broken)
            start, broken = start + len(batch), ()
        if broken:
            yield Chunk(pa.RecordBatch.from_arrays([], names=[]), "frame", found.records, broken)


def rows_of(frame: Any) -> FrameRows:
    """Turn any frame that Narwhals knows into rows; UsageError for anything else.

    Raises DataError where two columns have one name.
    """
    if nw.dependencies.is_pandas_dataframe(frame):
        series = [frame.iloc[:, place] for place in range(frame.shape[1])]
        return frame_rows(frame.columns, [(partial(pa.Array.from_pandas, one), one.tolist) for one in series])
    if isinstance(frame, (pa.Table, pa.RecordBatch)):
        table = pa.Table.from_batches([frame]) if isinstance(frame, pa.RecordBatch) else frame
        return frame_rows(table.column_names, [(partial(_itself, c), c.to_pylist) for c in table.columns])
    try:
        known = nw.from_native(frame)
    except TypeError:
        raise UsageError(
            f"A {type(frame).__name__} is no input.", "Give a path, or a pandas, Polars or Arrow frame."
        ) from None
    eager = known.collect() if isinstance(known, nw.LazyFrame) else known
    return frame_rows(eager.columns, [(partial(_whole, c), c.to_list) for c in eager.iter_columns()])


def _itself(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column


def _whole(column: Any) -> Any:
    """Make Arrow of a column; TypeError for Python objects, of which Polars would give the addresses."""
    if column.dtype == nw.Object:
        raise TypeError("a column of objects")
    return column.to_arrow()


def frame_like(table: pa.Table, frame: Any, report: Report) -> Any:
    """Turn an Arrow table into the kind of frame that came in; a lazy one comes back lazy.

    Warns with DataWarning where rows of the frame are not in it.
    """
    warn_of_missing_rows(report)
    if isinstance(frame, (pa.Table, pa.RecordBatch)):
        return table
    known = nw.from_native(frame)
    backend = known.implementation
    made = nw.from_arrow(table, backend=backend)
    return nw.to_native(made.lazy() if isinstance(known, nw.LazyFrame) else made)


def warn_of_missing_rows(report: Report) -> None:
    """Warn with DataWarning where rows are in quarantine or duplicates."""
    parts = []
    if report.rows_quarantined:
        reasons = ", ".join(f"{count:,} {code}" for code, count in report.reasons.items())
        parts.append(f"{report.rows_quarantined:,} in quarantine ({reasons})")
    if report.rows_duplicate:
        parts.append(f"{report.rows_duplicate:,} duplicate")
    if parts:
        words = f"Of {report.rows_in:,} rows {' and '.join(parts)}: they are not in the result."
        hint = 'quarantine="bad.jsonl" writes those in quarantine.'
        warnings.warn(f"{words} {hint}", DataWarning, stacklevel=_caller())


def _caller() -> int:
    """Return the stack level of who called this package, as `warnings.warn` wants it."""
    level, frame = 0, inspect.currentframe()
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("tallystick."):
        level, frame = level + 1, frame.f_back
    return level


def single_batch(table: pa.Table, *, wide: bool) -> pa.RecordBatch:
    """Make one batch of a table; wide: text gets offsets that reach beyond 2 GiB."""
    if not len(table):
        return pa.RecordBatch.from_arrays([pa.nulls(0, f.type) for f in table.schema], schema=table.schema)
    if wide:
        fields = [f.with_type(pa.large_string()) if f.type == pa.string() else f for f in table.schema]
        table = table.cast(pa.schema(fields))
    (batch,) = table.combine_chunks().to_batches()
    return batch


class BufferedInput:
    """Standard input, kept on disk as it is read the first time, so that it can be read again."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._kept: list[tuple[Path, str, tuple[Broken, ...]]] = []

    @property
    def notes(self) -> Sequence[str]:
        """What should be said about the input."""
        return self._source.notes

    small = False

    @property
    def names(self) -> Sequence[str]:
        """The name under which its records are counted."""
        return self._source.names

    def splits(self) -> Iterator[Split]:
        """Give it as one split: it is read once, in order."""
        yield self

    def refuse_empty(self) -> NoReturn:
        """Raise the DataError for an input without a record."""
        self._source.refuse_empty()

    def chunks(self) -> Iterator[Chunk]:
        """Yield the records in order."""
        if self._folder is not None:
            for path, name, broken in self._kept:
                with pa.ipc.open_file(path) as file:
                    batch = file.get_batch(0)
                records = batch.column(batch.num_columns - 1).to_numpy()
                yield Chunk(batch.select(range(batch.num_columns - 1)), name, records, broken)
            return
        self._folder = tempfile.TemporaryDirectory(prefix="tallystick-")
        for chunk in self._source.chunks():
            path = Path(self._folder.name, f"{len(self._kept)}.arrow")
            # Positions, not names: a column of the input may be called anything.
            columns = [*chunk.rows.columns, pa.array(chunk.records)]
            names = [*chunk.rows.schema.names, "record"]
            batch = pa.RecordBatch.from_arrays(columns, names=names)
            with pa.ipc.new_file(
                path, batch.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")
            ) as file:
                file.write_batch(batch)
            self._kept.append((path, chunk.name, chunk.broken))
            yield replace(chunk, notes=())  # the source has them
