"""Exact Shapley values of trees, path-dependent, in time linear in the nodes.

The value of a leaf under a coalition is a product over the features of its path: 1 or 0 for one that is known
(the row goes that way or not), the share r of training rows that went that way for one that is not. Mixed,
with each feature known at chance q, it is the polynomial v(q) = value x Π (q o + (1 - q) r), and the Shapley
value of feature i is the integral over q = 0 … 1 of value x (o - r) x the product of the others' factors
(Owen 1972, "Multilinear extensions of games"). With d features on a path that polynomial has degree d - 1, so
Gauss-Legendre's rule of ⌈d / 2⌉ points gives the integral exactly: three points for trees of depth 6.

At each point one walk down the nodes multiplies factors and one back adds up leaves. Nothing is divided by
small differences, all weights are positive: no accuracy is lost in deep trees. The values are those of
Lundberg et al. 2018, "Consistent individualized feature attribution for tree ensembles", to rounding.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tallystick.models.tree_kernel import cast

__all__ = ["Paths", "explain", "paths"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Places = NDArray[np.uint64]  # unsigned: Numba then looks for no index from the end

LEAST = 1e-280  # a share that is none counts as this one: all factors have an inverse then
ONE = np.uint64(1)


class Paths(NamedTuple):
    """Trees as the explaining kernel walks them; nodes are counted from the root of their tree.

    Of inner nodes, tree after tree: own, left (nodes,), threshold float32, missing float32 (what stands for a
    missing value), feature. begins: (trees + 1,), where each tree's inner nodes begin. roots: (trees,).
    Of all nodes: value, of leaves, 1 at inner ones; above: the nearest node above that hangs on the same
    feature as this one does, or the root, which hangs on none; share: of the training rows that take all
    turns of that feature down to this node.
    counts: points of each tree; points, weights: float64, a row of them for each count.
    most: nodes of the largest tree; mean: the sum of leaves that training rows have on average.
    """

    own: Places
    left: Places
    feature: Places
    threshold: NDArray[np.float32]
    missing: NDArray[np.float32]
    begins: Ints
    roots: Places
    value: Floats
    above: Places
    share: Floats
    counts: Ints
    points: Floats
    weights: Floats
    most: int
    mean: float


def paths(
    feature: NDArray[Any],
    threshold: NDArray[np.float32],
    left: NDArray[Any],
    missing_left: NDArray[np.bool_],
    value: Floats,
    cover: Floats,
    roots: Ints,
) -> Paths:
    """Lay out checked trees for the explaining kernel."""
    nodes = len(left)
    sizes = np.diff(np.append(roots, nodes))
    root = np.repeat(roots, sizes)
    inner = np.flatnonzero(left >= 0)
    parent, share = np.full(nodes, -1), np.ones(nodes)
    both = cover[left[inner]] + cover[left[inner] + 1]
    for side in (0, 1):
        child = left[inner] + side
        parent[child] = inner
        # Where no training row went at all, each way is as likely.
        share[child] = np.divide(cover[child], both, out=np.full(len(inner), 0.5), where=both > 0)
    above, known, reached = root.copy(), np.zeros(nodes, np.int64), np.ones(nodes)
    _look_up(feature.astype(np.int64), parent, above, known, share, reached)
    counts = np.maximum((np.maximum.reduceat(known, roots) + 1) // 2, 1)
    top = int(counts.max())
    points, weights = np.zeros((top + 1, top)), np.zeros((top + 1, top))
    for count in np.unique(counts):
        x, w = np.polynomial.legendre.leggauss(int(count))
        points[count, :count], weights[count, :count] = (x + 1) / 2, w / 2
    return Paths(
        (inner - root[inner]).astype(np.uint64),
        (left[inner] - root[inner]).astype(np.uint64),
        feature[inner].astype(np.uint64),
        threshold[inner],
        np.where(missing_left[inner], -np.inf, np.inf).astype(np.float32),
        np.searchsorted(inner, np.append(roots, nodes)),
        roots.astype(np.uint64),
        np.where(left < 0, value, 1.0),
        (above - root).astype(np.uint64),
        share,
        counts,
        points,
        weights,
        int(sizes.max()),
        float(np.add.reduceat(np.where(left < 0, value * reached, 0.0), roots).sum()),
    )


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _look_up(feature: Ints, parent: Ints, above: Ints, known: Ints, share: Floats, reached: Floats) -> None:
    """Find the nearest node above on the same feature, count features of the path, and multiply shares."""
    for k in range(len(parent)):
        if parent[k] < 0:
            continue
        reached[k] = reached[parent[k]] * share[k]
        up = parent[k]
        while parent[up] >= 0 and feature[parent[up]] != feature[parent[k]]:
            up = parent[up]
        above[k] = up  # the root where no node above hangs on it
        share[k] = max(share[k] * share[up], LEAST)
        known[k] = known[parent[k]] + (parent[up] < 0)


# error_model: no factor is 0, so no division needs a look for it.
@njit(nogil=True, cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def explain(
    X: Floats,
    first: int,
    last: int,
    own: Places,
    left: Places,
    feature: Places,
    threshold: NDArray[np.float32],
    missing: NDArray[np.float32],
    begins: Ints,
    roots: Places,
    value: Floats,
    above: Places,
    share: Floats,
    counts: Ints,
    points: Floats,
    weights: Floats,
    most: int,
    mean: float,
    base: float,
    scale: float,
    out: Floats,
) -> None:
    """Write the contributions of rows first … last - 1 (rows, features + 1); `out` holds zeros."""
    goes = np.ones(most)  # 1 where the row takes every turn of that feature down to here, else 0
    factor = np.empty(most)  # of the feature that a node hangs on
    inverse = np.empty(most)
    change = np.empty(most)  # what knowing that feature does to its factor, as a share of it
    product = np.empty(most)  # of all factors down to here; on the way back the leaves below, added up
    effect = np.empty(most)  # the change since the node above that hangs on the same feature
    for row in range(first, last):
        for t in range(len(roots)):
            root, begin, end, count = roots[t], begins[t], begins[t + 1], counts[t]
            size = 2 * (end - begin) + 1
            shares = share[root : root + np.uint64(size)]
            for n in range(begin, end):
                a, b = left[n], left[n] + ONE
                right = cast(X[row, feature[n]], missing[n]) >= threshold[n]
                goes[a] = goes[above[root + a]] * np.float64(not right)
                goes[b] = goes[above[root + b]] * np.float64(right)
            for g in range(count):
                q = points[count, g]
                for c in range(size):  # no node waits for another: several at once
                    factor[c] = q * goes[c] + (1.0 - q) * shares[c]
                    inverse[c] = 1.0 / factor[c]
                    change[c] = (goes[c] - shares[c]) * inverse[c]
                inverse[0] = 1.0
                product[0] = weights[count, g]
                for n in range(begin, end):
                    here = product[own[n]]
                    a, b = left[n], left[n] + ONE
                    up = above[root + a]  # of both
                    # The factor takes the place of the one that the same feature had further up.
                    product[a] = here * factor[a] * inverse[up] * value[root + a]
                    product[b] = here * factor[b] * inverse[up] * value[root + b]
                    effect[a], effect[b] = change[a] - change[up], change[b] - change[up]
                for n in range(end - 1, begin - 1, -1):
                    a, b = left[n], left[n] + ONE
                    out[row, feature[n]] += product[a] * effect[a] + product[b] * effect[b]
                    product[own[n]] = product[a] + product[b]
        for f in range(X.shape[1]):
            out[row, f] *= scale
        out[row, X.shape[1]] = base + scale * mean
