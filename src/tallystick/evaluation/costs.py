"""What two thresholds do to records whose truth is known: per day, in shares, and in money."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tallystick.errors import UsageError, did_you_mean
from tallystick.evaluation.binary_metrics import checked, confusion, ratio

__all__ = ["Costs", "outcome", "worth"]


@dataclass(frozen=True, slots=True)
class Costs:
    """What mistakes cost, in the currency's major units.

    `review_cost` for each record that a person looks at; a good record declined costs `good_declined_share`
    of its amount and `good_declined_fixed`; `caught_share` of the reviewed events are stopped. An event that
    is missed costs its amount. Raises UsageError for negative numbers and shares above 1.

    >>> Costs.of({"review_cost": 3}).to_dict()["review_cost"]
    3.0
    """

    review_cost: float = 5.0
    good_declined_share: float = 0.1
    good_declined_fixed: float = 0.0
    caught_share: float = 1.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            most = 1.0 if name == "caught_share" else math.inf
            if not 0 <= value <= most:
                raise UsageError(f"{name} is {value}; it must lie between 0 and {most:g}.")

    def to_dict(self) -> dict[str, float]:
        """Give the plain values."""
        return asdict(self)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Costs:
        """Make costs of plain values; what is not named keeps its default."""
        known = [each.name for each in fields(cls)]
        for name, value in values.items():
            if name not in known:
                raise UsageError(f'There is no cost "{name}".', did_you_mean(name, known))
            if not _number(value):
                raise UsageError(f'The cost {name} is "{value}", not a number.', "Write it as 2.5.")
        return cls(**{name: float(value) for name, value in values.items()})


def outcome(
    truth: ArrayLike,
    score: ArrayLike,
    days: float | None,
    amount: ArrayLike | None,
    review: float | None,
    decline: float | None,
    costs: Costs | None = None,
) -> dict[str, Any]:
    """Measure what two thresholds do to rows with known truth, per day and in money.

    `days` is how many days the rows cover (`days_covered`). `alerts` are records to look at,
    without those declined; `precision` and `recall` are of all that is flagged, `decline_precision` and
    `decline_recall` of what is declined. `money` (where amounts are given; those below zero or missing count
    nothing) holds the amount of the events (`fraud`), what of it was `stopped` and `missed`, the good amount
    `disturbed` by decline or review, and the `cost` beside the `cost_without` any threshold.

    >>> found = outcome([True, False], [0.9, 0.8], 2, [50.0, 20.0], 0.5, None, Costs(review_cost=1))
    >>> found["alerts_per_day"], found["precision"], found["money"]["saved"]
    (1.0, 0.5, 48.0)
    """
    truths, scores = checked(truth, score)
    declined = scores >= (math.inf if decline is None else decline)
    reviewed = (scores >= (math.inf if review is None else review)) & ~declined
    counts, stopped = confusion(truths, reviewed | declined), confusion(truths, declined)
    prices = costs or Costs()
    result: dict[str, Any] = {
        "days": days,
        "alerts": int(reviewed.sum()),
        "alerts_per_day": ratio(int(reviewed.sum()), days),
        "declined": int(declined.sum()),
        "declined_per_day": ratio(int(declined.sum()), days),
        "precision": ratio(counts[1, 1], counts[:, 1].sum()),
        "recall": ratio(counts[1, 1], counts[1].sum()),
        "false_positive_rate": ratio(counts[0, 1], counts[0].sum()),
        "decline_precision": ratio(stopped[1, 1], stopped[:, 1].sum()),
        "decline_recall": ratio(stopped[1, 1], stopped[1].sum()),
        "money": None,
    }
    if amount is not None:
        sums = worth(amount)
        bad, good = np.where(truths, sums, 0.0), np.where(truths, 0.0, sums)
        lost = float(bad.sum())
        kept = float(bad[declined].sum() + prices.caught_share * bad[reviewed].sum())
        looking = prices.review_cost * int(reviewed.sum())
        upset = float(good[declined].sum()) * prices.good_declined_share
        upset += prices.good_declined_fixed * int((declined & ~truths).sum())
        result["money"] = {
            "fraud": lost,
            "stopped": kept,
            "missed": lost - kept,
            "disturbed": float(good[declined].sum() + good[reviewed].sum()),
            "review_cost": looking,
            "decline_cost": upset,
            "cost": lost - kept + looking + upset,
            "cost_without": lost,
            "saved": kept - looking - upset,
        }
    return result


def worth(amount: ArrayLike) -> NDArray[np.float64]:
    """Return what each record is worth: refunds and missing amounts nothing.

    >>> worth([5.0, -2.0, float("nan")]).tolist()
    [5.0, 0.0, 0.0]
    """
    return np.maximum(np.nan_to_num(np.asarray(amount, np.float64)), 0.0)


def _number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
