"""Near-copies against a plain definition."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tallystick.text import near_copies

from .conftest import lists
from .test_tokens import words_of

LETTER = "I am writing to dispute the following information in my credit file for {} which is not mine"


def test_letters_of_one_template_are_joined() -> None:
    texts = [
        LETTER.format("XXXX"),
        LETTER.format("XXXX XXXX XX/XX/2023").replace("2023", ""),
        "else " * 9,
        None,
    ]
    assert near_copies(pa.array(texts)).tolist() == [0, 0, 2, 3]


def test_short_texts_join_only_their_equals() -> None:
    texts = [
        "one two three four five",
        "One, two. three four FIVE XXXX",
        "one two three four",
        "two one",
        "one two",
        "",
    ]
    assert near_copies(pa.array(texts)).tolist() == [0, 0, 2, 3, 4, 5]


@given(lists)
def test_equal_words_are_always_one_group(texts: list[str]) -> None:
    array = pa.array(texts, pa.string())
    groups = near_copies(array).tolist()
    words = words_of(array, drop_masks=True)
    for i, mine in enumerate(words):
        assert groups[i] <= i
        assert groups[groups[i]] == groups[i]
        for j, others in enumerate(words):
            if mine == others:
                assert groups[i] == groups[j]
            elif min(len(mine), len(others)) < 6:
                assert groups[i] != groups[j]


@given(st.permutations(range(6)))
def test_groups_do_not_depend_on_order(order: list[int]) -> None:
    texts = [LETTER.format(name) for name in ("aa", "aa", "bb")] + ["hello there", "hello there", "other"]
    groups = near_copies(pa.array([texts[i] for i in order]))
    together = {tuple(sorted(order[j] for j in range(6) if groups[j] == g)) for g in set(groups.tolist())}
    straight = near_copies(pa.array(texts))
    assert together == {tuple(j for j in range(6) if straight[j] == g) for g in set(straight.tolist())}
