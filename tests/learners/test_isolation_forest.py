"""Hyperparameters of the isolation forest that no other learner has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tallystick.errors import UsageError
from tallystick.learners import Sample
from tallystick.learners.isolation_forest import LEARNER
from tallystick.models import Trees

RNG = np.random.default_rng(5)
X = np.column_stack([RNG.normal(50, 10, 3_000), RNG.normal(size=3_000)])
SAMPLE = Sample(X, np.zeros(3_000, np.int64), 2, settings={"n_estimators": 50}, names=("amount", "other"))
GRID = np.column_stack([np.linspace(-20, 120, 400), np.zeros(400)])
MEDIAN = float(np.median(X[:, 0]))


def fitted(sample: Sample = SAMPLE, **settings: object) -> Trees:
    model: Trees = LEARNER.fit(replace(sample, settings=sample.settings | settings))
    return model


def test_of_a_rising_column_only_much_is_odd() -> None:
    both, rising = fitted().raw(GRID)[:, 0], fitted(rising="amount").raw(GRID)[:, 0]
    low, high = GRID[:, 0] < 20, GRID[:, 0] > 80
    usual = np.abs(GRID[:, 0] - 50) < 5
    assert both[low].min() > both[usual].max()
    assert rising[high].min() > rising[usual].max()
    assert len(set(rising[GRID[:, 0] <= MEDIAN].tolist())) == 1, "what is little is as the median, to the bit"


def test_other_columns_stay_odd_at_either_end() -> None:
    grid = np.column_stack([np.full(3, MEDIAN), [-6.0, 0.0, 6.0]])
    few, middle, many = fitted(rising="amount").raw(grid)[:, 0]
    assert min(few, many) > middle + 0.1


def test_what_is_missing_of_a_rising_column_is_as_what_is_little() -> None:
    gaps = X.copy()
    gaps[::3, 0] = np.nan
    for matrix in (X, gaps):
        # Of few rows more may lie right of a cut than left of it.
        model = fitted(replace(SAMPLE, matrix=matrix), rising="amount", rows=12)
        missing, little = model.raw(np.array([[np.nan, 0.3], [-1e6, 0.3]]))[:, 0]
        assert missing == little


def test_a_rising_column_without_a_value_says_nothing() -> None:
    empty = X.copy()
    empty[:, 0] = np.nan
    raw = fitted(replace(SAMPLE, matrix=empty), rising="amount").raw(np.array([[np.nan, 0.0], [9.0, 0.0]]))[
        :, 0
    ]
    assert raw[0] == raw[1]


def test_reasons_of_a_rising_column_add_up() -> None:
    model = fitted(rising="amo*")
    assert model.contributions(GRID[::40]).sum(axis=1) == pytest.approx(model.raw(GRID[::40])[:, 0], abs=1e-9)


def test_one_row_is_as_in_a_batch() -> None:
    model = fitted(rising="amount")
    rows = np.concatenate([GRID[::20], [[np.nan, 1.0]]])
    alone = np.concatenate([model.raw(row[None]) for row in rows])
    assert alone.tobytes() == model.raw(rows).tobytes()


def test_a_rising_column_that_is_none_is_named() -> None:
    with pytest.raises(UsageError, match="no column amuont"):
        fitted(rising="amuont")
