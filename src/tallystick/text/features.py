"""Feature counts of a text: shared by matrix, scores and reasons."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tallystick.text.hashing import SEED
from tallystick.text.lanes import kernel, widened
from tallystick.text.letters import GROWTH, Letters
from tallystick.text.ngrams import character_ngrams, word_ngrams
from tallystick.text.tokens import PAD, hash_words, split

__all__ = [
    "SUPPORT",
    "Index",
    "Work",
    "build_table",
    "collect",
    "find",
    "hash_characters",
    "know_words",
    "make_work",
]


SUPPORT = 5  # how much of a text is known: columns of `collect`


class Index(NamedTuple):
    """Lookup index of features. A feature's slot is its id + 1; slot 0 is everything unknown."""

    letters: Letters
    table: np.ndarray  # uint64, 2^k: upper bits of the hash, slot in the k lower ones
    words: tuple[int, int]  # fewest and most words of an n-gram, 0 for none
    characters: tuple[int, int]
    drop_masks: bool
    # The slots of the character n-grams of the word that feature f is, so that it is hashed once: those of
    # known[known_at[f]:known_at[f + 1]]. Only where single words are features; else one zero, and nothing.
    known_at: np.ndarray  # int64
    known: np.ndarray  # int32


class Work(NamedTuple):
    """Scratch arrays for one text at a time."""

    scratch: np.ndarray
    padded: np.ndarray
    bounds: np.ndarray
    places: np.ndarray
    words: np.ndarray
    grams: np.ndarray
    slots: np.ndarray
    touched: np.ndarray
    left: np.ndarray
    weights: np.ndarray
    starts: np.ndarray
    support: np.ndarray  # int64 (SUPPORT,): see collect


@kernel
def build_table(hashes: np.ndarray) -> np.ndarray:
    """Open-addressing table of distinct hashes, less than half full.

    The lower bits of a hash say where its entry is, so the entry keeps only the upper ones, and the slot
    in their place: a probe is one load, one xor, one comparison, and the table fits the second cache. Two
    hashes that differ only in the lower bits, and lie in one run of entries, would be taken for one; that is
    about as likely as that two n-grams share 62 bits.
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
def find(table: np.ndarray, hashes: np.ndarray, n: int, slots: np.ndarray, to: int, left: np.ndarray) -> None:
    """Write the slot of each hash to slots[to:].

    In rounds, one place for each hash that is left, without a branch that waits for memory: a quarter less
    time than one hash after the other.
    """
    mask = np.uint64(len(table) - 1)
    open_ = 0
    for i in range(n):
        h = hashes[i]
        entry = table[h & mask]
        slots[to + i] = entry & mask
        left[open_] = i
        open_ += (entry != 0) & ((entry ^ h) > mask)
    step = np.uint64(1)
    while open_:
        still = 0
        for k in range(open_):
            i = left[k]
            h = hashes[i]
            entry = table[(h + step) & mask]
            slots[to + i] = entry & mask
            left[still] = i
            still += (entry != 0) & ((entry ^ h) > mask)
        open_ = still
        step += np.uint64(1)


@kernel
def make_work(longest: int, index: Index) -> Work:
    """Allocate scratch arrays for texts of up to so many bytes."""
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
        np.empty(grams, np.int64),
        np.empty(grams, np.float64),
        np.empty(grams, np.int64),
        np.zeros(SUPPORT, np.int64),
    )


@kernel
def hash_characters(source: np.ndarray, i: int, index: Index, work: Work) -> int:
    """Find the slots of token i's character n-grams by hashing: in work.slots, from here to its end."""
    start, end = work.bounds[2 * i], work.bounds[2 * i + 1]
    low, high = index.characters
    n = character_ngrams(source, start, end, low, high, SEED, work.padded, work.places, work.grams, 0)
    at = len(work.slots) - n
    find(index.table, work.grams, n, work.slots, at, work.left)
    return at


@kernel
def tally(slots: np.ndarray, start: int, end: int, counts: np.ndarray, touched: np.ndarray, t: int) -> int:
    """Count slots, and list those that are new behind the t that are listed; return how many are then."""
    for j in range(start, end):
        slot = slots[j]
        count = counts[slot]
        touched[t] = slot
        t += (count == 0) & (slot != 0)
        counts[slot] = count + 1
    return t


@kernel
def collect(
    data: np.ndarray, start: int, end: int, index: Index, work: Work, counts: np.ndarray
) -> tuple[np.ndarray, int, int, int]:
    """Count the features of a text: counts[slot] for each slot in work.touched, words first, then characters.

    Returns where its words can be read (work.bounds holds their places, work.slots begins with their slots
    where single words are features), how many words it has, how many of its features are of words, and
    how many features it has in all. The caller sets the counts back to zero.
    work.support then says how much of the text is known: different known terms, known terms, all terms,
    known pairs, all pairs. Terms are its shortest n-grams, words where words are counted; pairs are the
    next longer ones.
    """
    # Out of their tuples: each look into one counts a reference, and that costs more than the work here.
    slots, touched, known_at, known = work.slots, work.touched, index.known_at, index.known
    source, edges = split(data, start, end, index.letters, work.scratch, work.bounds)
    n = hash_words(source, work.bounds, edges, index.drop_masks, SEED, work.words)
    of_words = 0
    support = work.support
    different = terms = pairs = unknown_terms = unknown_pairs = 0
    if index.words[1]:
        low = index.words[0]
        m = word_ngrams(work.words, n, low, index.words[1], work.grams)
        find(index.table, work.grams, m, slots, 0, work.left)
        # Slot 0 counts what is unknown.
        terms = min(max(n - low + 1, 0), m)
        pairs = min(max(n - low, 0), m - terms)
        different = tally(slots, 0, terms, counts, touched, 0)
        unknown_terms = counts[0]
        of_words = tally(slots, terms, terms + pairs, counts, touched, different)
        unknown_pairs = counts[0] - unknown_terms
        if m > terms + pairs:
            of_words = tally(slots, terms + pairs, m, counts, touched, of_words)
    t = of_words
    if index.characters[1]:
        for i in range(n):
            f = slots[i] - 1 if len(known_at) > 1 else -1
            if f >= 0:
                t = tally(known, known_at[f], known_at[f + 1], counts, touched, t)
            else:
                t = tally(slots, hash_characters(source, i, index, work), len(slots), counts, touched, t)
    if index.words[1] == 0:
        different, unknown_terms = t, counts[0]
        for j in range(t):
            terms += counts[touched[j]]
        terms += unknown_terms
    support[0], support[1], support[2] = different, terms - unknown_terms, terms
    support[3], support[4] = pairs - unknown_pairs, pairs
    counts[0] = 0
    return source, n, of_words, t


@kernel
def know_words(
    names: np.ndarray, at: np.ndarray, features: np.ndarray, index: Index
) -> tuple[np.ndarray, np.ndarray]:
    """Precompute the character n-grams of single-word features: known_at, known."""
    most = 0
    for f in range(len(at) - 1):
        most = max(most, at[f + 1] - at[f])
    work = make_work(most, index)
    known_at = np.zeros(len(at), np.int64)
    known = np.empty(1 << 16, np.int32)
    n = 0
    for f in range(len(at) - 1):
        if features[f]:
            work.bounds[0], work.bounds[1] = at[f], at[f + 1]
            start, end = hash_characters(names, 0, index, work), len(work.slots)
            if n + end - start > len(known):
                known = widened(known, 2 * len(known) + end - start)
            for j in range(start, end):
                known[n] = work.slots[j]
                n += 1
        known_at[f + 1] = n
    return known_at, known[:n].copy()
