"""Two thresholds on the score of an event: from one on a person looks, from the other on it is refused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from tallystick.config import Settings
from tallystick.contracts.zones import LATEST
from tallystick.evaluation import Costs, Thresholds, choose_thresholds, days_covered
from tallystick.models.scores import Scores
from tallystick.tasks.dataset import HeldOut
from tallystick.tasks.policies.base import Codes, Floats

__all__ = ["FittedThresholds", "ReviewAndDecline", "costs"]

REVIEW, DECLINE = "false_positive_rate=.005", "precision=.9"


def costs(settings: Settings) -> Costs:
    """Return what mistakes cost, as the settings say."""
    return Costs(review_cost=settings.review_cost, good_declined_share=settings.decline_cost)


@dataclass(frozen=True)
class ReviewAndDecline:
    """A person looks from the review threshold on; from the other threshold on the event is refused.

    actions: the harmless one, the one that a person looks at, the strictest.
    """

    actions: tuple[str, str, str] = ("accept", "review", "decline")
    kind: ClassVar[str] = "thresholds"

    @property
    def needs_person(self) -> frozenset[str]:
        """The second action."""
        return frozenset(self.actions[1:2])

    def fit(self, held: HeldOut, scores: Scores, settings: Settings) -> FittedThresholds:
        """Choose both thresholds as the settings wish, on rows whose answer is known."""
        some = held.usable
        held, score = held.take(some), scores.score[some]
        truth, time, stake = held.truth == 1, held.time, held.stake
        dated = time < LATEST
        if not dated.all():
            # What has no time is of no day; with nothing dated, all is of one.
            kept = dated if dated.any() else ~dated
            truth, score, time = truth[kept], score[kept], np.where(dated, time, 0)[kept]
            stake = None if stake is None else stake[kept]
        return FittedThresholds(
            choose_thresholds(
                truth,
                score,
                days_covered(time, settings.zone) if dated.any() else 1.0,
                stake,
                review=settings.review or REVIEW,
                decline=settings.decline or DECLINE,
                costs=costs(settings),
            )
        )

    def load(self, description: Mapping[str, Any]) -> FittedThresholds:
        """Return the thresholds that `describe` kept."""
        return FittedThresholds(Thresholds.of({n: v for n, v in description.items() if n != "kind"}))

    def refit(
        self, description: Mapping[str, Any], held: HeldOut, scores: Scores, settings: Settings
    ) -> FittedThresholds | None:
        """Choose anew where the settings wish for it; what they do not name stays as it was wished for."""
        if not (settings.review or settings.decline):
            return None
        wishes = replace(
            settings,
            review=settings.review or description["review_wanted"],
            decline=settings.decline or description["decline_wanted"],
        )
        return self.fit(held, scores, wishes)


@dataclass(frozen=True)
class FittedThresholds:
    """Both thresholds, each None where no score met the wish.

    >>> FittedThresholds(Thresholds(0.5, 0.9)).act(np.array([0.1, 0.5, 0.95])).tolist()
    [0, 1, 2]
    """

    thresholds: Thresholds

    @property
    def unsure(self) -> int:
        """A person looks at what holds nothing to look at."""
        return 1

    def act(self, score: Floats, label: Codes | None = None) -> Codes:  # noqa: ARG002 - as all policies
        """Return 0 for nothing, 1 where a person looks, 2 where the event is refused."""
        chosen = self.thresholds
        review = np.inf if chosen.review is None else chosen.review
        decline = np.inf if chosen.decline is None else chosen.decline
        if len(score) == 1:  # a row by itself, without arrays
            one = float(score[0])
            return np.array([1 if math.isnan(one) else 2 if one >= decline else int(one >= review)])
        action = np.where(score >= decline, 2, (score >= review).astype(np.int64))
        # Nobody knows what a score that is no number means: a person should look.
        return np.where(np.isnan(score), 1, action)

    def yes(self, score: Floats, action: Codes) -> Codes:  # noqa: ARG002 - as all policies
        """Say yes where something is done."""
        return np.minimum(action, 1)

    def describe(self) -> dict[str, Any]:
        """Return what a manifest keeps."""
        return {"kind": ReviewAndDecline.kind, **self.thresholds.to_dict()}
