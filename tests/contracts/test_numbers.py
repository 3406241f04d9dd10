from __future__ import annotations

import math

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tallystick.contracts.numbers import NOT_A_NUMBER, NOT_WHOLE, OVERFLOW, integers, numbers
from tallystick.contracts.text import NULL, OK, scan


def number(text: str | None) -> float | str | None:
    values, state = numbers(scan(pa.array([text], pa.string()), 9_999))
    return {OK: float(values[0]), NULL: None, NOT_A_NUMBER: "bad"}[int(state[0])]


def integer(text: str | None) -> int | str | None:
    values, state = integers(scan(pa.array([text], pa.string()), 9_999))
    names = {NULL: None, NOT_A_NUMBER: "bad", NOT_WHOLE: "part", OVERFLOW: "large"}
    return int(values[0]) if state[0] == OK else names[int(state[0])]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0.0), ("-0", 0.0), ("007", 7.0), ("1.", 1.0), (".5", 0.5), ("+1.5", 1.5), ("1,234.50",
        1234.5), ("$1,234.50", 1234.5), ("1,20,540.00", 120540.0), ("1,23,456", 123456.0), ("1$", 1.0),
        ("12 €", 12.0),
        ("CHF 12.50", 12.5), ("-R$5", -5.0), ("100 kr", 100.0), ("zł7", 7.0), ("₹1,00,000", 100000.0),
        ("-$5", -5.0), ("$-5", -5.0), ("€1,000,000", 1e6), ("£2.50", 2.5), ("1e3", 1000.0), ("1E-3", 0.001),
        (" 12 ", 12.0),
        ("85.64999999999999", 85.64999999999999), ("123456789012345678901234567890", 1.2345678901234568e29),
        ("", None), (None, None),
        ("0e999999", 0.0), ("1e-400", 0.0),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(text: str | None, value: float | None) -> None:
    found = number(text)
    assert (found, str(found)) == (value, str(value))


@pytest.mark.parametrize(
    "text",
    ["x", "-", "$", "1,5", "0,500", "00,500", "1,23,45", "12,345,67,890",
     "1234,567", ",123", "123,", "1,,234", "1.234,50", "1.2.3", "1e",
    "1e+", "nan", "NaN", "inf",
     "-Infinity", "1e999", "1 000", "--1", "+-1", "$$1", "1$$", "$1$", "1 USD",
     "0x10", "1_000", "12a", "\u0663", "5%"],
)  # fmt: skip
def test_what_is_no_number(text: str) -> None:
    assert number(text) == "bad"
    assert integer(text) == ("large" if text == "1e999" else "bad")


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(9007199254740993.0)
@example(5e-324)
@example(1e22)
@example(1e23)
def test_every_float_comes_back_to_the_bit(value: float) -> None:
    found = number(repr(value))
    assert isinstance(found, float)
    assert found == value
    assert math.copysign(1, found) == math.copysign(1, value) or value == 0


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4).map(lambda d: format(d, "f")))
def test_a_decimal_is_the_nearest_float(text: str) -> None:
    assert number(text) == float(text)


@given(st.integers(0, 10**15), st.integers(0, 99))
def test_commas_in_threes_change_nothing(whole: int, cents: int) -> None:
    assert number(f"${whole:,}.{cents:02d}") == float(f"{whole}.{cents:02d}")


@given(st.integers(-(2**65), 2**65))
@example(2**63 - 1)
@example(2**63)
@example(-(2**63))
@example(-(2**63) - 1)
def test_integers_are_exact_or_too_large(value: int) -> None:
    expected = value if -(2**63) <= value < 2**63 else "large"
    assert integer(str(value)) == integer(f"{value}.0") == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [("12.5", "part"), ("12.0", 12), ("1e3", 1000), ("1e-3", "part"), ("1,000", 1000),
    ("1e99999999999999999999", "large"),
     ("1e-99999999999999999999", "part"), ("0.99999999999999999999", "part"), ("", None), (None, None)],
)  # fmt: skip
def test_whole_numbers(text: str | None, value: int | str | None) -> None:
    assert integer(text) == value
