"""Which features of a vocabulary a text has, and how often: what matrix, scores and reasons share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tallystick.text.hashing import SEED
from tallystick.text.lanes import kernel, widened
from tallystick.text.letters import GROWTH, Letters
from tallystick.text.ngrams import character_ngrams, word_ngrams
from tallystick.text.tokens import PAD, hash_words, split

__all__ = ["Index", "Work", "build_table", "collect", "find", "know_words", "make_work", "word_slots"]


class Index(NamedTuple):
    """What finding features needs. A feature's slot is its id + 1; slot 0 is everything unknown."""

    letters: Letters
    table: np.ndarray  # uint64, 2^k: upper bits of the hash, slot in the k lower ones
    words: tuple[int, int]  # fewest and most words of an n-gram, 0 for none
    characters: tuple[int, int]
    drop_masks: bool
    known_at: np.ndarray  # int64: known[known_at[f]:known_at[f + 1]] are the slots of the character
    known: np.ndarray  # int32: n-grams of the word that feature f is, so that they are hashed once


class Work(NamedTuple):
    """Room for one text at a time."""

    scratch: np.ndarray
    padded: np.ndarray
    bounds: np.ndarray
    places: np.ndarray
    words: np.ndarray
    grams: np.ndarray
    slots: np.ndarray
    touched: np.ndarray
    weights: np.ndarray


@kernel
def build_table(hashes: np.ndarray) -> np.ndarray:
    """Open-addressing table of distinct hashes, less than half full.

    The lower bits of a hash say where its entry is, so the entry keeps only the upper ones, and the slot
    in their place: a probe is one load, one xor, one comparison, and the table fits the second cache.
    """
    size = 1 << 10
    while size < 3 * len(hashes):
        size *= 2
    mask = np.uint64(size - 1)
    table = np.zeros(size, np.uint64)
    for f in range(len(hashes)):
        at = hashes[f] & mask
        while table[at] != 0:
            at = (at + np.uint64(1)) & mask
        table[at] = hashes[f] & ~mask | np.uint64(f + 1)
    return table


@kernel
def find(table: np.ndarray, hashes: np.ndarray, n: int, slots: np.ndarray, to: int) -> None:
    """Write the slot of each hash to slots[to:]."""
    mask = np.uint64(len(table) - 1)
    for i in range(n):
        h = hashes[i]
        at = h & mask
        entry = table[at]
        while entry != 0 and (entry ^ h) > mask:
            at = (at + np.uint64(1)) & mask
            entry = table[at]
        slots[to + i] = entry & mask


@kernel
def make_work(longest: int, index: Index) -> Work:
    """Room for texts of up to so many bytes."""
    room = GROWTH * longest + 2 * PAD
    grams = room * max(index.words[1], 1)
    if index.characters[1]:
        grams += 2 * room * (index.characters[1] - index.characters[0] + 1)
    return Work(
        np.empty(room, np.uint8),
        np.empty(room, np.uint8),
        np.empty(room, np.int64),
        np.empty(room, np.int64),
        np.empty(room, np.uint64),
        np.empty(grams, np.uint64),
        np.empty(grams, np.int32),
        np.empty(grams, np.int32),
        np.empty(grams, np.float64),
    )


@kernel
def word_slots(index: Index, i: int, source: np.ndarray, work: Work) -> tuple[np.ndarray, int, int]:
    """Slots of the character n-grams of token i: an array, and the span in it."""
    if index.words[0] == 1 and work.slots[i] > 0 and len(index.known_at) > 1:
        f = work.slots[i] - 1
        return index.known, index.known_at[f], index.known_at[f + 1]
    low, high = index.characters
    n = character_ngrams(
        source,
        work.bounds[2 * i],
        work.bounds[2 * i + 1],
        low,
        high,
        SEED,
        work.padded,
        work.places,
        work.grams,
        0,
    )
    at = len(work.slots) - n
    find(index.table, work.grams, n, work.slots, at)
    return work.slots, at, at + n


@kernel
def collect(
    data: np.ndarray, start: int, end: int, index: Index, work: Work, counts: np.ndarray
) -> tuple[np.ndarray, int, int, int]:
    """Count the features of a text: counts[slot] for each slot in work.touched, words first, then characters.

    Returns where its words can be read (work.bounds holds their places, work.slots begins with their slots
    where single words are features), how many words it has, how many of its features are of words, and
    how many features it has in all.
    The caller sets the counts back to zero.
    """
    source, edges = split(data, start, end, index.letters, work.scratch, work.bounds)
    n = hash_words(source, work.bounds, edges, index.drop_masks, SEED, work.words)
    of_words = 0
    if index.words[1]:
        m = word_ngrams(work.words, n, index.words[0], index.words[1], work.grams)
        find(index.table, work.grams, m, work.slots, 0)
        for i in range(m):
            slot = work.slots[i]
            count = counts[slot]
            work.touched[of_words] = slot
            of_words += (count == 0) & (slot != 0)
            counts[slot] = count + 1
    t = of_words
    if index.characters[1]:
        for i in range(n):
            slots, at, to = word_slots(index, i, source, work)
            for j in range(at, to):
                slot = slots[j]
                count = counts[slot]
                work.touched[t] = slot
                t += (count == 0) & (slot != 0)
                counts[slot] = count + 1
    counts[0] = 0
    return source, n, of_words, t


@kernel
def know_words(
    names: np.ndarray, at: np.ndarray, features: np.ndarray, index: Index
) -> tuple[np.ndarray, np.ndarray]:
    """Find the character n-grams of the features that are single words, once and for all: known_at, known."""
    most = 0
    for f in range(len(at) - 1):
        most = max(most, at[f + 1] - at[f])
    work = make_work(most, index)
    known_at = np.zeros(len(at), np.int64)
    known = np.empty(1 << 16, np.int32)
    n = 0
    for f in range(len(at) - 1):
        if features[f]:
            work.bounds[0], work.bounds[1], work.slots[0] = at[f], at[f + 1], 0
            slots, start, end = word_slots(index, 0, names, work)
            if n + end - start > len(known):
                known = widened(known, 2 * len(known) + end - start)
            for j in range(start, end):
                known[n] = slots[j]
                n += 1
        known_at[f + 1] = n
    return known_at, known[:n].copy()
