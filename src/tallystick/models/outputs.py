"""Several models of one output each, side by side as one model of several outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tallystick.models.base import Model, load_model

__all__ = ["Outputs"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Outputs:
    """One output from each model, in their order, all of the same dense features.

    >>> from tallystick.models.linear import LinearModel
    >>> rise = LinearModel(np.ones((1, 1)), np.zeros(1))
    >>> fall = LinearModel(-np.ones((1, 1)), np.zeros(1))
    >>> both = Outputs((rise, fall))
    >>> both.raw(np.array([[2.0]])).tolist()
    [[2.0, -2.0]]
    >>> both.contributions(np.array([[2.0]]), np.array([[1.0, -1.0]])).tolist()
    [[4.0, 0.0]]
    """

    models: tuple[Model, ...]
    kind: ClassVar[str] = "outputs"

    def raw(self, X: Floats, threads: int = 1) -> Floats:
        """Return the outputs of rows (rows, outputs)."""
        return np.concatenate([model.raw(X, threads) for model in self.models], axis=1)

    def contributions(self, X: Floats, direction: Floats | None = None, threads: int = 1) -> Floats:
        """Return what each value adds to `raw · direction` (rows, features + 1); the last is the base."""
        if direction is None:
            direction = np.ones((len(X), 1))
        out = np.zeros((len(X), X.shape[1] + 1))
        for number, model in enumerate(self.models):
            # An output of no weight in a row takes no time there: often all but one have none.
            rows = np.flatnonzero(direction[:, number])
            own = np.ascontiguousarray(direction[rows, number : number + 1])
            out[rows] += model.contributions(np.ascontiguousarray(X[rows]), own, threads)
        return out

    def describe(self) -> dict[str, Any]:
        """Return what a manifest keeps."""
        return {"kind": self.kind, "models": [model.describe() for model in self.models]}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a bundle keeps."""
        parts = enumerate(self.models)
        return {f"{number}_{name}": a for number, model in parts for name, a in model.arrays().items()}

    @classmethod
    def of(cls, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Outputs:
        """Bring back what `describe` and `arrays` gave."""
        return cls(
            tuple(
                load_model(
                    own,
                    {
                        n.removeprefix(f"{number}_"): a
                        for n, a in arrays.items()
                        if n.startswith(f"{number}_")
                    },
                )
                for number, own in enumerate(description["models"])
            )
        )
