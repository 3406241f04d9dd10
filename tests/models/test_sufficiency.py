"""Enough of a row must be known: learned from rows that hold too little, the same alone and in a batch."""

from __future__ import annotations

import numpy as np
import pytest

from tallystick.models import Sufficiency, fit_sufficiency, weighed
from tallystick.models.scores import Scores
from tallystick.models.sufficiency import COST, measures


def drawn(rows: int, words: int, known: float, pairs: float, seed: int) -> np.ndarray:
    """Support of rows of about so many words, of which so large shares are known."""
    rng = np.random.default_rng(seed)
    terms = rng.integers(max(words // 2, 1), 2 * words + 1, rows)
    found = rng.binomial(terms, known)
    beside = np.maximum(terms - 1, 0)
    both = rng.binomial(beside, pairs)
    return np.stack([np.minimum(found, 1 + found * 2 // 3), found, terms, both, beside], 1).astype(float)


LETTERS = drawn(2000, 100, 0.97, 0.7, 0)
WAYS = {
    "too_little_text": drawn(500, 3, 0.95, 0.6, 1),
    "unknown_words": np.concatenate([drawn(500, 100, 0.2, 0.02, 2), drawn(500, 100, 0.97, 0.15, 3)]),
}
ENOUGH = fit_sufficiency(LETTERS, np.concatenate(list(WAYS.values())))


def test_what_holds_too_little_is_told_apart() -> None:
    probability, _ = ENOUGH.apply(drawn(2000, 100, 0.97, 0.7, 9))
    assert (probability < ENOUGH.cutoff).mean() <= COST + 0.02
    for reason, rows in WAYS.items():
        probability, worst = ENOUGH.apply(rows)
        short = np.flatnonzero(probability < ENOUGH.cutoff)
        assert len(short) >= 0.95 * len(rows)
        said = [ENOUGH.reason(int(worst[row]), rows[row])[0] for row in short]
        assert said.count(reason) >= 0.8 * len(said)


def test_a_row_of_which_nothing_is_known_never_holds_enough() -> None:
    few = fit_sufficiency(LETTERS[:20], np.zeros((0, 5)))  # too few rows to learn anything from
    rows = np.array([[0, 0, 0, 0, 0], [0, 0, 30, 0, 29], [1, 1, 1, 0, 0]], float)
    for enough in (few, ENOUGH):
        probability, worst = enough.apply(rows)
        assert (probability < enough.cutoff).tolist()[:2] == [True, True]
        assert enough.reason(int(worst[1]), rows[1]) == (
            "too_little_text", 0.0, None, "too little text to decide on: 0 known words",
        )  # fmt: skip
    assert few.apply(rows)[0][2] >= few.cutoff


def test_what_it_says_are_counts_and_shares() -> None:
    row = np.array([1.0, 2.0, 8.0, 1.0, 7.0])
    words = [ENOUGH.reason(measure, row)[1::2] for measure in range(3)]
    assert words == [
        (1.0, "too little text to decide on: 1 known word"),
        (0.25, "the model knows 25% of the words"),
        (1 / 7, "the model knows 14% of the words as they stand side by side"),
    ]


def test_rows_get_the_same_bits_alone_and_in_a_batch() -> None:
    rows = np.concatenate([LETTERS, *WAYS.values()])
    together = ENOUGH.apply(rows)
    alone = [ENOUGH.apply(row[None]) for row in rows[::37]]
    assert [one[0][0] for one in alone] == together[0][::37].tolist()
    assert [one[1][0] for one in alone] == together[1][::37].tolist()


def test_the_chance_is_the_product_over_the_measures() -> None:
    factors = 1 / (1 + np.exp(-np.array(ENOUGH.slopes) * (measures(LETTERS) - ENOUGH.middles)))
    assert ENOUGH.apply(LETTERS)[0] == pytest.approx(factors.prod(axis=1), rel=1e-12)
    assert ENOUGH.apply(LETTERS)[1].tolist() == factors.argmin(axis=1).tolist()


def test_it_is_kept_and_loaded() -> None:
    assert Sufficiency.of(ENOUGH.describe()) == ENOUGH
    assert Sufficiency.of(None) is None


def test_a_label_is_as_sure_as_its_row_is_whole() -> None:
    values = np.array([[0.9, 0.06, 0.04], [0.9, 0.06, 0.04], [1.0, 0.0, 0.0]])
    scores = Scores(values, values[:, 0].copy(), np.zeros(3, np.int64))
    found = weighed(scores, np.array([0.5, 0.9, 0.5]), np.array([False, True, False]))
    assert found.score == pytest.approx([0.45, 0.5, 0.5])
    assert found.values == pytest.approx(np.array([[0.45, 0.33, 0.22], [0.5, 0.3, 0.2], [0.5, 0.25, 0.25]]))
    assert scores.score.tolist() == [0.9, 0.9, 1.0]  # what was given stays
