"""Linear model: every output is an intercept plus a weighted sum of the features."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tallystick.errors import UsageError
from tallystick.models.base import PickledFields
from tallystick.models.slices import in_slices

__all__ = ["LinearModel", "probabilities"]

Floats = NDArray[np.float64]

# Below this a second thread costs more than it saves.
ROWS_A_THREAD = 4096


@dataclass(frozen=True)
class LinearModel(PickledFields):
    """intercept + Σ weight x (value - mean) for each output; a missing value adds `missing` instead.

    weights: float64 (features, outputs); intercept: float64 (outputs,); means: float64 (features,), those of
    the training rows, so that what a value adds is what sets it apart; missing: float64 (features, outputs).
    means and missing belong to dense features; without them all are 0. Rows are dense with NaN for missing,
    or SciPy CSR, where only stored values count.

    >>> import numpy as np
    >>> model = LinearModel(np.array([[2.0]]), np.array([-1.0]), np.array([10.0]), np.array([[0.5]]))
    >>> model.raw(np.array([[11.0], [np.nan]])).tolist()
    [[1.0], [-0.5]]
    """

    weights: Floats
    intercept: Floats
    means: Floats | None = None
    missing: Floats | None = None
    kind: ClassVar[str] = "linear"

    def centred(self) -> LinearModel:
        """Take the mean over classes off every feature, so that a weight says what sets a class apart.

        A softmax is the same before and after; the effects shown as reasons mean something only after.

        >>> LinearModel(np.array([[1.0, 3.0]]), np.zeros(2)).centred().weights.tolist()
        [[-1.0, 1.0]]
        """
        return LinearModel(
            self.weights - self.weights.mean(axis=1, keepdims=True),
            self.intercept - self.intercept.mean(),
            self.means,
            None if self.missing is None else self.missing - self.missing.mean(axis=1, keepdims=True),
        )

    def mixed(self, matrix: Floats, offset: Floats) -> LinearModel:
        """Return the model whose outputs are `raw @ matrix + offset`.

        matrix: float64 (outputs, new outputs); offset: float64 (new outputs,).
        """
        missing = None if self.missing is None else self.missing @ matrix
        return LinearModel(self.weights @ matrix, self.intercept @ matrix + offset, self.means, missing)

    def raw(self, X: Any, threads: int = 1) -> Floats:
        """Return the outputs of rows (rows, outputs); a row gives the same bits alone and in a batch."""
        out = np.empty((X.shape[0], len(self.intercept)))
        weights, intercept, means, missing = self._laid
        if isinstance(X, np.ndarray):
            rows = self._checked(np.ascontiguousarray(X, np.float64))

            def work(first: int, last: int) -> None:
                _dense(rows, first, last, weights, intercept, means, missing, out)
        else:
            data, indices, indptr = _csr(self._checked(X))

            def work(first: int, last: int) -> None:
                _sparse(data, indices, indptr, first, last, weights, intercept, out)

        in_slices(work, X.shape[0], threads, ROWS_A_THREAD)
        return out

    def contributions(self, X: Any, direction: Floats | None = None, threads: int = 1) -> Any:  # noqa: ARG002
        """Return what each value adds to `raw · direction` (rows, features + 1); the last is the base.

        direction: float64 (rows, outputs), None for a model of one output. The result is a float64 array, of
        CSR rows a SciPy CSR matrix.
        """
        weights, intercept, means, missing = self._laid
        if direction is None:
            if len(intercept) != 1:
                raise UsageError(f"A model of {len(intercept)} outputs explains a direction: give one.")
            direction = np.ones((X.shape[0], 1))
        direction = np.ascontiguousarray(direction, np.float64)
        if isinstance(X, np.ndarray):
            rows = self._checked(np.ascontiguousarray(X, np.float64))
            out = np.empty((len(rows), len(weights) + 1))
            _explain_dense(rows, weights, intercept, means, missing, direction, out)
            return out
        from scipy.sparse import csr_matrix

        data, indices, indptr = _csr(self._checked(X))
        rows_count = X.shape[0]
        ends = indptr + np.arange(rows_count + 1, dtype=indptr.dtype)
        parts, columns = np.empty(ends[-1]), np.empty(ends[-1], indices.dtype)
        _explain_sparse(data, indices, indptr, weights, intercept, direction, parts, columns)
        return csr_matrix((parts, columns, ends), shape=(rows_count, len(weights) + 1))

    def describe(self) -> dict[str, Any]:
        """Return what a manifest keeps."""
        return {"kind": self.kind}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a bundle keeps."""
        dense = {"means": self.means, "missing": self.missing}
        known = {name: array for name, array in dense.items() if array is not None}
        return {"weights": np.ascontiguousarray(self.weights), "intercept": self.intercept} | known

    @classmethod
    def of(cls, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> LinearModel:
        """Bring back what `describe` and `arrays` gave; also the older kind "linear_score"."""
        weights = arrays["weights"]
        if weights.ndim == 1:  # "linear_score": one output, its intercept in the description
            base = np.array([float(description["base"])])
            return cls(weights[:, None], base, arrays["means"], arrays["missing"][:, None])
        return cls(weights, arrays["intercept"], arrays.get("means"), arrays.get("missing"))

    @cached_property
    def _laid(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Weights, intercept, means and missing as the kernels take them."""
        means = np.zeros(len(self.weights)) if self.means is None else self.means
        missing = np.zeros(self.weights.shape) if self.missing is None else self.missing
        return (
            np.ascontiguousarray(self.weights, np.float64),
            np.ascontiguousarray(self.intercept, np.float64),
            np.ascontiguousarray(means, np.float64),
            np.ascontiguousarray(missing, np.float64),
        )

    def _checked(self, X: Any) -> Any:
        """Refuse rows of another width: the kernels do not look."""
        if X.ndim != 2 or X.shape[1] != len(self.weights):
            raise UsageError(
                f"Rows of shape {X.shape} do not fit a model of {len(self.weights)} features.",
                "Give a matrix of (rows, features), in the order that the model was trained on.",
            )
        return X


def _csr(X: Any) -> tuple[Floats, NDArray[Any], NDArray[Any]]:
    return np.ascontiguousarray(X.data, np.float64), X.indices, X.indptr


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _dense(
    X: Floats,
    first: int,
    last: int,
    weights: Floats,
    intercept: Floats,
    means: Floats,
    missing: Floats,
    out: Floats,
) -> None:
    for r in range(first, last):
        for k in range(len(intercept)):
            total = intercept[k]
            for c in range(X.shape[1]):
                x = X[r, c]
                total += missing[c, k] if x != x else weights[c, k] * (x - means[c])
            out[r, k] = total


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _sparse(
    data: Floats,
    indices: NDArray[Any],
    indptr: NDArray[Any],
    first: int,
    last: int,
    weights: Floats,
    intercept: Floats,
    out: Floats,
) -> None:
    for r in range(first, last):
        out[r] = intercept
        for i in range(indptr[r], indptr[r + 1]):
            for k in range(len(intercept)):
                out[r, k] += weights[indices[i], k] * data[i]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _explain_dense(
    X: Floats,
    weights: Floats,
    intercept: Floats,
    means: Floats,
    missing: Floats,
    direction: Floats,
    out: Floats,
) -> None:
    out[:] = 0.0
    for r in range(X.shape[0]):
        for c in range(X.shape[1]):
            x = X[r, c]
            for k in range(len(intercept)):
                out[r, c] += direction[r, k] * (missing[c, k] if x != x else weights[c, k] * (x - means[c]))
        for k in range(len(intercept)):
            out[r, -1] += direction[r, k] * intercept[k]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _explain_sparse(
    data: Floats,
    indices: NDArray[Any],
    indptr: NDArray[Any],
    weights: Floats,
    intercept: Floats,
    direction: Floats,
    parts: Floats,
    columns: NDArray[Any],
) -> None:
    parts[:] = 0.0
    for r in range(len(indptr) - 1):
        for i in range(indptr[r], indptr[r + 1]):
            columns[i + r] = indices[i]
            for k in range(len(intercept)):
                parts[i + r] += direction[r, k] * (weights[indices[i], k] * data[i])
        last = indptr[r + 1] + r
        columns[last] = weights.shape[0]
        for k in range(len(intercept)):
            parts[last] += direction[r, k] * intercept[k]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _softmax(logits: Floats, out: Floats) -> None:
    rows, classes = logits.shape
    for r in range(rows):
        top = logits[r, 0]
        for c in range(1, classes):
            top = max(top, logits[r, c])
        total = 0.0
        for c in range(classes):
            out[r, c] = math.exp(logits[r, c] - top)
            total += out[r, c]
        for c in range(classes):
            out[r, c] /= total


def probabilities(logits: Floats) -> Floats:
    """Turn logits (rows, classes) into probabilities that add up to one in each row.

    A row gives the same bits alone and in a batch: NumPy's own `exp` and `sum` choose their order by the
    shape of the array, so the loop here is fixed.

    >>> import numpy as np
    >>> probabilities(np.zeros((1, 4))).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    logits = np.ascontiguousarray(logits, dtype=np.float64)
    out = np.empty_like(logits)
    if logits.size:
        _softmax(logits, out)
    return out
