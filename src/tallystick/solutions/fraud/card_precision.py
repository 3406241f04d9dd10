"""Card precision at k: of the k cards that look worst on a day, how many have a fraud on that day.

Source: Fraud Detection Handbook, chapter 4.4, `card_precision_top_k` with cards that were once detected left
out of the days that follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from tallystick.errors import DataError, UsageError
from tallystick.evaluation import Measured, ScoredRows

__all__ = ["CardPrecision", "CardRanking", "card_precision"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CardRanking:
    """The cards of each day, the most suspicious first, so that resamples only need weights.

    `card` and `fraud` are one line for each card and day; day i holds lines starts[i] to starts[i + 1];
    `days` are their numbers. `cards` is one more than the largest code.
    """

    days: Ints
    starts: Ints
    card: Ints
    fraud: NDArray[np.bool_]
    cards: int

    @classmethod
    def of(cls, day: ArrayLike, card: ArrayLike, truth: ArrayLike, score: ArrayLike) -> CardRanking:
        """Rank cards by their highest score of a day; a card is a fraud's if any of its payments is one.

        Equal scores: the lower card code first, as a stable sort of the Handbook's grouped frame gives
        (pandas leaves ties to an unstable sort of the machine at hand). `card` are codes from 0.
        """
        days, cards = np.asarray(day, np.int64), np.asarray(card, np.int64)
        truths, scores = np.asarray(truth, np.bool_), np.asarray(score, np.float64)
        if not len(days) == len(cards) == len(truths) == len(scores):
            raise DataError("Days, cards, truth and scores differ in length.")
        if len(cards) and cards.min() < 0:
            raise DataError("Codes of cards start at 0.")
        order = np.lexsort((cards, days))
        d, c = days[order], cards[order]
        first = np.flatnonzero(np.append(True, (d[1:] != d[:-1]) | (c[1:] != c[:-1]))[: len(d)])
        if not len(first):
            return cls(d, np.zeros(1, np.int64), c, truths, 0)
        worst = np.maximum.reduceat(scores[order], first)
        fraud = np.logical_or.reduceat(truths[order], first)
        day_of, card_of = d[first], c[first]
        rank = np.lexsort((card_of, -worst, day_of))
        named, begins = np.unique(day_of, return_index=True)
        starts = np.append(begins, len(first)).astype(np.int64)
        return cls(named, starts, card_of[rank], fraud[rank], int(c.max()) + 1)

    def by_day(self, k: int, times: ArrayLike | None = None) -> NDArray[np.float64]:
        """Give the precision of each day; `times` (cards,) is how often each card occurs in a resample."""
        if k < 1:
            raise UsageError(f"{k} cards a day were asked for; card precision needs at least 1.")
        weight = np.ones(self.cards, np.int64) if times is None else np.asarray(times, np.int64)
        return np.asarray(_found(self.starts, self.card, self.fraud, weight, k) / k)

    def mean(self, k: int, times: ArrayLike | None = None) -> float:
        """Give the mean over days, NaN without any day."""
        return float(self.by_day(k, times).mean()) if len(self.days) else float("nan")


def card_precision(
    day: ArrayLike, card: ArrayLike, truth: ArrayLike, score: ArrayLike, k: int = 100
) -> dict[str, Any]:
    """Give card precision at k: `value` is the mean over days, `by_day` each day's, `days` their numbers.

    Detected cards leave the lists of the following days. The divisor is k, also on a day with fewer cards.

    >>> card_precision([0, 0, 0, 1, 1], [0, 1, 2, 0, 2], [1, 0, 0, 1, 0], [0.9, 0.8, 0.1, 0.9, 0.2], k=2)
    {'value': 0.25, 'days': [0, 1], 'by_day': [0.5, 0.0]}
    """
    ranking = CardRanking.of(day, card, truth, score)
    by_day = ranking.by_day(k)
    value = float(by_day.mean()) if len(by_day) else None
    return {"value": value, "days": ranking.days.tolist(), "by_day": by_day.tolist()}


@dataclass(frozen=True, slots=True)
class CardPrecision:
    """Card precision at k as a measure of reports (`evaluation.Measure`)."""

    k: int = 100
    daily: str = "card_precision"

    @property
    def name(self) -> str:
        """Its key in a report."""
        return f"card_precision_at_{self.k}"

    @property
    def title(self) -> str:
        """What people call it."""
        return f"Card precision at {self.k}"

    def on(self, rows: ScoredRows) -> Measured | None:
        """Rank the cards of each day, where there are cards and times."""
        if rows.entity is None or rows.day is None or not rows.dated.any():
            return None
        held = np.flatnonzero((rows.entity >= 0) & rows.dated)
        card = rows.entity[held]
        ranking = CardRanking.of(rows.day[held], card, rows.truth[held], rows.score[held])
        first = np.zeros(ranking.cards, np.int64)
        first[card] = held
        whole = rows.groups is not None and bool((rows.groups[held] == rows.groups[first[card]]).all())
        return _RankedCards(ranking, self.k, first if whole else None)


@dataclass(frozen=True, slots=True)
class _RankedCards:
    """Card precision on some rows; `row` names a row of each card, which says how often it was drawn.

    A card drawn twice counts as two. `row` is None where a resample could take a card apart.
    """

    ranking: CardRanking
    k: int
    row: Ints | None

    @property
    def resamples(self) -> bool:
        """Whether groups of rows hold whole cards."""
        return self.row is not None

    def value(self, times: Ints | None = None) -> float:
        """Return the mean over days."""
        drawn = None if times is None or self.row is None else times[self.row]
        return self.ranking.mean(self.k, drawn)

    def by_day(self) -> dict[int, float]:
        """Return the precision of each day."""
        values = self.ranking.by_day(self.k).tolist()
        return dict(zip(self.ranking.days.tolist(), values, strict=True))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _found(starts: Ints, card: Ints, fraud: NDArray[np.bool_], times: Ints, k: int) -> Ints:
    detected = np.zeros(len(times), np.bool_)
    found = np.zeros(len(starts) - 1, np.int64)
    for day in range(len(starts) - 1):
        left = k
        for line in range(starts[day], starts[day + 1]):
            c = card[line]
            if left <= 0:
                break
            if detected[c] or times[c] == 0:
                continue
            taken = min(left, times[c])
            left -= taken
            if fraud[line]:
                found[day] += taken
                detected[c] = True
    return found
