"""Local outlier factor: how empty it is around a row, and how around its neighbours (Breunig et al. 2000)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tallystick.models.base import directed
from tallystick.models.scaling import Scaling
from tallystick.models.slices import in_slices

__all__ = ["Neighbours"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

# Added to a mean reach distance, as scikit-learn does: more copies than neighbours leave no distance at all.
LEAST = 1e-10
# Below this a second thread costs more than it saves.
ROWS_A_THREAD = 64


@dataclass(frozen=True)
class Neighbours:
    """Rows that were seen, and how near each is to its own neighbours.

    rows: float64 (kept, features), scaled; reach: the distance of each to its last neighbour; density: the
    local reachability density of each, both float64 (kept,). The score of a new row is what
    scikit-learn's LocalOutlierFactor(novelty=True) gives, its sign turned: about 1 is ordinary.
    """

    scaling: Scaling
    rows: Floats
    reach: Floats
    density: Floats
    neighbours: int
    kind: ClassVar[str] = "neighbours"

    @classmethod
    def fit(cls, scaling: Scaling, matrix: Floats, neighbours: int) -> Neighbours:
        """Keep these rows (at least two; not scaled yet) and measure their density."""
        rows = scaling.apply(matrix)
        count = max(1, min(neighbours, len(rows) - 1))
        near, distance = _nearest(rows, rows, count, True, 1)
        reach = np.ascontiguousarray(distance[:, -1])
        density = np.empty(len(rows))
        _density(near, distance, reach, density)
        return cls(scaling, rows, reach, density, count)

    def raw(self, X: Floats, threads: int = 1) -> Floats:
        """Return the local outlier factor of new rows (rows, 1), higher is odder."""
        return self._score(self.scaling.apply(X), threads)[1][:, None]

    def contributions(self, X: Floats, direction: Floats | None = None, threads: int = 1) -> Floats:
        """Return what each value adds (rows, features + 1); the last column is the base, 1.

        What a row is above 1 is shared out as the squared distances to its neighbours are between columns.
        A row that is where its neighbours are has it all in its base.
        """
        scaled = self.scaling.apply(X)
        near, score = self._score(scaled, threads)
        out = np.empty((len(X), X.shape[1] + 1))
        _share(scaled, self.rows, near, score, out)
        return directed(out, direction)

    def _score(self, scaled: Floats, threads: int) -> tuple[Codes, Floats]:
        near, distance = _nearest(scaled, self.rows, self.neighbours, False, threads)
        own, score = np.empty(len(scaled)), np.empty(len(scaled))
        _density(near, distance, self.reach, own)
        _factor(near, own, self.density, score)
        return near, score

    def describe(self) -> dict[str, Any]:
        """Return what a manifest keeps."""
        return {"kind": self.kind, "neighbours": self.neighbours}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a bundle keeps."""
        kept = {"rows": self.rows, "row_reach": self.reach, "density": self.density}
        return kept | self.scaling.arrays()

    @classmethod
    def of(cls, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Neighbours:
        """Bring back what `describe` and `arrays` gave."""
        return cls(
            Scaling.of(arrays),
            np.ascontiguousarray(arrays["rows"]),
            arrays["row_reach"],
            arrays["density"],
            int(description["neighbours"]),
        )


def _nearest(X: Floats, rows: Floats, count: int, same: bool, threads: int) -> tuple[Codes, Floats]:
    """Find the nearest of `rows` for each of X, by distance and then place; itself left out if `same`."""
    near, distance = np.zeros((len(X), count), np.int64), np.full((len(X), count), np.inf)
    in_slices(
        lambda first, last: _near(X, rows, first, last, same, near, distance), len(X), threads, ROWS_A_THREAD
    )
    return near, np.sqrt(distance)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _near(X: Floats, rows: Floats, first: int, last: int, same: bool, near: Codes, distance: Floats) -> None:
    count = near.shape[1]
    for r in range(first, last):
        best = distance[r]
        for other in range(rows.shape[0]):
            if same and other == r:
                continue
            total = 0.0
            for c in range(X.shape[1]):
                away = X[r, c] - rows[other, c]
                total += away * away
                if total >= best[-1]:
                    break
            if total >= best[-1]:
                continue
            place = count - 1
            while place > 0 and best[place - 1] > total:
                best[place] = best[place - 1]
                near[r, place] = near[r, place - 1]
                place -= 1
            best[place] = total
            near[r, place] = other


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _density(near: Codes, distance: Floats, reach: Floats, out: Floats) -> None:
    for r in range(near.shape[0]):
        total = 0.0
        for k in range(near.shape[1]):
            total += max(distance[r, k], reach[near[r, k]])
        out[r] = 1.0 / (total / near.shape[1] + LEAST)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _factor(near: Codes, own: Floats, density: Floats, out: Floats) -> None:
    for r in range(near.shape[0]):
        total = 0.0
        for k in range(near.shape[1]):
            total += density[near[r, k]]
        out[r] = total / near.shape[1] / own[r]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _share(X: Floats, rows: Floats, near: Codes, score: Floats, out: Floats) -> None:
    features = X.shape[1]
    for r in range(X.shape[0]):
        whole = 0.0
        for c in range(features):
            out[r, c] = 0.0
            for k in range(near.shape[1]):
                away = X[r, c] - rows[near[r, k], c]
                out[r, c] += away * away
            whole += out[r, c]
        for c in range(features):
            out[r, c] = out[r, c] / whole * (score[r] - 1.0) if whole > 0.0 else 0.0
        out[r, features] = 1.0 if whole > 0.0 else score[r]
