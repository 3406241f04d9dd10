import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_matrix

from tallystick.errors import UsageError
from tallystick.models import LinearModel, load_model, probabilities

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


def dense_model(outputs: int) -> LinearModel:
    rng = np.random.default_rng(outputs)
    return LinearModel(
        rng.normal(size=(5, outputs)),
        rng.normal(size=outputs),
        rng.normal(size=5),
        rng.normal(size=(5, outputs)),
    )


def dense_rows(count: int = 5_000) -> np.ndarray:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(count, 5))
    X[rng.random(X.shape) < 0.2] = np.nan
    return X


@pytest.mark.parametrize("outputs", [1, 4])
def test_a_missing_value_adds_a_term_of_its_own(outputs: int) -> None:
    model, X = dense_model(outputs), dense_rows()
    assert model.means is not None
    known = np.where(np.isnan(X), 0.0, X - model.means)
    expected = model.intercept + known @ model.weights + np.isnan(X) @ model.missing
    assert model.raw(X) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("outputs", [1, 4])
@pytest.mark.parametrize("layout", ["dense", "sparse"])
def test_rows_alone_and_on_threads_have_the_bits_of_a_batch(outputs: int, layout: str) -> None:
    model, X = dense_model(outputs), dense_rows(9_000)
    if layout == "sparse":
        model, X = LinearModel(model.weights, model.intercept), csr_matrix(np.nan_to_num(X) * (X > 0))
    together = model.raw(X)
    assert model.raw(X, threads=2).tobytes() == together.tobytes()
    assert np.concatenate([model.raw(X[i : i + 1]) for i in range(50)]).tobytes() == together[:50].tobytes()


@pytest.mark.parametrize("layout", ["dense", "sparse"])
def test_contributions_add_up_in_every_direction(layout: str) -> None:
    model, X = dense_model(4), dense_rows(30)
    if layout == "sparse":
        model, X = LinearModel(model.weights, model.intercept), csr_matrix(np.nan_to_num(X) * (X > 0))
    direction = np.random.default_rng(4).normal(size=(30, 4))
    parts = model.contributions(X, direction)
    assert parts.shape == (30, 6)
    assert np.asarray(parts.sum(axis=1)).ravel() == pytest.approx((model.raw(X) * direction).sum(axis=1))


def test_sparse_rows_score_as_dense_ones() -> None:
    rng = np.random.default_rng(5)
    model = LinearModel(rng.normal(size=(5, 3)), rng.normal(size=3))
    X = rng.normal(size=(20, 5)) * (rng.random((20, 5)) < 0.5)
    sparse, direction = csr_matrix(X), np.eye(3)[rng.integers(0, 3, 20)]
    assert model.raw(sparse) == pytest.approx(model.raw(X), abs=1e-12)
    parts = model.contributions(sparse, direction)
    assert parts.toarray() == pytest.approx(model.contributions(X, direction), abs=1e-12)


def test_several_outputs_need_a_direction() -> None:
    with pytest.raises(UsageError, match="4 outputs"):
        dense_model(4).contributions(dense_rows(2))


def test_mixed_outputs_are_those_of_the_raw_ones() -> None:
    rng = np.random.default_rng(6)
    model, X, matrix, offset = dense_model(4), dense_rows(30), rng.normal(size=(4, 2)), rng.normal(size=2)
    assert model.mixed(matrix, offset).raw(X) == pytest.approx(model.raw(X) @ matrix + offset)
    centred = dense_model(4).centred().raw(X)
    assert centred == pytest.approx(model.raw(X) - model.raw(X).mean(axis=1, keepdims=True))


def test_rows_of_another_width_are_refused() -> None:
    for X in (np.zeros((2, 4)), csr_matrix((2, 6))):
        with pytest.raises(UsageError, match="5 features"):
            dense_model(1).raw(X)


def test_the_older_form_of_one_output_is_read() -> None:
    model = dense_model(1)
    assert model.means is not None
    assert model.missing is not None
    arrays = {"weights": model.weights[:, 0], "means": model.means, "missing": model.missing[:, 0]}
    older = load_model({"kind": "linear_score", "base": float(model.intercept[0])}, arrays)
    assert older.raw(dense_rows()).tobytes() == model.raw(dense_rows()).tobytes()
