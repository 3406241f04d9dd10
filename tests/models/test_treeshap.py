import dataclasses
from collections.abc import Callable
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.models import Trees, trees

Draw = Callable[..., Any]


def expected(model: Trees, row: np.ndarray, known: frozenset[int], k: int) -> float:
    """Mean leaf below node k where only some features are known: the others turn as training rows did."""
    a = model.left[k]
    if a < 0:
        return float(model.value[k])
    f = model.feature[k]
    both = [expected(model, row, known, a), expected(model, row, known, a + 1)]
    if f in known:
        x = np.float32(np.clip(row[f], -1e38, 1e38))
        goes_left = model.missing_left[k] if np.isnan(x) else x < model.threshold[k]
        return both[0] if goes_left else both[1]
    covers = model.cover[a : a + 2]
    share = covers / covers.sum() if covers.sum() else np.array([0.5, 0.5])
    return float(share @ both)


def shapley(model: Trees, row: np.ndarray) -> np.ndarray:
    """The definition: what a feature adds to each set of others, weighted by orders."""
    n = model.features
    worth = {
        known: sum(expected(model, row, known, k) for k in model.roots)
        for size in range(n + 1)
        for known in map(frozenset, combinations(range(n), size))
    }
    out = np.zeros(n + 1)
    for known, value in worth.items():
        for f in set(range(n)) - known:
            weight = factorial(len(known)) * factorial(n - len(known) - 1) / factorial(n)
            out[f] += weight * (worth[known | {f}] - value)
    out[n] = worth[frozenset()]
    out *= model.scale
    out[n] += model.base
    return out


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), depth=st.integers(0, 7), features=st.integers(1, 5))
def test_contributions_are_shapley_values(
    draw_trees: Draw, draw_rows: Draw, seed: int, depth: int, features: int
) -> None:
    model, X = draw_trees(seed, trees=2, depth=depth, features=features), draw_rows(seed, 3, features)
    wanted = np.array([shapley(model, row) for row in X])
    assert model.contributions(X) == pytest.approx(wanted, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_contributions_add_up(draw_trees: Draw, draw_rows: Draw, seed: int) -> None:
    model, X = draw_trees(seed, trees=10, depth=8, features=9), draw_rows(seed, 20, 9)
    assert model.contributions(X).sum(axis=1) == pytest.approx(model.raw(X)[:, 0], abs=1e-9)


def chain(depth: int, features: int) -> Trees:
    """One long branch: each turn to the left ends in a leaf, each to the right goes on."""
    nodes = 2 * depth + 1
    inner = np.arange(nodes) % 2 == 0
    inner[-1] = False
    place = np.cumsum(inner) - 1
    rng = np.random.default_rng(0)
    return Trees(
        np.where(inner, place % features, -1).astype(np.int32),
        np.where(inner, rng.normal(size=nodes) - 1, 0).astype(np.float32),
        np.where(inner, np.arange(nodes) + 1, -1).astype(np.int32),
        np.zeros(nodes, bool),
        np.where(inner, 0.0, rng.normal(size=nodes)),
        (nodes - np.arange(nodes)) * 1.0,
        np.array([0]),
        features=features,
    )


def test_long_paths_stay_exact() -> None:
    X = np.random.default_rng(1).normal(size=(20, 6))
    model = chain(40, 6)
    assert model.contributions(X[:3]) == pytest.approx(np.array([shapley(model, x) for x in X[:3]]), abs=1e-9)
    nine = chain(9, 9)  # five points: one more than are reckoned together
    X = np.random.default_rng(2).normal(size=(3, 9))
    assert nine.contributions(X) == pytest.approx(np.array([shapley(nine, x) for x in X]), abs=1e-9)
    wide = chain(60, 60)
    X = np.random.default_rng(2).normal(size=(20, 60))
    assert wide.contributions(X).sum(axis=1) == pytest.approx(wide.raw(X)[:, 0], abs=1e-9)


def test_a_way_that_no_training_row_took_is_explained_too() -> None:
    model = chain(6, 3)
    model = dataclasses.replace(model, cover=np.where(np.arange(13) > 4, 0.0, 1.0))
    X = np.array([[9.0, 9.0, 9.0], [-9.0, 9.0, 0.0]])
    assert model.contributions(X) == pytest.approx(np.array([shapley(model, x) for x in X]), abs=1e-9)


def test_one_row_and_many_threads_give_the_bits_of_a_batch(
    draw_trees: Draw, draw_rows: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, X = draw_trees(3, trees=20), draw_rows(3, 40)
    together = model.contributions(X)
    monkeypatch.setattr(trees, "EXPLAINED_A_THREAD", 1)
    assert model.contributions(X, threads=3).tobytes() == together.tobytes()
    assert np.concatenate([model.contributions(row[None]) for row in X]).tobytes() == together.tobytes()


def test_trees_of_one_leaf_have_only_a_base(draw_trees: Draw) -> None:
    model = draw_trees(4, depth=0)
    out = model.contributions(np.zeros((2, 4)))
    assert not out[:, :-1].any()
    assert out[:, -1].tolist() == pytest.approx(model.raw(np.zeros((2, 4)))[:, 0].tolist())
