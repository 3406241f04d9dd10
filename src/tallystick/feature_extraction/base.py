"""Protocols of features: declared parts of what a task reads, and parts once fitted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.feature_extraction.values import ValueReader, Values
from tallystick.models import Model

__all__ = ["Altered", "Augmented", "Features", "FitContext", "FittedPart", "Layout", "RowScorer"]

Layout = Literal["dense", "sparse"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FitContext:
    """What a part is fitted with.

    reader: how values are read, with the names of the window features; only: names of columns and features
    to use, all when empty; threads: how many may be used, which changes no bit; people: int64 (rows,), a code
    of whose each row is, None where that is not known.
    """

    reader: ValueReader = field(default_factory=ValueReader)
    only: frozenset[str] = frozenset()
    threads: int = 1
    people: NDArray[np.int64] | None = None

    def wanted(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return those of the names that are to be used."""
        return tuple(name for name in names if not self.only or name in self.only)


@dataclass(frozen=True)
class Augmented:
    """Further rows made of rows: the rows, int64 of which row each was made, and how much each counts."""

    rows: pa.RecordBatch
    source: NDArray[np.int64]
    weight: float


@dataclass(frozen=True)
class Altered:
    """Rows made of rows, one of each, and which of them could be made."""

    rows: pa.RecordBatch
    made: NDArray[np.bool_]


class RowScorer(Protocol):
    """A fitted part and a model as one: clean rows in, raw scores and reasons out, in one pass."""

    def raw(self, rows: pa.RecordBatch, threads: int = 1) -> Floats:
        """Score rows: float64 (rows, outputs)."""

    def explained(
        self, rows: pa.RecordBatch, top: int, threads: int = 1
    ) -> tuple[Floats, Floats | None, pa.Array | None]:
        """Score rows, say how much of each is known as `FittedPart.support` does, and explain them.

        The reasons are those of the highest output: list of struct feature, value, effect, words; None where
        top is 0.
        """


class FittedPart(Protocol):
    """A part that has seen training rows; plain arrays and plain values keep it in a bundle."""

    layout: ClassVar[Layout]

    @property
    def count(self) -> int:
        """How many features there are."""

    @property
    def names(self) -> tuple[str, ...]:
        """The features by name, in the order of the matrix."""

    @property
    def reads(self) -> tuple[str, ...]:
        """The values that it reads: columns, parts of the event time, window features."""

    def write(self, values: Values, X: Floats) -> None:
        """Write the features of rows into a dense matrix float64 (rows, count); NaN: unknown."""

    def csr(self, rows: pa.RecordBatch, threads: int = 1) -> Any:
        """Return the features of rows as a SciPy CSR matrix, for a sparse part."""

    def support(self, rows: pa.RecordBatch, threads: int = 1) -> Floats | None:
        """Say how much of each row it knows, float64 (rows, 5), as `Sufficiency` takes it; None: unknown."""

    def joined(self, model: Model) -> RowScorer | None:
        """Join the part and a model into one pass, where there is a kernel for it."""

    def describe(self) -> dict[str, Any]:
        """Return what a manifest keeps: plain values, among them `words` for people."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a bundle keeps."""


class Features:
    """A declared part; a kind of part overrides what it can say more of.

    kind: names the class in a bundle; columns: of the contract, that it may read; required: those of them
    without which there is nothing to look at; derived: whether it only says again what other parts may hold.
    """

    kind: ClassVar[str] = ""
    layout: ClassVar[Layout] = "dense"
    missing_reason: str = "no_features"
    size_unit: ClassVar[str] = ""
    derived: ClassVar[bool] = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the contract that it may read."""
        return ()

    @property
    def required(self) -> tuple[str, ...]:
        """The columns without which there is nothing to look at."""
        return ()

    def selectable(self, windows: Collection[str]) -> tuple[str, ...]:
        """Return the names that may be chosen; windows: names of the window features that there are."""
        raise NotImplementedError

    def default(self, windows: Collection[str]) -> tuple[str, ...]:
        """Return those of `selectable` that are used where nobody chooses."""
        return self.selectable(windows)

    def fit(self, rows: pa.RecordBatch, context: FitContext) -> FittedPart | None:
        """Learn from training rows what scoring needs; None where the rows hold nothing of it."""
        raise NotImplementedError

    def load(self, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> FittedPart:
        """Return the fitted part that `describe` and `arrays` kept."""
        raise NotImplementedError

    def missing(self, rows: pa.RecordBatch) -> NDArray[np.bool_] | None:  # noqa: ARG002 - for those that can
        """Say which rows hold nothing to look at: they are not scored, a person sees them. None: none do."""
        return None

    def groups(self, rows: pa.RecordBatch) -> NDArray[np.int64] | None:  # noqa: ARG002
        """Say which rows hang together and may not be split up (near copies); None: nothing is known."""
        return None

    def sizes(self, rows: pa.RecordBatch) -> NDArray[np.int64] | None:  # noqa: ARG002
        """Say how much each row holds to look at, in `size_unit`; None: all rows hold alike."""
        return None

    def augment(self, rows: pa.RecordBatch) -> Augmented | None:  # noqa: ARG002
        """Make further training rows of rows; None: there are none."""
        return None

    def without_content(self, rows: pa.RecordBatch) -> Sequence[Altered] | None:  # noqa: ARG002
        """Make rows of rows that hold too little of this part to say anything, one batch for each way.

        None where that cannot be done.
        """
        return None

    def copy_keys(
        self,
        rows: pa.RecordBatch,  # noqa: ARG002
        *,
        training: bool = False,  # noqa: ARG002
    ) -> NDArray[np.uint64] | None:
        """Hash what a row shares with its near copies, the same in every input: uint64 (rows, levels).

        The closest likeness comes first. Rows that are equal at any level are near copies. training: these
        are all training rows, so levels that would not tell them apart can be left out. None: left to the
        other parts.
        """
        return None

    def identity(self, rows: pa.RecordBatch) -> NDArray[np.uint64] | None:  # noqa: ARG002
        """Hash what tells rows apart, so that a training row is recognised; None: left to the other parts."""
        return None
