"""Texts without content, made of texts, to learn from how much of a text must be known."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from random import Random

__all__ = ["KINDS", "without_content"]

FEWEST = 8  # words of a text that anything is made of
KEPT = 5  # most words that a masked text keeps, or that a cut one has
FOREIGN = 0.3  # largest share of words that a text in another language keeps


def without_content(texts: Sequence[str | None], kind: str) -> list[str | None]:
    """Make of each text one that no longer says what it is about; None of a text of fewer than eight words.

    kind: `masked` (all but a few words are XXXX), `cut` (a few words in a row), `foreign` (most words are
    ones that nobody knows), `shuffled` (all words, in no order). What is drawn follows from the text alone.

    >>> without_content(["my bank took a late fee of ten dollars", "a fee"], "foreign")
    ['ym knab took a etal eef fo net srallod', None]
    """
    change = KINDS[kind]
    made: list[str | None] = []
    for text in texts:
        words = (text or "").split()
        if len(words) < FEWEST:
            made.append(None)
            continue
        digest = hashlib.blake2b(f"{kind} {text}".encode(), digest_size=8).digest()
        draw = Random(int.from_bytes(digest, "little"))  # noqa: S311 - no secret, but the same anywhere
        made.append(" ".join(change(words, draw)))
    return made


def _few(words: Sequence[str], draw: Random) -> int:
    """Draw how many words are left: at most a quarter."""
    return draw.randint(1, min(KEPT, len(words) // 4))


def _masked(words: list[str], draw: Random) -> list[str]:
    kept = set(draw.sample(range(len(words)), _few(words, draw)))
    return [word if place in kept else "XXXX" for place, word in enumerate(words)]


def _cut(words: list[str], draw: Random) -> list[str]:
    count = _few(words, draw)
    first = draw.randrange(len(words) - count + 1)
    return words[first : first + count]


def _foreign(words: list[str], draw: Random) -> list[str]:
    share = draw.uniform(0.0, FOREIGN)
    return [word if draw.random() < share else word[::-1] for word in words]


def _shuffled(words: list[str], draw: Random) -> list[str]:
    return draw.sample(words, len(words))


KINDS: dict[str, Callable[[list[str], Random], list[str]]] = {
    "masked": _masked,
    "cut": _cut,
    "foreign": _foreign,
    "shuffled": _shuffled,
}
