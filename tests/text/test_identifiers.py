"""Numbers and addresses that identify are no words, and never features or reasons."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.text import TextScorer, TextSpec, Vocabulary

from .test_tokens import expected, words_of

GONE = {
    "my card 4929123456789012 and": ["my", "card", "and"],
    "my card 4929 1234 5678 9012 and": ["my", "card", "and"],
    "card 4111-1111-1111-1111.": ["card"],
    "card 3782 822463 10005 was": ["card", "was"],
    "my ssn 078-05-1120 is": ["my", "ssn", "is"],
    "ssn 078 05 1120": ["ssn"],
    "ssn 078.05.1120": ["ssn"],
    "ssn 078051120": ["ssn"],
    "iban DE89370400440532013000 end": ["iban", "end"],
    "iban DE89 3704 0044 0532 0130 00 end of it": ["iban", "end", "of", "it"],
    "iban gb29 nwbk 6016 1331 9268 19 please": ["iban", "please"],
    "MT84 MALT 0110 0001 2345 MTLC AST0 01S ok": ["ok"],
    "write to john.smith+bank@mail.example.com now": ["write", "to", "now"],
    "schreiben Sie jürgen@müller.de bitte": ["schreiben", "sie", "bitte"],
    "call +1 (202) 555-0143 today": ["call", "today"],
    "call 202.555.0143, or 555-0143": ["call", "or"],
    "Tel. 030/1234567 oder 01 23 45 67 89": ["tel", "oder"],
    "account 12345678 and acct# 00123-4567-89": ["account", "and", "acct"],
    "licence D1234567, acct_99887766": ["licence"],
    "numéro 4929\u00a01234\u00a05678\u00a09012 é": ["numéro"],
}
KEPT = [
    "on 01/15/2023 and 2023-02-03 and 15.01.2023",
    "paid $1,250.00, {$35.00}, 500.00 20.00 and 250,000 dollars",
    "in 2019 2020 2021 2022 it was",
    "the 3rd, 24/7, w2, 401k, 609(e), 15 U.S.C. 1681",
    "we are @bank, ask hi@ there",
    "12 of 34 in 5 for 1099",
]


@pytest.mark.parametrize("text", GONE)
def test_what_identifies_is_no_word(text: str) -> None:
    assert words_of(pa.array([text])) == [GONE[text]]
    assert words_of(pa.array(["padding " * 30 + text]))[0][30:] == GONE[text]


@pytest.mark.parametrize("text", KEPT)
def test_dates_amounts_and_years_stay(text: str) -> None:
    assert words_of(pa.array([text])) == [expected(text)]


@given(st.text("0123456789 -./()@aB,é$", max_size=120))
def test_what_is_left_are_words_of_the_text_in_their_order(text: str) -> None:
    left, every = words_of(pa.array([text]))[0], iter(expected(text))
    assert all(word in every for word in left)
    assert not any(sum(c.isdigit() for c in word) >= 5 for word in left)
    if len(re.findall(r"\d", text)) < 5 and "@" not in text:
        assert left == expected(text)


@given(st.integers(10**11, 10**19 - 1), st.sampled_from([" ", "-", ""]))
def test_any_long_number_is_gone_however_it_is_grouped(number: int, mark: str) -> None:
    digits = str(number)
    text = mark.join(digits[i : i + 4] for i in range(0, len(digits), 4))
    years = all(re.fullmatch("19..|20..", part) for part in text.split(mark or None))
    assert words_of(pa.array([f"card {text} and"])) == [["card", "and"]] or years


LETTERS = [
    "My card 4929123456789012 was charged, ssn 078-05-1120, Wilhelmina Zawadzka.",
    "Again my card 4929 1234 5678 9012 was charged, ssn 078 05 1120, Wilhelmina Zawadzka.",
    *("my card was charged a late fee by the bank",) * 10,
]


def test_neither_features_nor_their_ngrams_hold_them() -> None:
    spec = TextSpec(words=(1, 3), characters=(3, 4), min_df=1)
    names = Vocabulary.fit(pa.array(LETTERS), spec).names.to_pylist()
    assert not [name for name in names if re.search(r"\d", name)]
    assert "ssn wilhelmina" in names  # as if a mask stood there
    assert "card was" in names


def test_what_one_author_writes_is_no_feature() -> None:
    authors = np.array([7, 7, *range(10, 20)])
    names = set(Vocabulary.fit(pa.array(LETTERS), TextSpec(), authors).names.to_pylist())
    assert not {"wilhelmina", "zawadzka", "ssn", "again"} & names
    assert {"card", "was charged", "late fee"} <= names
    apart = Vocabulary.fit(pa.array(LETTERS), TextSpec(), np.arange(12))
    assert "zawadzka" in apart.names.to_pylist()  # two people's
    assert apart.df.tolist() == Vocabulary.fit(pa.array(LETTERS), TextSpec()).df.tolist()


def test_authors_are_counted_wherever_their_texts_stand() -> None:
    texts, authors = pa.array(["fee late", "late", "fee", "late", "late"]), np.array([1, 2, 1, 3, 2])
    vocabulary = Vocabulary.fit(texts, TextSpec(words=(1, 1), min_df=1), authors)
    assert dict(zip(vocabulary.names.to_pylist(), vocabulary.df.tolist(), strict=True)) == {
        "fee": 1, "late": 3,
    }  # fmt: skip
    assert vocabulary.authors == 3


def test_no_reason_names_them() -> None:
    vocabulary = Vocabulary.fit(pa.array(LETTERS), TextSpec(characters=(3, 4)))
    scorer = TextScorer(vocabulary, np.ones((len(vocabulary), 1)), np.zeros(1))
    asked = pa.array(["charged card DE89 3704 0044 0532 0130 00, 4929123456789012 mail a.b@card.com"])
    reasons = scorer.logits_and_reasons(asked, k=50)[1].to_pylist()[0]
    assert reasons
    assert not [reason for reason in reasons if re.search(r"\d|com|mail a", reason["feature"])]
