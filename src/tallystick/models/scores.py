"""Calibrated scores of rows, and what turns raw scores of a model into them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Calibrator", "Scores"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """What a calibrated model says of rows.

    values: float64 (rows, outputs), such as the probability of each class; score: float64 (rows,), the one
    number that a decision carries; label: int64 (rows,), the code of the label, None where there is none, or
    where the policy decides it.
    """

    values: Floats
    score: Floats
    label: NDArray[np.int64] | None = None

    def take(self, index: NDArray[np.int64]) -> Scores:
        """Return the scores of some rows."""
        return Scores(
            self.values[index], self.score[index], None if self.label is None else self.label[index]
        )


class Calibrator(Protocol):
    """Turns raw scores into calibrated ones; a row gives the same bits alone and in a batch."""

    def apply(self, raw: Floats) -> Scores:
        """Calibrate raw scores: float64 (rows, outputs)."""

    def direction(self, scores: Scores) -> Floats | None:
        """Return what of the raw outputs is explained, float64 (rows, outputs); None: the only one."""

    def describe(self) -> dict[str, Any]:
        """Return what a manifest keeps."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a bundle keeps."""
