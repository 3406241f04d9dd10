"""Abstention: decide where the label is sure enough, and leave the rest to a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from tallystick.config import Settings
from tallystick.evaluation import Coverage, Thresholds
from tallystick.evaluation.automation import FLOOR, automation_thresholds
from tallystick.models.scores import Scores
from tallystick.tasks.dataset import HeldOut
from tallystick.tasks.policies.base import Codes, Floats, yes_from_half

__all__ = ["Abstain", "Abstention", "coverage_target"]

ACCURACY = 0.95
WISHES = ("accuracy", "accuracy_by", "automation")


def coverage_target(settings: Settings) -> dict[str, Any]:
    """Return what is wanted of automatic decisions: `automation` where that is set, else `accuracy`.

    accuracy_by: `class` where each class is to be as accurate as that, `all` where .9 is enough in a class.

    >>> coverage_target(Settings())
    {'accuracy': 0.95, 'accuracy_by': 'all'}
    """
    if settings.automation is not None:
        return {"automation": settings.automation}
    accuracy = ACCURACY if settings.accuracy is None else settings.accuracy
    return {"accuracy": accuracy, "accuracy_by": settings.accuracy_by or "all"}


@dataclass(frozen=True)
class Abstain:
    """Decide automatically from a score on, of each class by itself; below it a person decides."""

    actions: tuple[str, str] = ("auto", "review")
    kind: ClassVar[str] = "abstain"

    @property
    def needs_person(self) -> frozenset[str]:
        """The second action."""
        return frozenset(self.actions[1:])

    def fit(self, held: HeldOut, scores: Scores, settings: Settings) -> Abstention:
        """Choose the scores that give the wanted accuracy, or the wanted share of automation."""
        assert scores.label is not None
        known = ~np.isnan(held.truth)
        wanted = coverage_target(settings)
        score, label = scores.score[known], scores.label[known]
        right = label == held.truth[known]
        by_class: list[float | None] | None = None
        if "automation" in wanted:
            threshold = Coverage.of(score, right).threshold_for(automation=wanted["automation"])
        else:
            aim = wanted["accuracy"]
            threshold, by_class = automation_thresholds(
                score,
                label,
                right,
                scores.values.shape[1],
                accuracy=aim,
                floor=aim if wanted["accuracy_by"] == "class" else FLOOR,
                groups=None if held.groups is None else held.groups[known],
            )
        own = None if by_class is None else tuple(by_class)
        said = _words(wanted)
        taken = Abstention(threshold, 0.0, None, said, own).act(score, label) == 0
        accuracy = float(right[taken].mean()) if taken.any() else None
        return Abstention(threshold, float(taken.mean()), accuracy, said, own)

    def load(self, description: Mapping[str, Any]) -> Abstention:
        """Return the policy that `describe` kept."""
        kept = {name: value for name, value in description.items() if name != "kind"}
        by_class = kept.pop("by_class")
        return Abstention(**kept, by_class=None if by_class is None else tuple(by_class))

    def refit(
        self, description: Mapping[str, Any], held: HeldOut, scores: Scores, settings: Settings
    ) -> Abstention | None:
        """Choose anew where the settings wish for it; what they do not name stays as it was wished for."""
        if all(getattr(settings, name) in (None, "") for name in WISHES):
            return None
        return self.fit(held, scores, with_wishes(self.load(description).wishes, settings))


def _words(wanted: Mapping[str, Any]) -> str:
    """Write what is wanted; `Abstention.wishes` reads it.

    >>> _words({"accuracy": 0.95, "accuracy_by": "all"})
    'accuracy 0.95'
    """
    name, value = next(iter(wanted.items()))
    return f"{name} {value:g}" + " by class" * (wanted.get("accuracy_by") == "class")


def with_wishes(wanted: Mapping[str, Any], settings: Settings) -> Settings:
    """Return settings that wish for what was wanted, where they do not wish for something else themselves."""
    by_accuracy = settings.accuracy is not None or settings.accuracy_by != ""
    if settings.automation is not None or (by_accuracy and "automation" in wanted):
        return settings
    own = {name: getattr(settings, name) for name in WISHES}
    kept = {name: value for name, value in wanted.items() if own[name] in (None, "")}
    return replace(settings, **kept)


@dataclass(frozen=True, slots=True)
class Abstention:
    """Decide from a score on.

    threshold: None when no score is sure enough; automation and accuracy: what it gave on the rows that chose
    it, so a little more than on others; wanted: what was wished for; by_class: the score of each
    class, None where all of its decisions go to a person; None where all classes have the same one.
    """

    threshold: float | None
    automation: float
    accuracy: float | None
    wanted: str
    by_class: tuple[float | None, ...] | None = None

    @property
    def wishes(self) -> dict[str, Any]:
        """What was wished for, as settings.

        >>> Abstention(0.9, 0.6, 0.96, "accuracy 0.95 by class").wishes
        {'accuracy': 0.95, 'accuracy_by': 'class'}
        """
        name, value, *by_class = self.wanted.split()
        found: dict[str, Any] = {name: float(value)}
        return found if name == "automation" else {**found, "accuracy_by": "class" if by_class else "all"}

    @property
    def unsure(self) -> int:
        """A person decides what holds nothing to look at."""
        return 1

    @property
    def thresholds(self) -> Thresholds | None:
        """It has no threshold on an event."""
        return None

    def act(self, score: Floats, label: Codes | None = None) -> Codes:
        """Return 0 where a row is decided automatically, 1 where a person decides."""
        if self.by_class is None or label is None:
            lowest = np.array(np.inf if self.threshold is None else self.threshold)
        else:
            lowest = np.array([np.inf if one is None else one for one in self.by_class])[label]
        action: Codes = 1 - (score >= lowest).astype(np.int64)
        return action

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
            "by_class": None if self.by_class is None else list(self.by_class),
        }
