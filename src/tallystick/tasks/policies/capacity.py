"""Capacity: act on the highest scores, up to the share of rows that there is capacity for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tallystick.config import Settings
from tallystick.evaluation import Thresholds
from tallystick.models.scores import Scores
from tallystick.tasks.dataset import HeldOut
from tallystick.tasks.policies.base import Codes, Floats

__all__ = ["Capacity", "FittedCapacity"]


@dataclass(frozen=True)
class Capacity:
    """Act from the score on above which the wanted share of held-out rows lies.

    share: the default of the setting `capacity`. It is a function of one row: an exact list of the highest n
    is work on decisions, and changes none.
    """

    share: float = 0.1
    actions: tuple[str, str] = ("skip", "call")
    needs_person: frozenset[str] = frozenset()
    kind: ClassVar[str] = "capacity"

    def fit(self, held: HeldOut, scores: Scores, settings: Settings) -> FittedCapacity:  # noqa: ARG002
        """Choose the score on all held-out rows, whether or not their answer is known."""
        share = self.share if settings.capacity is None else settings.capacity
        ranked = np.sort(scores.score[~np.isnan(scores.score)])
        count = round(share * len(ranked))
        return FittedCapacity(float(ranked[len(ranked) - count]) if count else None, share)

    def load(self, description: Mapping[str, Any]) -> FittedCapacity:
        """Return the threshold that `describe` kept."""
        return FittedCapacity(description["threshold"], description["share"])

    def refit(
        self,
        description: Mapping[str, Any],
        held: HeldOut,
        scores: Scores,
        settings: Settings,
    ) -> FittedCapacity | None:
        """Choose anew where the settings name another share."""
        if settings.capacity in (None, description["share"]):
            return None
        return self.fit(held, scores, settings)


@dataclass(frozen=True)
class FittedCapacity:
    """Act from `threshold` on, None: never; share: of rows, that was wanted.

    >>> FittedCapacity(0.5, 0.1).act(np.array([0.4, 0.5])).tolist()
    [0, 1]
    """

    threshold: float | None
    share: float
    unsure: ClassVar[int] = 0

    @property
    def thresholds(self) -> Thresholds | None:
        """The threshold, as reports of events have it."""
        return Thresholds(self.threshold, None, review_wanted=f"capacity={self.share:g}")

    def act(self, score: Floats, label: Codes | None = None) -> Codes:  # noqa: ARG002 - as all policies
        """Return 1 for the highest scores, else 0."""
        return (score >= (np.inf if self.threshold is None else self.threshold)).astype(np.int64)

    def yes(self, score: Floats, action: Codes) -> Codes:  # noqa: ARG002 - as all policies
        """Say yes where something is done."""
        return action

    def describe(self) -> dict[str, Any]:
        """Return what a manifest keeps."""
        return {"kind": Capacity.kind, "threshold": self.threshold, "share": self.share}
