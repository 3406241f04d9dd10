from __future__ import annotations

import ast

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.contracts.literals import undo, undo_all
from tallystick.contracts.text import WHITE, scan


@given(st.text(st.characters(exclude_categories=["Cs"])).filter(lambda t: not t.strip(WHITE).startswith("b")))
def test_what_repr_wrote_comes_back(text: str) -> None:
    assert undo(repr(text.encode())) == text.strip(WHITE)


@given(st.binary(max_size=20))
def test_bytes_that_are_no_utf8_are_cp1252(raw: bytes) -> None:
    written = repr(raw)
    try:
        expected = raw.decode()
    except UnicodeDecodeError:
        expected = raw.decode("cp1252", "replace")
    if not expected.strip(WHITE).startswith("b"):
        assert undo(written) == expected.strip(WHITE)
    assert ast.literal_eval(written) == raw


@pytest.mark.parametrize(
    "text",
    [
        "b'it's'",
        "b'open",
        "b\"a'",
        "'plain'",
        "B'x'",
        "b'\\q'",
        "b'\\x4'",
        "b''' '''",
        "xb'a'",
        "b'a' and b'b'",
        "b'a\\'",
        "rb'a'",
    ],
)
def test_what_only_looks_like_a_literal_stays(text: str) -> None:
    assert undo(text) == text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("b'It\\'s at XXXX", "It's at XXXX"),
        ("b\"It's at XXXX", "It's at XXXX"),
        ("bXXXX XXXX\\n\\nRe: that", "bXXXX XXXX\\n\\nRe: that"),  # nothing ends it
        ("bXXXX XXXX\\n\\nYours,\\nXXXX", "XXXX XXXX\n\nYours,\nXXXX"),
        ("bXXXX said\\nno'", "XXXX said\nno"),
        ("bXXXX paid me XXXX", "bXXXX paid me XXXX"),  # no escape tells it from a word
        ("b'not masked at the end XXX", "b'not masked at the end XXX"),
    ],
)
def test_a_masked_end_takes_its_quote_along(text: str, plain: str) -> None:
    assert undo(text) == plain


def test_nested_literals_are_undone_to_the_end() -> None:
    assert undo(repr(repr(b"a").encode())) == "a"


def test_only_the_literals_of_a_column_change() -> None:
    array = pa.array(["x", "b'caf\\xc3\\xa9\\n'", None, '  b"it\'s"  ', "b'", "", "b'unfinished"])
    assert undo_all(scan(array, 99)).to_pylist() == ["x", "café", None, "it's", "b'", "", "b'unfinished"]
