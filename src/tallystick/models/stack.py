"""Two models stacked: the score of the first is a feature of the second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tallystick.models.base import Model, load_model

__all__ = ["Stack", "widened"]

Floats = NDArray[np.float64]


def widened(first: Model, X: Floats, threads: int = 1) -> Floats:
    """Put the score of a model behind the columns (rows, features + 1)."""
    return np.ascontiguousarray(np.column_stack([X, first.raw(X, threads)]), np.float64)


@dataclass(frozen=True)
class Stack:
    """The score of `second` on the columns and, last, the score of `first` on them.

    added: the name of that column, which has a contribution of its own between those of the given columns
    and the base.
    """

    first: Model
    second: Model
    added: tuple[str, ...] = ("anomaly",)
    kind: ClassVar[str] = "stack"

    def raw(self, X: Floats, threads: int = 1) -> Floats:
        """Return the score of the second model (rows, 1)."""
        return self.second.raw(widened(self.first, X, threads), threads)

    def contributions(self, X: Floats, direction: Floats | None = None, threads: int = 1) -> Floats:
        """Return what each value adds (rows, features + 2): the columns, the added one, the base."""
        parts: Floats = self.second.contributions(widened(self.first, X, threads), direction, threads)
        return parts

    def describe(self) -> dict[str, Any]:
        """Return what a manifest keeps."""
        return {
            "kind": self.kind,
            "added": list(self.added),
            "first": self.first.describe(),
            "second": self.second.describe(),
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a bundle keeps."""
        parts = {"first": self.first, "second": self.second}
        return {f"{part}_{name}": a for part, model in parts.items() for name, a in model.arrays().items()}

    @classmethod
    def of(cls, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Stack:
        """Bring back what `describe` and `arrays` gave."""
        first, second = (
            load_model(
                description[part],
                {n.removeprefix(f"{part}_"): a for n, a in arrays.items() if n.startswith(f"{part}_")},
            )
            for part in ("first", "second")
        )
        return cls(first, second, tuple(description["added"]))
