import numpy as np
import pytest

from tallystick.models.neighbours import Neighbours
from tallystick.models.scaling import Scaling


def rows(count: int, features: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, features))


def fitted(known: np.ndarray, neighbours: int = 20) -> Neighbours:
    return Neighbours.fit(Scaling.fit(known, np.ones(len(known))), known, neighbours)


@pytest.mark.parametrize(
    ("count", "features", "neighbours"), [(300, 4, 20), (50, 1, 5), (200, 20, 35), (10, 3, 20)]
)
def test_it_is_that_of_scikit_learn(count: int, features: int, neighbours: int) -> None:
    from sklearn.neighbors import LocalOutlierFactor

    model = fitted(rows(count, features), neighbours)
    # Their brute force takes differences of squares, and loses digits by it; the tree does not.
    peer = LocalOutlierFactor(n_neighbors=min(neighbours, count - 1), novelty=True, algorithm="kd_tree").fit(
        model.rows
    )
    fresh = np.concatenate([rows(200, features, 1) * 2, rows(count, features)])
    theirs = -peer.score_samples(model.scaling.apply(fresh))
    assert model.raw(fresh)[:, 0] == pytest.approx(theirs, abs=1e-9, rel=1e-9)


def test_more_copies_than_neighbours_are_no_obstacle() -> None:
    known = np.concatenate([np.zeros((30, 2)), rows(30, 2)])
    model = fitted(known, 5)
    asked = np.array([[0.0, 0.0], [0.0, 1e-6], [9.0, 9.0]])
    assert np.isfinite(model.raw(asked)).all()
    assert model.contributions(asked).sum(axis=1) == pytest.approx(model.raw(asked)[:, 0], rel=1e-9)
    assert model.contributions(asked)[0].tolist() == [0.0, 0.0, model.raw(asked)[0, 0]]


def test_the_column_that_is_far_away_has_the_contribution() -> None:
    model = fitted(rows(200, 3))
    odd = model.contributions(np.array([[0.0, 12.0, 0.0]]))[0]
    assert odd[1] > 0.8 * (odd.sum() - 1)
    assert odd[3] == 1.0


def test_two_rows_are_enough() -> None:
    assert np.isfinite(fitted(np.array([[0.0], [1.0]])).raw(np.array([[0.5], [7.0]]))).all()
