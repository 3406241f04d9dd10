"""Centroids of segments: how far a row is from each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tallystick.models.scaling import Scaling
from tallystick.models.slices import in_slices

__all__ = ["Centroids"]

Floats = NDArray[np.float64]

# Below this a second thread costs more than it saves.
ROWS_A_THREAD = 2048


@dataclass(frozen=True)
class Centroids:
    """Squared distances of scaled rows to the centroid of each segment; the nearest is a row's segment.

    centroids: float64 (segments, features), in the space of `scaling`, where a missing value is a median.

    >>> scaling = Scaling(np.zeros(1), np.ones(1), np.zeros(1), np.ones(1))
    >>> Centroids(scaling, np.array([[0.0], [2.0]])).raw(np.array([[0.0]])).tolist()
    [[0.0, 4.0]]
    """

    scaling: Scaling
    centroids: Floats
    kind: ClassVar[str] = "centroids"

    def raw(self, X: Floats, threads: int = 1) -> Floats:
        """Return the squared distance to each centroid (rows, segments)."""
        scaled, out = self.scaling.apply(X), np.empty((len(X), len(self.centroids)))
        in_slices(
            lambda first, last: _distances(scaled, first, last, self.centroids, out),
            len(X),
            threads,
            ROWS_A_THREAD,
        )
        return out

    def contributions(
        self,
        X: Floats,
        direction: Floats | None = None,
        threads: int = 1,  # noqa: ARG002 - as all models
    ) -> Floats:
        """Return the part of each feature in `raw · direction` (rows, features + 1); the base is 0.

        direction: -1 at a row's segment, 0 elsewhere, explains how near it is; None where there is one.
        """
        if direction is None:
            direction = np.ones((len(X), 1))
        out = np.zeros((len(X), X.shape[1] + 1))
        _parts(self.scaling.apply(X), self.centroids, np.ascontiguousarray(direction, np.float64), out)
        return out

    def describe(self) -> dict[str, Any]:
        """Return what a manifest keeps."""
        return {"kind": self.kind, "segments": len(self.centroids)}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a bundle keeps."""
        return {"centroids": self.centroids} | self.scaling.arrays()

    @classmethod
    def of(cls, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Centroids:  # noqa: ARG003
        """Bring back what `describe` and `arrays` gave."""
        return cls(Scaling.of(arrays), np.ascontiguousarray(arrays["centroids"]))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _distances(X: Floats, first: int, last: int, centroids: Floats, out: Floats) -> None:
    for r in range(first, last):
        for k in range(centroids.shape[0]):
            total = 0.0
            for c in range(X.shape[1]):
                away = X[r, c] - centroids[k, c]
                total += away * away
            out[r, k] = total


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _parts(X: Floats, centroids: Floats, direction: Floats, out: Floats) -> None:
    for r in range(X.shape[0]):
        for c in range(X.shape[1]):
            for k in range(centroids.shape[0]):
                away = X[r, c] - centroids[k, c]
                out[r, c] += direction[r, k] * (away * away)
