"""Measures: figures that only one solution knows, for its reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tallystick.evaluation.scored_rows import ScoredRows

__all__ = ["Measure", "Measured"]


class Measured(Protocol):
    """A measure of some scored rows, prepared once, so that resamples only need weights."""

    @property
    def resamples(self) -> bool:
        """Whether a resample of the rows' groups can be measured, for an interval."""

    def value(self, times: NDArray[np.int64] | None = None) -> float:
        """Return the figure where row i counts `times[i]` times (int64, once each by default)."""

    def by_day(self) -> Mapping[int, float]:
        """Return the figure of each day by its day number."""


class Measure(Protocol):
    """A figure beside those that every binary report has."""

    @property
    def name(self) -> str:
        """The figure's key in a report."""

    @property
    def daily(self) -> str:
        """Its key in the figures over time."""

    @property
    def title(self) -> str:
        """What people call it."""

    def on(self, rows: ScoredRows) -> Measured | None:
        """Prepare the measure on scored rows; None where it is not defined for them."""
