"""The fitted features of a task: its parts side by side in one matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.errors import DataError, UsageError, did_you_mean
from tallystick.feature_extraction.base import (
    Altered,
    Augmented,
    Features,
    FitContext,
    FittedPart,
    Layout,
    RowScorer,
)
from tallystick.feature_extraction.values import ValueReader, Values
from tallystick.models import Model
from tallystick.models.scaling import Scaling

__all__ = [
    "FittedFeatures",
    "augment",
    "copy_keys_of",
    "fit_features",
    "groups_of",
    "identity_of",
    "layout_of",
    "missing_of",
    "sizes_of",
    "without_content",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FittedFeatures:
    """Parts that have seen training rows, side by side.

    parts: each with its place among the declared ones; reader: how values are read; scaling: of the dense
    parts where they stand beside sparse ones, since a linear model of counts wants columns of a like size.
    """

    parts: tuple[tuple[int, FittedPart], ...]
    reader: ValueReader
    scaling: Scaling | None = None

    @cached_property
    def layout(self) -> Layout:
        """Whether the matrix is dense or sparse."""
        return "sparse" if any(part.layout == "sparse" for _, part in self.parts) else "dense"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The features by name, in the order of the matrix."""
        return tuple(name for _, part in self._ordered for name in part.names)

    @cached_property
    def dense_names(self) -> tuple[str, ...]:
        """The features of the dense parts by name, in the order of `dense`."""
        return tuple(name for _, part in self._ordered if part.layout == "dense" for name in part.names)

    @property
    def count(self) -> int:
        """How many features there are."""
        return sum(part.count for _, part in self.parts)

    @cached_property
    def _ordered(self) -> tuple[tuple[int, FittedPart], ...]:
        """The parts as they stand in the matrix: sparse ones first."""
        return tuple(sorted(self.parts, key=lambda one: (one[1].layout == "dense", one[0])))

    def values(
        self,
        rows: pa.RecordBatch,
        window_features: Floats | None = None,
        columns: Mapping[str, pa.Array] | None = None,
    ) -> Values:
        """Return what rows hold by name; see `ValueReader.read`."""
        return self.reader.read(rows, window_features, columns)

    def dense(self, values: Values) -> Floats:
        """Return the features of the dense parts: float64 (rows, features), NaN: unknown."""
        parts = [part for _, part in self._ordered if part.layout == "dense"]
        X = np.empty((len(values.rows), len(self.dense_names)))
        at = 0
        for part in parts:
            part.write(values, X[:, at : at + part.count])
            at += part.count
        return X

    def matrix(self, rows: pa.RecordBatch, values: Values | None = None, threads: int = 1) -> Any:
        """Return the features of rows, dense float64 (rows, features) or CSR; a row alone gets the same bits.

        values: of the rows, where they were read already.
        """
        values = self.values(rows) if values is None else values
        if self.layout == "dense":
            return self.dense(values)
        from scipy.sparse import csr_matrix, hstack

        blocks = [part.csr(rows, threads) for _, part in self._ordered if part.layout == "sparse"]
        if self.scaling is not None:
            blocks.append(csr_matrix(self.scaling.apply(self.dense(values))))
        return blocks[0] if len(blocks) == 1 else hstack(blocks, format="csr")

    def support(self, rows: pa.RecordBatch, threads: int = 1) -> Floats | None:
        """Say how much of each row is known, float64 (rows, 5); None where a part cannot tell."""
        found = [part.support(rows, threads) for _, part in self.parts]
        known = [one for one in found if one is not None]
        return np.sum(known, axis=0) if known and len(known) == len(found) else None

    def joined(self, model: Model) -> RowScorer | None:
        """Join features and model into one pass, where a single part offers that."""
        return self.parts[0][1].joined(model) if len(self.parts) == 1 else None

    def describe(self) -> dict[str, Any]:
        """Return what a manifest keeps: plain values."""
        parts = [part.describe() | {"place": place} for place, part in self.parts]
        return {
            "count": self.count,
            "words": ", ".join(part["words"] for part in parts),
            # n-grams are too many for a manifest: they are in the arrays
            "names": list(self.dense_names),
            "parts": parts,
            "zone": self.reader.zone,
            "currency": self.reader.currency,
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a bundle keeps."""
        kept = {f"{place}/{name}": a for place, part in self.parts for name, a in part.arrays().items()}
        if self.scaling is not None:
            kept |= {f"scaling/{name}": a for name, a in self.scaling.arrays().items()}
        return kept

    @classmethod
    def load(
        cls,
        declared: Sequence[Features],
        reader: ValueReader,
        description: Mapping[str, Any],
        arrays: Mapping[str, NDArray[Any]],
    ) -> FittedFeatures:
        """Return what `describe` and `arrays` kept; KeyError or ValueError where they do not fit."""

        def own(prefix: str) -> dict[str, NDArray[Any]]:
            start = f"{prefix}/"
            return {n.removeprefix(start): a for n, a in arrays.items() if n.startswith(start)}

        parts = tuple(
            (one["place"], declared[one["place"]].load(one, own(str(one["place"]))))
            for one in description["parts"]
        )
        scaling = own("scaling")
        reader = replace(reader, zone=description["zone"], currency=description["currency"])
        fitted = cls(parts, reader, Scaling(**scaling) if scaling else None)
        if fitted.count != description["count"]:
            raise ValueError("its features are not those that it names")
        return fitted


def fit_features(declared: Sequence[Features], rows: pa.RecordBatch, context: FitContext) -> FittedFeatures:
    """Fit each part on training rows.

    Raises UsageError for a wanted name that is no feature, DataError when nothing is left to learn from.
    """
    known = [name for part in declared for name in part.selectable(context.reader.windows)]
    for name in sorted(context.only):
        if name not in known:
            raise UsageError(f'"{name}" is no feature here.', did_you_mean(name, known))
    found = ((place, part.fit(rows, context)) for place, part in enumerate(declared))
    fitted = FittedFeatures(tuple((p, part) for p, part in found if part is not None), context.reader)
    if not fitted.count:
        columns = [name for part in declared for name in part.columns]
        raise DataError(
            "There is nothing to learn from: no feature has a value.",
            f"Columns that are looked at: {', '.join(columns)}.",
        )
    if fitted.layout == "sparse" and any(part.layout == "dense" for _, part in fitted.parts):
        dense = fitted.dense(fitted.values(rows))
        return replace(fitted, scaling=Scaling.fit(dense, np.ones(len(rows))))
    return fitted


def layout_of(declared: Sequence[Features]) -> Layout:
    """Say whether declared parts make a dense or a sparse matrix."""
    return "sparse" if any(part.layout == "sparse" for part in declared) else "dense"


def missing_of(declared: Sequence[Features], rows: pa.RecordBatch) -> tuple[NDArray[np.bool_] | None, str]:
    """Say which rows hold nothing that any part could look at, None for none, and the reason code."""
    none: NDArray[np.bool_] | None = None
    reason = ""
    for part in declared:
        missing = part.missing(rows)
        if missing is None:
            return None, ""
        none = missing if none is None else none & missing
        reason = reason or part.missing_reason
    return none if none is not None and none.any() else None, reason


def groups_of(declared: Sequence[Features], rows: pa.RecordBatch) -> NDArray[np.int64] | None:
    """Say which rows hang together, as the first part that can tell has it; None where none can."""
    return next((found for part in declared if (found := part.groups(rows)) is not None), None)


def identity_of(declared: Sequence[Features], rows: pa.RecordBatch) -> NDArray[np.uint64] | None:
    """Return what tells rows apart, as the first part that can tell has it; None where none can."""
    return next((found for part in declared if (found := part.identity(rows)) is not None), None)


def sizes_of(declared: Sequence[Features], rows: pa.RecordBatch) -> tuple[NDArray[np.int64] | None, str]:
    """Return how much each row holds to look at, as the first part that can tell has it, and the unit."""
    for part in declared:
        sizes = part.sizes(rows)
        if sizes is not None:
            return sizes, part.size_unit
    return None, ""


def copy_keys_of(
    declared: Sequence[Features], rows: pa.RecordBatch, *, training: bool = False
) -> NDArray[np.uint64] | None:
    """Return what near copies share, as the first part that can tell has it; None where none can."""
    return next(
        (found for part in declared if (found := part.copy_keys(rows, training=training)) is not None), None
    )


def without_content(declared: Sequence[Features], rows: pa.RecordBatch) -> list[Altered]:
    """Make rows of rows that hold too little of every part; none where a part cannot make any."""
    made: list[Altered] = []
    for part in declared:
        if part.derived:
            continue
        before = [one.rows for one in made] or None
        of_part = [part.without_content(one) for one in before] if before else [part.without_content(rows)]
        if of_part[0] is None:
            return []
        if before is None:
            made = list(of_part[0])
        else:
            # The same way in each part: the way'th batch of the rows that the parts before have changed.
            made = [
                Altered(ways[way].rows, one.made & ways[way].made)
                for way, (one, ways) in enumerate(zip(made, of_part, strict=True))
                if ways is not None
            ]
    return made


def augment(declared: Sequence[Features], rows: pa.RecordBatch) -> Augmented | None:
    """Return further training rows made of rows, by the first part that makes any."""
    return next((made for part in declared if (made := part.augment(rows)) is not None), None)
