"""What every model of rows can do, and how one comes back from a bundle."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from tallystick.errors import BundleError

__all__ = ["KINDS", "Model", "load_model"]

#: Where each kind lives; a module is imported when a bundle needs it.
KINDS = {
    "linear_score": ("tallystick.models.linear_score", "LinearScore"),
    "neighbours": ("tallystick.models.neighbours", "Neighbours"),
    "network": ("tallystick.models.network", "Network"),
    "stack": ("tallystick.models.stack", "Stack"),
    "trees": ("tallystick.models.trees", "Trees"),
}


class Model(Protocol):
    """Scores of rows of numbers, and what each number adds to them.

    X is float64 (rows, features), C-contiguous, NaN where a value is missing. A row gives the same bits alone
    and in a batch, on one thread and on many (networks: to 1e-6).
    """

    kind: ClassVar[str]

    def raw(self, X: NDArray[np.float64], threads: int = 1) -> NDArray[np.float64]:
        """Return the score of each row (rows,): higher is likelier, or odder."""

    def contributions(self, X: NDArray[np.float64], threads: int = 1) -> NDArray[np.float64]:
        """Return (rows, features + 1): what each value adds, last the base; a row sums to its `raw`."""

    def describe(self) -> dict[str, Any]:
        """Return what a manifest keeps: JSON values, among them `kind`."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a bundle keeps: plain arrays of numbers."""


def load_model(description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Model:
    """Bring back the model that `describe` and `arrays` told of; its scores have the same bits.

    Raises BundleError when the kind is unknown, or an array is missing or damaged.

    >>> import numpy as np
    >>> arrays = {"weights": np.ones(1), "means": np.zeros(1), "missing": np.zeros(1)}
    >>> load_model({"kind": "linear_score", "base": 1.0}, arrays).raw(np.array([[2.0]])).tolist()
    [3.0]
    """
    kind = description.get("kind")
    if kind not in KINDS:
        raise BundleError(
            f"The bundle holds a model of kind {kind!r}; this version knows {', '.join(KINDS)}.",
            "Use the version that wrote it, or train the model again.",
        )
    module, name = KINDS[kind]
    try:
        model: Model = getattr(importlib.import_module(module), name).of(description, arrays)
    except KeyError as missing:
        raise BundleError(
            f"The bundle's model of kind {kind} lacks {missing.args[0]!r}.", "Train the model again."
        ) from missing
    return model
