"""The report on segments: how large they are, how tight, how well separated and how stable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tallystick.errors import DataError

__all__ = ["segments_report"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SAMPLE = 2_000  # rows of which all pairs are compared


def segments_report(
    task: str,
    distances: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    matrix: ArrayLike | None = None,
    second: ArrayLike | None = None,
    split: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Report on rows divided into segments: a dict of plain values, ready for JSON.

    `distances` float64 (rows, segments): squared distance to each centre; a row belongs to the nearest.
    `names` are the segments' names, "1" and so on unless given. `mean_distance` is the mean distance (not
    squared) to the centre. `separation` compares the distances to the own and to the nearest other centre:
    the mean of 1 - own / other, 1 is best, 0 is on the border (the simplified silhouette). `silhouette`
    compares rows with rows (Rousseeuw 1987) on at most 2,000 of them, drawn by `seed`; it needs `matrix`
    (rows, features) as it was clustered, and leaves out rows with a missing value. `second` are segment
    codes of the same rows by a second fit; `stability` is the adjusted Rand index of the two, 1 where they
    agree. Raises DataError when there is no row or the arrays do not fit.

    >>> report = segments_report("group", [[0.0, 4.0], [1.0, 9.0], [9.0, 0.0]])
    >>> [part["rows"] for part in report["segments"]], report["segments"][0]["mean_distance"]
    ([2, 1], 0.5)
    """
    squared = np.asarray(distances, np.float64)
    if squared.ndim != 2 or not squared.size:
        raise DataError("There is nothing to measure: no row has distances to segments.")
    if not np.isfinite(squared).all() or squared.min() < 0:
        raise DataError("Distances must be finite and not negative.")
    rows, count = squared.shape
    titles = [str(i + 1) for i in range(count)] if names is None else [str(name) for name in names]
    if len(titles) != count:
        raise DataError(f"{len(titles)} names do not fit {count} segments.")
    code = squared.argmin(axis=1)
    own = np.sqrt(squared[np.arange(rows), code])
    apart = _separation(squared, code, own) if count > 1 else None
    sizes = np.bincount(code, minlength=count)
    return {
        "task": task,
        "target": "segments",
        "rows": rows,
        "segments": [
            {
                "segment": title,
                "rows": int(sizes[i]),
                "share": float(sizes[i] / rows),
                "mean_distance": float(own[code == i].mean()) if sizes[i] else None,
                "separation": float(apart[code == i].mean()) if apart is not None and sizes[i] else None,
            }
            for i, title in enumerate(titles)
        ],
        "mean_distance": float(own.mean()),
        "separation": None if apart is None else float(apart.mean()),
        "silhouette": None if matrix is None else _silhouette(matrix, code, seed),
        "stability": None if second is None else _adjusted_rand(code, np.asarray(second, np.int64)),
        "split": None if split is None else dict(split),
    }


def _separation(squared: Floats, code: Ints, own: Floats) -> Floats:
    """Compare each row's distance to its own centre with that to the nearest other one."""
    others = squared.copy()
    others[np.arange(len(code)), code] = np.inf
    nearest = np.sqrt(others.min(axis=1))
    return np.where(nearest > 0, 1 - own / np.where(nearest > 0, nearest, 1.0), 0.0)


def _silhouette(matrix: ArrayLike, code: Ints, seed: int) -> float | None:
    """Return the mean silhouette of a sample; None where fewer than two segments are in it."""
    values = np.asarray(matrix, np.float64)
    if values.ndim != 2 or len(values) != len(code):
        raise DataError(f"A matrix of the shape {values.shape} does not fit {len(code)} rows.")
    usable = np.flatnonzero(np.isfinite(values).all(axis=1))
    if len(usable) > SAMPLE:
        usable = np.sort(np.random.default_rng(seed).choice(usable, SAMPLE, replace=False))
    seen, label = np.unique(code[usable], return_inverse=True)
    if len(seen) < 2:
        return None
    sample = values[usable]
    sizes = np.bincount(label)
    belongs = np.eye(len(seen))[label]
    sums = np.empty((len(sample), len(seen)))
    for i, row in enumerate(sample):
        sums[i] = np.sqrt(((sample - row) ** 2).sum(axis=1)) @ belongs
    at = np.arange(len(sample))
    alone = sizes[label] == 1
    inner = sums[at, label] / np.maximum(sizes[label] - 1, 1)
    means = sums / sizes
    means[at, label] = np.inf
    outer = means.min(axis=1)
    widest = np.maximum(inner, outer)
    score = np.where(alone | (widest == 0), 0.0, (outer - inner) / np.where(widest > 0, widest, 1.0))
    return float(score.mean())


def _adjusted_rand(first: Ints, second: Ints) -> float:
    """Return how far two divisions of the same rows agree beyond chance (Hubert and Arabie 1985)."""
    if first.shape != second.shape:
        raise DataError(f"A second division of {second.shape} does not fit {len(first)} rows.")
    _, a = np.unique(first, return_inverse=True)
    _, b = np.unique(second, return_inverse=True)
    cells = np.bincount(a * (int(b.max()) + 1) + b)

    def pairs(counts: Ints) -> float:
        return float((counts.astype(np.float64) * (counts - 1) / 2).sum())

    both, of_a, of_b = pairs(cells), pairs(np.bincount(a)), pairs(np.bincount(b))
    expected = of_a * of_b / max(len(first) * (len(first) - 1) / 2, 1.0)
    most = (of_a + of_b) / 2
    return 1.0 if most == expected else (both - expected) / (most - expected)
