import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.solutions.fraud.quantities import counted, duration, money, number, percent
from tallystick.solutions.fraud.words import AGGREGATES, in_words
from tallystick.windows.groups import AGGREGATES as DECLARED

NAN = math.nan
DAY = 86_400.0


@pytest.mark.parametrize(
    ("name", "value", "usual", "words"),
    [
        ("customer_id__count__5m", 11, 0.3, "11 payments of this card in 5 minutes; usually 0.3"),
        ("customer_id__count__1h", 1, None, "1 payment of this card in 1 hour"),
        ("customer_id__count__1d", 0, 2, "no payment of this card in 1 day; usually 2"),
        ("customer_id__count__1d", NAN, 2, "number of payments of this card in 1 day: unknown"),
        ("terminal_id__count__2w", 1234, NAN, "1,234 payments at this terminal in 2 weeks"),
        ("payee_id__count__30s", 2, None, "2 payments to this payee in 30 seconds"),
        ("device_id__count__1d", 2, None, "2 payments with this device in 1 day"),
        ("account_id__count__1d", 2, None, "2 payments of this account in 1 day"),
        ("customer_id__count__1d__night", 2, 0, "2 payments of this card in 1 day (at night); usually 0"),
        ("customer_id__count__1d__a_b__tail", 2, None, "2 payments of this card in 1 day (a b, tail)"),
        (
            "terminal_id__count__30d__known_fraud",
            8,
            0,
            "8 known frauds at this terminal in 30 days; usually 0",
        ),
        ("terminal_id__count__30d__known_fraud", 1, None, "1 known fraud at this terminal in 30 days"),
        (
            "customer_id+terminal_id__count__90d",
            0,
            None,
            "first payment of this card at this terminal in 90 days",
        ),
        (
            "customer_id+terminal_id__count__90d",
            3,
            None,
            "3 payments of this card at this terminal in 90 days",
        ),
        (
            "customer_id+payee_id__count__90d__known_fraud",
            0,
            None,
            "no known fraud of this card to this payee in 90 days",
        ),
        ("customer_id__sum_amount__1d", 1234.5, None, "total amount of this card in 1 day is 1,234.50 EUR"),
        (
            "customer_id__mean_amount__7d",
            54.2,
            30,
            "mean amount of this card in 7 days is 54.20 EUR; usually 30.00 EUR",
        ),
        ("terminal_id__min_amount__7d", -5, None, "least amount at this terminal in 7 days is −5.00 EUR"),
        ("customer_id__max_v17__7d", 5.24, None, "greatest v17 of this card in 7 days is 5.2"),
        (
            "customer_id__std_amount__7d",
            NAN,
            3,
            "standard deviation of the amount of this card in 7 days: unknown",
        ),
        (
            "customer_id__trimmed_mean_amount__7d",
            9,
            None,
            "trimmed mean amount of this card in 7 days is 9.00 EUR",
        ),
        ("customer_id__ratio_amount__30d", 4.2, 1, "amount 4.2 times the card's mean of 30 days; usually 1"),
        (
            "customer_id__ratio_trimmed_amount__30d",
            4.2,
            None,
            "amount 4.2 times the card's trimmed mean of 30 days",
        ),
        (
            "customer_id+payee_id__ratio_amount__1w",
            0.5,
            None,
            "amount 0.5 times the mean of 1 week of this card to this payee",
        ),
        (
            "customer_id__ratio_amount__30d",
            NAN,
            1,
            "amount against the mean of 30 days of this card: unknown",
        ),
        (
            "terminal_id__risk__30d",
            0.38,
            0.004,
            "38 % of the payments at this terminal in 30 days known as fraud; usually 0.4 %",
        ),
        (
            "terminal_id__risk__30d",
            NAN,
            None,
            "share known as fraud of the payments at this terminal in 30 days: unknown",
        ),
        (
            "customer_id__share__14d__large",
            1,
            0.125,
            "100 % of the payments of this card in 14 days (large); usually 12.5 %",
        ),
        (
            "customer_id__since_last__30d",
            12,
            2.5 * DAY,
            "12 seconds after the card's last payment; usually 2.5 days",
        ),
        ("customer_id__since_last__30d", 1, None, "1 second after the card's last payment"),
        ("customer_id__since_last__30d", 180, None, "3 minutes after the card's last payment"),
        ("customer_id__since_last__30d", -5, None, "5 seconds before the card's last payment"),
        ("customer_id__since_last__30d", NAN, 5, "time since the last payment of this card: unknown"),
        (
            "customer_id+terminal_id__since_last__90d",
            3600,
            None,
            "1 hour after the last payment of this card at this terminal",
        ),
        (
            "terminal_id__since_first__30d__known_fraud",
            3 * DAY,
            None,
            "3 days after the terminal's first known fraud in 30 days",
        ),
        (
            "terminal_id__since_run_start__90d__known_fraud",
            DAY,
            None,
            "1 day since a run of known frauds at this terminal began",
        ),
        ("customer_id__first_seen__ever", DAY, 100 * DAY, "this card first seen 1 day ago; usually 100 days"),
        (
            "terminal_id__distinct_customer_id__1h",
            12,
            1,
            "12 different cards at this terminal in 1 hour; usually 1",
        ),
        ("customer_id__distinct_terminal_id__1h", 1, None, "1 terminal for this card in 1 hour"),
        ("customer_id__distinct_payee_id__1h", 0, None, "no payees for this card in 1 hour"),
        (
            "device_id__distinct_merchant_category__1h",
            2,
            None,
            "2 different merchant categories with this device in 1 hour",
        ),
        (
            "customer_id__distinct_payee_id__1h",
            NAN,
            None,
            "number of different payees for this card in 1 hour: unknown",
        ),
        ("amount", 12.5, 30, "amount 12.50 EUR; usually 30.00 EUR"),
        ("amount", -1234.5, None, "amount −1,234.50 EUR"),
        ("amount", NAN, 30, "amount is unknown"),
        ("payer_balance_before", 0, None, "payer balance before is 0.00 EUR"),
        ("place=Lagos", 1, 0, "place: Lagos"),
        ("place=Lagos", 0, 0, "place: not Lagos"),
        ("merchant_category=a=b", 1, None, "merchant category: a=b"),
        ("place=Lagos", NAN, None, "place: unknown"),
        ("hour", 3, 14.2, "between 03:00 and 03:59; usually about 14.2"),
        ("weekday", 5, 2, "on a Saturday"),
        ("night", 1, 0, "at night"),
        ("night", 0, 0, "not at night"),
        ("weekend", 1, 0, "at the weekend"),
        ("v17", -5.2, 0.1, "v17 is −5.2; usually 0.1"),
        ("v17", NAN, 0.1, "v17 is unknown"),
        ("shoe_size", 43, None, "shoe size is 43"),
        ("a__b", 3, 1, "a__b is 3; usually 1"),
        ("a__count__5x", 3, None, "a__count__5x is 3"),
        ("a__medal__5m", 3, None, "a__medal__5m is 3"),
        ("__count__5m", 3, None, "__count__5m is 3"),
    ],
)
def test_words(name: str, value: float, usual: float | None, words: str) -> None:
    assert in_words(name, value, usual, currency="EUR") == words


def test_every_aggregate_that_can_be_declared_has_its_words() -> None:
    assert set(DECLARED) == set(AGGREGATES)
    for kind, column in DECLARED.items():
        what = f"{kind}_amount" if column else kind
        name = f"customer_id+terminal_id__{what}__{'ever' if kind == 'first_seen' else '7d'}"
        assert "__" not in in_words(name, 2.0, 1.0)
        assert "unknown" in in_words(name, NAN)


def test_no_value_is_said_as_no_number() -> None:
    assert in_words("amount", None) == "amount is unknown"
    assert in_words("amount", 5) == "amount 5.00"


PARTS = [
    "customer_id",
    "+",
    "__",
    "count",
    "risk",
    "since_last",
    "distinct",
    "5m",
    "ever",
    "=",
    "amount",
    "hour",
    "night",
]
NAMES = st.lists(st.sampled_from(PARTS), max_size=8).map("".join) | st.text(max_size=20)
NAMES |= st.sampled_from([f"customer_id__{kind}_v1__7d" for kind in AGGREGATES])


@given(
    NAMES,
    st.floats(),
    st.none() | st.floats(),
)
def test_any_name_and_any_value_have_words(name: str, value: float, usual: float | None) -> None:
    said = in_words(name, value, usual)
    assert isinstance(said, str)
    assert "nan" not in said.replace(name, "")
    assert len(said) < 200 + 4 * len(name)


def test_numbers_are_short() -> None:
    shown = {0.0: "0", 1.0: "1", 11.0: "11", 0.3: "0.3", -5.2: "−5.2", 0.0341: "0.034", 54.24: "54.2"}
    shown |= {999.6: "1,000", 1234567.0: "1,234,567", 3.04: "3", -0.0: "0", 1e300: "1e+300", math.inf: "∞"}
    shown |= {-math.inf: "−∞"}
    assert {value: number(value) for value in shown} == shown
    assert money(-0.5, "EUR") == "−0.50 EUR"
    assert [percent(share) for share in (0, 0.38, 0.004, 0.00042, 1)] == [
        "0 %",
        "38 %",
        "0.4 %",
        "0.042 %",
        "100 %",
    ]
    assert [counted(n, "day") for n in (0, 1, 2, -1)] == ["0 days", "1 day", "2 days", "−1 day"]


def test_times_take_the_unit_that_fits() -> None:
    shown = {
        0.0: "0 seconds",
        0.4: "less than a second",
        1.0: "1 second",
        59.0: "59 seconds",
        59.97: "1 minute",
        90.0: "1.5 minutes",
        3_599.0: "1 hour",
        5_400.0: "1.5 hours",
        86_399.0: "1 day",
        2.5 * DAY: "2.5 days",
        45.4 * DAY: "45 days",
    }
    assert {value: duration(value) for value in shown} == shown


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (
            "terminal_id__count__14d__ordinary_fraud",
            2,
            "2 known frauds at this terminal in 14 days (of ordinary amounts)",
        ),
        (
            "customer_id__share__14d__high",
            0.25,
            "25 % of the payments of this card in 14 days (at least twice the usual)",
        ),
        ("terminal_id__count__7d__before", 3, "3 payments at this terminal in 7 days (up to a week ago)"),
    ],
)
def test_the_conditions_of_the_solution_s_own_windows_have_words(name: str, value: float, words: str) -> None:
    assert in_words(name, value) == words
