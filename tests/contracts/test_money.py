from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tallystick.config import Settings
from tallystick.contracts import Checked, Column, Contract
from tallystick.contracts.currencies import DIGITS, digits
from tallystick.contracts.money import LIMIT, WRITTEN, as_decimal, as_text, major, render
from tallystick.errors import UsageError

PAID = Contract(
    "paid",
    1,
    (
        Column("amount", "money", "What is paid", currency="currency", nulls=("N/A",)),
        Column("currency", "category", "In what"),
    ),
)
CURRENCIES = st.sampled_from(sorted(DIGITS))
MINOR = st.integers(-LIMIT, LIMIT)


def check(rows: dict[str, Any], currency: str = "USD") -> Checked:
    batch = pa.record_batch(rows)
    return PAID.check(batch, PAID.resolve(batch.schema.names), Settings(currency=currency))


def one(value: Any, currency: str | None = None, kind: pa.DataType | None = None) -> int | str | None:
    """Return the minor units, or the code of what is wrong."""
    checked = check({"amount": pa.array([value], kind), "currency": pa.array([currency], pa.string())})
    if len(checked.bad):
        return checked.bad.code[0]
    found: int | None = checked.rows["amount"][0].as_py()
    return found


@pytest.mark.parametrize(
    ("value", "currency", "minor"),
    [
        ("85.64999999999999", "USD", 8565), (85.64999999999999, "USD", 8565), ("12.30", "USD", 1230),
        ("-12.3", "EUR", -1230), ("$1,234.50", None, 123450), ("1e2", "USD", 10000), ("0", "USD", 0),
        ("-0.00", "USD", 0), (-0.0, "USD", 0), ("1.005", "USD", "too_precise"), (1.005, "USD", "too_precise"),
        ("1.005", "KWD", 1005), ("1.00005", "CLF", "too_precise"), ("1.0005", "CLF", 10005),
        ("12.0", "JPY", 12), ("12.5", "JPY", "too_precise"), (12.0, "JPY", 12), (12.5, "JPY", "too_precise"),
        (12, "USD", 1200), (12, "JPY", 12), (Decimal("12.30"), "USD", 1230),
        (Decimal("12.305"), "USD", "too_precise"), (Decimal("-0.001"), "KWD", -1),
        ("($12.00)", "USD", "not_a_number"), ("1,5", "EUR", "not_a_number"), ("x", "USD", "not_a_number"),
        ("12 USD", "USD", "not_a_number"), (float("nan"), "USD", None),
        (float("inf"), "USD", "not_a_number"), ("", "USD", None), (None, "USD", None), ("N/A", "USD", None),
        ("1", " usd ", 100), ("1", "XYZ", "unknown_currency"), ("1", "$", "unknown_currency"),
        ("1", "XAU", "unknown_currency"), ("1", "u\u017fd", "unknown_currency"), ("1", "HRK", 100),
        ("x", "EURO", "unknown_currency"), ("", "EURO", "unknown_currency"), ("1", "", 100), ("1", None, 100),
        ("10000000000000", "USD", LIMIT), ("10000000000000.01", "USD", "out_of_range"),
        ("10000000000000.010", "USD", "out_of_range"), ("9999999999999.999999999", "USD", LIMIT),
        ("1e15", "JPY", LIMIT), ("1e16", "JPY", "out_of_range"), ("1e99999", "USD", "out_of_range"),
        (1e300, "USD", "out_of_range"), (10**13 + 1, "USD", "out_of_range"),
        (-(2**63), "JPY", "out_of_range"),
        ("1e-99999", "USD", 0), ("0.0000000001", "USD", 0), ("0.00000001", "USD", 0),
        ("0.0000000101", "USD", "too_precise"), ("-0.0000000101", "USD", "too_precise"),
        ("85.6499999999999914734871708788", "USD", 8565),
        ("1.0050000000000000000000001", "USD", "too_precise"),
        ("123456789012345678901234567890", "USD", "out_of_range"), ("1." + "0" * 5000 + "1", "USD", 100),
        (99999999999.99, "USD", 9999999999999), (123456789012.34, "USD", 12345678901234),
    ],
)  # fmt: skip
def test_what_an_amount_is(value: Any, currency: str | None, minor: int | str | None) -> None:
    assert one(value, currency) == minor


@pytest.mark.parametrize(
    ("kind", "value", "minor"),
    [
        (pa.float32(), 85.65, 8565), (pa.float32(), 1.005, "too_precise"),
        (pa.float32(), 20_000_000.0, 2 * 10**9),
        (pa.float16(), 1.5, 150), (pa.int8(), -3, -300), (pa.uint64(), 2**63, "out_of_range"),
        (pa.uint64(), 7, 700), (pa.decimal256(50, 3), Decimal("7.120"), 712),
        (pa.large_string(), "7.12", 712),
        (pa.binary(), b"7.12", 712), (pa.binary(), b"7\xff", "bad_encoding"), (pa.null(), None, None),
        (pa.dictionary(pa.int8(), pa.string()), "7.12", 712), (pa.bool_(), True, "not_a_number"),
        (pa.float64(), None, None), (pa.int64(), None, None),
    ],
)  # fmt: skip
def test_amounts_of_any_type(kind: pa.DataType, value: Any, minor: int | str | None) -> None:
    if pa.types.is_float16(kind):
        value = np.float16(value)
    assert one(value, "USD", kind) == minor


@given(MINOR, CURRENCIES)
@example(LIMIT, "JPY")
@example(-LIMIT, "CLF")
def test_what_is_written_is_read_again(minor: int, currency: str) -> None:
    written = render(minor, currency, code=False)
    assert one(written, currency) == minor
    assert f"{written} {currency}" == render(minor, currency)
    codes, column = pa.array([currency]), pa.array([minor])
    assert as_text(column, codes, "USD").to_pylist() == [written]
    decimal = as_decimal(column, codes, "USD")
    assert decimal.type == WRITTEN
    assert decimal.to_pylist() == [Decimal(written)]
    assert one(decimal[0].as_py(), currency, WRITTEN) == minor
    assert one(decimal.cast(pa.string())[0].as_py(), currency) == minor


@given(MINOR, CURRENCIES)
@example(999_999_999_999_999, "USD")
def test_the_nearest_float_is_the_amount_again(minor: int, currency: str) -> None:
    value = minor / 10 ** digits(currency)
    assert major(np.array([minor]), pa.array([currency]))[0] == value
    assert one(value, currency) == one(repr(value), currency) == minor


@given(st.floats(allow_nan=False, allow_infinity=False), CURRENCIES)
@example(1.00000001, "USD")
@example(120.00999999, "USD")
@example(99913.00000001, "USD")
@example(2.0000000100000004, "USD")
@example(134217728.01000001, "USD")
@example(9999999999999.998, "USD")
@example(1e13, "USD")
def test_a_float_is_what_it_prints_as(value: float, currency: str) -> None:
    assert one(value, currency) == one(repr(value), currency)


def expected(text: str, currency: str) -> int | str:
    """Say what an amount is, in the words of the rule."""
    scaled = Decimal(text) * 10 ** digits(currency)
    whole = round(scaled)
    if abs(whole) > LIMIT:
        return "out_of_range"
    return whole if abs(scaled - whole) <= Decimal("1e-6") else "too_precise"


DECIMALS = st.builds(
    lambda whole, shift: f"{Decimal(whole).scaleb(-shift):f}",
    st.integers(-(10**17), 10**17) | st.integers(-(10**24), 10**24),
    st.integers(0, 26),
)


@given(DECIMALS, CURRENCIES)
@example("0.000000009999999999999999", "USD")
@example("0.004999999999999999", "USD")
def test_text_is_decimal_digits(text: str, currency: str) -> None:
    assert one(text, currency) == expected(text, currency)


AMOUNTS = st.sampled_from(
    [None, "", "1.005", "12.5", "85.64999999999999", "x", "1e20", "-7", "N/A", "1.0000000000000000000001"]
)
CODES = st.sampled_from([None, "", "USD", "jpy", "KWD", "QQQ", "CLF"])


@given(st.lists(st.tuples(AMOUNTS, CODES), min_size=1, max_size=60), st.sampled_from(["USD", "JPY"]))
def test_one_row_is_as_many(rows: list[tuple[str | None, str | None]], currency: str) -> None:
    columns = {
        "amount": pa.array([a for a, _ in rows], pa.string()),
        "currency": pa.array([c for _, c in rows], pa.string()),
    }
    together = check(columns, currency)
    clean: list[dict[str, Any]] = []
    codes: list[str] = []
    for i in range(len(rows)):
        alone = check({name: column.slice(i, 1) for name, column in columns.items()}, currency)
        clean += alone.rows.to_pylist()
        codes += alone.bad.code
    assert together.rows.to_pylist() == clean
    assert list(together.bad.code) == codes


@given(
    st.lists(st.sampled_from([None, 85.65, 1.005, float("nan"), 1e300, -2.5, 12.0]), min_size=1, max_size=60)
)
def test_one_float_is_as_many(values: list[float | None]) -> None:
    column = pa.array([0.0, *values], pa.float64()).slice(1)
    together = check({"amount": column})
    alone = [check({"amount": column.slice(i, 1)}) for i in range(len(values))]
    assert together.rows.to_pylist() == [row for part in alone for row in part.rows.to_pylist()]
    assert list(together.bad.code) == [code for part in alone for code in part.bad.code]


def test_a_row_without_a_currency_takes_the_setting() -> None:
    rows = {"amount": ["12", "12"], "currency": [None, "usd"]}
    assert check(rows, "JPY").rows.to_pylist() == [
        {"amount": 12, "currency": "JPY"},
        {"amount": 1200, "currency": "USD"},
    ]
    assert check({"amount": ["12"]}, "KWD").rows.to_pylist() == [{"amount": 12_000}]
    assert check({"amount": ["1"], "currency": pa.nulls(1)}, "JPY").rows.to_pylist() == [
        {"amount": 1, "currency": "JPY"}
    ]


def test_the_reason_is_said_in_words() -> None:
    bad = check({"amount": ["1.005", "1e20", "1"], "currency": ["USD", "USD", "DOGE"]}).bad
    assert bad.column == ("amount", "amount", "currency")
    assert bad.value == ("1.005", "1e20", "DOGE")
    assert "more decimals" in bad.message[0]
    assert "1,000,000,000,000,000 minor units" in bad.message[1]
    assert "ISO 4217" in bad.message[2]


def test_a_currency_that_is_none_is_refused_with_what_is_near() -> None:
    with pytest.raises(UsageError, match='no currency "USB"') as caught:
        check({"amount": ["1"]}, "USB")
    assert '"USD"' in caught.value.hint
    with pytest.raises(UsageError, match='no currency "usd"'):
        digits("usd")
    with pytest.raises(UsageError, match="ISO 4217"):
        digits("???")


def test_the_list_of_currencies() -> None:
    three = [code for code, places in DIGITS.items() if places == 3]
    assert sorted(three) == ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]
    assert {code for code, places in DIGITS.items() if places == 4} == {"CLF", "UYW"}
    assert [DIGITS[code] for code in ("JPY", "KRW", "VND", "CLP", "ISK", "UGX", "EUR")] == [0] * 6 + [2]
    assert all(len(code) == 3 and code.isupper() for code in DIGITS)
    assert max(DIGITS.values()) <= WRITTEN.scale


def test_columns_to_write_keep_what_is_missing() -> None:
    minor, codes = pa.array([1230, None, -5]), pa.array(["USD", "JPY", None])
    assert as_text(minor, codes, "JPY").to_pylist() == ["12.30", None, "-5"]
    assert as_decimal(minor, codes, "JPY").to_pylist() == [Decimal("12.3"), None, Decimal(-5)]
    assert as_decimal(minor, None, "KWD").to_pylist() == [Decimal("1.23"), None, Decimal("-.005")]
    assert as_text(minor, None, "KWD").to_pylist() == ["1.230", None, "-0.005"]


@pytest.mark.parametrize("rows", [3, 100])
def test_places_of_few_and_many_rows(rows: int) -> None:
    codes = pa.array((["JPY", None, "KWD"] * rows)[:rows])
    assert major(np.full(rows, 1000), codes, "USD").tolist() == ([1000.0, 10.0, 1.0] * rows)[:rows]


def test_a_contract_says_where_the_currency_is() -> None:
    amount = Column("amount", "money", "Paid", currency="currency")
    with pytest.raises(ValueError, match="needs its currency"):
        Contract("paid", 1, (amount,))
    with pytest.raises(ValueError, match="needs its currency"):
        Contract("paid", 1, (amount, Column("currency", "number", "In what")))
    with pytest.raises(ValueError, match="only an amount of money"):
        Column("amount", "number", "Paid", currency="currency")


MONEY = Contract(
    "sums", 1, (Column("amount", "money", "Paid", currency="unit"), Column("unit", "category", "Currency"))
)


def amounts(values: list, units: list | None = None, **settings: object) -> tuple[list, list[str]]:
    rows = {"amount": values} | ({} if units is None else {"unit": units})
    checked = MONEY.check(pa.record_batch(rows), MONEY.resolve(list(rows)), Settings(**settings))
    return checked.rows.column("amount").to_pylist(), list(checked.bad.code)


def test_a_sign_stands_for_the_currency_of_its_row_or_the_row_is_bad() -> None:
    texts = ["€12.50", "$12.50", "£12.50", "12.50", "¥1250", "kr 5", "CHF 5"]
    units = ["EUR", "EUR", "GBP", "GBP", "CNY", "DKK", None]
    good, bad = amounts(texts, units)
    assert good == [1250, 1250, 1250, 125000, 500]
    assert bad == [
        "other_currency",
        "other_currency",
    ]  # dollars of a euro row, francs where the setting is USD
    assert [amounts([text], [unit])[1] for text, unit in zip(texts[1:2], units[1:2], strict=True)] == [
        bad[:1]
    ]


def test_the_setting_decides_where_no_column_does() -> None:
    assert amounts(["€12.50", "$5", "7"]) == ([500, 700], ["other_currency"])
    assert amounts(["€12.50", "$5", "7"], currency="EUR") == ([1250, 700], ["other_currency"])
    assert amounts(["$5"], currency="CAD") == ([500], [])
    assert amounts(["₦1,000", "₹1,00,000"], ["NGN", "INR"]) == ([100000, 10000000], [])
    assert amounts(["R$5", "100 zł", "5 €"], ["BRL", "PLN", "EUR"]) == ([500, 10000, 500], [])


def test_a_decimal_comma_is_for_the_setting_to_say() -> None:
    texts = ["0,500", "12,50", "1.234,50", "1.234.567,89 €", "-€1.000,00", "12.500"]
    assert amounts(texts, ["EUR"] * 6, decimal="comma") == (
        [50, 1250, 123450, 123456789, -100000, 1250000],
        [],
    )
    good, bad = amounts(texts, ["EUR"] * 6)
    assert (good, bad) == ([1250], ["not_a_number"] * 5)
    checked = MONEY.check(pa.record_batch({"amount": ["0,500"]}), MONEY.resolve(["amount"]), Settings())
    assert "With --set decimal=comma it is one" in checked.bad.message[0]
    assert amounts(["12,500"]) == ([1250000], [])


@given(st.integers(-(10**12), 10**12))
def test_points_and_commas_change_places(minor: int) -> None:
    text = f"{minor / 100:,.2f}"
    changed = text.translate(str.maketrans(".,", ",."))
    assert amounts([text]) == amounts([changed], decimal="comma") == ([minor], [])
