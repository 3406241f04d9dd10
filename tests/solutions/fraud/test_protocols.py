"""Protocols: the Handbook's rows exactly, and nothing that was not known when a test began."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import DataError, UsageError
from tallystick.evaluation import average_precision, day_numbers, roc_auc
from tallystick.evaluation.days import DAY
from tallystick.solutions.fraud.card_precision import card_precision
from tallystick.solutions.fraud.oracle import oracle_scores
from tallystick.solutions.fraud.protocols import Part, day_of, handbook, prequential

ROWS = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 5), st.booleans()), min_size=1, max_size=80)


def by_the_book(day, card, fraud, start, train, delay, test):
    """The steps of `get_train_test_set`, day by day, with its 8 days where the delay is 7."""
    frame = pd.DataFrame({"day": day, "card": card, "fraud": fraud})
    learn = frame[(frame["day"] >= start) & (frame["day"] < start + train)]
    known = set(learn[learn["fraud"]]["card"])
    tested = []
    for i in range(test):
        today = frame[frame["day"] == start + train + delay + i]
        before = frame[frame["day"] == start + train + i - 1]
        known |= set(before[before["fraud"]]["card"])
        tested += list(today[~today["card"].isin(known)].index)
    return list(learn.index), sorted(tested)


@given(ROWS, st.integers(1, 4), st.integers(0, 4), st.integers(1, 5))
def test_it_holds_out_what_the_handbook_does(rows, train, delay, test):
    day, card, fraud = (np.array(column) for column in zip(*rows, strict=True))
    learn, tested = by_the_book(day, card, fraud, 1, train, delay, test)
    if not learn or not tested:
        with pytest.raises(DataError, match="No row to"):
            handbook(day, card, fraud, 1, train=train, delay=delay, test=test)
        return
    part = handbook(day, card, fraud, 1, train=train, delay=delay, test=test)
    assert (part.train.tolist(), part.test.tolist()) == (learn, tested)
    [same] = prequential(
        day,
        [1 + train + delay],
        train=train,
        known=train,
        delay=delay,
        test=test,
        protocol="published",
        card=card,
        fraud=fraud,
    )
    assert (same.train.tolist(), same.test.tolist()) == (learn, tested)


def test_weeks_learn_from_all_that_is_old_enough():
    day = np.arange(40)
    parts = prequential(day, [20, 27])
    assert [part.train.max() for part in parts] == [12, 19]
    assert [part.test.tolist() for part in parts] == [list(range(20, 27)), list(range(27, 34))]
    [part] = prequential(day, [20], train=5)
    assert part.train.tolist() == [8, 9, 10, 11, 12]
    assert part.describe() == {
        "first": "1970-01-21",
        "last": "1970-01-27",
        "train_rows": 5,
        "test_rows": 7,
    }


def test_cards_leave_the_published_weeks_but_not_the_plain_ones():
    day, card = np.array([5, 12, 12, 20, 20, 20, 21]), np.array([3, 1, 2, 1, 2, 3, 2])
    fraud = np.array([True, True, False, False, False, False, True])
    [plain] = prequential(day, [20])
    [published] = prequential(day, [20], protocol="published", card=card, fraud=fraud)
    assert plain.test.tolist() == [3, 4, 5, 6]
    assert published.test.tolist() == [4, 5, 6]  # card 3 was known too long ago, card 1 eight days before
    assert plain.train.tolist() == published.train.tolist() == [0, 1, 2]


def test_a_label_that_became_known_later_is_not_seen():
    part = Part(np.array([0, 1, 2]), np.array([3]), first=10, days=7)
    known = np.array([9, 10, 11, 30]) * DAY - 1
    assert part.seen([True, True, True, True], known).tolist() == [True, True, False]
    assert part.seen([False, True, True, True], known, "Asia/Tokyo").tolist() == [False, False, False]


@given(
    st.integers(0, 40_000), st.integers(0, DAY - 1), st.sampled_from(["Europe/Berlin", "America/New_York"])
)
def test_days_are_those_of_the_clocks_there(day, moment, zone):
    at = day * DAY + moment
    shown = pd.Timestamp(at, unit="us", tz="UTC").tz_convert(zone).date()
    assert day_numbers([at], zone)[0] == day_of(shown) == day_of(str(shown))
    assert day_numbers([at])[0] == day


def test_what_is_wrong_is_said():
    with pytest.raises(UsageError, match=r'no protocol "weekly".*'):
        prequential([0], [1], protocol="weekly")
    with pytest.raises(UsageError, match="needs the card"):
        prequential([0], [1], protocol="published")
    with pytest.raises(UsageError, match="No test day"):
        prequential([0], [])
    with pytest.raises(UsageError, match="2018-08-08"):
        day_of("August")
    with pytest.raises(DataError, match="1970-01-01 … 1970-01-02"):
        prequential([0, 1], [100])
    with pytest.raises(DataError, match="do not fit together"):
        handbook([0, 1], [0], [True, False], 0)
    assert day_of(date(2018, 8, 8)) == 17_751


def test_the_published_counts_and_the_oracle_on_the_real_data(public_data):
    """58,264 rows and 385 frauds; the oracle near .786, .892 and .306 (from 60 days before, to be quick)."""
    table = pq.read_table(public_data / "fraud" / "handbook.parquet")
    time = table["TX_DATETIME"].cast("timestamp[us]").cast("int64").to_numpy()
    day = day_numbers(time)
    kept = np.flatnonzero((day >= day_of("2018-06-20")) & (day < day_of("2018-08-15")))
    time, day = time[kept], day[kept]
    names = ("CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT", "TX_FRAUD", "TX_FRAUD_SCENARIO")
    card, terminal, amount, fraud, scenario = (table[name].to_numpy()[kept] for name in names)
    fraud = fraud == 1
    part = handbook(day, card, fraud, "2018-07-25")
    test = part.test
    assert (len(test), int(fraud[test].sum())) == (58_264, 385)
    whole = (day >= part.first) & (day < part.first + 7)
    assert (int(whole.sum()), int(fraud[whole].sum())) == (67_080, 568)
    score = oracle_scores(time, card, terminal, amount, fraud, scenario)[test]
    assert average_precision(fraud[test], score) == pytest.approx(0.786, abs=0.01)
    assert roc_auc(fraud[test], score) == pytest.approx(0.892, abs=0.01)
    found = card_precision(day[test], card[test], fraud[test], score)
    assert found["value"] == pytest.approx(0.306, abs=0.01)
