"""A split of a solution's own, such as a published protocol that figures are compared by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tallystick.tasks.dataset import Dataset, Truth

__all__ = ["Fold", "Split", "SplitMaker"]


@dataclass(frozen=True)
class Fold:
    """Rows to learn from and rows to test.

    train, test: int64 row numbers; as_of: the moment that the learner knows labels up to, microseconds, None
    for all; answers: float64 (train,), the answers of the training rows as the protocol has them known.
    """

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    as_of: int | None = None
    answers: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Split:
    """Folds that are each learned from scratch, and how they came about, in plain values for a report."""

    folds: tuple[Fold, ...]
    described: Mapping[str, Any] = field(default_factory=dict)


class SplitMaker(Protocol):
    """Makes a split of rows."""

    def __call__(self, dataset: Dataset, truth: Truth, start: int | None) -> Split:
        """Cut rows into folds; start: the moment from which on rows are tested, microseconds, None: its own.

        Raises DataError where the rows do not allow it, UsageError where the start does not.
        """
