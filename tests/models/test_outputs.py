import numpy as np
import pytest

from tallystick.models import LinearModel, Trees, load_model
from tallystick.models.outputs import Outputs


def model() -> Outputs:
    rng = np.random.default_rng(0)
    lines = [LinearModel(rng.normal(size=(3, 1)), rng.normal(size=1)) for _ in range(11)]
    return Outputs((*lines, Trees.constant(-4.0, 3, "sum")))


def test_each_output_is_that_of_its_model() -> None:
    X = np.random.default_rng(1).normal(size=(20, 3))
    raw = model().raw(X)
    assert raw.shape == (20, 12)
    assert raw[:, -1].tolist() == [-4.0] * 20
    assert raw[:, 10].tobytes() == model().models[10].raw(X)[:, 0].tobytes()


def test_more_than_ten_outputs_come_back_in_their_order() -> None:
    X = np.random.default_rng(1).normal(size=(20, 3))
    back = load_model(model().describe(), model().arrays())
    assert back.raw(X).tobytes() == model().raw(X).tobytes()


def test_outputs_without_weight_are_left_out_of_a_row_alone() -> None:
    X = np.random.default_rng(1).normal(size=(20, 3))
    direction = np.eye(12)[np.arange(20) % 12]
    parts = model().contributions(X, direction)
    assert parts.sum(axis=1) == pytest.approx(model().raw(X)[np.arange(20), np.arange(20) % 12])
    alone = [model().contributions(X[i : i + 1], direction[i : i + 1]) for i in range(20)]
    assert np.concatenate(alone).tobytes() == parts.tobytes()
