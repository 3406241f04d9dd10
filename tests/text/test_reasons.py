"""Reasons: they sum to the logit, name what is in the text, and come in order."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from tallystick.text import TextScorer, TextSpec, Vocabulary

from .test_scoring import SPECS, scorer_of
from .test_tokens import words_of

ALL = 1000  # more reasons than a text has


def positive(weights: np.ndarray) -> np.ndarray:
    """Weights of which every contribution counts, so that all reasons are there."""
    return np.abs(weights) + 0.01


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_effects_and_intercept_are_the_logit(spec: TextSpec, generated: pa.Array) -> None:
    random = scorer_of(spec, 5)
    scorer = TextScorer(random.vocabulary, positive(random.weights), random.intercept)
    logits, reasons = scorer.logits_and_reasons(generated, ALL)
    for row, listed in zip(logits, reasons.to_pylist(), strict=True):
        best = int(np.argmax(row))
        assert sum(r["effect"] for r in listed) + scorer.intercept[best] == pytest.approx(row[best], abs=1e-9)


@pytest.mark.parametrize("spec", SPECS[:2], ids=str)
def test_reasons_are_the_largest_terms_of_the_product(spec: TextSpec, generated: pa.Array) -> None:
    scorer = scorer_of(spec)
    X, names = scorer.vocabulary.scipy(generated), scorer.vocabulary.names.to_pylist()
    logits, reasons = scorer.logits_and_reasons(generated, 3)
    for i, listed in enumerate(reasons.to_pylist()):
        row = X[i]
        terms = row.data * scorer.weights[row.indices, np.argmax(logits[i])]
        order = sorted(range(len(terms)), key=lambda j: (-round(terms[j], 12), row.indices[j]))[:3]
        want = [(names[row.indices[j]], terms[j]) for j in order if terms[j] > 0]
        assert [r["feature"] for r in listed] == [name for name, _ in want]
        np.testing.assert_allclose([r["effect"] for r in listed], [effect for _, effect in want], atol=1e-12)


@pytest.mark.parametrize("spec", SPECS[2:], ids=str)
def test_character_effects_go_to_the_words_of_the_text(spec: TextSpec, generated: pa.Array) -> None:
    scorer = scorer_of(spec)
    words = words_of(generated, drop_masks=spec.masks == "drop")
    _, reasons = scorer.logits_and_reasons(generated, 4, threads=2)
    seen_unknown = False
    for tokens, listed in zip(words, reasons.to_pylist(), strict=True):
        counts = Counter(tokens) + Counter(" ".join(pair) for pair in pairwise(tokens))
        effects = [r["effect"] for r in listed]
        assert effects == sorted(effects, reverse=True)
        for r in listed:
            assert r["value"] == counts[r["feature"]]
            seen_unknown |= r["feature"] not in scorer.vocabulary.names.to_pylist()
    assert seen_unknown or spec.words == (1, 2)


def test_a_share_goes_to_each_occurrence() -> None:
    texts = pa.array(["abc abcd abc", "abc abcd abc"])
    spec = TextSpec(words=None, characters=(3, 3), sublinear=False, idf=False)
    vocabulary = Vocabulary.fit(texts, spec)
    weights = np.where(np.array(vocabulary.names.to_pylist()) == "abc", 1.0, 0.0)[:, None]
    logits, reasons = TextScorer(vocabulary, weights, np.zeros(1)).logits_and_reasons(texts)
    first = reasons[0].as_py()
    assert [(r["feature"], r["value"]) for r in first] == [("abc", 2), ("abcd", 1)]
    assert first[0]["effect"] == pytest.approx(2 * first[1]["effect"])
    assert first[0]["effect"] + first[1]["effect"] == pytest.approx(logits[0, 0])


def test_the_unknown_word_is_named_by_the_text() -> None:
    known = pa.array(["refund refund", "refund"])
    vocabulary = Vocabulary.fit(known, TextSpec(characters=(3, 3)))
    scorer = TextScorer(vocabulary, np.ones((len(vocabulary), 1)), np.zeros(1))
    _, reasons = scorer.logits_and_reasons(pa.array(["ÜREFUNDÉ, nothing", "Refund"]))
    assert [[r["feature"] for r in row] for row in reasons.to_pylist()] == [["ürefundé"], ["refund"]]


def test_ties_fall_to_the_lower_feature_and_class() -> None:
    texts = pa.array(["late fee", "late fee"])
    vocabulary = Vocabulary.fit(texts)
    scorer = TextScorer(vocabulary, np.ones((3, 2)), np.zeros(2))
    _, reasons = scorer.logits_and_reasons(texts, 2)
    assert [r["feature"] for r in reasons[0].as_py()] == ["fee", "late"]
    lower = TextScorer(vocabulary, np.array([[1.0, 1.0], [0.0, 2.0], [1.0, -1.0]]), np.zeros(2))
    _, reasons = lower.logits_and_reasons(texts, 3)
    assert [r["feature"] for r in reasons[0].as_py()] == ["fee", "late fee"]


def test_nothing_known_has_no_reasons() -> None:
    _, reasons = scorer_of(SPECS[0]).logits_and_reasons(pa.array(["", None, "unheard-of"]))
    assert reasons.to_pylist() == [[], [], []]
    assert reasons.type == pa.list_(
        pa.struct([("feature", pa.string()), ("value", pa.float64()), ("effect", pa.float64())])
    )
