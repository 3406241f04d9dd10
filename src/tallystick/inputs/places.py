"""Where rows were found in an input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["RowPlaces"]


@dataclass(frozen=True)
class RowPlaces:
    """Where rows were found: the number of a file's name (int32), and the record in it (int64)."""

    files: tuple[str, ...]
    file: NDArray[np.int32]
    record: NDArray[np.int64]

    @classmethod
    def joined(cls, places: Sequence[RowPlaces]) -> RowPlaces:
        """Put places one after the other."""
        files = tuple(dict.fromkeys(name for place in places for name in place.files))
        number = {name: i for i, name in enumerate(files)}
        codes = [np.array([number[name] for name in place.files], np.int32)[place.file] for place in places]
        none = np.zeros(0, np.int32), np.zeros(0, np.int64)
        return cls(
            files,
            np.concatenate([none[0], *codes]),
            np.concatenate([none[1], *(place.record for place in places)]),
        )

    def filter(self, stays: NDArray[np.bool_]) -> RowPlaces:
        """Return some of the places."""
        return RowPlaces(self.files, self.file[stays], self.record[stays])

    def names(self) -> pa.Array:
        """Return each as NAME:N, which is what a row without a key is called."""
        files = pa.array(self.files, pa.string()).take(pa.array(self.file))
        return pc.binary_join_element_wise(files, pa.array(self.record).cast(pa.string()), ":")
