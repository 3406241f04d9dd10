"""Trees of every kind, boosted, bagged or isolating, as flat arrays: scored and explained the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tallystick.errors import BundleError, UsageError
from tallystick.models.base import PickledFields, directed
from tallystick.models.slices import in_slices
from tallystick.models.tree_kernel import Steps, steps, sum_leaves
from tallystick.models.treeshap import Paths, explain, paths

__all__ = ["LINKS", "Trees"]

Floats = NDArray[np.float64]

#: What a sum of leaves means.
LINKS = ("sum", "mean_probability", "isolation", "amount")

ARRAYS = {
    "feature": np.int32,
    "threshold": np.float32,
    "left": np.int32,
    "missing_left": np.bool_,
    "value": np.float64,
    "cover": np.float64,
    "roots": np.int64,
}
# Below this a second thread costs more than it saves; TreeSHAP takes some hundred times as long a row.
ROWS_A_THREAD, EXPLAINED_A_THREAD = 2048, 8


@dataclass(frozen=True)
class Trees(PickledFields):
    """base + scale x the sum of the leaves that a row ends in, one of each tree, added in their order.

    Nodes lie tree after tree, parents before children, the right child behind the left one; x < threshold, in
    float32, goes left. feature, left: int32 (nodes,), -1 at leaves; threshold: float32 (nodes,);
    missing_left: bool (nodes,), where a missing value goes; value: float64 (nodes,), of leaves; cover:
    float64 (nodes,), how much of the training rows went there; roots: int64 (trees,); features: of a row.

    link says what `raw` is: "sum" log-odds, or the margin of a class; "mean_probability" the mean probability
    of a forest itself, so that contributions add up to it; "amount" an amount; "isolation" minus the mean
    path length, as a share of what is usual: 0 is as odd as can be, about -1 is ordinary. Raises BundleError
    when the arrays are no trees.

    >>> import numpy as np
    >>> model = Trees(
    ...     feature=np.array([0, -1, -1], np.int32),
    ...     threshold=np.array([0.5, 0.0, 0.0], np.float32),
    ...     left=np.array([1, -1, -1], np.int32),
    ...     missing_left=np.array([True, False, False]),
    ...     value=np.array([0.0, -1.0, 2.0]),
    ...     cover=np.array([4.0, 3.0, 1.0]),
    ...     roots=np.array([0]),
    ...     features=1,
    ... )
    >>> model.raw(np.array([[0.4], [0.5], [np.nan]])).tolist()
    [[-1.0], [2.0], [-1.0]]
    >>> model.contributions(np.array([[0.5]])).tolist()
    [[2.25, -0.25]]
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    missing_left: NDArray[np.bool_]
    value: Floats
    cover: Floats
    roots: NDArray[np.int64]
    features: int
    link: str = "sum"
    base: float = 0.0
    scale: float = 1.0
    kind: ClassVar[str] = "trees"

    def __post_init__(self) -> None:
        fault = self._fault()
        if fault:
            raise BundleError(
                f"The model's trees are damaged: {fault}.", "Train the model again, or copy it again."
            )

    def raw(self, X: Floats, threads: int = 1) -> Floats:
        """Return the score of each row (rows, 1), see `link`; same bits alone, in a batch and on threads."""
        X = self._matrix(X)
        out, laid = np.empty(len(X)), self._steps

        def work(first: int, last: int) -> None:
            sum_leaves(X, first, last, *laid, self.base, self.scale, out)

        in_slices(work, len(X), threads, ROWS_A_THREAD)
        return out[:, None]

    def contributions(self, X: Floats, direction: Floats | None = None, threads: int = 1) -> Floats:
        """Return exact, path-dependent SHAP values of `raw` (rows, features + 1); the last is the base.

        They add up to `raw` to rounding. Lundberg et al. 2018, "Consistent individualized feature attribution
        for tree ensembles"; see `tallystick.models.treeshap` for how.
        """
        X = self._matrix(X)
        out, laid = np.empty((len(X), self.features + 1)), self._paths

        def work(first: int, last: int) -> None:
            explain(X, first, last, *laid, self.base, self.scale, out)

        in_slices(work, len(X), threads, EXPLAINED_A_THREAD)
        return directed(out, direction)

    def library_score(self, X: Floats, threads: int = 1) -> Floats:
        """Return what the library that grew the trees would say of rows (rows,), within 1e-5.

        A probability for "sum" and "mean_probability"; the amount itself; for "isolation" scikit-learn's
        `score_samples` with its sign turned, so that higher is odder.
        """
        raw = self.raw(X, threads)[:, 0]
        if self.link == "sum":
            return np.asarray(1.0 / (1.0 + np.exp(-np.clip(raw, -700, 700))))
        return np.exp2(raw) if self.link == "isolation" else raw

    @property
    def lowest(self) -> float:
        """A bound that no row's `raw` lies below: the sum of the least leaf of each tree."""
        leaves = self.scale * np.where(self.left < 0, self.value, np.nan)
        return self.base + float(np.fmin.reduceat(leaves, self.roots).sum())

    @classmethod
    def constant(cls, value: float, features: int, link: str) -> Trees:
        """One leaf: the same `raw` for all rows."""
        leaf = np.array([-1], np.int32)
        none, root = np.zeros(1, np.float32), np.zeros(1, np.int64)
        return cls(leaf, none, leaf, np.zeros(1, bool), np.array([value]), np.ones(1), root, features, link)

    def describe(self) -> dict[str, Any]:
        """Return what a manifest keeps."""
        return {
            "kind": self.kind,
            "link": self.link,
            "base": self.base,
            "scale": self.scale,
            "features": self.features,
            "trees": len(self.roots),
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a bundle keeps."""
        return {name: getattr(self, name) for name in ARRAYS}

    @classmethod
    def of(cls, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Trees:
        """Bring back what `describe` and `arrays` gave; BundleError when they are damaged."""
        return cls(
            **{name: arrays[name] for name in ARRAYS},
            features=int(description["features"]),
            link=str(description["link"]),
            base=float(description["base"]),
            scale=float(description["scale"]),
        )

    @cached_property
    def _steps(self) -> Steps:
        return steps(
            self.feature, self.threshold, self.left, self.missing_left, self.value, self.roots, self._depths
        )

    @cached_property
    def _paths(self) -> Paths:
        return paths(
            self.feature, self.threshold, self.left, self.missing_left, self.value, self.cover, self.roots
        )

    @cached_property
    def _depths(self) -> NDArray[np.int64]:
        """Steps from each root to its deepest leaf."""
        depths = np.zeros(len(self.roots), np.int64)
        at, tree = self.roots, np.arange(len(self.roots))
        for depth in range(len(self.left) + 1):
            depths[tree] = depth
            inner = self.left[at] >= 0
            at, tree = np.repeat(self.left[at[inner]].astype(np.int64), 2), np.repeat(tree[inner], 2)
            at[1::2] += 1
            if not len(at):
                break
        return depths

    def _matrix(self, X: Floats) -> Floats:
        if X.ndim != 2 or X.shape[1] != self.features:
            raise UsageError(
                f"Rows of shape {X.shape} do not fit a model of {self.features} features.",
                "Give a matrix of (rows, features), in the order that the model was trained on.",
            )
        return X if X.dtype == np.float64 and X.flags.c_contiguous else np.ascontiguousarray(X, np.float64)

    def _fault(self) -> str:
        """Say what is wrong, or nothing: the kernels trust these arrays with no further look."""
        for name, kind in ARRAYS.items():
            array = getattr(self, name)
            if array.dtype != kind or array.ndim != 1:
                return f"{name} is {array.dtype} of {array.ndim} dimensions, not a row of {np.dtype(kind)}"
            if name != "roots" and len(array) != len(self.feature):
                return f"{name} has {len(array)} nodes, feature has {len(self.feature)}"
        nodes, roots, left = len(self.left), self.roots, self.left.astype(np.int64)
        if self.link not in LINKS or self.features < 1 or not np.isfinite([self.base, self.scale]).all():
            return f"link {self.link!r}, {self.features} features, base {self.base}, scale {self.scale}"
        if not len(roots) or roots[0] != 0 or (np.diff(roots) <= 0).any() or roots[-1] >= nodes:
            return "roots do not ascend from 0 within the nodes"
        if not np.isfinite(self.value).all() or not (self.cover >= 0).all() or np.isinf(self.cover).any():
            return "a value or a cover is no finite number, or a cover is negative"
        inner = left >= 0
        if not (self.threshold[inner] > -np.inf).all():  # NaN compares False
            return "a threshold is no number"
        if ((self.feature[inner] < 0) | (self.feature[inner] >= self.features)).any():
            return "a node asks for a feature that there is not"
        # Children behind their parents, in the same tree, and every node but roots the child of exactly one:
        # so each tree is one, without cycles, and ends.
        ends = np.append(roots[1:], nodes)[np.searchsorted(roots, np.arange(nodes), side="right") - 1]
        if ((left <= np.arange(nodes)) | (left + 1 >= ends))[inner].any():
            return "a child lies before its parent or outside its tree"
        parents = np.bincount(np.concatenate([roots, left[inner], left[inner] + 1]), minlength=nodes)
        return "" if (parents == 1).all() else "a node has no parent, or more than one"
