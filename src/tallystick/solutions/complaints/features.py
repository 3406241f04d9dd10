"""What complaint tasks look at: the words of the narrative."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.models import LinearModel
from tallystick.text import TextScorer, TextSpec, Vocabulary, amounts, near_copies

__all__ = ["Narrative", "routing_inputs"]

COLUMN = "narrative"
LONG = 40  # words, from which on a half still says something


@dataclass(frozen=True)
class Narrative:
    """The consumer's own words, as weighted n-grams."""

    spec: TextSpec = field(default_factory=TextSpec)
    missing_reason: str = "no_text"
    columns: tuple[str, ...] = (COLUMN,)

    def missing(self, rows: pa.RecordBatch) -> NDArray[np.bool_]:
        """Say which complaints have no narrative."""
        if COLUMN not in rows.schema.names:
            return np.ones(len(rows), bool)
        narrative = rows.column(COLUMN)
        if not narrative.null_count:
            return np.zeros(len(rows), bool)
        blank: NDArray[np.bool_] = narrative.is_null().to_numpy(zero_copy_only=False)
        return blank

    def fit(self, rows: pa.RecordBatch, settings: Settings) -> FittedNarrative:  # noqa: ARG002 - nothing to set
        """Learn the vocabulary and its weights."""
        return FittedNarrative(Vocabulary.fit(rows.column(COLUMN), self.spec))

    def load(self, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> FittedNarrative:
        """Bring the vocabulary back from a bundle."""
        own = {k.removeprefix("text."): v for k, v in arrays.items() if k.startswith("text.")}
        return FittedNarrative(Vocabulary.from_arrays(TextSpec.from_dict(description["spec"]), own))

    def parts(self, rows: pa.RecordBatch) -> tuple[pa.RecordBatch, NDArray[np.int64]]:
        """Cut longer letters in two: a half must be enough to know what the whole is about."""
        halves: list[str] = []
        of: list[int] = []
        for row, text in enumerate(rows.column(COLUMN).to_pylist()):
            words = (text or "").split()
            if len(words) >= LONG:
                middle = len(words) // 2
                halves += [" ".join(words[:middle]), " ".join(words[middle:])]
                of += [row, row]
        batch = pa.RecordBatch.from_arrays([pa.array(halves, pa.string())], names=[COLUMN])
        return batch, np.array(of, dtype=np.int64)

    def groups(self, rows: pa.RecordBatch) -> NDArray[np.int64]:
        """Near copies of one letter hang together."""
        return near_copies(rows.column(COLUMN))

    def identity(self, rows: pa.RecordBatch) -> NDArray[np.uint64]:
        """Hash each narrative, 64 bits of BLAKE2b."""
        digests = (
            hashlib.blake2b(text.encode(), digest_size=8).digest()
            for text in rows.column(COLUMN).fill_null("").to_pylist()
        )
        return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


@dataclass(frozen=True)
class FittedNarrative:
    """A vocabulary that has seen training narratives."""

    vocabulary: Vocabulary

    @property
    def count(self) -> int:
        """How many n-grams it knows."""
        return len(self.vocabulary)

    def matrix(self, rows: pa.RecordBatch, threads: int = 1) -> Any:
        """Return the weighted n-grams of each row as a SciPy CSR matrix."""
        return self.vocabulary.scipy(rows.column(COLUMN), threads=threads)

    def scorer(self, model: LinearModel) -> NarrativeScorer:
        """Join the vocabulary and a model's weights."""
        return NarrativeScorer(TextScorer(self.vocabulary, model.weights, model.intercept))

    def describe(self) -> dict[str, Any]:
        """Say which n-grams these are."""
        return {
            "column": COLUMN,
            "count": self.count,
            "spec": self.vocabulary.spec.to_dict(),
            "words": _in_words(self.vocabulary.spec),
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the vocabulary as plain arrays."""
        return {f"text.{name}": array for name, array in self.vocabulary.arrays().items()}


@dataclass(frozen=True)
class NarrativeScorer:
    """The text kernel on the narrative's column."""

    kernel: TextScorer

    def logits(self, rows: pa.RecordBatch, threads: int = 1) -> NDArray[np.float64]:
        """Score narratives: float64 (rows, classes)."""
        return self.kernel.logits(rows.column(COLUMN), threads=threads)

    def logits_and_reasons(
        self, rows: pa.RecordBatch, top: int, threads: int = 1
    ) -> tuple[NDArray[np.float64], pa.Array]:
        """Score narratives and name the words that moved each most."""
        return self.kernel.logits_and_reasons(rows.column(COLUMN), top, threads=threads)


def _in_words(spec: TextSpec) -> str:
    """Say which n-grams are counted.

    >>> _in_words(TextSpec(characters=(3, 5)))
    'words 1 to 2, characters 3 to 5 within words, each in at least 2 texts'
    """
    parts = [
        f"{name} {span[0]} to {span[1]}{where}"
        for name, span, where in (("words", spec.words, ""), ("characters", spec.characters, " within words"))
        if span is not None
    ]
    return ", ".join(parts) + f", each in at least {spec.min_df} texts"


def routing_inputs(rows: pa.RecordBatch, needs: Collection[str]) -> dict[str, pa.Array]:
    """Give routing rules the narrative, and the largest amount that it names (minor units, -1 for none)."""
    if COLUMN not in rows.schema.names:
        return {}
    given = {"narrative": rows.column(COLUMN)}
    if "amount" in needs:
        given["amount"] = pa.array(amounts(rows.column(COLUMN)))
    return given
