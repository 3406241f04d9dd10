"""Records that were read apart, each group by its own schema or shape, brought back into their order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.connectors.render import text

__all__ = ["Part", "join_parts"]


class Part(NamedTuple):
    """Some of the records: int64 (records,), which they are, ascending, and their columns by name."""

    places: NDArray[np.int64]
    columns: dict[str, pa.Array]


def join_parts(
    parts: Sequence[Part], names: Iterable[str] | None = None
) -> tuple[pa.RecordBatch, NDArray[np.int64]]:
    """Return the records of all parts in their order as one batch, and which they are.

    names: the columns wanted, None for all as the parts bring them. A column that a part lacks is null there;
    one that has several types is text, as in a file without types. Without any column the batch has its rows
    all the same.

    >>> parts = [Part(np.array([0, 2]), {"a": pa.array(["x", "z"])}), Part(np.array([1]), {})]
    >>> batch, places = join_parts(parts)
    >>> batch.to_pydict(), places.tolist()
    ({'a': ['x', None, 'z']}, [0, 1, 2])
    """
    if names is None:
        names = dict.fromkeys(name for part in parts for name in part.columns)
    order = None
    if len(parts) == 1:
        places = parts[0].places
    else:
        places = np.concatenate([np.empty(0, np.int64), *(part.places for part in parts)])
        sorting = np.argsort(places, kind="stable")
        places, order = places[sorting], pa.array(sorting)
    arrays = {name: _column(name, parts) for name in names}
    if not arrays:
        return pa.RecordBatch.from_struct_array(pa.array([{}] * len(places), pa.struct([]))), places
    batch = pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays))
    return batch if order is None else batch.take(order), places


def _column(name: str, parts: Sequence[Part]) -> pa.Array:
    """Put the arrays of a column one after the other, with nulls for the records of a part that lacks it."""
    arrays = [part.columns.get(name) for part in parts]
    if len(arrays) == 1 and arrays[0] is not None:
        return arrays[0]
    types = {array.type for array in arrays if array is not None} - {pa.null()}
    kind = types.pop() if len(types) == 1 else pa.string()
    if types:
        arrays = [array if array is None else text(array) for array in arrays]
    whole = [
        pa.nulls(len(part.places), kind) if array is None or pa.types.is_null(array.type) else array
        for array, part in zip(arrays, parts, strict=True)
    ]
    return whole[0] if len(whole) == 1 else pa.concat_arrays(whole)
