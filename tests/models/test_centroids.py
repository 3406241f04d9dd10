import numpy as np
import pytest

from tallystick.models.centroids import Centroids
from tallystick.models.scaling import Scaling

X = np.random.default_rng(0).normal(size=(50, 3))
SCALING = Scaling.fit(X, np.ones(50))
MODEL = Centroids(SCALING, np.array([[0.0, 0.0, 0.0], [1.0, -1.0, 2.0]]))


def test_raw_is_the_squared_distance_in_the_scaled_space() -> None:
    away = SCALING.apply(X)[:, None, :] - MODEL.centroids
    assert MODEL.raw(X) == pytest.approx((away**2).sum(axis=2))


def test_the_nearness_of_a_segment_is_shared_by_features() -> None:
    direction = np.tile([0.0, -1.0], (50, 1))
    parts = MODEL.contributions(X, direction)
    assert parts[:, :3] == pytest.approx(-((SCALING.apply(X) - MODEL.centroids[1]) ** 2))
    assert parts[:, 3].tolist() == [0.0] * 50


def test_a_missing_value_is_its_median() -> None:
    filled = np.where(np.arange(3) == 1, SCALING.fill[1], X[:1])
    assert MODEL.raw(np.where(np.arange(3) == 1, np.nan, X[:1])).tobytes() == MODEL.raw(filled).tobytes()
