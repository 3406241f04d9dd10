"""Hyperparameters of gradient boosting that no other learner has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tallystick.errors import UsageError
from tallystick.learners import Sample
from tallystick.learners.gradient_boosting import LEARNER

RNG = np.random.default_rng(3)
X = RNG.normal(size=(4_000, 2))
TRUTH = (RNG.random(4_000) < 1 / (1 + np.exp(3 - X[:, 0]))).astype(np.int64)
SAMPLE = Sample(
    X, TRUTH, 2, settings={"n_estimators": 40, "max_depth": 3}, names=("amount", "noise"), target="binary"
)


def with_settings(**settings: object) -> Sample:
    return replace(SAMPLE, settings=SAMPLE.settings | settings)


def test_a_rising_column_never_lowers_the_score() -> None:
    grid = np.column_stack([np.linspace(-4, 4, 500), np.zeros(500)])
    free = LEARNER.fit(SAMPLE).raw(grid)[:, 0]
    rising = LEARNER.fit(with_settings(rising="amount")).raw(grid)[:, 0]
    assert (np.diff(free) < 0).any()
    assert (np.diff(rising) >= 0).all()


def test_a_rising_column_that_is_none_is_named() -> None:
    with pytest.raises(UsageError, match="no column amuont"):
        LEARNER.fit(with_settings(rising="amuont"))


def test_negatives_that_are_left_out_are_weighed_up() -> None:
    """A few of the rows without the event, each the heavier: the base rate stays."""
    all_of_them, few = LEARNER.fit(SAMPLE), LEARNER.fit(with_settings(negatives=1_500))
    chance = [1 / (1 + np.exp(-model.raw(X)[:, 0])) for model in (all_of_them, few)]
    assert chance[1].mean() == pytest.approx(chance[0].mean(), rel=0.15)
    assert chance[1].mean() == pytest.approx(TRUTH.mean(), rel=0.15)
    assert not np.array_equal(*chance)
