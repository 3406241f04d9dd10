"""Two thresholds of a binary task: from `review` on a person looks, from `decline` on a record is stopped.

Each is given by a wish (`alerts_per_day=100`, `precision=.9`, …) and found on rows whose truth is known, with
what it is expected to cost. Thresholds are scores that occur, so ties fall on one side together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tallystick.errors import UsageError, did_you_mean
from tallystick.evaluation.binary_metrics import Curve, checked
from tallystick.evaluation.costs import Costs, outcome, worth

__all__ = ["WISHES", "Thresholds", "Wish", "choose"]

Floats = NDArray[np.float64]

# Each wish with what its number means, and whether it needs one between 0 and 1.
WISHES = {
    "alerts_per_day": "at most so many payments a day",
    "cost": "the least expected cost",
    "false_positive_rate": "at most this share of the good payments",
    "precision": "at least this share of fraud among them",
    "recall": "at least this share of the frauds",
    "score": "this score",
}


ACTIONS = ("review", "decline")


@dataclass(frozen=True, slots=True)
class Wish:
    """One wish for a threshold: its name, and its number where it takes one.

    >>> Wish.parse("alerts_per_day=100")
    Wish(name='alerts_per_day', value=100.0)
    >>> str(Wish.parse("precision = 90%"))
    'precision=0.9'
    """

    name: str
    value: float | None = None

    def __str__(self) -> str:
        return self.name if self.value is None else f"{self.name}={self.value:g}"

    @classmethod
    def parse(cls, text: str) -> Wish:
        """Read a wish; raises UsageError that names those there are."""
        name, equals, number = (part.strip() for part in str(text).partition("="))
        if name not in WISHES:
            raise UsageError(f'There is no threshold by "{name}".', did_you_mean(name, WISHES))
        if name == "cost":
            if equals:
                raise UsageError("A threshold by cost takes no number.", 'Write "cost".')
            return cls(name)
        percent = number.endswith("%")
        try:
            value = float(number.rstrip("%")) / (100 if percent else 1)
        except ValueError:
            value = math.nan
        most = math.inf if name == "alerts_per_day" else 1.0
        if not 0 <= value <= most or value == math.inf:
            example = f"{name}=100" if name == "alerts_per_day" else f"{name}=.9"
            bounds = "0 or more" if most == math.inf else "between 0 and 1"
            raise UsageError(f'"{text}" names no number that is {bounds}.', f'Write it as "{example}".')
        return cls(name, value)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From `review` on a person looks, from `decline` on the record is stopped; None: never.

    `review` is never above `decline`. `review_wanted` and `decline_wanted` are the wishes, `expected` what
    the rows they were chosen on say they will do, `notes` what could not be met; `actions` are the policy's
    names of the two, "" for one that it does not have.
    """

    review: float | None
    decline: float | None
    review_wanted: str = ""
    decline_wanted: str = ""
    expected: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    actions: tuple[str, str] = ACTIONS

    def __post_init__(self) -> None:
        if self.review is not None and self.decline is not None and self.review > self.decline:
            raise UsageError(
                f"Payments would be declined from {self.decline}, but looked at only from {self.review}.",
                "The threshold for review may not lie above the one for decline.",
            )

    @property
    def flags_from(self) -> float:
        """The score from which on a record is flagged; infinite where none is.

        >>> Thresholds(None, 0.9).flags_from
        0.9
        """
        return min((t for t in (self.review, self.decline) if t is not None), default=math.inf)

    @property
    def by_action(self) -> dict[str, tuple[float | None, str]]:
        """Each action with the score it begins at and its wish, the weakest action first.

        >>> Thresholds(0.2, None, actions=("call", "")).by_action
        {'call': (0.2, '')}
        """
        pairs = ((self.review, self.review_wanted), (self.decline, self.decline_wanted))
        return {name: pair for name, pair in zip(self.actions, pairs, strict=True) if name}

    def to_dict(self) -> dict[str, Any]:
        """Give the plain values, ready for JSON; `of` reads them back. The usual actions are not written."""
        values = {f.name: getattr(self, f.name) for f in fields(self)} | {"notes": list(self.notes)}
        actions = list(values.pop("actions"))
        return values if self.actions == ACTIONS else {**values, "actions": actions}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Thresholds:
        """Make thresholds of the plain values that `to_dict` gives.

        >>> Thresholds.of(Thresholds(0.2, 0.9).to_dict()) == Thresholds(0.2, 0.9)
        True
        """
        known = {f.name for f in fields(cls)}
        for name in values:
            if name not in known:
                raise UsageError(f'Thresholds have no "{name}".', did_you_mean(name, known))
        lists = {name: tuple(values[name]) for name in ("notes", "actions") if name in values}
        return cls(**{"review": None, "decline": None, **values, **lists})


def choose(
    truth: ArrayLike,
    score: ArrayLike,
    days: float,
    amount: ArrayLike | None = None,
    review: str = "alerts_per_day=100",
    decline: str = "precision=.9",
    costs: Costs | None = None,
) -> Thresholds:
    """Find the two thresholds that meet the wishes on rows with known truth, and what they will cost.

    `truth` bool, `score` float64, `days` how many days they cover (`days_covered`), `amount` float64 in
    major units of one currency (needed by `cost`). The threshold for decline is found first;
    `alerts_per_day` for review then counts only what is left to look at, every other wish for review counts
    what is declined too. `cost` finds what is cheapest for both together, or for review beside the decline
    that is wished for. A wish that no score meets leaves its threshold None, and `notes` say so; a review
    threshold that would lie above decline is decline. Raises UsageError for a wish that there is not.

    >>> truth, score = [True, True, False, False], [0.9, 0.8, 0.3, 0.1]
    >>> found = choose(truth, score, 2.0, review="alerts_per_day=.5", decline="score=.85")
    >>> found.review, found.decline, found.expected["recall"]
    (0.8, 0.85, 1.0)
    """
    wishes = {"review": Wish.parse(review), "decline": Wish.parse(decline)}
    truths, scores = checked(truth, score)
    prices = costs or Costs()
    if any(wish.name == "cost" for wish in wishes.values()) and amount is None:
        raise UsageError(
            "A threshold by cost needs the amounts.", "Choose it by alerts_per_day or precision."
        )
    amounts = None if amount is None else np.asarray(amount, np.float64)
    curve = Curve.of(truths, scores)
    spent = _Spent.of(truths, scores, amounts, curve, prices) if amounts is not None else None

    notes: list[str] = []
    stop, look = wishes["decline"], wishes["review"]
    above: int | None  # the step from which on records are declined, the last one that is
    if stop.name == "cost" and spent is not None:
        above = spent.decline()
        declines = None if above is None else float(curve.threshold[above])
    else:
        above, declines = _met(curve, stop, days, 0)
    if declines is None:
        notes.append(f"No score declines with {stop} ({WISHES[stop.name]}): nothing is declined.")
    if look.name == "cost" and spent is not None:
        step = spent.review(above)
        reviews = None if step is None else float(curve.threshold[step])
    else:
        taken = 0 if above is None else int(curve.rows[above])
        _, reviews = _met(curve, look, days, taken)
    if reviews is None:
        notes.append(f"No score is looked at with {look} ({WISHES[look.name]}): nothing is reviewed.")
    elif declines is not None and reviews > declines:
        reviews = declines
        notes.append(f"All that {look} would flag is declined already: nothing is left to review.")
    expected = outcome(truths, scores, days, amounts, reviews, declines, prices)
    return Thresholds(reviews, declines, str(look), str(stop), expected, tuple(notes))


@dataclass(frozen=True, slots=True)
class _Spent:
    """What all records at or above each step cost if declined, reviewed or accepted; step 0 is none of
    them."""

    declined: Floats
    reviewed: Floats
    accepted: Floats

    @classmethod
    def of(
        cls, truth: NDArray[np.bool_], score: Floats, amount: Floats, curve: Curve, costs: Costs
    ) -> _Spent:
        order = np.argsort(-score, kind="stable")
        sums, event = worth(amount)[order], truth[order]
        upset = costs.good_declined_share * sums + costs.good_declined_fixed
        each = (
            np.where(event, 0.0, upset),
            costs.review_cost + np.where(event, (1 - costs.caught_share) * sums, 0.0),
            np.where(event, sums, 0.0),
        )
        return cls(*(np.concatenate(([0.0], np.cumsum(column)[curve.rows - 1])) for column in each))

    def decline(self) -> int | None:
        """Find the last step to decline, if all below it is looked at or accepted as is cheapest."""
        look = self.reviewed - self.accepted
        rest = np.minimum.accumulate(look[::-1])[::-1]  # the cheapest review from each step on
        return _last(int(np.argmin(self.declined - self.reviewed + rest)))

    def review(self, decline: int | None) -> int | None:
        """Find the last step to look at, at or after the last one that is declined."""
        begin = 0 if decline is None else decline + 1
        return _last(begin + int(np.argmin((self.reviewed - self.accepted)[begin:])))


def _last(place: int) -> int | None:
    return None if place == 0 else place - 1


def _met(curve: Curve, wish: Wish, days: float, taken: int) -> tuple[int | None, float | None]:
    """Find the last step that meets a wish, and its threshold; a score asked for is itself the threshold."""
    step = _step(curve, wish, days, taken)
    if wish.name == "score":
        return step, wish.value
    return step, None if step is None else float(curve.threshold[step])


def _step(curve: Curve, wish: Wish, days: float, taken: int) -> int | None:
    """Find the lowest threshold that meets a wish (for recall the highest), as a step of the curve."""
    value = wish.value or 0.0
    if wish.name == "alerts_per_day":
        allowed = curve.rows - taken <= value * days + 1e-9
    elif wish.name == "false_positive_rate":
        allowed = curve.false <= value * curve.others + 1e-9
    elif wish.name == "precision":
        allowed = curve.found >= value * curve.rows - 1e-9
    elif wish.name == "recall":
        enough = np.flatnonzero(curve.found >= value * curve.events - 1e-9)
        return int(enough[0]) if curve.events else None
    else:
        allowed = curve.threshold >= value
    steps = np.flatnonzero(allowed)
    return int(steps[-1]) if len(steps) else None
