"""Scored rows with their truth, checked, without those whose outcome was never seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tallystick.errors import DataError
from tallystick.evaluation.binary_metrics import checked
from tallystick.evaluation.days import day_numbers, days_covered

__all__ = ["ScoredRows"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
Texts = NDArray[np.object_]

UNDATED = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class ScoredRows:
    """Columns of one length; those that were not given are None.

    `truth` bool, `score` float64 in 0 … 1, `time` int64 microseconds UTC and the `day` numbers of it in
    `zone`, `entity` codes (-1: none), `amount` float64 in major units, `currency` one code or one a row,
    `scenario` names, `groups` codes of what is drawn together. `hidden` counts the rows left out because they
    were stopped; None: not known.
    """

    truth: Flags
    score: Floats
    time: Ints | None
    day: Ints | None
    entity: Ints | None
    amount: Floats | None
    currency: Texts | str
    scenario: Texts | None
    groups: Ints | None
    hidden: int | None
    zone: str = "UTC"

    @classmethod
    def of(
        cls,
        truth: ArrayLike,
        score: ArrayLike,
        *,
        time: ArrayLike | None = None,
        zone: str = "UTC",
        entity: ArrayLike | None = None,
        amount: ArrayLike | None = None,
        currency: ArrayLike | str = "USD",
        scenario: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        declined: ArrayLike | None = None,
    ) -> ScoredRows:
        """Check the columns and leave out what was declined; see `event_report` for them and for errors."""
        truths, scores = checked(truth, score)
        if scores.min() < 0 or scores.max() > 1 + 1e-6:
            raise DataError("Scores must lie between 0 and 1.")
        out = None if declined is None else np.asarray(declined, np.bool_)
        if out is not None and out.shape != truths.shape:
            raise DataError(f"The column declined has the shape {out.shape}, truth {truths.shape}.")
        if out is not None and out.all():
            raise DataError("Every row was declined, so no outcome is known.")

        def cut(name: str, column: NDArray[Any]) -> NDArray[Any]:
            if column.shape != truths.shape:
                raise DataError(f"The column {name} has the shape {column.shape}, truth {truths.shape}.")
            return column if out is None else column[~out]

        moments = None if time is None else cut("time", np.asarray(time, np.int64))
        owner = None if entity is None else cut("entity", _codes(entity))
        drawn = owner if groups is None else cut("groups", _codes(groups))
        if drawn is not None and (drawn < 0).any():  # nobody's rows are drawn one by one
            drawn = np.where(drawn < 0, drawn.max() + 1 + np.arange(len(drawn)), drawn)
        return cls(
            truth=cut("truth", truths),
            score=np.minimum(cut("score", scores), 1.0),
            time=moments,
            day=None if moments is None else _days(moments, zone),
            entity=owner,
            amount=None if amount is None else cut("amount", np.asarray(amount, np.float64)),
            currency=currency if isinstance(currency, str) else cut("currency", np.asarray(currency, object)),
            scenario=None if scenario is None else cut("scenario", np.asarray(scenario, object)),
            groups=drawn,
            hidden=None if out is None else int(out.sum()),
            zone=zone,
        )

    @property
    def dated(self) -> Flags:
        """Which rows have a time; the largest number there is stands for none."""
        return np.zeros(len(self.truth), np.bool_) if self.time is None else self.time < UNDATED

    @property
    def days(self) -> float | None:
        """How many days the dated rows cover, None without any."""
        if self.time is None or not self.dated.any():
            return None
        return days_covered(self.time[self.dated], self.zone)

    @property
    def one_currency(self) -> Floats | None:
        """The amounts where all are of one currency, so that they may be added."""
        if isinstance(self.currency, str) or self.amount is None:
            return self.amount
        return self.amount if len(set(self.currency.tolist())) == 1 else None


def _days(moments: Ints, zone: str) -> Ints:
    """Number the days of the dated rows; the others stay without one."""
    day = np.full(len(moments), UNDATED)
    dated = moments < UNDATED
    day[dated] = day_numbers(moments[dated], zone)
    return day


def _codes(values: ArrayLike) -> Ints:
    """Number what tells entities apart from 0, in their order where they have one; None is -1."""
    array = np.asarray(values)
    if array.dtype == object:
        seen: dict[Any, int] = {None: -1}
        return np.array([seen.setdefault(value, len(seen) - 1) for value in array.tolist()], np.int64)
    if array.dtype.kind in "iu" and len(array) and array.min() >= -1 and array.max() < 4 * len(array) + 1000:
        return array.astype(np.int64)  # codes already, or as good
    return np.unique(array, return_inverse=True)[1].astype(np.int64)
