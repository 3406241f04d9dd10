"""Analyses: what each says of small tables whose answer is plain, money apart by currency."""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import polars as pl
import pytest

from tallystick.config import Settings
from tallystick.solutions.fraud import SOLUTION
from tallystick.solutions.fraud.analyses import ANALYSES
from tallystick.solutions.fraud.behaviour import COUNT, MOST, PAST, ROLLING, SUM, USUAL
from tallystick.windows import Windows

START = dt.datetime(2025, 1, 1, 12, tzinfo=dt.UTC)
BY_NAME = {one.name: one for one in ANALYSES}


def run(name, rows):
    """What an analysis says of rows: those not given hold what does not matter."""
    columns = {key for row in rows for key in row}
    frame = pl.DataFrame([{**dict.fromkeys(columns), **row} for row in rows], infer_schema_length=None)
    found = BY_NAME[name].run(nw.from_native(frame.lazy()), Settings())
    return found.collect().to_native().to_dicts()


def payment(fraud=0, **more):
    return {"is_fraud": fraud, "hour": 3, "weekday": 1, "date": START.date(), "currency": "EUR", **more}


def test_names_are_unique_and_each_says_what_to_read_from_it():
    assert len(BY_NAME) == len(ANALYSES)
    for one in ANALYSES:
        assert one.title
        assert len(one.note.split()) > 8
        assert one.note.endswith(".")
        assert one.figure is not None
        assert one.figure([]).layout.annotations[0].text  # nothing is said in words


def test_windows_are_sound_and_shared_so_that_payments_are_replayed_once():
    declared = [one.windows for one in ANALYSES if one.windows is not None]
    assert len(declared) == 3
    assert all(one == declared[0] for one in declared)
    names = Windows.of(dict(declared[0]), SOLUTION.window_roles).names
    assert {COUNT, SUM, PAST, USUAL, *ROLLING} <= set(names)


def test_shares_are_of_payments_whose_outcome_is_known():
    rows = [payment(1), payment(0), payment(0), payment(None), payment(1, hour=None), payment(1, hour=4)]
    assert run("by_hour", rows) == [
        {"hour": 3, "payments": 3, "frauds": 1, "fraud_share": 1 / 3},
        {"hour": 4, "payments": 1, "frauds": 1, "fraud_share": 1.0},
    ]


def test_weekdays_are_named_from_monday_on():
    rows = [payment(weekday=day) for day in (6, 0, 0, 3)]
    assert [row["day"] for row in run("by_weekday", rows)] == ["Monday", "Thursday", "Sunday"]


def test_amounts_fall_in_bands_of_their_currency():
    amounts = (-4.0, 0.0, 0.99, 1.0, 219.99, 2_000_000.0, None)
    rows = [payment(amount=amount) for amount in amounts] + [payment(1, amount=1.5, currency="JPY")]
    found = run("by_amount", rows)
    assert [(row["currency"], row["amount"], row["payments"]) for row in found] == [
        ("EUR", "below 0 (refunds)", 1),
        ("EUR", "0 to 1", 2),
        ("EUR", "1 to 2", 1),
        ("EUR", "200 to 500", 1),
        ("EUR", "1,000,000 and more", 1),
        ("JPY", "1 to 2", 1),
    ]
    figure = BY_NAME["by_amount"].figure(found)
    assert [bars.name for bars in figure.data] == ["EUR", "EUR", "JPY", "JPY"]


def test_terminals_with_most_frauds_come_first_and_at_most_fifty():
    rows = [payment(1, terminal_id=f"T{i:02}") for i in range(60)]
    rows += [payment(1, terminal_id="T59"), payment(0, terminal_id="T58"), payment(0, terminal_id="none")]
    found = run("by_terminal", rows)
    assert len(found) == 50
    assert found[0] == {"terminal_id": "T59", "payments": 2, "frauds": 2, "fraud_share": 1.0}
    assert found[1]["terminal_id"] == "T00"
    assert "T58" not in {row["terminal_id"] for row in found}
    assert BY_NAME["by_terminal"].figure(found).data[0].x[0] == 2


@pytest.mark.parametrize("column", ["place", "merchant_category", "channel", "device"])
def test_every_category_has_its_analysis(column):
    (one,) = [one for one in ANALYSES if one.columns == (column, "is_fraud")]
    assert run(one.name, [payment(1, **{column: "a"}), payment(0, **{column: "a"})])[0]["fraud_share"] == 0.5


def test_scenarios_keep_currencies_apart():
    rows = [
        payment(1, scenario="burst", amount=0.1, customer_id="a"),
        payment(1, scenario="burst", amount=0.2, customer_id="a"),
        payment(1, scenario="burst", amount=5.0, customer_id="b", currency="USD"),
        payment(1, scenario=None, amount=1.0, customer_id="b"),
        payment(0, scenario="burst", amount=9.0, customer_id="b"),
    ]
    found = run("by_scenario", rows)
    assert [(row["scenario"], row["currency"], row["frauds"], row["cards"]) for row in found] == [
        ("burst", "EUR", 2, 1),
        ("(not said)", "EUR", 1, 1),
        ("burst", "USD", 1, 1),
    ]
    assert found[0]["amount"] == 0.3  # the cents are whole
    assert found[0]["mean_amount"] == 0.15
    assert "burst, USD" in BY_NAME["by_scenario"].figure(found).layout.yaxis.ticktext


def shop(card, terminal, day, fraud=0):
    return payment(fraud, customer_id=card, terminal_id=terminal, event_time=START + dt.timedelta(days=day))


def test_a_terminal_that_later_defrauded_cards_share_stands_out():
    rows = [shop(f"c{i}", "skimmed", 10) for i in range(6)]
    rows += [shop(f"c{i}", "cashout", 20, fraud=1) for i in range(5)]  # of six cards that were there, five
    rows += [shop(f"c{i}", "cashout", 21, fraud=1) for i in range(5)]
    rows += [shop(f"d{i}", "busy", 10) for i in range(30)]
    rows += [shop(f"c{i}", "busy", 11) for i in range(3)]
    found = run("points_of_compromise", rows)
    assert found[0]["terminal_id"] == "skimmed"
    assert (found[0]["later_defrauded"], found[0]["cards"]) == (5, 6)
    assert "cashout" not in {row["terminal_id"] for row in found}  # there they were taken, not copied
    pairs, hits = 6 + 33, 5 + 3
    assert found[0]["expected"] == pytest.approx(6 * hits / pairs)
    assert found[0]["lift"] == pytest.approx(5 / (6 * hits / pairs))
    assert "busy" not in {row["terminal_id"] for row in found}  # three there, but ten were to be expected
    assert BY_NAME["points_of_compromise"].figure(found).data[1].x[0] == found[0]["expected"]


def test_only_the_days_up_to_the_first_fraud_count():
    def defrauded(day):
        return [shop(f"c{i}", "home", 0, fraud=1) for i in range(4)] + [
            row for i in range(4) for row in (shop(f"c{i}", "other", day), shop(f"d{i}", "far", 0))
        ]

    assert [row["terminal_id"] for row in run("points_of_compromise", defrauded(-28))] == ["other"]
    assert run("points_of_compromise", defrauded(-29)) == []
    assert run("points_of_compromise", defrauded(0)) == []  # at the moment of the fraud
    assert run("points_of_compromise", defrauded(1)) == []
    assert run("points_of_compromise", [shop("c", "t", 0)]) == []


def used(card="c", second=0, **more):
    """A payment with its behaviour: nothing that stands out."""
    usual = {**dict.fromkeys(ROLLING, 1.0), COUNT: 1.0, SUM: 10.0, PAST: 9.0, USUAL: 10.0}
    time = START + dt.timedelta(seconds=second)
    return payment(customer_id=card, event_time=time, amount=10.0) | usual | more


def test_alerts_are_one_line_for_each_card_and_day_with_a_reason_in_words():
    rows = [
        used("quiet"),
        used("bursts", 1, **{COUNT: 5.0, SUM: 20.0}),
        used("bursts", 2, **{COUNT: 6.0, SUM: 24.0}),
        used("spends", 3, **{SUM: 79.0}),
        used("both", 4, **{COUNT: 7.0, SUM: 500.0}),
        used("new", 5, **{SUM: 9_000.0, PAST: 4.0}),  # nobody knows what is usual for it
        used("unknown", 6, **{SUM: 9_000.0, PAST: None, USUAL: None}),
    ]
    found = run("alerts", rows)
    assert [(row["customer_id"], row["payments"], row["amount"], row["alerts"]) for row in found] == [
        ("both", 7, 500.0, 1),
        ("bursts", 6, 24.0, 2),
        ("spends", 1, 79.0, 1),
    ]
    assert [row["reason"] for row in found] == [
        "7 payments in 5 minutes, 50 times the usual amount of this card",
        "6 payments in 5 minutes",
        "7 times the usual amount of this card in 5 minutes",
    ]
    assert found[1]["time"] == START + dt.timedelta(seconds=1)
    assert {row["currency"] for row in found} == {"EUR"}
    assert {trace.name for trace in BY_NAME["alerts"].figure(found).data} == {row["kind"] for row in found}


def test_alerts_are_cut_to_the_strongest():
    found = run("alerts", [used(f"c{i:03}", **{COUNT: 5.0 + i}) for i in range(MOST + 20)])
    assert len(found) == MOST
    assert found[0]["payments"] == MOST + 24


def test_kinds_of_alerts_say_what_was_fraud_only_where_that_is_known():
    rows = [
        used("a", **{COUNT: 5.0}, is_fraud=1),
        used("b", **{COUNT: 5.0}),
        used("b", **{COUNT: 6.0}, is_fraud=None),
    ]
    found = run("alerts_by_kind", rows)
    assert found == [{"kind": "many payments", "payments": 3, "cards": 2, "frauds": 1, "fraud_share": 0.5}]
    unlabelled = [{name: value for name, value in row.items() if name != "is_fraud"} for row in rows]
    assert run("alerts_by_kind", unlabelled) == [{"kind": "many payments", "payments": 3, "cards": 2}]


def test_rolling_averages_are_by_day_and_currency():
    first = "customer_id__count__1d"
    rows = [
        used(**{first: 2.0}),
        used(**{first: 5.0}),
        used(**{first: None}),
        used(currency="USD", amount=7.0),
    ]
    found = run("rolling", rows)
    assert [(row["currency"], row["payments"], row["amount"]) for row in found] == [
        ("EUR", 3, 30.0),
        ("USD", 1, 7.0),
    ]
    assert found[0]["count_1d"] == 3.5  # of those whose behaviour is known
    assert found[0]["mean_amount"] == 10.0
    figure = BY_NAME["rolling"].figure([{**row, "date": str(row["date"])} for row in found])
    assert figure.layout.yaxis2.title.text == "Mean amount, EUR"
