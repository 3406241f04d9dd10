import numpy as np
import pytest

from tallystick.errors import BundleError
from tallystick.learners.graph import Graph
from tallystick.models.network import BLOCK, Network


def product() -> Network:
    """y = relu(a + b) - relu(c), with a missing value read as 0."""
    graph = Graph(3)
    start = graph.add("Where", graph.missing(), graph.constant(0.0), "x")
    weights = [np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), np.array([[1.0], [-1.0]])]
    return Network(graph.bytes(graph.layers(start, weights, [np.zeros(2), np.zeros(1)]), 1), np.zeros(3))


def test_a_graph_is_what_it_says() -> None:
    asked = np.array([[1.0, 2.0, 0.5], [np.nan, 2.0, -1.0], [-4.0, 1.0, 1.0]])
    assert product().raw(asked).tolist() == [[2.5], [2.0], [-1.0]]


def test_contributions_share_what_two_do_together() -> None:
    # Alone, -1 does nothing to relu(0 + b); beside b = 2 it takes one away: Shapley's value is the mean.
    assert product().contributions(np.array([[-1.0, 2.0, 0.5]])).tolist() == [[-0.5, 1.5, -0.5, 0.0]]


def test_many_rows_go_through_in_blocks() -> None:
    asked = np.random.default_rng(0).normal(size=(2 * BLOCK + 7, 3))
    model = product()
    assert model.raw(asked)[[0, BLOCK, -1]] == pytest.approx(model.raw(asked[[0, BLOCK, -1]]), abs=1e-6)


def test_the_same_graph_has_the_same_bytes() -> None:
    assert product().graph.tobytes() == product().graph.tobytes()


def test_a_damaged_graph_is_named() -> None:
    with pytest.raises(BundleError, match="network of this model cannot be read"):
        Network(np.arange(50, dtype=np.uint8), np.zeros(3)).raw(np.zeros((1, 3)))
