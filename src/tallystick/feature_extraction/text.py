"""A column of text as features: weighted n-grams, scored and explained in one pass by the text kernel."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.errors import BundleError
from tallystick.feature_extraction.base import Altered, Augmented, Features, FitContext, Layout, RowScorer
from tallystick.feature_extraction.values import Values
from tallystick.models import LinearModel, Model
from tallystick.text import TextScorer, TextSpec, Vocabulary, copy_keys, near_copies
from tallystick.text.content import KINDS, without_content

__all__ = ["FittedText", "Text", "TextRowScorer"]

LONG = 40  # words, from which on a half still says something


@dataclass(frozen=True)
class Text(Features):
    """The words of a text column, as weighted n-grams.

    halves_weight: how much each half of a longer text counts as a training row of its own; 0: not at all.
    """

    column: str
    spec: TextSpec = field(default_factory=TextSpec)
    halves_weight: float = 0.0
    missing_reason: str = "no_text"
    kind: ClassVar[str] = "text"
    layout: ClassVar[Layout] = "sparse"
    size_unit: ClassVar[str] = "words"

    @property
    def columns(self) -> tuple[str, ...]:
        """The text column."""
        return (self.column,)

    @property
    def required(self) -> tuple[str, ...]:
        """The text column."""
        return (self.column,)

    def selectable(self, windows: Collection[str]) -> tuple[str, ...]:  # noqa: ARG002 - as all parts
        """Return the text column: its n-grams are used together."""
        return (self.column,)

    def missing(self, rows: pa.RecordBatch) -> NDArray[np.bool_] | None:
        """Say which rows have no text."""
        if self.column not in rows.schema.names:
            return np.ones(len(rows), bool)
        text = rows.column(self.column)
        if not text.null_count:
            return None
        blank: NDArray[np.bool_] = text.is_null().to_numpy(zero_copy_only=False)
        return blank

    def fit(self, rows: pa.RecordBatch, context: FitContext) -> FittedText | None:
        """Learn the vocabulary and its weights."""
        if not context.wanted([self.column]):
            return None
        vocabulary = Vocabulary.fit(rows.column(self.column), self.spec, context.people)
        return FittedText(self.column, vocabulary)

    def load(self, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> FittedText:
        """Return the vocabulary; BundleError where it may hold what identifies people."""
        if "left_out" not in description:
            raise BundleError(
                "The model was trained by a version that kept card and account numbers, addresses, and the "
                "words of one person among the words that it knows.",
                "Train it again.",
            )
        spec = TextSpec.from_dict(description["spec"])
        return FittedText(description["column"], Vocabulary.from_arrays(spec, arrays))

    def augment(self, rows: pa.RecordBatch) -> Augmented | None:
        """Cut longer texts in two: a half must be enough to tell what the whole is about."""
        if not self.halves_weight:
            return None
        halves: list[str] = []
        source: list[int] = []
        for row, text in enumerate(rows.column(self.column).to_pylist()):
            words = (text or "").split()
            if len(words) >= LONG:
                middle = len(words) // 2
                halves += [" ".join(words[:middle]), " ".join(words[middle:])]
                source += [row, row]
        index = np.array(source, dtype=np.int64)
        return Augmented(self._with(rows.take(pa.array(index)), halves), index, self.halves_weight)

    def without_content(self, rows: pa.RecordBatch) -> list[Altered]:
        """Mask, cut, estrange and shuffle the texts: see `text.content`."""
        texts = rows.column(self.column).to_pylist()
        made = (without_content(texts, kind) for kind in KINDS)
        return [
            Altered(self._with(rows, one), np.array([text is not None for text in one], bool)) for one in made
        ]

    def _with(self, rows: pa.RecordBatch, texts: Sequence[str | None]) -> pa.RecordBatch:
        """Put other texts into rows."""
        place = rows.schema.get_field_index(self.column)
        return rows.set_column(place, self.column, pa.array(texts, rows.schema.field(place).type))

    def groups(self, rows: pa.RecordBatch) -> NDArray[np.int64] | None:
        """Near copies of one text hang together."""
        return near_copies(rows.column(self.column))

    def sizes(self, rows: pa.RecordBatch) -> NDArray[np.int64]:
        """Count the words of each text, as spaces part them."""
        texts = pc.utf8_trim_whitespace(rows.column(self.column).fill_null(""))
        parts = pc.list_value_length(pc.utf8_split_whitespace(texts)).cast(pa.int64())
        return np.where(pc.equal(texts, "").to_numpy(zero_copy_only=False), 0, parts.to_numpy())

    def copy_keys(self, rows: pa.RecordBatch, *, training: bool = False) -> NDArray[np.uint64]:  # noqa: ARG002 - as all parts
        """Hash the words of each text, and what near copies are joined by: see `text.copy_keys`."""
        keys: NDArray[np.uint64] = copy_keys(rows.column(self.column))
        return keys

    def identity(self, rows: pa.RecordBatch) -> NDArray[np.uint64] | None:
        """Hash each text, 64 bits of BLAKE2b."""
        digests = (
            hashlib.blake2b(text.encode(), digest_size=8).digest()
            for text in rows.column(self.column).fill_null("").to_pylist()
        )
        return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


@dataclass(frozen=True)
class FittedText:
    """A vocabulary that has seen training texts."""

    column: str
    vocabulary: Vocabulary
    layout: ClassVar[Layout] = "sparse"

    @property
    def reads(self) -> tuple[str, ...]:
        """The text column."""
        return (self.column,)

    @property
    def count(self) -> int:
        """How many n-grams it knows."""
        return len(self.vocabulary)

    @property
    def names(self) -> tuple[str, ...]:
        """The n-grams."""
        return tuple(self.vocabulary.names.to_pylist())

    def write(self, values: Values, X: NDArray[np.float64]) -> None:
        """A sparse part has no dense matrix."""
        raise NotImplementedError

    def csr(self, rows: pa.RecordBatch, threads: int = 1) -> Any:
        """Return the weighted n-grams of each row as a SciPy CSR matrix."""
        return self.vocabulary.scipy(rows.column(self.column), threads=threads)

    def support(self, rows: pa.RecordBatch, threads: int = 1) -> NDArray[np.float64] | None:
        """Say how many of the words of each text are known: see `Vocabulary.support`."""
        return self.vocabulary.support(rows.column(self.column), threads)

    def joined(self, model: Model) -> RowScorer | None:
        """Join the vocabulary and a linear model's weights."""
        if not isinstance(model, LinearModel):
            return None
        return TextRowScorer(self.column, TextScorer(self.vocabulary, model.weights, model.intercept))

    def describe(self) -> dict[str, Any]:
        """Return which n-grams these are."""
        spec = self.vocabulary.spec
        return {
            "column": self.column,
            "spec": spec.to_dict(),
            "left_out": "numbers and addresses that identify; words of one person alone",
            "words": _in_words(spec),
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the vocabulary as plain arrays."""
        return self.vocabulary.arrays()


@dataclass(frozen=True)
class TextRowScorer:
    """The text kernel on one column."""

    column: str
    kernel: TextScorer

    def raw(self, rows: pa.RecordBatch, threads: int = 1) -> NDArray[np.float64]:
        """Score texts: float64 (rows, outputs)."""
        return self.kernel.logits(rows.column(self.column), threads=threads)

    def explained(
        self, rows: pa.RecordBatch, top: int, threads: int = 1
    ) -> tuple[NDArray[np.float64], NDArray[np.float64] | None, pa.Array | None]:
        """Score texts, say how much of each is known, and name the words that moved each most."""
        raw, support, reasons = self.kernel.score(rows.column(self.column), top, threads)
        if reasons is None:
            return raw, support, None
        feature, value, effect = reasons.values.flatten()
        said = pc.binary_join_element_wise("mentions “", feature, "”", "")
        worded = pa.StructArray.from_arrays(
            [feature, value, effect, said], names=["feature", "value", "effect", "words"]
        )
        return raw, support, pa.ListArray.from_arrays(reasons.offsets, worded)


def _in_words(spec: TextSpec) -> str:
    """Say which n-grams are counted.

    >>> _in_words(TextSpec(characters=(3, 5)))
    'words 1 to 2, characters 3 to 5 within words, each of at least 2 people'
    """
    parts = [
        f"{name} {span[0]} to {span[1]}{where}"
        for name, span, where in (("words", spec.words, ""), ("characters", spec.characters, " within words"))
        if span is not None
    ]
    return ", ".join(parts) + f", each of at least {spec.min_df} people"
