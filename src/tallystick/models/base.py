"""Protocol of models, and loading one from a bundle."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from tallystick.errors import BundleError

__all__ = ["KINDS", "Model", "PickledFields", "directed", "load_model"]

#: Where each kind lives; a module is imported when a bundle needs it.
KINDS = {
    "centroids": ("tallystick.models.centroids", "Centroids"),
    "linear": ("tallystick.models.linear", "LinearModel"),
    "linear_score": ("tallystick.models.linear", "LinearModel"),  # as bundles before version 0.4 name it
    "neighbours": ("tallystick.models.neighbours", "Neighbours"),
    "network": ("tallystick.models.network", "Network"),
    "outputs": ("tallystick.models.outputs", "Outputs"),
    "stack": ("tallystick.models.stack", "Stack"),
    "trees": ("tallystick.models.trees", "Trees"),
}


class Model(Protocol):
    """Outputs of rows of features, and what each feature adds to them.

    X is float64 (rows, features), C-contiguous, NaN where a value is missing; or SciPy CSR for a model that
    was learned from sparse features. A row gives the same bits alone and in a batch, on one thread and on
    many (networks: to 1e-6). A binary, anomaly or amount model has one output; a class model one for each
    class; a segment model one for each segment, the squared distance to it.
    """

    kind: ClassVar[str]

    def raw(self, X: Any, threads: int = 1) -> NDArray[np.float64]:
        """Return float64 (rows, outputs); of one output, higher is likelier, odder or more."""

    def contributions(self, X: Any, direction: NDArray[np.float64] | None = None, threads: int = 1) -> Any:
        """Return (rows, features + 1): what each feature adds to `raw · direction`, last the base.

        direction: float64 (rows, outputs), the combination of outputs that is explained; None for a model of
        one output. The result is a float64 array, for CSR rows a SciPy CSR matrix.
        """

    def describe(self) -> dict[str, Any]:
        """Return what a manifest keeps: JSON values, among them `kind`."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a bundle keeps: plain arrays of numbers."""


class PickledFields:
    """Pickles the fields of a dataclass alone, without what is computed from them and kept."""

    def __getstate__(self) -> dict[str, Any]:
        names = self.__dataclass_fields__  # type: ignore[attr-defined]
        return {name: getattr(self, name) for name in names if name != "kind"}


def directed(parts: NDArray[np.float64], direction: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Scale the contributions of a model of one output by its direction (rows, 1)."""
    return parts if direction is None else parts * direction[:, :1]


def load_model(description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Model:
    """Load the model that `describe` and `arrays` describe; its scores have the same bits.

    Raises BundleError when the kind is unknown, or an array is missing or damaged.

    >>> import numpy as np
    >>> arrays = {"weights": np.ones((1, 1)), "intercept": np.ones(1)}
    >>> load_model({"kind": "linear"}, arrays).raw(np.array([[2.0]])).tolist()
    [[3.0]]
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
