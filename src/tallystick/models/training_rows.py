"""The rows that a model was trained on, known by hashes, so that they and their near copies are
recognised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_KNOWN", "NEW", "UNKNOWN", "TrainingRows"]

MOST_KNOWN = 4_000_000  # training rows that a bundle knows again; 64 MB of two hashes each
NEW, UNKNOWN = -1, -2

Keys = NDArray[np.uint64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class TrainingRows:
    """Hashes of training rows, as `Features.copy_keys` makes them.

    keys: uint64 (kept rows, levels), the closest likeness first; row: int64 (kept rows,), where each stands
    among the training rows; below: only rows whose last hash lies below were kept, None: all were.
    """

    keys: Keys
    row: Ints
    below: int | None = None

    @classmethod
    def of(cls, keys: Keys, most: int = MOST_KNOWN) -> TrainingRows:
        """Keep the hashes of training rows; of more than `most` those whose last one is lowest.

        Near copies then stay or go together, and which rows stay is as good as by chance.
        """
        if len(keys) <= most:
            return cls(keys, np.arange(len(keys)))
        last = keys[:, -1]
        below = int(np.partition(last, most)[most])
        row = np.flatnonzero(last < np.uint64(below))
        return cls(keys[row], row, below)

    def find(self, keys: Keys) -> Ints:
        """Return of which training row each row is a copy, int64 (rows,): the likest one, and the first of
        these.

        NEW: of none; UNKNOWN: it may be one that was not kept. Of levels that one side lacks nothing is
        compared.

        >>> known = TrainingRows.of(np.array([[1, 7], [2, 7]], np.uint64))
        >>> known.find(np.array([[2, 7], [3, 7], [4, 8]], np.uint64)).tolist()
        [1, 0, -1]
        """
        found = np.full(len(keys), NEW, np.int64)
        for level, (values, order) in enumerate(self._sorted):
            if level >= keys.shape[1] or not len(values):
                break
            open_ = np.flatnonzero(found == NEW)
            wanted = keys[open_, level]
            at = np.minimum(np.searchsorted(values, wanted), len(values) - 1)
            same = values[at] == wanted
            found[open_[same]] = self.row[order[at[same]]]
        if self.below is not None:
            level = min(keys.shape[1], self.keys.shape[1]) - 1
            found[(found == NEW) & (keys[:, level] >= np.uint64(self.below))] = UNKNOWN
        return found

    @cached_property
    def _sorted(self) -> list[tuple[Keys, Ints]]:
        """The hashes of each level in their order, and which row each is of."""
        orders = [np.argsort(column, kind="stable") for column in self.keys.T]
        return [(column[order], order) for column, order in zip(self.keys.T, orders, strict=True)]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a bundle keeps."""
        kept: dict[str, NDArray[Any]] = {"copies": self.keys, "copies_row": self.row}
        return kept if self.below is None else {**kept, "copies_below": np.array([self.below], np.uint64)}

    @classmethod
    def load(cls, arrays: Mapping[str, NDArray[Any]]) -> TrainingRows:
        """Return what `arrays` kept; KeyError where there is nothing."""
        below = arrays.get("copies_below")
        return cls(arrays["copies"], arrays["copies_row"], None if below is None else int(below[0]))
