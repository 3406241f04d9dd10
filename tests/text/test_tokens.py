"""Our words against scikit-learn's pattern, from every kind of Arrow array."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import UsageError
from tallystick.text.hashing import SEED
from tallystick.text.identifiers import IN_WORD
from tallystick.text.letters import tables
from tallystick.text.ngrams import lower_word
from tallystick.text.tokens import PAD, hash_words, in_slices, split, strings

from .conftest import few


def words_of(texts: pa.Array, *, drop_masks: bool = False) -> list[list[str]]:
    data, offsets = strings(texts)
    out = []
    for i in range(len(offsets) - 1):
        room = 2 * int(offsets[i + 1] - offsets[i]) + 2 * PAD
        scratch, bounds, hashes = (
            np.empty(room, np.uint8),
            np.empty(room, np.int64),
            np.empty(room, np.uint64),
        )
        source, edges = split(data, offsets[i], offsets[i + 1], tables(), scratch, bounds)
        n = hash_words(source, bounds, edges, drop_masks, SEED, hashes)
        copy = np.empty(room, np.uint8)
        spans = [(bounds[2 * j], bounds[2 * j + 1]) for j in range(n)]
        out.append([copy[: lower_word(source, a, b, copy, 0)].tobytes().decode() for a, b in spans])
    return out


def expected(text: str | None) -> list[str]:
    return re.findall(r"(?u)\b\w\w+\b", (text or "").lower())


def known(text: str) -> bool:
    """Python's Unicode may be older or newer than the tables: only what is assigned in both can agree."""
    return all(unicodedata.category(c) not in ("Cn", "Cs") for c in text)


def harmless(text: str) -> str:
    """The text, without an @ and with fewer digits than identify anybody."""
    if "@" not in text and sum(c in "0123456789" for c in text) < IN_WORD:
        return text
    return text.replace("@", " ").translate(str.maketrans("0123456789", "zyxwvutsrq"))


@given(st.lists(st.one_of(few, st.text(max_size=80), st.text("abcXYZ_09 ,é", max_size=200)), max_size=6))
def test_words_are_those_of_scikit_learn(texts: list[str]) -> None:
    texts = [harmless("".join(c for c in text if known(c))) for text in texts]
    assert words_of(pa.array(texts, pa.string())) == [expected(text) for text in texts]


@pytest.mark.parametrize("length", [62, 63, 64, 65, 127, 128, 129])
def test_words_across_blocks_of_64_bytes(length: int) -> None:
    text = "ab " * (length // 3) + "tail" * 3
    for start in range(6):
        assert words_of(pa.array(["." * start + text])) == [expected("." * start + text)]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
def test_every_kind_of_strings_reads_alike(kind: pa.DataType) -> None:
    plain = pa.array(["One two", None, "", "trois élèves", "XX four"])
    array = plain.dictionary_encode() if pa.types.is_dictionary(kind) else plain.cast(kind)
    want = [expected(t) for t in plain.to_pylist()]
    assert words_of(array) == want
    assert words_of(array.slice(2)) == want[2:]
    assert words_of(pa.chunked_array([array.slice(0, 2), array.slice(2)])) == want


def test_what_a_null_hides_is_not_read() -> None:
    data, offsets = pa.py_buffer(b"seenhidden"), pa.py_buffer(np.array([0, 4, 10], np.int32))
    array = pa.StringArray.from_buffers(2, offsets, data, pa.py_buffer(b"\x01"))
    assert words_of(array) == [["seen"], []]


def test_masks_can_be_left_out() -> None:
    texts = pa.array(["XXXX paid xx XX/XX/2023 xxl x XXXXXXXXXXXXXXXXXXX XXXXXXXXXy x_x"])
    assert words_of(texts, drop_masks=True) == [["paid", "2023", "xxl", "xxxxxxxxxy", "x_x"]]


def test_other_things_are_refused() -> None:
    with pytest.raises(UsageError, match="int64"):
        strings(pa.array([1, 2]))
    with pytest.raises(UsageError, match="list"):
        strings(["a"])


@given(st.lists(st.integers(0, 50), max_size=40), st.integers(1, 5))
def test_slices_cover_each_row_once_and_in_order(sizes: list[int], threads: int) -> None:
    texts = strings(pa.array(["a" * n for n in sizes], pa.string()))
    rows = [i for part in in_slices(texts, threads, lambda a, b: list(range(a, b))) for i in part]
    assert rows == list(range(len(sizes)))
