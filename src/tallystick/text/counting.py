"""Count how many authors use each n-gram: one pass, memory linear in what is distinct."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tallystick.text.hashing import CHECK, SEED
from tallystick.text.lanes import kernel
from tallystick.text.letters import GROWTH, Letters
from tallystick.text.ngrams import character_ngrams, word_ngrams
from tallystick.text.tokens import PAD, hash_words, longest, split

__all__ = ["Counts", "count_texts", "empty_counts"]

MET = -(1 << 62)  # far below zero: two different n-grams have this hash


class Counts(NamedTuple):
    """An open-addressing table: hash (0: free), second hash, authors who use it, the last of them."""

    hashes: np.ndarray
    checks: np.ndarray
    df: np.ndarray
    last: np.ndarray


@kernel
def empty_counts(size: int) -> Counts:
    """Table of 2^k places."""
    return Counts(
        np.zeros(size, np.uint64),
        np.zeros(size, np.uint64),
        np.zeros(size, np.int64),
        np.full(size, -1, np.int64),
    )


@kernel
def grown(counts: Counts) -> Counts:
    """Move a table into one of four times the size."""
    bigger = empty_counts(4 * len(counts.hashes))
    mask = np.uint64(len(bigger.hashes) - 1)
    for old in range(len(counts.hashes)):
        if counts.hashes[old] != 0:
            at = counts.hashes[old] & mask
            while bigger.hashes[at] != 0:
                at = (at + np.uint64(1)) & mask
            bigger.hashes[at] = counts.hashes[old]
            bigger.checks[at] = counts.checks[old]
            bigger.df[at] = counts.df[old]
            bigger.last[at] = counts.last[old]
    return bigger


@kernel
def count_one(counts: Counts, hashes: np.ndarray, checks: np.ndarray, n: int, author: int) -> int:
    """Count the n-grams of one text; return how many were new. The table has room for all of them."""
    mask = np.uint64(len(counts.hashes) - 1)
    new = 0
    for i in range(n):
        h = hashes[i]
        at = h & mask
        while counts.hashes[at] != h and counts.hashes[at] != 0:
            at = (at + np.uint64(1)) & mask
        if counts.hashes[at] == 0:
            counts.hashes[at] = h
            counts.checks[at] = checks[i]
            new += 1
        elif counts.checks[at] != checks[i]:
            counts.df[at] = MET
        if counts.last[at] != author:
            counts.last[at] = author
            counts.df[at] += 1
    return new


@kernel
def count_texts(
    data: np.ndarray,
    offsets: np.ndarray,
    authors: np.ndarray,
    letters: Letters,
    characters: bool,
    low: int,
    high: int,
    drop_masks: bool,
) -> tuple[Counts, int]:
    """Count word n-grams, or character n-grams within words, over all texts; and how many are distinct.

    authors: int64 (texts,), whose each text is; texts of one author stand side by side.
    """
    most = longest(offsets, 0, len(offsets) - 1)
    room = GROWTH * most + 2 * PAD
    scratch, padded = np.empty(room, np.uint8), np.empty(room, np.uint8)
    bounds, places = np.empty(room, np.int64), np.empty(room, np.int64)
    words, word_checks = np.empty(room, np.uint64), np.empty(room, np.uint64)
    space = 2 * room * (high - low + 1)  # a word of c characters is c + 2 padded
    hashes, checks = np.empty(space, np.uint64), np.empty(space, np.uint64)
    counts = empty_counts(1 << 16)
    used = 0
    for text in range(len(offsets) - 1):
        source, edges = split(data, offsets[text], offsets[text + 1], letters, scratch, bounds)
        n = hash_words(source, bounds, edges, drop_masks, SEED, words)
        hash_words(source, bounds, 2 * n, drop_masks, CHECK, word_checks)
        if characters:
            m = 0
            for i in range(n):
                at, to = bounds[2 * i], bounds[2 * i + 1]
                character_ngrams(source, at, to, low, high, CHECK, padded, places, checks, m)
                m = character_ngrams(source, at, to, low, high, SEED, padded, places, hashes, m)
        else:
            word_ngrams(word_checks, n, low, high, checks)
            m = word_ngrams(words, n, low, high, hashes)
        while 2 * (used + m) > len(counts.hashes):
            counts = grown(counts)
        used += count_one(counts, hashes, checks, m, authors[text])
    return counts, used
