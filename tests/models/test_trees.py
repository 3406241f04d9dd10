import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.errors import BundleError, UsageError
from tallystick.models import Trees, load, load_model, save, trees

Draw = Callable[..., Any]
SEEDS = st.integers(0, 2**32 - 1)


def slowly(model: Trees, row: np.ndarray) -> float:
    """Walk each tree a node at a time, as one would by hand."""
    total = 0.0
    for root in model.roots:
        k = root
        while model.left[k] >= 0:
            with np.errstate(over="ignore"):
                x = np.float32(row[model.feature[k]])
            goes_left = bool(model.missing_left[k]) if math.isnan(x) else bool(x < model.threshold[k])
            k = model.left[k] + (not goes_left)
        total += float(model.value[k])
    return model.base + model.scale * total


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, rows=st.integers(0, 200), depth=st.integers(0, 9))
def test_every_row_ends_in_the_leaves_of_a_slow_walk(
    draw_trees: Draw, draw_rows: Draw, seed: int, rows: int, depth: int
) -> None:
    model, X = draw_trees(seed, depth=depth), draw_rows(seed, rows)
    assert model.raw(X).tolist() == [[slowly(model, row)] for row in X]


def test_one_row_and_many_threads_give_the_bits_of_a_batch(
    draw_trees: Draw, draw_rows: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, X = draw_trees(1, trees=40, depth=7), draw_rows(1, 333)
    together = model.raw(X)
    monkeypatch.setattr(trees, "ROWS_A_THREAD", 3)
    assert model.raw(X, threads=3).tobytes() == together.tobytes()
    assert np.concatenate([model.raw(row[None]) for row in X]).tobytes() == together.tobytes()
    assert model.raw(np.asfortranarray(X)).tobytes() == together.tobytes()


def test_a_bundle_keeps_every_bit(draw_trees: Draw, draw_rows: Draw, tmp_path: Path) -> None:
    model, X = draw_trees(2), draw_rows(2, 50)
    manifest = {"solution": "s", "task": "t", "model": model.describe()}
    save(tmp_path / "m", manifest, model.arrays(), "")
    bundle = load(tmp_path / "m")
    back = load_model(bundle.manifest["model"], bundle.arrays)
    assert isinstance(back, Trees)
    assert back.describe() == model.describe()
    assert back.raw(X).tobytes() == model.raw(X).tobytes()
    assert back.contributions(X).tobytes() == model.contributions(X).tobytes()


SOUND = {
    "feature": np.array([0, -1, 1, -1, -1, -1], np.int32),
    "threshold": np.zeros(6, np.float32),
    "left": np.array([1, -1, 3, -1, -1, -1], np.int32),
    "missing_left": np.zeros(6, bool),
    "value": np.arange(6.0),
    "cover": np.ones(6),
    "roots": np.array([0, 5]),
}
DESCRIPTION = {"kind": "trees", "link": "sum", "base": 0.0, "scale": 1.0, "features": 2}


def test_sound_trees_load() -> None:
    assert load_model(DESCRIPTION, SOUND).raw(np.array([[1.0, 1.0]])).tolist() == [[9.0]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("feature", np.array([2, -1, 1, -1, -1, -1], np.int32)),
        ("feature", np.array([-1, -1, 1, -1, -1, -1], np.int32)),
        ("feature", SOUND["feature"].astype(np.int64)),
        ("feature", SOUND["feature"][:5]),
        ("threshold", np.full(6, np.nan, np.float32)),
        ("threshold", np.full(6, -np.inf, np.float32)),
        ("left", np.array([1, -1, 5, -1, -1, -1], np.int32)),  # past its tree
        ("left", np.array([1, -1, 99, -1, -1, -1], np.int32)),
        ("left", np.array([1, -1, 2, -1, -1, -1], np.int32)),  # itself
        ("left", np.array([1, 3, 3, -1, -1, -1], np.int32)),  # two parents
        ("left", np.array([1, -1, -1, -1, -1, -1], np.int32)),  # orphans
        ("missing_left", np.zeros(6)),
        ("value", np.full(6, np.nan)),
        ("value", np.ones((6, 1))),
        ("cover", -np.ones(6)),
        ("cover", np.full(6, np.inf)),
        ("roots", np.array([1, 5])),
        ("roots", np.array([0, 6])),
        ("roots", np.array([0, 5, 5])),
        ("roots", np.array([], np.int64)),
    ],
)
def test_damaged_trees_are_refused(name: str, value: np.ndarray) -> None:
    with pytest.raises(BundleError, match="damaged"):
        load_model(DESCRIPTION, SOUND | {name: value})


@pytest.mark.parametrize(("key", "value"), [("link", "max"), ("features", 0), ("base", float("nan"))])
def test_damaged_descriptions_are_refused(key: str, value: object) -> None:
    with pytest.raises(BundleError, match="damaged"):
        load_model(DESCRIPTION | {key: value}, SOUND)


def test_unknown_kinds_and_missing_arrays_are_named() -> None:
    with pytest.raises(BundleError, match=r"'oracle'.*trees"):
        load_model({"kind": "oracle"}, {})
    with pytest.raises(BundleError, match="lacks 'cover'"):
        load_model(DESCRIPTION, {name: a for name, a in SOUND.items() if name != "cover"})


def test_rows_of_another_width_are_refused(draw_trees: Draw) -> None:
    with pytest.raises(UsageError, match="4 features"):
        draw_trees(0).raw(np.zeros((2, 3)))
    with pytest.raises(UsageError, match="4 features"):
        draw_trees(0).contributions(np.zeros(4))


def test_infinite_values_lie_beyond_every_threshold_and_are_not_missing() -> None:
    stump = Trees(
        np.array([0, -1, -1], np.int32),
        np.array([0.0, 0.0, 0.0], np.float32),
        np.array([1, -1, -1], np.int32),
        np.array([False, False, False]),
        np.array([0.0, -1.0, 1.0]),
        np.ones(3),
        np.array([0]),
        features=1,
    )
    X = np.array([[-np.inf], [np.inf], [-1e300], [1e300], [np.nan]])
    assert stump.raw(X).tolist() == [[-1.0], [1.0], [-1.0], [1.0], [1.0]]
    other = dataclasses.replace(stump, missing_left=np.array([True, False, False]))
    assert other.raw(X).tolist() == [[-1.0], [1.0], [-1.0], [1.0], [-1.0]]
