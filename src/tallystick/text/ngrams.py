"""Hashes of n-grams: of words within a text, of characters within a word."""

from __future__ import annotations

import numpy as np

from tallystick.text.hashing import CHARACTERS, hash_span, join
from tallystick.text.lanes import kernel

__all__ = ["character_ngrams", "lower_word", "word_ngrams"]


@kernel
def word_ngrams(words: np.ndarray, n: int, low: int, high: int, out: np.ndarray) -> int:
    """Hash all n-grams of low to high words, first all of the shortest, then the next; return how many."""
    before, now, m = 0, 0, 0
    for order in range(1, high + 1):
        grams = n - order + 1
        if grams <= 0:
            break
        if order == 1:
            for i in range(n):
                out[i] = words[i]
        else:
            for i in range(grams):
                out[now + i] = join(out[before + i], words[i + order - 1])
        before = now
        if order >= low:
            now += grams
            m = now
    return m


@kernel
def lower_word(data: np.ndarray, start: int, end: int, out: np.ndarray, at: int) -> int:
    """Copy a prepared word in lower case to out[at:]; return the place after it."""
    for i in range(start, end):
        byte = data[i]
        out[at] = byte + 32 if 65 <= byte <= 90 else byte
        at += 1
    return at


@kernel
def character_ngrams(
    data: np.ndarray,
    start: int,
    end: int,
    low: int,
    high: int,
    seed: np.uint64,
    padded: np.ndarray,
    places: np.ndarray,
    out: np.ndarray,
    at: int,
) -> int:
    """Hash the n-grams of low to high characters of one word with a space on each side into out[at:].

    A padded word shorter than n counts once as a whole (as in scikit-learn's `char_wb`). `padded` then
    holds the padded word and `places` where each of its characters starts, and the end. Returns the
    place after the last hash.
    """
    padded[0] = 0x20
    to = lower_word(data, start, end, padded, 1)
    padded[to] = 0x20
    size = 0
    for i in range(to + 1):
        places[size] = i
        size += padded[i] & 0xC0 != 0x80
    places[size] = to + 1
    for order in range(low, high + 1):
        width = min(order, size)
        for i in range(size - width + 1):
            out[at] = hash_span(padded, places[i], places[i + width], seed ^ CHARACTERS)
            at += 1
        if order >= size:
            break
    return at
