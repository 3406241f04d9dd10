import re
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.conditions.keyword_automaton import Clause, Words, plain


def met(clauses: list[Clause], texts: list[str | None], kind: pa.DataType | None = None) -> list[int]:
    table = np.ones((len(texts), len(clauses)), np.uint8)
    return Words(clauses).first(pa.array(texts, kind or pa.string()), table).tolist()


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("They will sue me", True),
        ("an issue", False),
        ("SUE", True),
        ("sue's", True),
        ("(sue)", True),
        ("suez", False),
        ("sué", False),
        ("xsue sue", True),
        ("", False),
        ("ѕue", False),  # a Cyrillic letter is another letter
        ("sue\N{LATIN SMALL LETTER E WITH ACUTE}", False),
        ("\N{MONEY BAG}sue\N{MONEY BAG}", True),
        ("\N{MATHEMATICAL BOLD CAPITAL A}sue", False),
    ],
)
def test_a_word_is_met_whole_and_in_any_case(text: str, holds: bool) -> None:
    assert met([Clause(any_of=("sue",))], [text]) == [0 if holds else -1]


@pytest.mark.parametrize("text", ["credit repair", "Credit-Repair", "credit\r\n  repair", "credit, repair"])
def test_a_phrase_is_met_across_whatever_parts_its_words(text: str) -> None:
    assert met([Clause(any_of=("credit repair",))], [text]) == [0]


def test_words_of_other_scripts_fold_too() -> None:
    assert met([Clause(any_of=("ΟΔΟΣ", "straße"))], ["η οδος μου", "STRASSE", "STRAßE"]) == [0, -1, 0]


def test_any_all_and_none_hold_together() -> None:
    clause = Clause(any_of=("a", "b"), all_of=("c", "d"), none_of=("e",))
    assert met([clause], ["a c d", "c d", "b c", "b d c", "a b c d e"]) == [0, -1, -1, 0, -1]


def test_the_first_open_rule_wins_and_a_closed_one_is_passed_over() -> None:
    words = Words([Clause(any_of=("card",)), Clause(any_of=("card", "loan")), Clause()])
    texts = pa.array(["card", "card", "loan", "x"])
    table = np.array([[1, 1, 1], [0, 1, 1], [1, 1, 1], [1, 1, 0]], np.uint8)
    assert words.first(texts, table).tolist() == [0, 1, 1, -1]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_nulls_slices_and_large_strings_are_read_alike(kind: pa.DataType) -> None:
    texts = pa.array(["no", "a card", None, "card", "end"], kind)
    words = Words([Clause(any_of=("card",))])
    assert words.first(texts.slice(1, 3), np.ones((3, 1), np.uint8)).tolist() == [0, -1, 0]
    assert words.first(texts.slice(3, 2), np.ones((2, 1), np.uint8)).tolist() == [0, -1]
    assert words.first(texts.slice(5), np.ones((0, 1), np.uint8)).tolist() == []
    assert met([Clause(any_of=("card",))], [None, None], kind) == [-1, -1]


def test_a_phrase_that_ends_another_is_met_in_it() -> None:
    assert met([Clause(all_of=("my law suit", "suit"))], ["my law suit"]) == [0]
    assert met([Clause(all_of=("law", "my law suit"))], ["my law suit"]) == [0]


LETTERS = st.text(st.sampled_from("abAB -\n.,'é😀1𝐀ß"), max_size=12)


@given(st.lists(LETTERS.filter(plain), min_size=1, max_size=6), st.lists(LETTERS, max_size=6))
def test_agrees_with_a_search_word_by_word(phrases: list[str], texts: list[str]) -> None:
    phrases = [phrase for phrase in phrases if max(plain(phrase)) < "\U00010000"]
    expected = [
        next(
            (
                i
                for i, phrase in enumerate(phrases)
                if re.search(f"(^| ){re.escape(plain(phrase))}( |$)", plain(t))
            ),
            -1,
        )
        for t in texts
    ]
    assert met([Clause(any_of=(phrase,)) for phrase in phrases], texts) == expected


def test_every_letter_of_the_first_plane_is_a_letter() -> None:
    letters = [chr(c) for c in range(0x20, 0x10000) if not 0xD800 <= c < 0xE000]
    found = met([Clause(any_of=("x",))], [f"{letter}x" for letter in letters])
    assert found == [-1 if unicodedata.ucd_3_2_0.category(letter)[0] in "LNM" else 0 for letter in letters]
