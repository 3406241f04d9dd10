"""When a decision is taken without a person, and when an event is looked at or refused: thresholds."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.contracts.zones import LATEST
from tallystick.evaluation import Costs, Coverage, Thresholds, day_numbers
from tallystick.evaluation import choose_thresholds as choose_among
from tallystick.models import Bundle

__all__ = ["Abstention", "act", "aim", "choose", "choose_thresholds", "costs", "judged", "rethink"]

ACCURACY = 0.95
REVIEW, DECLINE = "false_positive_rate=.005", "precision=.9"


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


def act(thresholds: Thresholds, score: NDArray[np.float64]) -> NDArray[np.int64]:
    """Say by code what is done about each score: 0 nothing, 1 a person looks, 2 it is refused.

    >>> act(Thresholds(0.5, 0.9), np.array([0.1, 0.5, 0.95])).tolist()
    [0, 1, 2]
    """
    review = np.inf if thresholds.review is None else thresholds.review
    decline = np.inf if thresholds.decline is None else thresholds.decline
    if len(score) == 1:  # a row by itself, without arrays
        one = float(score[0])
        return np.array([1 if math.isnan(one) else 2 if one >= decline else int(one >= review)])
    done = np.where(score >= decline, 2, (score >= review).astype(np.int64))
    # Nobody knows what a score that is no number means: a person should look.
    return np.where(np.isnan(score), 1, done)


def choose_thresholds(
    truth: NDArray[np.bool_],
    score: NDArray[np.float64],
    time: NDArray[np.int64],
    amount: NDArray[np.float64] | None,
    settings: Settings,
) -> Thresholds:
    """Choose when an event is looked at and when it is refused, on out-of-fold scores.

    truth: whether it happened; score: its probability; time: microseconds, for what is said by the day;
    amount: what was at stake, in major units.
    """
    dated = time < LATEST
    if not dated.all():
        # What has no time is of no day; with nothing dated, all is of one.
        kept = dated if dated.any() else ~dated
        truth, score, time = truth[kept], score[kept], np.where(dated, time, 0)[kept]
        amount = None if amount is None else amount[kept]
    return choose_among(
        truth,
        score,
        day_numbers(time, settings.zone),
        amount,
        review=settings.review or REVIEW,
        decline=settings.decline or DECLINE,
        costs=costs(settings),
    )


def costs(settings: Settings) -> Costs:
    """Return what mistakes cost, as the settings say."""
    return Costs(review_cost=settings.review_cost, good_declined_share=settings.decline_cost)


def rethink(bundle: Bundle, settings: Settings) -> Thresholds:
    """Choose the thresholds of a bundle anew, on the scores that it kept of rows it had not seen."""
    said = bundle.manifest["policy"]
    # What the settings do not wish for stays as it was wished for in training.
    wishes = replace(
        settings,
        review=settings.review or said["review_wanted"],
        decline=settings.decline or said["decline_wanted"],
    )
    arrays = bundle.arrays
    truth = arrays["oof.truth"].astype(np.float64)
    known = judged(np.where(truth < 0, np.nan, truth))
    amount = arrays["oof.amount"][known] if "oof.amount" in arrays else None
    score, time = arrays["oof.probability"][known], arrays["oof.time"][known]
    return choose_thresholds(truth[known] == 1, score, time, amount, wishes)


def judged(truth: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the rows that thresholds are chosen on: those whose truth is known, if both kinds are there.

    Else all: what is not known to be the event counts as none, so that it can still be chosen how many are
    flagged. truth: 1, 0 or NaN.

    >>> judged(np.array([np.nan, 1, 0])).tolist(), judged(np.array([np.nan, 1, 1])).tolist()
    ([1, 2], [0, 1, 2])
    """
    known = np.flatnonzero(~np.isnan(truth))
    return known if len(np.unique(truth[known])) > 1 else np.arange(len(truth))
