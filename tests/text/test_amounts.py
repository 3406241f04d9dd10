"""Amounts as complaints write them."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tallystick.text import amounts


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("a fee of {$500.00}.", 50000),
        ("$1,234.56 and $12", 123456),
        ("$ 20", 2000),
        ("$.50", 50),
        ("$12.5", 1250),
        ("$3.999", 399),
        ("USD 300", 30000),
        ("US$300", 30000),
        ("300 usd", 30000),
        ("300USD", 30000),
        ("500 dollars, please", 50000),
        ("one dollar? 1 Dollar!", 100),
        ("$5k of debt", 500000),
        ("$5 thousand", 500000),
        ("$1.5 million", 150000000),
        ("$1,000,000.00", 100000000),
        ("$12,34", 1200),
        ("$9999999999", 999999999900),
        ("$9999999999 million", 999999999900 * 1000000),
        ("$12345678901", -1),
        ("{$XX.00}", -1),
        ("{$XXXX.XX} of 2023", -1),
        ("on 12/05/2023 at 500", -1),
        ("500 dollarsign", -1),
        ("xusd 12", -1),
        ("$", -1),
        ("", -1),
        (None, -1),
    ],
)
def test_the_largest_amount(text: str | None, cents: int) -> None:
    assert amounts(pa.array([text, "$1"], pa.string())).tolist() == [cents, 100]
    assert amounts(pa.array(["$1" if text is None else f"{text} $0.01"])).tolist() == [
        100 if text is None else max(cents, 1)
    ]
