import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tallystick.models import LinearModel, probabilities

LOGITS = arrays(np.float64, st.tuples(st.integers(1, 40), st.integers(1, 13)), elements=st.floats(-700, 700))


@given(LOGITS)
def test_a_row_alone_has_the_bits_of_a_batch(logits: np.ndarray) -> None:
    together = probabilities(logits)
    alone = np.vstack([probabilities(row[None]) for row in logits])
    assert together.tobytes() == alone.tobytes()


@given(LOGITS)
def test_probabilities_add_up(logits: np.ndarray) -> None:
    assert probabilities(logits).sum(axis=1) == pytest.approx(1)


def test_probabilities_are_those_of_scipy() -> None:
    from scipy.special import softmax

    logits = np.random.default_rng(0).normal(size=(50, 7)) * 5
    assert probabilities(logits) == pytest.approx(softmax(logits, axis=1), abs=1e-15)


def test_no_rows_are_fine() -> None:
    assert probabilities(np.empty((0, 3))).shape == (0, 3)


def test_centring_changes_no_probability() -> None:
    rng = np.random.default_rng(1)
    model = LinearModel(rng.normal(size=(5, 3)), rng.normal(size=3))
    x = rng.normal(size=(4, 5))
    centred = model.centred()
    before = probabilities(x @ model.weights + model.intercept)
    after = probabilities(x @ centred.weights + centred.intercept)
    assert after == pytest.approx(before)
    assert centred.weights.sum(axis=1) == pytest.approx(0)
