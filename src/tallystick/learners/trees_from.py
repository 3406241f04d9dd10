"""Conversion of scikit-learn and XGBoost trees to `Trees`, which needs neither."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.errors import UsageError
from tallystick.models.trees import Trees

__all__ = [
    "trees_from_forest",
    "trees_from_forest_classes",
    "trees_from_isolation",
    "trees_from_xgboost",
    "trees_from_xgboost_classes",
]

Floats = NDArray[np.float64]

LARGEST = np.float32(np.finfo(np.float32).max)


class _Tree(NamedTuple):
    """One tree, its nodes in any order, the first the root; a row goes left where x < threshold."""

    left: NDArray[Any]
    right: NDArray[Any]
    feature: NDArray[Any]
    threshold: NDArray[Any]
    missing_left: NDArray[Any]
    value: NDArray[Any]
    cover: NDArray[Any]


def trees_from_xgboost(model: Any) -> Trees:
    """Take the trees of an XGBoost model of one output: binary:logistic or reg:squarederror.

    model: an XGBClassifier, an XGBRegressor or a Booster. Of an estimator that stopped early, the trees up to
    its best round, as its own `predict`; of a Booster all. `raw` is the margin, within what float32 sums
    differ. Raises UsageError for other boosters and objectives, and for categorical splits.

    >>> import numpy as np, xgboost
    >>> rows = np.arange(8.0)[:, None]
    >>> grown = xgboost.XGBClassifier(n_estimators=2, max_depth=1, n_jobs=1).fit(rows, rows[:, 0] > 3)
    >>> ours = trees_from_xgboost(grown).library_score(rows)
    >>> bool(np.abs(ours - grown.predict_proba(rows)[:, 1]).max() < 1e-5)
    True
    """
    (trees,) = _boosted_outputs(model, ("binary:logistic", "reg:squarederror"))
    return trees


def trees_from_xgboost_classes(model: Any) -> list[Trees]:
    """Take the trees of an XGBoost model with the objective multi:softprob: `raw` of each class's margin."""
    return _boosted_outputs(model, ("multi:softprob",))


def _boosted_outputs(model: Any, objectives: tuple[str, ...]) -> list[Trees]:
    booster = model.get_booster() if hasattr(model, "get_booster") else model
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    numbers, grown = learner["learner_model_param"], learner["gradient_booster"]
    objective, kind = learner["objective"]["name"], grown["name"]
    if objective not in objectives or kind != "gbtree":
        raise UsageError(
            f"A booster {kind} with the objective {objective} cannot be taken over.",
            f"Use the booster gbtree and the objective {' or '.join(objectives)}.",
        )
    content = grown["model"]
    trees, output_of = content["trees"], content["tree_info"]
    best = learner.get("attributes", {}).get("best_iteration")
    if best is not None and booster is not model:
        # Where each round begins among the trees; older versions say how many trees a round has.
        each = int(content["gbtree_model_param"].get("num_parallel_tree", 1) or 1)
        begins = content.get("iteration_indptr") or range(0, len(trees) + 1, each)
        trees = trees[: begins[int(best) + 1]]
    if any(kind for tree in trees for kind in tree.get("split_type", ())):
        raise UsageError(
            "Splits on categories cannot be taken over.", "Give categories as numbers or one column each."
        )
    outputs = max(int(numbers["num_class"]), 1)
    bases = _bases(numbers["base_score"], outputs, logistic=objective == "binary:logistic")
    return [
        _gather(
            (_boosted(tree) for tree, own in zip(trees, output_of, strict=False) if own == output),
            features=int(numbers["num_feature"]),
            link="amount" if objective == "reg:squarederror" else "sum",
            base=base,
            scale=1.0,
        )
        for output, base in enumerate(bases)
    ]


def trees_from_forest(forest: Any) -> Trees:
    """Take the trees of a random or extra-trees forest of two classes, or of an amount.

    `raw` is the mean probability of the second class, or the mean amount; raises UsageError for other numbers
    of classes.
    """
    if not hasattr(forest, "classes_"):
        return _forest(forest, "amount", lambda tree: np.asarray(tree.value[:, 0, 0]))
    if len(forest.classes_) != 2:
        raise UsageError(f"A forest of {len(forest.classes_)} classes cannot be taken over.", "Give two.")
    return trees_from_forest_classes(forest)[1]


def trees_from_forest_classes(forest: Any) -> list[Trees]:
    """Take the trees of a forest of classes: `raw` is the mean probability of each class it has seen."""

    def share(code: int) -> Callable[[Any], Floats]:
        return lambda tree: np.asarray(tree.value[:, 0, code] / tree.value[:, 0, :].sum(axis=1))

    return [_forest(forest, "mean_probability", share(code)) for code in range(len(forest.classes_))]


def _forest(forest: Any, link: str, value: Callable[[Any], Floats]) -> Trees:
    return _gather(
        (_grown(one.tree_, value(one.tree_)) for one in forest.estimators_),
        features=int(forest.n_features_in_),
        link=link,
        base=0.0,
        scale=1.0 / len(forest.estimators_),
    )


def trees_from_isolation(forest: Any) -> Trees:
    """Take the trees of an IsolationForest; `raw` is log2 of -score_samples, so higher is odder."""
    sampled = int(forest.max_samples_)
    usual = float(_usual_path(np.array([sampled]))[0])
    trees = []
    for one, features in zip(forest.estimators_, forest.estimators_features_, strict=True):
        tree = one.tree_
        # compute_node_depths counts nodes from the root on, a path counts the steps between them.
        length = tree.compute_node_depths() - 1.0 + _usual_path(tree.n_node_samples)
        trees.append(_grown(tree, length, np.asarray(features)))
    return _gather(
        trees,
        features=int(forest.n_features_in_),
        link="isolation",
        # One row to a tree leaves no path: scikit-learn then calls every row ordinary.
        base=0.0 if usual else -1.0,
        scale=-1.0 / (usual * len(trees)) if usual else 0.0,
    )


def _bases(base_score: Any, outputs: int, logistic: bool) -> list[float]:
    """Read XGBoost's base score of each output as margins: a text, from 3.1 on a vector in brackets."""
    values = [float(value) for value in str(base_score).strip().strip("[]").split(",")]
    if len(values) not in (1, outputs):
        raise UsageError(f"A booster of {len(values)} outputs cannot be taken over.", "Give two classes.")
    if logistic:
        # Where all labels are alike XGBoost keeps this distance from 0 and 1.
        chances = [min(max(value, 1e-6), 1 - 1e-6) for value in values]
        values = [float(np.log(chance) - np.log1p(-chance)) for chance in chances]
    return values * outputs if len(values) == 1 else values


def _boosted(tree: dict[str, Any]) -> _Tree:
    conditions = np.array(tree["split_conditions"], np.float64)
    # -inf sends every present value right; so does the least finite number, and no infinity is needed.
    return _Tree(
        np.array(tree["left_children"], np.int64),
        np.array(tree["right_children"], np.int64),
        np.array(tree["split_indices"], np.int64),
        np.maximum(conditions.astype(np.float32), -LARGEST),
        np.array(tree["default_left"], bool),
        conditions.astype(np.float32).astype(np.float64),
        np.array(tree["sum_hessian"], np.float64),
    )


def _grown(tree: Any, value: Floats, features: NDArray[Any] | None = None) -> _Tree:
    """Read scikit-learn's tree; features: which column each of its own is, where it saw only some."""
    inner = tree.children_left >= 0
    feature = np.where(inner, tree.feature, 0)
    missing = getattr(tree, "missing_go_to_left", np.zeros(len(inner), bool))
    return _Tree(
        tree.children_left,
        tree.children_right,
        feature if features is None else features[feature],
        _next_float32(np.where(inner, tree.threshold, 0.0)),
        np.asarray(missing).astype(bool),
        value,
        np.asarray(tree.weighted_n_node_samples, np.float64),
    )


def _next_float32(threshold: Floats) -> NDArray[np.float32]:
    """Return t so that x < t, for every float32 x, where scikit-learn has x <= threshold in float64."""
    with np.errstate(over="ignore"):
        near = threshold.astype(np.float32)
        below = np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near)
        return np.asarray(np.nextafter(below, np.float32(np.inf)))


def _usual_path(rows: NDArray[Any]) -> Floats:
    """Mean steps to isolate one of so many rows (Liu et al. 2008, "Isolation forest", equation 1)."""
    n = np.asarray(rows, np.float64)
    many = np.maximum(n, 3.0)
    path = 2.0 * (np.log(many - 1.0) + np.euler_gamma) - 2.0 * (many - 1.0) / many
    return np.where(n <= 1, 0.0, np.where(n == 2, 1.0, path))


def _gather(trees: Iterable[_Tree], **more: Any) -> Trees:
    """Put trees one after the other, level by level, so that the right child lies behind the left one."""
    parts: list[_Tree] = []
    lefts, roots, begin = [], [], 0
    for tree in trees:
        level = np.zeros(1, np.int64)
        levels = [level]
        while True:
            inner = level[tree.left[level] >= 0]
            if not len(inner):
                break
            level = np.stack([tree.left[inner], tree.right[inner]], axis=1).ravel()
            levels.append(level)
        order = np.concatenate(levels)
        place = np.zeros(len(tree.left), np.int64)
        place[order] = np.arange(len(order))
        part = _Tree(*[array[order] for array in tree])
        lefts.append(np.where(part.left >= 0, place[part.left] + begin, -1))
        parts.append(part)
        roots.append(begin)
        begin += len(order)
    left = np.concatenate(lefts).astype(np.int32)
    leaf = left < 0

    def column(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(part, name) for part in parts])

    return Trees(
        np.where(leaf, -1, column("feature")).astype(np.int32),
        np.where(leaf, np.float32(0), column("threshold")),
        left,
        column("missing_left") & ~leaf,
        np.where(leaf, column("value"), 0.0),
        column("cover"),
        np.array(roots, np.int64),
        **more,
    )
