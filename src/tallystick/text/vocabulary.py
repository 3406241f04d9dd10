"""Vocabulary: n-gram features with hash, document frequency, weight and name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tallystick.errors import BundleError, DataError
from tallystick.text.counting import count_texts
from tallystick.text.features import Index, build_table, know_words
from tallystick.text.letters import tables
from tallystick.text.matrix import matrix_rows, support_rows
from tallystick.text.naming import read_names
from tallystick.text.reasons import strings_of
from tallystick.text.spec import TextSpec
from tallystick.text.tokens import PAD, in_slices, strings
from tallystick.text.weights import JOINT, count_weights

__all__ = ["Vocabulary"]

NONE = (0, 0)


class Vocabulary:
    """n-grams in alphabetical order (by code point; words first, then characters), fixed once fitted.

    Made by `fit` or `from_arrays`. `authors` counts the authors of the fit, `df` those who use each n-gram,
    so that what one person writes again and again, such as a name, is no feature; `collisions` counts the
    hashes left out because two different n-grams share them (2^-64 for each pair; both hashes of 128 bits in
    all would have to meet to go unseen).

    >>> texts = pa.array(["Late fee charged", "late fee refunded", None])
    >>> vocabulary = Vocabulary.fit(texts, TextSpec())
    >>> vocabulary.names.to_pylist()
    ['fee', 'late', 'late fee']
    >>> vocabulary.df
    array([2, 2, 2])
    """

    def __init__(
        self,
        spec: TextSpec,
        hashes: np.ndarray,
        df: np.ndarray,
        names: pa.StringArray,
        words: int,
        authors: int,
        collisions: int = 0,
    ) -> None:
        self.spec = spec
        self.hashes = hashes
        self.df = df
        self.names = names
        self.words = words
        self.authors = authors
        self.collisions = collisions
        self.idf = np.log((1 + authors) / (1 + df)) + 1 if spec.idf else np.ones(len(df))

    def __len__(self) -> int:
        return len(self.hashes)

    @classmethod
    def fit(cls, texts: Any, spec: TextSpec | None = None, authors: np.ndarray | None = None) -> Vocabulary:
        """Build a vocabulary from an Arrow array of texts (null: empty), filtered by the spec.

        authors: int64 (texts,), a code of whose each text is; None: each text is somebody else's. Raises
        DataError if nothing is left.
        """
        spec = spec or TextSpec()
        owner = np.arange(len(texts)) if authors is None else np.asarray(authors, np.int64)
        if authors is not None:
            side_by_side = np.argsort(owner, kind="stable")
            texts, owner = texts.take(pa.array(side_by_side)), owner[side_by_side]
        source = strings(texts)
        count = len(np.unique(owner))
        blocks = []
        collisions = 0
        for characters, span, min_df in (
            (False, spec.words, spec.min_df),
            (True, spec.characters, spec.characters_min_df or spec.min_df),
        ):
            hashes, df = np.zeros(0, np.uint64), np.zeros(0, np.int64)
            if span:
                counts, _ = count_texts(*source, owner, tables(), characters, *span, spec.masks == "drop")
                collisions += int((counts.df < 0).sum())
                kept = (counts.df >= min_df) & (counts.df <= spec.max_df * count)
                hashes, df = counts.hashes[kept], counts.df[kept]
            blocks.append((hashes, df))
        words = len(blocks[0][0])
        hashes, df = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
        both, seen = np.unique(hashes, return_counts=True)
        if len(both) < len(hashes):  # a word n-gram and a character n-gram share a hash: neither counts
            alone = np.isin(hashes, both[seen == 1])
            collisions += int((seen > 1).sum())
            words = int(alone[:words].sum())
            hashes, df = hashes[alone], df[alone]
        if not len(hashes):
            raise DataError(
                f"No n-gram is used by {spec.min_df} or more of {count} authors.",
                "Give texts of more people, or min_df=1.",
            )
        names = strings_of(*read_names(*source, _index(spec, hashes), len(hashes)))
        order = np.concatenate(
            [
                pc.sort_indices(names[:words]).to_numpy(),
                pc.sort_indices(names[words:]).to_numpy() + words,
            ]
        ).astype(np.int64)
        return cls(spec, hashes[order], df[order], names.take(order), words, count, collisions)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return plain arrays for a bundle: hashes, df, names (UTF-8), names_at (offsets), sizes."""
        data, at = strings(self.names)
        return {
            "hashes": self.hashes,
            "df": self.df,
            "names": data[at[0] : at[-1]].copy(),
            "names_at": at - at[0],
            "sizes": np.array([self.words, self.authors, self.collisions], np.int64),
        }

    @classmethod
    def from_arrays(cls, spec: TextSpec, arrays: Mapping[str, np.ndarray]) -> Vocabulary:
        """Build a vocabulary from `arrays` output; raises BundleError if it is incomplete."""
        missing = {"hashes", "df", "names", "names_at", "sizes"} - set(arrays)
        if missing:
            raise BundleError(f"The vocabulary lacks {', '.join(sorted(missing))}.")
        n = len(arrays["hashes"])
        if (
            len(arrays["df"]) != n
            or len(arrays["names_at"]) != n + 1
            or arrays["names_at"][-1] != len(arrays["names"])
        ):
            raise BundleError("The arrays of the vocabulary do not fit each other.")
        words, authors, collisions = (int(size) for size in arrays["sizes"])
        names = strings_of(arrays["names"], arrays["names_at"])
        hashes = np.ascontiguousarray(arrays["hashes"], dtype=np.uint64)
        return cls(spec, hashes, np.asarray(arrays["df"], np.int64), names, words, authors, collisions)

    def __reduce__(self) -> tuple[Any, ...]:
        return Vocabulary.from_arrays, (self.spec, self.arrays())

    @cached_property
    def index(self) -> Index:
        """Lookup index for the kernels."""
        index = _index(self.spec, self.hashes)
        if not self.spec.characters or not self.spec.words or self.spec.words[0] > 1:
            return index
        data, at = strings(self.names)
        data = np.concatenate([data, np.zeros(PAD, np.uint8)])
        single = pc.invert(pc.match_substring(self.names[: self.words], " ")).to_numpy(zero_copy_only=False)
        single = np.concatenate([single, np.zeros(len(self) - self.words, bool)])
        known_at, known = know_words(data, at, single, index)
        return index._replace(known_at=known_at, known=known)

    @property
    def block_weight(self) -> float:
        """Weight of character n-grams relative to words, as kernels expect it."""
        return JOINT if self.spec.characters_weight is None else self.spec.characters_weight

    def matrix(self, texts: Any, threads: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weigh the features of an Arrow array of texts: the CSR matrix as indptr, indices (ascending), data.

        indptr is int64, indices int32, data float64; the shape is (texts, len(self)).
        """
        source = strings(texts)
        index, weights = self.index, count_weights(self.spec.sublinear)

        def work(start: int, end: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            part: tuple[np.ndarray, np.ndarray, np.ndarray] = matrix_rows(
                *source,
                start,
                end,
                index,
                self.idf,
                weights,
                self.spec.sublinear,
                self.words,
                self.block_weight,
            )
            return part

        parts = in_slices(source, threads, work)
        sizes, indices, data = (
            np.concatenate(part) if len(parts) > 1 else part[0] for part in zip(*parts, strict=True)
        )
        return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), indices, data

    def support(self, texts: Any, threads: int = 1) -> np.ndarray:
        """Say how much of each text is known: float64 (texts, 5).

        Different known terms, known terms, all terms, known pairs, all pairs; terms are its shortest n-grams
        (single words by default), pairs the next longer ones.

        >>> vocabulary = Vocabulary.fit(pa.array(["late fee", "late fee charged", "fee"]))
        >>> vocabulary.support(pa.array(["a late fee, late", "mora", None])).tolist()
        [[2.0, 3.0, 3.0, 1.0, 2.0], [0.0, 0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0]]
        """
        source, index, features = strings(texts), self.index, len(self)
        parts = in_slices(source, threads, lambda a, b: support_rows(*source, a, b, index, features))
        found: np.ndarray = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return found

    def scipy(self, texts: Any, threads: int = 1) -> Any:
        """Give `matrix` as scipy.sparse.csr_matrix, for scikit-learn; indptr is int32 where it fits."""
        from scipy.sparse import csr_matrix

        indptr, indices, data = self.matrix(texts, threads)
        if indptr[-1] < 2**31:
            indptr = indptr.astype(np.int32)
        return csr_matrix((data, indices, indptr), shape=(len(indptr) - 1, len(self)))


def _index(spec: TextSpec, hashes: np.ndarray) -> Index:
    """Index without known words."""
    return Index(
        tables(),
        build_table(hashes),
        spec.words or NONE,
        spec.characters or NONE,
        spec.masks == "drop",
        np.zeros(1, np.int64),
        np.zeros(0, np.int32),
    )
