"""Operations on batches that all steps of a stream share, quick for few rows and the same for many.

A stream that is not busy takes, checks and scores a few records at a time: a copy of one batch, a filter that
keeps all rows or a dictionary of ten values would cost more than the step itself. What avoids that stands
here, once; each function gives the same for any number of batches and rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["FEW", "encode", "filter_rows", "join_arrays", "join_batches", "join_numbers"]

#: Rows up to which looking at each value is quicker than array work.
FEW: Final = 64


def join_batches(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Put batches of one schema one after the other; at least one.

    >>> join_batches([pa.record_batch({"a": [1]}), pa.record_batch({"a": [2]})]).to_pydict()
    {'a': [1, 2]}
    """
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)


def join_arrays(arrays: Sequence[pa.Array]) -> pa.Array:
    """Put arrays of one type one after the other; at least one.

    >>> join_arrays([pa.array(["x"]), pa.array(["y"])]).to_pylist()
    ['x', 'y']
    """
    return arrays[0] if len(arrays) == 1 else pa.concat_arrays(arrays)


def join_numbers(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Put arrays of numbers one after the other; at least one. The only one is given as it is.

    >>> join_numbers([np.array([1]), np.array([2])]).tolist()
    [1, 2]
    """
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def filter_rows(
    wanted: NDArray[np.bool_], rows: pa.RecordBatch, ids: pa.Array, *numbers: NDArray[Any]
) -> tuple[Any, ...]:
    """Keep some rows of a batch, of their names and of what goes with them.

    >>> rows, ids = filter_rows(np.array([False, True]), pa.record_batch({"a": [1, 2]}), pa.array(["x", "y"]))
    >>> rows.to_pydict(), ids.to_pylist()
    ({'a': [2]}, ['y'])
    """
    if wanted.all():
        return rows, ids, *numbers
    mask = pa.array(wanted)
    return rows.filter(mask), ids.filter(mask), *(array[wanted] for array in numbers)


def encode(column: pa.Array) -> tuple[list[Any], NDArray[np.int64]]:
    """Return the different values of a column, in no promised order, and which of them each row has.

    A null is a value: None. The codes are int64 (rows,) and nobody else's.

    >>> encode(pa.array(["no", "yes", "no"]))
    (['no', 'yes'], array([0, 1, 0]))
    """
    if len(column) <= FEW:
        places: dict[Any, int] = {}
        codes = [places.setdefault(value, len(places)) for value in column.to_pylist()]
        return list(places), np.array(codes, np.int64)
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    values, indices = column.dictionary.to_pylist(), column.indices
    if indices.null_count:
        indices = indices.fill_null(len(values)) if len(values) else pa.repeat(0, len(column))
        values = [*values, None]
    return values, indices.to_numpy(zero_copy_only=False).astype(np.int64)
