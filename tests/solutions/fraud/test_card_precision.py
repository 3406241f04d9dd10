"""Card precision: the Handbook's own code, written down again with pandas, says the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import DataError, UsageError
from tallystick.evaluation import event_report
from tallystick.evaluation.days import DAY
from tallystick.solutions.fraud.card_precision import CardPrecision, CardRanking, card_precision

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


def scored(n=1200, seed=0, **more):
    rng = np.random.default_rng(seed)
    card = rng.integers(0, 120, n)
    truth = rng.random(n) < np.where(card < 20, 0.4, 0.02)
    score = np.clip(rng.random(n) * 0.6 + truth * rng.random(n) * 0.6, 0, 1)
    return {"truth": truth, "score": score, "entity": card, "time": rng.integers(0, 7 * DAY, n)} | more


def test_a_report_has_it_with_an_interval_and_day_by_day():
    rows = scored()
    report = event_report("fraud", **rows, measures=[CardPrecision()], seed=1, rounds=50)
    expected = card_precision(rows["time"] // DAY, rows["entity"], rows["truth"], rows["score"])
    assert report["card_precision_at_100"] == expected["value"]
    assert [day["card_precision"] for day in report["over_time"]] == expected["by_day"]
    low, high = report["intervals"]["card_precision_at_100"]
    assert low < expected["value"] < high


def test_it_has_an_interval_only_where_cards_stay_whole():
    rows = scored(groups=np.arange(1200))
    report = event_report("fraud", **rows, measures=[CardPrecision()], rounds=5)
    assert "card_precision_at_100" not in report["intervals"]
    assert report["card_precision_at_100"] is not None


def test_without_cards_or_times_it_is_not_defined():
    report = event_report("fraud", [True, False], [0.9, 0.1], measures=[CardPrecision()], rounds=5)
    assert report["card_precision_at_100"] is None
    dated = event_report("fraud", [True], [0.9], time=[DAY], measures=[CardPrecision()], rounds=5)
    assert dated["over_time"][0]["card_precision"] is None
