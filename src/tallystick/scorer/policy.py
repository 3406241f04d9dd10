"""When a decision is taken without a person: from a score that was right often enough on unseen rows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.evaluation import Coverage

__all__ = ["Abstention", "aim", "choose"]

ACCURACY = 0.95


@dataclass(frozen=True, slots=True)
class Abstention:
    """Decide from a score up; below it a person decides.

    threshold: None when no score is sure enough; automation and accuracy: what it gave on out-of-fold scores.
    """

    threshold: float | None
    automation: float
    accuracy: float | None
    wanted: str

    def automatic(self, score: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say which rows are decided without a person."""
        return score >= (np.inf if self.threshold is None else self.threshold)

    def to_dict(self) -> dict[str, Any]:
        """Return it for a manifest."""
        return asdict(self)


def choose(score: NDArray[np.float64], right: NDArray[np.bool_], settings: Settings) -> Abstention:
    """Choose the threshold for the wanted accuracy, or for the wanted share of automation when that is set.

    score: out-of-fold probability of the label; right: whether the label was true.
    """
    coverage = Coverage.of(score, right)
    wanted = aim(settings)
    threshold = coverage.threshold_for(**wanted)
    outcome = coverage.outcome(threshold)
    (name, value), *_ = wanted.items()
    return Abstention(threshold, outcome["automation"], outcome["accuracy"], f"{name} {value:g}")


def aim(settings: Settings) -> dict[str, float]:
    """Return what is wanted of decisions without a person: `automation` where that is set, else `accuracy`.

    >>> aim(Settings())
    {'accuracy': 0.95}
    """
    if settings.automation is not None:
        return {"automation": settings.automation}
    return {"accuracy": ACCURACY if settings.accuracy is None else settings.accuracy}
