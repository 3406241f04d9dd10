"""Exact Shapley values of trees, path-dependent, in time linear in the nodes.

The value of a leaf under a coalition is a product over the features of its path: 1 or 0 for one that is known
(the row goes that way or not), the share r of training rows that went that way for one that is not. Mixed,
with each feature known at chance q, it is the polynomial v(q) = value x Π (q o + (1 - q) r), and the Shapley
value of feature i is the integral over q = 0 … 1 of value x (o - r) x the product of the others' factors
(Owen 1972, "Multilinear extensions of games"). With d features on a path that polynomial has degree d - 1, so
Gauss-Legendre's rule of ⌈d / 2⌉ points gives the integral exactly: three points for trees of depth 6.

One walk down the nodes multiplies factors and one back adds up leaves, at four points together; what each
node adds to its feature is then summed point after point, in the order of old. Nothing is divided by small
differences, all weights are positive: no accuracy is lost in deep trees. The values are those of Lundberg et
al. 2018, "Consistent individualized feature attribution for tree ensembles", to rounding.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tallystick.models.quadrature import (
    LANES,
    WIDTH,
    add_up,
    rule,
    turn,
    turn_to_leaves,
)
from tallystick.models.tree_kernel import cast

__all__ = ["Paths", "explain", "paths"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Places = NDArray[np.uint32]  # unsigned: Numba then looks for no index from the end

LEAST = 1e-280  # a share that is none counts as this one: all factors have an inverse then
ONE = np.uint64(1)
U = np.uint64


class Paths(NamedTuple):
    """Trees as the explaining kernel walks them; nodes are counted from the root of their tree.

    Of inner nodes, tree after tree, in each those last whose children are both leaves: own, left; above: the
    nearest node above that hangs on the same feature, or the root, which hangs on none; column: twice the
    feature, one more where missing values go right; threshold float32; spot: their number in the tree's own
    order. feature: in that order. begins: (trees + 1,), where each
    tree's inner nodes begin; middles: (trees,), where those with two leaves do. roots: (trees,).
    Of all nodes: value, of leaves, 1 at inner ones; share: of the training rows that take all turns of the
    feature that leads to a node down to it.
    points: four a row, as `quadrature` has them; rows: (trees,), where those of each tree begin; counts:
    (trees,), how many points it needs.
    most: nodes of the largest tree; mean: the sum of leaves that training rows have on average.
    """

    own: Places
    left: Places
    above: Places
    column: Places
    threshold: NDArray[np.float32]
    spot: Places
    feature: Places
    begins: Ints
    middles: Ints
    roots: NDArray[np.uint64]
    value: Floats
    share: Floats
    points: Floats
    rows: Ints
    counts: Ints
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
    rules = {count: rule(count) for count in np.unique(counts).tolist()}
    ends = dict(zip(rules, accumulate(map(len, rules.values())), strict=True))
    leaf = left < 0
    order = np.lexsort((inner, leaf[left[inner]] & leaf[left[inner] + 1], root[inner]))
    own_order, inner = inner, inner[order]
    begins = np.searchsorted(root[inner], np.append(roots, nodes))
    branching = ~(leaf[left[inner]] & leaf[left[inner] + 1])
    return Paths(
        (inner - root[inner]).astype(np.uint32),
        (left[inner] - root[inner]).astype(np.uint32),
        (above[left[inner]] - root[inner]).astype(np.uint32),
        (2 * feature[inner].astype(np.int64) + ~missing_left[inner]).astype(np.uint32),
        threshold[inner],
        (order - np.repeat(begins[:-1], np.diff(begins))).astype(np.uint32),
        feature[own_order].astype(np.uint32),
        begins,
        begins[:-1] + np.bincount(np.searchsorted(roots, root[inner][branching]), minlength=len(roots)),
        roots.astype(np.uint64),
        np.where(leaf, value, 1.0),
        share,
        np.concatenate(list(rules.values())).ravel(),
        np.array([ends[count] - len(rules[count]) for count in counts.tolist()]),
        counts,
        int(sizes.max()),
        float(np.add.reduceat(np.where(leaf, value * reached, 0.0), roots).sum()),
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
    above: Places,
    column: Places,
    threshold: NDArray[np.float32],
    spot: Places,
    feature: Places,
    begins: Ints,
    middles: Ints,
    roots: NDArray[np.uint64],
    value: Floats,
    share: Floats,
    points: Floats,
    rows: Ints,
    counts: Ints,
    most: int,
    mean: float,
    base: float,
    scale: float,
    out: Floats,
) -> None:
    """Write the contributions of rows first … last - 1 (rows, features + 1)."""
    features = X.shape[1]
    seen = np.empty(2 * features, np.float32)  # by column
    sums = np.empty(features)
    goes = np.ones(most)  # 1 where the row takes every turn of that feature down to here, else 0
    state = np.zeros(WIDTH * most)
    state[2 * LANES : 3 * LANES] = 1.0  # of the root: the inverse of no factor
    effects = np.empty(LANES * most)
    for row in range(first, last):
        sums[:] = 0.0
        for f in range(features):
            seen[2 * f] = cast(X[row, f], np.float32(-np.inf))
            seen[2 * f + 1] = cast(X[row, f], np.float32(np.inf))
        for t in range(len(roots)):
            root, begin, middle, end = roots[t], begins[t], middles[t], begins[t + 1]
            for done in range(0, counts[t], LANES):
                four = U(rows[t] + done // LANES)
                for lane in range(LANES):
                    state[lane] = points[U(WIDTH) * four + U(2 * LANES + lane)]
                for n in range(begin, end):
                    a, up, here = U(left[n]), U(above[n]), U(own[n])
                    to, other = root + a, root + a + ONE
                    right = seen[column[n]] >= threshold[n]
                    x, y = goes[up] * np.float64(not right), goes[up] * np.float64(right)
                    if n < middle:
                        goes[a], goes[a + ONE] = x, y
                        turn(state, points, four, here, up, a, x, share[to], value[to], y, share[other],
                             value[other])  # fmt: skip
                    else:
                        turn_to_leaves(state, points, four, here, up, effects, U(spot[n]), x, share[to],
                                       value[to], y, share[other], value[other])  # fmt: skip
                for n in range(middle - 1, begin - 1, -1):
                    add_up(state, U(own[n]), U(left[n]), effects, U(spot[n]))
                for lane in range(min(LANES, counts[t] - done)):
                    for n in range(end - begin - 1, -1, -1):
                        sums[feature[begin + n]] += effects[U(LANES * n + lane)]
        for f in range(features):
            out[row, f] = sums[f] * scale
        out[row, features] = base + scale * mean
