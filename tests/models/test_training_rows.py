"""Training rows are known again by their hashes, and a bundle that keeps only some says which it may not
know."""

from __future__ import annotations

import numpy as np
import pytest

from tallystick.models.training_rows import NEW, UNKNOWN, TrainingRows


def keys(*rows: tuple[int, ...]) -> np.ndarray:
    return np.array(rows, np.uint64)


def test_the_likest_row_is_found_first() -> None:
    known = TrainingRows.of(keys((1, 7), (2, 7), (3, 8)))
    assert known.find(keys((2, 7), (9, 7), (9, 8), (9, 9))).tolist() == [1, 0, 2, NEW]


def test_levels_that_one_side_lacks_are_not_compared() -> None:
    known = TrainingRows.of(keys((1,), (2,)))
    assert known.find(keys((2, 7), (9, 7))).tolist() == [1, NEW]
    assert TrainingRows.of(keys((1, 7))).find(keys((1,), (7,))).tolist() == [0, NEW]


def test_more_rows_than_are_kept_are_bounded_and_said() -> None:
    rng = np.random.default_rng(0)
    every = rng.integers(0, 2**63, (1000, 2)).astype(np.uint64)
    every[::2, 1] = every[1::2, 1]  # near copies in pairs
    known = TrainingRows.of(every, most=100)
    assert len(known.keys) <= 100
    found = known.find(every)
    assert set(found[found >= 0].tolist()) == set(known.row.tolist())
    assert (found[::2] >= 0).tolist() == (found[1::2] >= 0).tolist()  # copies stay together
    assert not (found == NEW).any()  # a training row is never taken for a new one
    fresh = known.find(rng.integers(0, 2**63, (1000, 2)).astype(np.uint64))
    assert (fresh == NEW).sum() == pytest.approx(100, abs=40)
    assert (fresh == UNKNOWN).sum() > 800


def test_they_survive_a_bundle() -> None:
    for known in (TrainingRows.of(keys((1, 7), (2, 7))), TrainingRows.of(keys((1, 7), (2, 9)), most=1)):
        again = TrainingRows.load(known.arrays())
        assert again.below == known.below
        assert again.find(keys((1, 7), (5, 9))).tolist() == known.find(keys((1, 7), (5, 9))).tolist()
    with pytest.raises(KeyError):
        TrainingRows.load({})
