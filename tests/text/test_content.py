"""Texts without content: from the text alone, and without what it was about."""

from __future__ import annotations

import pytest

from tallystick.text.content import FEWEST, KEPT, KINDS, without_content

LETTER = "On Monday my bank took a late fee of ten dollars from my account without any word of warning at all"
TEXTS = [LETTER, "seven words are too few for it", None, ""]


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_gives_the_same_one_alone_and_among_others(kind: str) -> None:
    assert len(["seven", "words", "are", "too", "few", "for", "it"]) == FEWEST - 1
    made = without_content(TEXTS, kind)
    assert made[1:] == [None] * 3
    assert made[0] != LETTER
    assert without_content(TEXTS[:1], kind) == without_content([*TEXTS[::-1], LETTER], kind)[-1:] == made[:1]


def words(kind: str, text: str) -> list[str]:
    (made,) = without_content([text], kind)
    assert made is not None
    return made.split()


def test_each_way_leaves_what_it_says() -> None:
    texts = [f"{LETTER} {number}" for number in range(50)]
    for text in texts:
        given = text.split()
        masked, cut, foreign, shuffled = (
            words(kind, text) for kind in ("masked", "cut", "foreign", "shuffled")
        )
        assert len(masked) == len(given)
        assert 1 <= len(given) - masked.count("XXXX") <= KEPT
        assert 1 <= len(cut) <= KEPT
        assert " ".join(cut) in text
        assert sorted(shuffled) == sorted(given)
        assert all(one in (word, word[::-1]) for one, word in zip(foreign, given, strict=True))
        assert sum(one == word != word[::-1] for one, word in zip(foreign, given, strict=True)) <= 0.7 * len(
            given
        )
    assert len({len(words("cut", text)) for text in texts}) > 1
