from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from tallystick.contracts.ranges import Range, amount

CENTS = partial(amount, decimals=2)


@pytest.mark.parametrize(
    ("said", "low", "high"),
    [
        ("at least .9", 0.9, np.inf),
        ("from 90 %", 0.9, np.inf),
        ("Up To 35%", 0.0, 0.35),
        (".5 to .8", 0.5, 0.8),
        ("between 5% and 1", 0.05, 1.0),
        ("over .5", np.nextafter(0.5, 1), np.inf),
        ("less than .5", 0.0, np.nextafter(0.5, 0)),
        ("none", -1.0, -1.0),
    ],
)
def test_shares(said: str, low: float, high: float) -> None:
    assert Range.read(said) == Range(low, high)


@pytest.mark.parametrize(
    ("said", "low", "high"),
    [
        ("over $1,000", np.nextafter(100_000.0, np.inf), np.inf),
        ("at most 0.29", 0.0, 29.0),
        ("$ 5 to $ 7.50", 500.0, 750.0),
    ],
)
def test_amounts_in_minor_units(said: str, low: float, high: float) -> None:
    assert Range.read(said, CENTS) == Range(low, high)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("at least 90", "Did you mean 90%?"),
        ("at least 120%", "between 0 and 1"),
        ("at least 0,9", "between 0 and 1"),
        ("at least $.9", "no amount"),
        (".9 to .5", "the first number is the greater one"),
        ("high", "write below .8"),
        ("at least", "write below .8"),
    ],
)
def test_what_is_no_range_of_shares(said: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("?", r"\?").replace("$", r"\$")):
        Range.read(said)


@pytest.mark.parametrize(
    ("said", "words"), [("over 5%", "no %"), ("over 0.001", "at most 2"), ("over 1" + "0" * 20, "too large")]
)
def test_what_is_no_range_of_amounts(said: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Range.read(said, CENTS)
