import numpy as np
import pytest

from tallystick.models.scaling import Scaling


def test_columns_come_to_a_like_scale() -> None:
    rng = np.random.default_rng(0)
    matrix = np.column_stack(
        [rng.normal(5, 3, 1000), np.exp(3 * rng.normal(size=1000)), rng.random(1000) < 0.01]
    )
    weight = rng.random(1000)
    scaled = Scaling.fit(matrix, weight).apply(matrix)
    assert np.average(scaled, axis=0, weights=weight) == pytest.approx(0, abs=1e-12)
    assert np.average(scaled**2, axis=0, weights=weight) == pytest.approx(1)
    assert np.abs(scaled[:, 1]).max() < 6, "a long tail is pressed together"


def test_the_order_of_values_stays() -> None:
    matrix = np.sort(np.random.default_rng(0).normal(size=(50, 1)) ** 3, axis=0)
    assert (np.diff(Scaling.fit(matrix, np.ones(50)).apply(matrix), axis=0) > 0).all()


def test_a_missing_value_is_the_median() -> None:
    scaling = Scaling.fit(np.array([[1.0], [np.nan], [3.0], [10.0]]), np.ones(4))
    assert scaling.apply(np.array([[np.nan]])).tobytes() == scaling.apply(np.array([[3.0]])).tobytes()


@pytest.mark.parametrize("column", [[4.0, 4.0], [np.nan, np.nan], [0.1, np.nan]])
def test_a_column_that_never_changes_is_always_zero(column: list[float]) -> None:
    scaling = Scaling.fit(np.array(column)[:, None], np.ones(2))
    assert scaling.apply(np.array([[4.0], [-1e30], [np.nan]])).tolist() == [[0.0], [0.0], [0.0]]


def test_one_row_is_as_in_a_batch() -> None:
    matrix = np.random.default_rng(0).normal(size=(100, 7))
    scaling = Scaling.fit(matrix, np.ones(100))
    assert (
        np.concatenate([scaling.apply(row[None]) for row in matrix]).tobytes()
        == scaling.apply(matrix).tobytes()
    )
