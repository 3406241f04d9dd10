"""Class scores of texts by a linear model, in one pass from UTF-8 to logits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from tallystick.errors import UsageError
from tallystick.text.features import SUPPORT, Index, Work, collect, make_work
from tallystick.text.lanes import add_four, kernel
from tallystick.text.reasons import Reasons, explain, no_reasons, to_arrow
from tallystick.text.tokens import Strings, in_slices, longest, strings
from tallystick.text.vocabulary import Vocabulary
from tallystick.text.weights import count_weights, scales, weigh

__all__ = ["TextScorer"]

KEPT = 1 << 14  # bytes; 99.9 % of complaints are shorter
LINE = 8  # float64 in a cache line; a feature's row is whole lines


class TextScorer:
    """A linear model over a vocabulary: weights float64 (features, classes), intercept float64 (classes,).

    A text's scores depend on that text alone, to the bit: in any batch, order and number of threads.
    Raises UsageError if the shapes do not fit.

    >>> texts = pa.array(["late fee", "late fee", "wrong card"])
    >>> vocabulary = Vocabulary.fit(texts)
    >>> scorer = TextScorer(vocabulary, np.array([[1.0, -1.0]] * 3), np.zeros(2))
    >>> scorer.logits(pa.array(["A LATE fee!", "nothing known"])).round(3).tolist()
    [[1.732, -1.732], [0.0, 0.0]]
    """

    def __init__(self, vocabulary: Vocabulary, weights: np.ndarray, intercept: np.ndarray) -> None:
        self.vocabulary = vocabulary
        self.weights = np.ascontiguousarray(weights, dtype=np.float64)
        self.intercept = np.ascontiguousarray(intercept, dtype=np.float64)
        shape = (len(vocabulary), len(self.intercept))
        if self.weights.shape != shape:
            raise UsageError(
                f"The weights have the shape {self.weights.shape}.", f"It must be {shape}: features, classes."
            )
        classes = shape[1]
        width = -(-classes // LINE) * LINE
        # A row: idf x weight of each class, then zeros. Aligned to cache lines.
        room = np.zeros(shape[0] * width + LINE)
        skip = -room.ctypes.data // 8 % LINE
        self._rows = room[skip : skip + shape[0] * width].reshape(shape[0], width)
        self._rows[:, :classes] = self.weights * vocabulary.idf[:, None]
        self._index = vocabulary.index
        self._count_weights = count_weights(vocabulary.spec.sublinear)
        # For each thread at work: counts, all zero, and room for texts of up to KEPT bytes. Kept, since
        # zeroing and fresh pages cost more than a short text's own work.
        self._rooms: list[tuple[np.ndarray, Work]] = []

    def __reduce__(self) -> tuple[Any, ...]:
        return TextScorer, (self.vocabulary, self.weights, self.intercept)

    def logits(self, texts: Any, threads: int = 1) -> np.ndarray:
        """Score an Arrow array of texts (null: empty): float64 (texts, classes)."""
        return self.score(texts, threads=threads)[0]

    def logits_and_reasons(self, texts: Any, k: int = 5, threads: int = 1) -> tuple[np.ndarray, pa.ListArray]:
        """Score, and name what moved each text most towards its highest class (of equals, the first).

        The reasons are an Arrow list<struct<feature: string, value: double, effect: double>>: up to k
        features with a positive effect, largest first (of equals, the lower feature id). `value` is how
        often it occurs, `effect` its part of the class's logit; centre the weights over classes to make
        that a comparison.
        What a character n-gram adds is given back, in equal parts, to the words that it occurs in.
        """
        logits, _, reasons = self.score(texts, k, threads)
        assert reasons is not None
        return logits, reasons

    def score(
        self, texts: Any, k: int = 0, threads: int = 1
    ) -> tuple[np.ndarray, np.ndarray, pa.ListArray | None]:
        """Score as `logits`, with `Vocabulary.support` of each text, and reasons where k is not 0."""
        out, support, parts = self._score(strings(texts), k, threads)
        return out, support, to_arrow(parts, self.vocabulary.names) if k else None

    def _score(self, texts: Strings, k: int, threads: int) -> tuple[np.ndarray, np.ndarray, list[Reasons]]:
        out = np.empty((len(texts.offsets) - 1, len(self.intercept)))
        support = np.empty((len(out), SUPPORT))
        known = self.vocabulary

        def score(start: int, end: int) -> Reasons:
            try:
                counts, room = self._rooms.pop()
            except IndexError:
                counts, room = np.zeros(len(known) + 1, np.int32), make_work(KEPT, self._index)
            most = longest(texts.offsets, start, end)
            work = room if most <= KEPT else make_work(most, self._index)
            reasons: Reasons = score_rows(
                *texts, start, end, self._index, work, counts, known.idf, self._rows,
                self.intercept, self._count_weights, known.spec.sublinear, known.block_weight, k,
                out, support,
            )  # fmt: skip
            self._rooms.append((counts, room))
            return reasons

        parts = in_slices(texts, threads, score)
        return out, support, parts


@kernel
def add_up(
    work: Work,
    first: int,
    last: int,
    counts: np.ndarray,
    idf: np.ndarray,
    rows: np.ndarray,
    weights: np.ndarray,
    sublinear: bool,
    sums: np.ndarray,
) -> float:
    """Sum the rows of touched features, each by the weight of its count; return the sum of squares.

    Four rows at a time, always in the same order; what lacks to four is a row with the weight 0.
    """
    touched, starts, factors = work.touched, work.starts, work.weights  # as in collect
    width = len(sums)
    square = 0.0
    n = 0
    for j in range(first, last):
        f = touched[j] - 1
        starts[n] = f * width
        factors[n] = weigh(counts[f + 1], weights, sublinear)
        value = factors[n] * idf[f]
        square += value * value
        n += 1
    while n % 4:
        starts[n] = 0
        factors[n] = 0.0
        n += 1
    for c in range(width):
        sums[c] = 0.0
    for j in range(0, n, 4):
        add_four(rows, starts, factors, j, width // LINE, sums)
    return square


@kernel
def score_rows(
    data: np.ndarray,
    offsets: np.ndarray,
    first: int,
    last: int,
    index: Index,
    work: Work,
    counts: np.ndarray,
    idf: np.ndarray,
    rows: np.ndarray,
    intercept: np.ndarray,
    weights: np.ndarray,
    sublinear: bool,
    characters_weight: float,
    k: int,
    out: np.ndarray,
    support: np.ndarray,
) -> Reasons:
    """Write the logits of texts first to last to out, how much of each is known to support.

    Returns up to k reasons for each.
    """
    of_words, of_characters = np.zeros(rows.shape[1]), np.zeros(rows.shape[1])
    flat, touched, known = rows.reshape(-1), work.touched, work.support
    reasons = no_reasons(last - first if k else 0, k)
    for text in range(first, last):
        source, n, split, t = collect(data, offsets[text], offsets[text + 1], index, work, counts)
        for j in range(SUPPORT):
            support[text, j] = known[j]
        square = add_up(work, 0, split, counts, idf, flat, weights, sublinear, of_words)
        square_characters = 0.0
        if t > split:
            square_characters = add_up(work, split, t, counts, idf, flat, weights, sublinear, of_characters)
        scale, scale_characters = scales(square, square_characters, characters_weight)
        best = 0
        for c in range(len(intercept)):
            logit = of_words[c] * scale + intercept[c]
            if t > split:
                logit += of_characters[c] * scale_characters
            out[text, c] = logit
            if logit > out[text, best]:
                best = c
        if k:
            reasons = explain(
                source, n, split, t, index, work, counts, rows, best, scale, scale_characters,
                weights, sublinear, text - first, k, reasons,
            )  # fmt: skip
        for j in range(t):
            counts[touched[j]] = 0
    return reasons
