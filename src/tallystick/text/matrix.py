"""Rows of the weighted matrix: sublinear TF-IDF of length 1, as scikit-learn's TfidfVectorizer weighs."""

from __future__ import annotations

import numpy as np

from tallystick.text.features import SUPPORT, Index, collect, make_work
from tallystick.text.lanes import kernel, low_bit, widened
from tallystick.text.tokens import longest
from tallystick.text.weights import scales, weigh

__all__ = ["matrix_rows", "support_rows"]


@kernel
def matrix_rows(
    data: np.ndarray,
    offsets: np.ndarray,
    first: int,
    last: int,
    index: Index,
    idf: np.ndarray,
    weights: np.ndarray,
    sublinear: bool,
    words: int,
    characters_weight: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows first to last of the matrix: how many features each has, their ids in order, their values."""
    work = make_work(longest(offsets, first, last), index)
    counts = np.zeros(len(idf) + 1, np.int32)
    marks = np.zeros((len(idf) >> 6) + 1, np.uint64)
    sizes = np.zeros(last - first, np.int64)
    room = (offsets[last] - offsets[first]) // 4 + 1024
    indices, values = np.empty(room, np.int32), np.empty(room, np.float64)
    used = 0
    for text in range(first, last):
        _, _, _, t = collect(data, offsets[text], offsets[text + 1], index, work, counts)
        if used + t > len(indices):
            indices = widened(indices, 2 * len(indices) + t)
            values = widened(values, 2 * len(values) + t)
        # One bit for each feature, read in order, sorts in linear time.
        for j in range(t):
            f = work.touched[j] - 1
            marks[f >> 6] |= np.uint64(1) << np.uint64(f & 63)
        n = used
        for block in range(len(marks)):
            bits = marks[block]
            while bits != 0:
                indices[n] = (block << 6) + low_bit(bits)
                n += 1
                bits &= bits - np.uint64(1)
            marks[block] = 0
        of_words = of_characters = 0.0
        for j in range(used, n):
            f = indices[j]
            count = counts[f + 1]
            counts[f + 1] = 0
            values[j] = weigh(count, weights, sublinear) * idf[f]
            if f < words:
                of_words += values[j] * values[j]
            else:
                of_characters += values[j] * values[j]
        scale, scale_characters = scales(of_words, of_characters, characters_weight)
        for j in range(used, n):
            values[j] *= scale if indices[j] < words else scale_characters
        sizes[text - first] = n - used
        used = n
    return sizes, indices[:used], values[:used]


@kernel
def support_rows(
    data: np.ndarray, offsets: np.ndarray, first: int, last: int, index: Index, features: int
) -> np.ndarray:
    """Say of texts first to last how much of each is known: see `collect`."""
    work = make_work(longest(offsets, first, last), index)
    counts = np.zeros(features + 1, np.int32)
    support = np.empty((last - first, SUPPORT))
    for text in range(first, last):
        _, _, _, t = collect(data, offsets[text], offsets[text + 1], index, work, counts)
        for j in range(SUPPORT):
            support[text - first, j] = work.support[j]
        for j in range(t):
            counts[work.touched[j]] = 0
    return support
