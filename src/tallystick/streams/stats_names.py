"""A column of few names as names and codes, quick where nearly all rows say the same."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.streams.batches import encode

__all__ = ["LONG", "NONE", "EncodedNames", "encode_names", "short"]

#: What stands for a name that is null.
NONE = "(none)"
LONG = 200  # letters of a name, an id, a note
MANY = 1_000  # rows from which on it pays to find those that differ from the usual
LOOKED = 32  # rows that say whether one name stands in nearly all of them
NEARLY = 8  # at most one row in so many says otherwise


class EncodedNames(NamedTuple):
    """Names, and which of them each row has.

    codes: of all rows, or of those at `places` only; all others have the first name.

    >>> seen = encode_names(pa.array(["no", "yes", "no"]))
    >>> seen.names, seen.counts().tolist(), seen.where(np.array([False, True])).tolist()
    (['no', 'yes'], [2, 1], [1])
    """

    names: list[str]
    rows: int
    codes: NDArray[np.int64]
    places: NDArray[np.int64] | None = None

    def counts(self) -> NDArray[np.int64]:
        """Count the rows of each name."""
        counts: NDArray[np.int64] = np.bincount(self.codes, minlength=len(self.names))
        if self.places is not None:
            counts[0] += self.rows - len(self.places)
        return counts

    def where(self, wanted: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Find the rows whose name is wanted: bool, one for each name."""
        if self.places is not None and not wanted[0]:
            return self.places[wanted[self.codes]]
        return np.flatnonzero(wanted[self.full()])

    def full(self) -> NDArray[np.int64]:
        """Return the code of each row."""
        if self.places is None:
            return self.codes
        codes = np.zeros(self.rows, np.int64)
        codes[self.places] = self.codes
        return codes


def encode_names(column: pa.Array) -> EncodedNames:
    """Look at a column of strings.

    >>> encode_names(pa.array(["a"] * 99 + [None])).names
    ['a', '(none)']
    """
    rows = len(column)
    if rows > MANY:
        looked = column.slice(0, LOOKED).to_pylist()
        usual = max(set(looked), key=looked.count)
        if usual is not None and looked.count(usual) * NEARLY >= LOOKED * (NEARLY - 1):
            same = pc.fill_null(pc.equal(column, pa.scalar(usual)), False)
            if (rows - same.true_count) * NEARLY <= rows:
                places = np.flatnonzero(~same.to_numpy(zero_copy_only=False))
                names, codes = encode(column.take(pa.array(places)))
                return EncodedNames(_named([usual, *names]), rows, codes + 1, places)
    names, codes = encode(column)
    return EncodedNames(_named(names), rows, codes)


def short(text: str) -> str:
    """Cut what is too long to be shown, or kept."""
    return text if len(text) <= LONG else text[: LONG - 1] + "…"


def _named(names: list[str | None]) -> list[str]:
    return [NONE if name is None else short(name) for name in names]
