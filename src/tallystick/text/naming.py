"""Feature names, read from texts that contain them."""

from __future__ import annotations

import numpy as np

from tallystick.text.features import Index, find, make_work
from tallystick.text.hashing import SEED
from tallystick.text.lanes import kernel, widened
from tallystick.text.ngrams import character_ngrams, lower_word, word_ngrams
from tallystick.text.tokens import hash_words, longest, split

__all__ = ["read_names"]


@kernel
def read_names(
    data: np.ndarray, offsets: np.ndarray, index: Index, features: int
) -> tuple[np.ndarray, np.ndarray]:
    """Read the name of each feature from a text that contains it: a blob of UTF-8 and its offsets."""
    work = make_work(longest(offsets, 0, len(offsets) - 1), index)
    blob = np.empty(1 << 16, np.uint8)
    starts, ends = np.zeros(features + 1, np.int64), np.zeros(features + 1, np.int64)
    used, left = 0, features
    for text in range(len(offsets) - 1):
        if left == 0:
            break
        source, edges = split(
            data, offsets[text], offsets[text + 1], index.letters, work.scratch, work.bounds
        )
        n = hash_words(source, work.bounds, edges, index.drop_masks, SEED, work.words)
        m = 0
        if index.words[1]:
            m = word_ngrams(work.words, n, index.words[0], index.words[1], work.grams)
            find(index.table, work.grams, m, work.slots, 0, work.left)
        order, i = index.words[0], 0
        for j in range(m):
            while i == n - order + 1:
                order, i = order + 1, 0
            slot = work.slots[j]
            if slot and ends[slot] == 0:
                if used + work.bounds[2 * (i + order) - 1] - work.bounds[2 * i] + order > len(blob):
                    blob = widened(blob, 2 * len(blob) + len(work.scratch))
                starts[slot] = used
                for word in range(i, i + order):
                    if word > i:
                        blob[used] = 0x20
                        used += 1
                    used = lower_word(source, work.bounds[2 * word], work.bounds[2 * word + 1], blob, used)
                ends[slot] = used
                left -= 1
            i += 1
        for word in range(n if index.characters[1] else 0):
            low, high = index.characters
            at, to = work.bounds[2 * word], work.bounds[2 * word + 1]
            m = character_ngrams(source, at, to, low, high, SEED, work.padded, work.places, work.grams, 0)
            find(index.table, work.grams, m, work.slots, 0, work.left)
            size = 0
            while work.places[size] < to - at + 2:
                size += 1
            order, i = min(low, size), 0
            for j in range(m):
                if i == size - order + 1:
                    order, i = order + 1, 0
                slot = work.slots[j]
                if slot and ends[slot] == 0:
                    first, last = work.places[i], work.places[i + order]
                    if used + last - first > len(blob):
                        blob = widened(blob, 2 * len(blob) + len(work.scratch))
                    starts[slot] = used
                    for at in range(first, last):
                        blob[used] = work.padded[at]
                        used += 1
                    ends[slot] = used
                    left -= 1
                i += 1
    names, offsets = np.empty(used, np.uint8), np.zeros(features + 1, np.int64)
    for f in range(features):
        offsets[f + 1] = offsets[f] + ends[f + 1] - starts[f + 1]
        for i in range(ends[f + 1] - starts[f + 1]):
            names[offsets[f] + i] = blob[starts[f + 1] + i]
    return names, offsets
