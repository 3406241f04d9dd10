"""Abstention: decide where the label is sure enough, and leave the rest to a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tallystick.config import Settings
from tallystick.evaluation import Coverage, Thresholds
from tallystick.models.scores import Scores
from tallystick.tasks.dataset import HeldOut
from tallystick.tasks.policies.base import Codes, Floats, yes_from_half

__all__ = ["Abstain", "Abstention", "coverage_target"]

ACCURACY = 0.95


def coverage_target(settings: Settings) -> dict[str, float]:
    """Return what is wanted of automatic decisions: `automation` where that is set, else `accuracy`.

    >>> coverage_target(Settings())
    {'accuracy': 0.95}
    """
    if settings.automation is not None:
        return {"automation": settings.automation}
    return {"accuracy": ACCURACY if settings.accuracy is None else settings.accuracy}


@dataclass(frozen=True)
class Abstain:
    """Decide automatically from a score on; below it a person decides."""

    actions: tuple[str, str] = ("auto", "review")
    kind: ClassVar[str] = "abstain"

    @property
    def needs_person(self) -> frozenset[str]:
        """The second action."""
        return frozenset(self.actions[1:])

    def fit(self, held: HeldOut, scores: Scores, settings: Settings) -> Abstention:
        """Choose the score that gives the wanted accuracy, or the wanted share of automation."""
        known = ~np.isnan(held.truth)
        assert scores.label is not None
        coverage = Coverage.of(scores.score[known], (scores.label == held.truth)[known])
        wanted = coverage_target(settings)
        threshold = coverage.threshold_for(**wanted)
        outcome = coverage.outcome(threshold)
        (name, value), *_ = wanted.items()
        return Abstention(threshold, outcome["automation"], outcome["accuracy"], f"{name} {value:g}")

    def load(self, description: Mapping[str, Any]) -> Abstention:
        """Return the policy that `describe` kept."""
        return Abstention(**{name: value for name, value in description.items() if name != "kind"})

    def refit(
        self,
        description: Mapping[str, Any],  # noqa: ARG002 - what the settings wish is the whole wish
        held: HeldOut,
        scores: Scores,
        settings: Settings,
    ) -> Abstention | None:
        """Choose anew where the settings wish for an accuracy or a share of automation."""
        if settings.accuracy is None and settings.automation is None:
            return None
        return self.fit(held, scores, settings)


@dataclass(frozen=True, slots=True)
class Abstention:
    """Decide from a score on.

    threshold: None when no score is sure enough; automation and accuracy: what it gave on out-of-fold scores;
    wanted: what was wished for.
    """

    threshold: float | None
    automation: float
    accuracy: float | None
    wanted: str

    @property
    def unsure(self) -> int:
        """A person decides what holds nothing to look at."""
        return 1

    @property
    def thresholds(self) -> Thresholds | None:
        """It has no threshold on an event."""
        return None

    def act(self, score: Floats) -> Codes:
        """Return 0 where a row is decided automatically, 1 where a person decides."""
        sure = score >= (np.inf if self.threshold is None else self.threshold)
        return 1 - sure.astype(np.int64)

    def yes(self, score: Floats, action: Codes) -> Codes:  # noqa: ARG002 - as all policies
        """Say yes from one half on."""
        return yes_from_half(score)

    def describe(self) -> dict[str, Any]:
        """Return what a manifest keeps."""
        return {
            "kind": Abstain.kind,
            "threshold": self.threshold,
            "automation": self.automation,
            "accuracy": self.accuracy,
            "wanted": self.wanted,
        }
