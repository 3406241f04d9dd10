"""No calibration: the raw score is the score, as an amount is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.models.scores import Scores

__all__ = ["IdentityCalibration"]


@dataclass(frozen=True)
class IdentityCalibration:
    """Passes the only output on.

    >>> IdentityCalibration().apply(np.array([[2.5]])).score.tolist()
    [2.5]
    """

    def apply(self, raw: NDArray[np.float64]) -> Scores:
        """Return raw scores (rows, 1) as they are."""
        return Scores(raw, np.ascontiguousarray(raw[:, 0]))

    def direction(self, scores: Scores) -> None:
        """The only output is explained."""

    def describe(self) -> dict[str, Any]:
        """Nothing was fitted."""
        return {}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Nothing was fitted."""
        return {}
