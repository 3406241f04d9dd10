"""Near-duplicate detection for texts, in linear memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from tallystick.text.hashing import CHECK, SEED, join
from tallystick.text.lanes import kernel
from tallystick.text.letters import GROWTH, Letters, tables
from tallystick.text.tokens import PAD, hash_words, longest, split, strings

__all__ = ["copy_keys", "near_copies"]

WORDS = 5  # in an n-gram; the two smallest of n hashes are alike in near-copies (a min-hash of size two)
SHORT = CHECK  # where the hash of a whole short text starts from, so that none meets a long one


def near_copies(texts: Any) -> np.ndarray:
    """Group an Arrow array of texts by near-copy: int64 (texts,), the place of the first text of its group.

    Texts are joined whose two smallest hashes of five words in a row are equal, masks (XXXX) left out; a
    text of fewer than six words only with those that have the same words. Null reads as empty.

    >>> import pyarrow as pa
    >>> near_copies(pa.array(["I paid XXXX on XX/XX/2023", "no", "I paid on 2023."])).tolist()
    [0, 1, 0]
    """
    data, offsets = strings(texts)
    low, high, _ = sketch(data, offsets, tables())
    order = np.lexsort((high, low))  # stable: within a group the first text comes first
    starts = np.ones(len(order), bool)
    starts[1:] = (low[order][1:] != low[order][:-1]) | (high[order][1:] != high[order][:-1])
    groups = np.empty(len(order), np.int64)
    groups[order] = order[starts][np.cumsum(starts) - 1]
    return groups


def copy_keys(texts: Any) -> np.ndarray:
    """Hash what near copies of a text share: uint64 (texts, 2), the same in every input.

    The first is of all words in their order, so that case, spaces, line ends and quotation marks do not
    matter; the second is what `near_copies` joins texts by.

    >>> import pyarrow as pa
    >>> one, other, third = copy_keys(pa.array(["I “paid”", "i paid", "we paid"])).tolist()
    >>> one == other, other == third
    (True, False)
    """
    data, offsets = strings(texts)
    low, high, whole = sketch(data, offsets, tables())
    return np.column_stack([whole, joined(low, high)])


@kernel
def joined(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Join hashes pair by pair."""
    out = np.empty(len(left), np.uint64)
    for i in range(len(left)):
        out[i] = join(left[i], right[i])
    return out


@kernel
def sketch(
    data: np.ndarray, offsets: np.ndarray, letters: Letters
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two smallest different hashes of each text's word 5-grams, and the hash of all its words.

    Of a short text the two are its hash and its length.
    """
    room = GROWTH * longest(offsets, 0, len(offsets) - 1) + 2 * PAD
    scratch, bounds, words = np.empty(room, np.uint8), np.empty(room, np.int64), np.empty(room, np.uint64)
    low, high = np.empty(len(offsets) - 1, np.uint64), np.empty(len(offsets) - 1, np.uint64)
    whole = np.empty(len(offsets) - 1, np.uint64)
    for text in range(len(offsets) - 1):
        source, edges = split(data, offsets[text], offsets[text + 1], letters, scratch, bounds)
        n = hash_words(source, bounds, edges, True, SEED, words)
        h = np.uint64(SHORT)
        for i in range(n):
            h = join(h, words[i])
        whole[text] = h
        if n <= WORDS:
            low[text], high[text] = h, np.uint64(n)
            continue
        least = second = ~np.uint64(0)
        for i in range(n - WORDS + 1):
            h = words[i]
            for j in range(1, WORDS):
                h = join(h, words[i + j])
            if h < least:
                least, second = h, least
            elif least < h < second:
                second = h
        low[text], high[text] = least, second
    return low, high, whole
