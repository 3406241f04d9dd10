"""Card precision: the Handbook's own code, written down again with pandas, says the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import DataError, UsageError
from tallystick.evaluation import card_precision
from tallystick.evaluation.card_precision import CardRanking

ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 6), st.booleans(), st.integers(0, 5)),
    min_size=1,
    max_size=60,
)


def columns(rows):
    day, card, truth, score = zip(*rows, strict=True)
    return np.array(day), np.array(card), np.array(truth), np.array(score) / 5


def by_the_book(day, card, truth, score, k):
    """The steps of `card_precision_top_k`: group by card, highest of each column, sort, cut, leave out."""
    frame = pd.DataFrame({"day": day, "card": card, "fraud": truth.astype(int), "score": score})
    detected, by_day = [], []
    for today in sorted(frame["day"].unique()):
        rows = frame[(frame["day"] == today) & ~frame["card"].isin(detected)]
        cards = rows[["score", "card", "fraud"]].groupby("card").max()
        worst = cards.sort_values("score", ascending=False, kind="stable").reset_index().head(k)
        hits = list(worst[worst["fraud"] == 1]["card"])
        by_day.append(len(hits) / k)
        detected += hits
    return by_day


@given(ROWS, st.integers(1, 5))
def test_it_is_the_handbooks_figure_also_with_ties(rows, k):
    day, card, truth, score = columns(rows)
    expected = by_the_book(day, card, truth, score, k)
    found = card_precision(day, card, truth, score, k)
    assert found["by_day"] == expected
    assert found["value"] == pytest.approx(np.mean(expected))
    assert found["days"] == sorted(set(day.tolist()))


def test_a_day_of_many_cards():
    rng = np.random.default_rng(0)
    n = 5000
    day, card = rng.integers(0, 7, n), rng.integers(0, 800, n)
    truth = rng.random(n) < 0.03
    score = np.round(rng.random(n) * 0.7 + truth * 0.3, 2)
    assert card_precision(day, card, truth, score)["by_day"] == by_the_book(day, card, truth, score, 100)


@given(ROWS, st.lists(st.integers(0, 3), min_size=7, max_size=7), st.integers(1, 25), st.booleans())
def test_a_card_drawn_twice_is_two_cards(rows, times, k, one_day):
    day, card, truth, score = columns(rows)
    if one_day:
        day = np.zeros_like(day)
    else:
        k = 25  # all copies fit, so that none stays behind when its card is detected
    copies = np.repeat(np.arange(len(day)), np.array(times)[card])
    place = np.concatenate([np.arange(n) for n in np.array(times)[card]]).astype(int)
    expected = dict.fromkeys(day.tolist(), 0.0)
    if len(copies):
        found = card_precision(day[copies], card[copies] * 10 + place, truth[copies], score[copies], k)
        expected |= dict(zip(found["days"], found["by_day"], strict=True))
    ranking = CardRanking.of(day, card, truth, score)
    weighted = ranking.by_day(k, times[: ranking.cards])
    assert dict(zip(ranking.days.tolist(), weighted.tolist(), strict=True)) == expected


def test_what_does_not_fit_is_refused():
    with pytest.raises(DataError, match="differ in length"):
        card_precision([0], [0, 1], [True], [0.5])
    with pytest.raises(DataError, match="start at 0"):
        card_precision([0], [-1], [True], [0.5])
    with pytest.raises(UsageError, match="at least 1"):
        card_precision([0], [0], [True], [0.5], k=0)
    assert card_precision([], [], [], []) == {"value": None, "days": [], "by_day": []}
