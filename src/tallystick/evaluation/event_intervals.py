"""How sure the figures of events are: cards drawn again and again, each draw measured."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.evaluation.bootstrap import percentiles, weights
from tallystick.evaluation.card_precision import CardRanking
from tallystick.evaluation.event_metrics import confusion, decided, event_losses
from tallystick.evaluation.event_rows import EventRows
from tallystick.evaluation.metrics import COUNTED
from tallystick.evaluation.ranking import Ranking

__all__ = ["event_intervals"]

K = 100
# A draw passes over all rows, so large reports take fewer: 400 for 67,000 rows, one to two seconds.
DRAWN = 27_000_000
LEAST_ROUNDS = 25
ORDER = (
    *COUNTED,
    "precision",
    "recall",
    "f1",
    "false_positive_rate",
    "roc_auc",
    "average_precision",
    "log_loss",
    "brier",
    "card_precision_at_100",
)


def event_intervals(
    rows: EventRows,
    yes: NDArray[np.bool_],
    cards: CardRanking | None,
    *,
    seed: int,
    rounds: int = 1000,
    level: float = 0.95,
    probability: bool = True,
) -> dict[str, Any]:
    """Give `intervals` ({figure: [low, high]}) and the `rounds` they were drawn in, fewer for many rows.

    `yes` (rows,) is the decision. What is drawn are `rows.groups`, the rows one by one without any. Card
    precision has an interval where a group holds whole cards: a card drawn twice then counts as two.

    >>> rows = EventRows.of([True, False] * 50, [0.9, 0.1] * 50)
    >>> event_intervals(rows, rows.score > 0.5, None, seed=1, rounds=10)["intervals"]["recall"]
    [1.0, 1.0]
    """
    n = len(rows.truth)
    rounds = max(1, min(rounds, max(LEAST_ROUNDS, DRAWN // n)))
    # Its first class is the event: what is not an event gets the code 1, which has no column.
    ranking = Ranking.of((~rows.truth).astype(np.int64), rows.score[:, np.newaxis])
    lost = event_losses(rows.truth, rows.score) if probability else {}
    speaker = None if cards is None else _speakers(rows, cards)
    drawn: dict[str, list[float]] = {}
    for times in weights(n, seed=seed, rounds=rounds, groups=rows.groups):
        ranked = ranking.measure(times)
        found: dict[str, float | None] = {
            **decided(confusion(rows.truth, yes, times)),
            "roc_auc": float(ranked.roc_auc[0]),
            "average_precision": float(ranked.average_precision[0]),
            **{name: float((values * times).sum() / times.sum()) for name, values in lost.items()},
        }
        if cards is not None and speaker is not None:
            found["card_precision_at_100"] = cards.mean(K, times[speaker])
        for name, value in found.items():
            drawn.setdefault(name, []).append(np.nan if value is None else value)
    ends = {name: percentiles(np.array(drawn[name]), level) for name in ORDER if name in drawn}
    return {"intervals": {name: [end["low"], end["high"]] for name, end in ends.items()}, "rounds": rounds}


def _speakers(rows: EventRows, cards: CardRanking) -> NDArray[np.int64] | None:
    """Name one row of each card, which says how often it was drawn; None where a card may be cut apart."""
    if rows.card is None or rows.groups is None:
        return None
    held = np.flatnonzero((rows.card >= 0) & rows.dated)
    speaker = np.zeros(cards.cards, np.int64)
    speaker[rows.card[held]] = held
    whole = bool((rows.groups[held] == rows.groups[speaker[rows.card[held]]]).all())
    return speaker if whole else None
