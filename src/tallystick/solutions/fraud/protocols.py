"""How the rows of events are held out: the Fraud Detection Handbook's own way, and week after week.

Days are calendar days, given as numbers since 1970-01-01 (`evaluation.day_numbers` makes them of times).
What a part trains on ends `delay` days before its first test day, because what happened later has no label
yet on that day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tallystick.contracts.times import DAY
from tallystick.contracts.zones import local_to_utc
from tallystick.errors import DataError, UsageError, did_you_mean

__all__ = ["DAY", "PROTOCOLS", "Part", "day_of", "handbook", "prequential"]

EPOCH = date(1970, 1, 1)
PROTOCOLS = ("plain", "published")

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a protocol: row numbers to train on and to test on, both ascending.

    `first` is the first test day and `days` how many there are. A label counts as known to the learner when
    it was known before `first` began; `seen` says which.
    """

    train: Rows
    test: Rows
    first: int
    days: int

    def seen(self, truth: ArrayLike, known_at: ArrayLike, zone: str = "UTC") -> NDArray[np.bool_]:
        """Give the truth of the training rows as it was known when the first test day began.

        `truth` (bool) and `known_at` (int64 microseconds UTC) hold all rows of the file.

        >>> part = Part(np.array([0, 1]), np.array([2]), first=1, days=1)
        >>> part.seen([True, True, False], [DAY - 1, DAY, 5 * DAY]).tolist()
        [True, False]
        """
        begins = int(local_to_utc(np.array([self.first * DAY]), zone)[0])
        known = np.asarray(known_at, np.int64)[self.train] < begins
        return np.asarray(np.asarray(truth, np.bool_)[self.train] & known)

    def describe(self) -> dict[str, Any]:
        """Say it in plain values, for a report.

        >>> Part(np.array([0, 1]), np.array([2]), first=1, days=7).describe()
        {'first': '1970-01-02', 'last': '1970-01-08', 'train_rows': 2, 'test_rows': 1}
        """
        return {
            "first": str(EPOCH + timedelta(days=self.first)),
            "last": str(EPOCH + timedelta(days=self.first + self.days - 1)),
            "train_rows": len(self.train),
            "test_rows": len(self.test),
        }


def day_of(when: date | str | int) -> int:
    """Give the number of a day: a date, its ISO text, or the number itself.

    >>> day_of("1970-01-31"), day_of(date(1970, 1, 31)), day_of(30)
    (30, 30, 30)
    """
    if isinstance(when, int):
        return when
    try:
        return (date.fromisoformat(str(when)) - EPOCH).days
    except ValueError:
        raise UsageError(f'"{when}" is not a day.', "Write it as 2018-08-08.") from None


def handbook(
    day: ArrayLike,
    card: ArrayLike,
    fraud: ArrayLike,
    start: date | str | int,
    *,
    train: int = 7,
    delay: int = 7,
    test: int = 7,
) -> Part:
    """Hold out rows as the Handbook's `get_train_test_set` does, its way of leaving out cards included.

    Training is the `train` days from `start`, then `delay` days are passed over, then `test` days are tested.
    A card with a fraud in the training days is not tested. For each test day, cards with a fraud on the day
    `delay` + 1 days before it (as its code has it, not `delay`) join those that are not tested, from then on.
    `day` (int), `card` (codes) and `fraud` (bool) have one value a row. Source: Fraud Detection Handbook, 5.3
    and its shared functions. Raises DataError when there is nothing to train on or to test.

    >>> day, card, fraud = [0, 0, 1, 2, 2, 3], [7, 8, 9, 7, 8, 9], [1, 0, 1, 0, 0, 1]
    >>> part = handbook(day, card, fraud, 0, train=1, delay=1, test=2)
    >>> part.train.tolist(), part.test.tolist()
    ([0, 1], [4])
    """
    return _part(_columns(day, card, fraud), day_of(start) + train + delay, train, train, delay, test)


def prequential(
    day: ArrayLike,
    first: Sequence[date | str | int],
    *,
    train: int | None = None,
    delay: int = 7,
    test: int = 7,
    protocol: str = "plain",
    card: ArrayLike | None = None,
    fraud: ArrayLike | None = None,
    known: int = 7,
) -> list[Part]:
    """Test one stretch of days after another, each by what was known when it began.

    `first` names the first test day of each part. A part trains on the `train` days (None: all) that end
    `delay` days before it. `plain` tests every row of its `test` days; `published` leaves out cards as
    `handbook` does (needs `card` and `fraud`), where the training days that make a card known are the last
    `known` ones, whatever the part trains on: so figures stay comparable when more is trained on.

    >>> parts = prequential([0, 1, 8, 9, 15], [8, 15])
    >>> [(part.train.tolist(), part.test.tolist()) for part in parts]
    [([0], [2, 3]), ([0, 1], [4])]
    """
    if protocol not in PROTOCOLS:
        raise UsageError(f'There is no protocol "{protocol}".', did_you_mean(protocol, PROTOCOLS))
    if not first:
        raise UsageError("No test day was named: a prequential protocol needs at least one.")
    if protocol == "plain":
        days = np.asarray(day, np.int64)
        none = np.zeros(len(days), np.bool_)
        columns = days, np.zeros(len(days), np.int64), none
    else:
        if card is None or fraud is None:
            raise UsageError("The published protocol needs the card and the truth of each row.")
        columns = _columns(day, card, fraud)
    return [_part(columns, day_of(begin), train, known, delay, test) for begin in first]


def _columns(
    day: ArrayLike, card: ArrayLike, fraud: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    days, frauds = np.asarray(day, np.int64), np.asarray(fraud, np.bool_)
    cards = np.unique(np.asarray(card), return_inverse=True)[1].astype(np.int64)
    if not len(days) == len(cards) == len(frauds):
        raise DataError(f"{len(days)} days, {len(cards)} cards and {len(frauds)} labels do not fit together.")
    return days, cards, frauds


def _part(
    columns: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]],
    first: int,
    train: int | None,
    known: int,
    delay: int,
    test: int,
) -> Part:
    """Cut one part: cards become known by the `known` days before the delay, then day by day."""
    day, card, fraud = columns
    end = first - delay
    learn = day < end if train is None else (day >= end - train) & (day < end)
    # The first test day on which a card is known; -1 and smaller: from the start.
    never = first + test
    leaves = np.full(int(card.max(initial=-1)) + 1, never, np.int64)
    early = fraud & (day >= end - known) & (day < end)
    leaves[card[early]] = first
    later = np.flatnonzero(fraud & (day >= end - 1) & (day < end - 1 + test))
    np.minimum.at(leaves, card[later], day[later] + delay + 1)
    tested = (day >= first) & (day < never)
    tested[tested] = day[tested] < leaves[card[tested]]
    part = Part(np.flatnonzero(learn), np.flatnonzero(tested), first, test)
    if not len(part.train) or not len(part.test):
        what = "train on" if not len(part.train) else "test"
        said = f"{day.min()} … {day.max()}" if len(day) else "none"
        if len(day):
            said = f"{EPOCH + timedelta(days=int(day.min()))} … {EPOCH + timedelta(days=int(day.max()))}"
        raise DataError(
            f"No row to {what} for the test days from {EPOCH + timedelta(days=first)}.",
            f"The rows are of these days: {said}.",
        )
    return part
