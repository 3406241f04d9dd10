from __future__ import annotations

from datetime import time
from decimal import Decimal
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.contracts.text import BLANK, NUL_BYTE, NULL, OK, TOO_LONG, WHITE, as_text, scan

PIECES = st.text(
    st.one_of(st.sampled_from(WHITE + "aä€\u200b\u180e𝄞"), st.characters(exclude_categories=["Cs"])),
    max_size=8,
)
VALUES = st.lists(st.one_of(st.none(), PIECES), max_size=12)


def test_white_space_is_pythons_and_the_byte_order_mark() -> None:
    assert set(WHITE) == {chr(c) for c in range(0x110000) if chr(c).isspace()} | {"\ufeff"}


@given(VALUES, st.integers(0, 3), st.integers(1, 6))
def test_trimming_is_strip_on_every_slice(values: list[str | None], skip: int, limit: int) -> None:
    array = pa.array(values, pa.string()).slice(skip)
    found = scan(array, limit)
    expected, states = [], []
    for value in values[skip:]:
        text = None if value is None else value.strip(WHITE)
        if text is None:
            state = NULL
        elif not text:
            state = BLANK
        elif len(text.encode()) > limit:
            state = TOO_LONG
        else:
            state = NUL_BYTE if "\0" in text else OK
        states.append(state)
        expected.append(text if state == OK else None)
    assert found.state.tolist() == states
    assert found.trimmed().to_pylist() == expected
    found.trimmed().validate(full=True)
    assert all(found.has(state) == (state in states) for state in (OK, NULL, BLANK, TOO_LONG, NUL_BYTE))


@pytest.mark.parametrize("space", WHITE)
def test_each_white_space_is_stripped_from_both_ends(space: str) -> None:
    values = [f"{space}a{space}{space}b{space}", space, f"ä{space}", f"{space}€"]
    assert scan(pa.array(values), 99).trimmed().to_pylist() == [f"a{space}{space}b", None, "ä", "€"]


@pytest.mark.parametrize("other", "\u200b\u180e\u2060\u3001\u205e\u202e\u0084\u00a1\u1681\ufefe\x0e\x1b\x7f")
def test_what_is_only_near_white_space_stays(other: str) -> None:
    assert scan(pa.array([other + "a" + other]), 99).trimmed().to_pylist() == [other + "a" + other]


def test_a_clean_column_is_not_copied() -> None:
    array = pa.array(["a", None, "b c"])
    assert scan(array, 9).trimmed() is array


@pytest.mark.parametrize(
    ("array", "texts"),
    [
        (pa.array([243002, None]), ["243002", None]),
        (pa.array([243002.0, 1.5, None, 1e300]), ["243002", "1.5", None, str(int(1e300))]),
        (pa.array([2.0**62, -0.0]), [str(2**62), "0"]),
        (pa.array([float("inf"), float("nan")]), ["inf", "nan"]),
        (pa.array([1.5, 2.0], pa.float32()), ["1.5", "2"]),
        (pa.array(["a", None], pa.large_string()), ["a", None]),
        (pa.array(["a", None], pa.string_view()), ["a", None]),
        (pa.array([b"a\xc3\xa4", None]), ["aä", None]),
        (pa.array(["a", None, "a"]).dictionary_encode(), ["a", None, "a"]),
        (pa.array([1, None, 1]).dictionary_encode(), ["1", None, "1"]),
        (pa.array([b"ab", None], pa.binary(2)), ["ab", None]),
        (pa.array([UUID(int=1)], pa.uuid()), ["00000000-0000-0000-0000-000000000001"]),
        (pc.run_end_encode(pa.array(["a", "a", None])), ["a", "a", None]),
        (pa.array([time(9, 5)]), ["09:05:00.000000"]),
        (pa.array([True, None]), ["true", None]),
        (pa.array([None, None]), [None, None]),
        (pa.array([Decimal("12.50"), Decimal("1E+2")]), ["12.50", "100.00"]),
        (pa.array([{"a": ["1", "ä"]}, None]), ['{"a":["1","ä"]}', None]),
        (pa.array([["x", "y"]]), ['["x","y"]']),
    ],
)  # fmt: skip
def test_any_type_as_text(array: pa.Array, texts: list[str | None]) -> None:
    assert as_text(array).to_pylist() == texts
    assert as_text(array).type == pa.string()
