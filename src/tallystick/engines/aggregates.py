"""Aggregates of rows by key from exact partial results, so that every engine gives the same bits.

What is added up is whole numbers in two words (high * 2^32 + low), whose sums are exact for 2^31 rows; a
float64 is made once, at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    import narwhals as nw  # which a start does not need

__all__ = ["aggregate", "finish", "words"]

_LOW = (1 << 32) - 1


def words(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return whole numbers as high and low words of 32 bits.

    >>> [word.to_pylist() for word in words(pa.array([5, -1, None]))]
    [[0, -1, None], [5, 4294967295, None]]
    """
    values, mask = column.fill_null(0).to_numpy(), column.is_null().to_numpy(zero_copy_only=False)
    return pa.array(values >> 32, mask=mask), pa.array(values & _LOW, mask=mask)


def aggregate(frame: nw.LazyFrame[Any], wanted: Mapping[str, tuple[str, str]]) -> nw.LazyFrame[Any]:
    """Aggregate rows by key into partial results, one row for each key.

    frame: `key` (no nulls), `place` (int64, each once, rising in the order that `first` and `last` mean), the
    columns, and for what is added up `COLUMN.high` and `COLUMN.low`; wanted: name → function and column.
    """
    import narwhals as nw

    made: dict[str, Any] = {}
    for function, column in wanted.values():
        one = nw.col(column) if column else nw.len()
        if function == "count":
            made[f"count {column}"] = one.count() if column else one
        elif function == "distinct":
            made[f"distinct {column}"] = one.n_unique()
            made[f"nulls {column}"] = one.null_count()
        elif function in ("sum", "mean"):
            made[f"high {column}"] = nw.col(f"{column}.high").sum()
            made[f"low {column}"] = nw.col(f"{column}.low").sum()
            made[f"count {column}"] = one.count()
        elif function in ("first", "last"):
            made[function] = nw.col("place").min() if function == "first" else nw.col("place").max()
        else:
            made[f"{function} {column}"] = one.min() if function == "min" else one.max()
    return frame.group_by("key").agg(**made).sort("key")


def finish(
    partial: pa.Table, rows: pa.Table, wanted: Mapping[str, tuple[str, str]], scales: Mapping[str, float]
) -> pa.Table:
    """Make aggregates of partial results, one row for each key, in the order of `wanted`.

    rows: those that were aggregated, in the order of `place`; scales: what some of them are divided by.
    """
    columns = {"key": partial.column("key").combine_chunks()}
    for name, (function, column) in wanted.items():
        made = _made(partial, rows, function, column)
        columns[name] = pc.divide(made.cast(pa.float64()), scales[name]) if name in scales else made
    return pa.table(columns)


def _made(partial: pa.Table, rows: pa.Table, function: str, column: str) -> pa.Array:
    def part(name: str) -> Any:
        return partial.column(name).combine_chunks()

    if function == "count":
        return part(f"count {column}").cast(pa.int64())
    if function == "distinct":
        some = pc.greater(part(f"nulls {column}"), 0).cast(pa.int64())  # null counts as one of them
        return pc.subtract(part(f"distinct {column}").cast(pa.int64()), some)
    if function in ("first", "last"):
        return rows.column(column).combine_chunks().take(part(function))
    if function in ("min", "max"):
        return part(f"{function} {column}")
    high, low = (part(f"{word} {column}").fill_null(0).to_numpy() for word in ("high", "low"))
    total = (high + (low >> 32)).astype(np.float64) * 2.0**32 + (low & _LOW).astype(np.float64)
    if function == "sum":
        return pa.array(total)
    count = part(f"count {column}").cast(pa.int64()).to_numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        return pa.array(total / count, mask=count == 0)
