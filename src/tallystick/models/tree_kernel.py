"""The one kernel of all trees: which leaf of each tree a row ends in, and the sum of those leaves.

A row steps from a node to `left + (x >= threshold)`: the right child lies behind the left one, so no step
branches. A leaf steps to itself: its threshold is NaN, which no x reaches. 64 rows step through one tree
together, two levels at a time, so that the processor has work while a node is on its way from memory.

Missing values need no step of their own: a feature has one column for the nodes that send them left, where
they are -inf, and one for those that send them right, where they are +inf. Present values are float32, as
both scikit-learn and XGBoost compare them, and finite: an infinite one counts as the largest finite one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["Steps", "cast", "steps", "sum_leaves"]

Floats = NDArray[np.float64]

BLOCK = 64  # rows that step together: their columns stay in the first-level cache
HOP = 2  # levels between two looks at whether any row still moves
LARGEST = np.float32(np.finfo(np.float32).max)
INFINITE = np.float32(np.inf)
HIGH = np.uint64(32)
LOW = np.uint64(0xFFFFFFFF)


class Steps(NamedTuple):
    """Trees as the kernel walks them.

    source: the feature of each column, and missing: what stands there for a missing value (columns,);
    word: left child and place of the column in a block, high and low half (nodes,); threshold: float32
    (nodes,), NaN at leaves; value: float64 (nodes,); roots, hops: int64 (trees,).
    """

    source: NDArray[np.int64]
    missing: NDArray[np.float32]
    word: NDArray[np.uint64]
    threshold: NDArray[np.float32]
    value: Floats
    roots: NDArray[np.int64]
    hops: NDArray[np.int64]


def steps(
    feature: NDArray[Any],
    threshold: NDArray[np.float32],
    left: NDArray[Any],
    missing_left: NDArray[np.bool_],
    value: Floats,
    roots: NDArray[np.int64],
    depths: NDArray[np.int64],
) -> Steps:
    """Lay out checked trees for the kernel; leaves have feature and left child -1."""
    leaf = left < 0
    code = np.where(leaf, -1, feature.astype(np.int64) * 2 + ~missing_left)
    kept = np.unique(code[~leaf]) if not leaf.all() else np.zeros(1, np.int64)
    column = np.where(leaf, 0, np.searchsorted(kept, code)).astype(np.uint64) * np.uint64(BLOCK)
    follow = np.where(leaf, np.arange(len(left)), left).astype(np.uint64)
    return Steps(
        kept // 2,
        np.where(kept % 2, np.inf, -np.inf).astype(np.float32),
        follow << HIGH | column,
        np.where(leaf, np.float32(np.nan), threshold),
        np.where(leaf, value, 0.0),
        roots.astype(np.int64),
        -(-depths.astype(np.int64) // HOP),
    )


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def cast(x: float, missing: np.float32) -> np.float32:
    """Turn a value into what nodes compare: float32, finite, or `missing`."""
    v = np.float32(x)
    if v != v:
        return missing
    return min(max(v, -LARGEST), LARGEST)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def sum_leaves(
    X: Floats,
    first: int,
    last: int,
    source: NDArray[np.int64],
    missing: NDArray[np.float32],
    word: NDArray[np.uint64],
    threshold: NDArray[np.float32],
    value: Floats,
    roots: NDArray[np.int64],
    hops: NDArray[np.int64],
    base: float,
    scale: float,
    out: Floats,
) -> None:
    """Write base + scale x the sum of leaf values, in the order of trees, of rows first … last - 1."""
    block = np.empty(len(source) * BLOCK, np.float32)
    at = np.empty(BLOCK, np.uint64)
    total = np.empty(BLOCK)
    for start in range(first, last, BLOCK):
        rows = min(BLOCK, last - start)
        for c in range(len(source)):
            f, nothing = source[c], missing[c]
            for r in range(rows):
                block[c * BLOCK + r] = cast(X[start + r, f], nothing)
        total[:] = 0.0
        for t in range(len(roots)):
            root = np.uint64(roots[t])
            for r in range(rows):
                at[r] = root
            for _ in range(hops[t]):
                moved = np.uint64(0)
                for r in range(rows):
                    was = node = at[r]
                    for _ in range(HOP):
                        w = word[node]
                        x = block[(w & LOW) + np.uint64(r)]
                        node = (w >> HIGH) + np.uint64(x >= threshold[node])
                    moved |= node ^ was
                    at[r] = node
                if moved == np.uint64(0):
                    break  # all are in leaves: most paths of a deep tree are far shorter than its longest
            for r in range(rows):
                total[r] += value[at[r]]
        for r in range(rows):
            out[start + r] = base + scale * total[r]
