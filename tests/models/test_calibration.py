import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.models import Calibration, LinearModel, fit_calibration, probabilities
from tallystick.models.calibration import _loss


def _sample(rows: int = 4000, seed: int = 0, wrong: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and labels drawn from the probabilities that a known scaling makes of them; some are replaced."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(rows, 4))
    chance = probabilities(scores * 2.5 + np.array([0.8, 0.0, -0.3, -0.5]))
    truth = (chance.cumsum(axis=1) > rng.random(rows)[:, None]).argmax(axis=1)
    mistaken = rng.random(rows) < wrong
    truth[mistaken] = rng.choice(truth, mistaken.sum())
    return scores, truth


def test_a_known_scaling_is_found_again() -> None:
    found = fit_calibration(*_sample(rows=60_000))
    assert found.scale == pytest.approx([2.5] * 4, rel=0.08)
    assert found.offset - found.offset.mean() == pytest.approx([0.8, 0.0, -0.3, -0.5], abs=0.08)
    assert found.floor < 0.01


def test_wrong_labels_become_the_floor() -> None:
    found = fit_calibration(*_sample(rows=60_000, wrong=0.1))
    assert found.floor == pytest.approx(0.1, abs=0.02)
    assert found.scale == pytest.approx([2.5] * 4, rel=0.15)


def test_the_gradient_is_that_of_the_loss() -> None:
    scores, truth = _sample(rows=200)
    prior = np.bincount(truth) / len(truth)
    at = np.random.default_rng(3).normal(size=10) / 2
    _, gradient = _loss(at, scores, truth, prior)
    for i in range(len(at)):
        step = np.eye(len(at))[i] * 1e-6
        slope = (_loss(at + step, scores, truth, prior)[0] - _loss(at - step, scores, truth, prior)[0]) / 2e-6
        assert gradient[i] == pytest.approx(slope, abs=1e-6)


def test_folding_is_applying() -> None:
    scores, truth = _sample()
    found = fit_calibration(scores, truth, lean=0.2)
    folded = found.fold(LinearModel(np.eye(4), np.zeros(4)))
    logits = scores @ folded.weights + folded.intercept
    assert logits == pytest.approx(found.logits(scores))
    assert found.folded().probabilities(logits) == pytest.approx(found.probabilities(found.logits(scores)))


def test_probabilities_are_calibrated() -> None:
    found = fit_calibration(*_sample(rows=30_000, wrong=0.05))
    scores, truth = _sample(rows=30_000, wrong=0.05, seed=1)
    p = found.probabilities(found.logits(scores))
    label = p.argmax(axis=1)
    sure = p[np.arange(len(p)), label]
    for low in (0.4, 0.6, 0.8, 0.9):
        there = (sure >= low) & (sure < low + 0.1)
        assert (label == truth)[there].mean() == pytest.approx(sure[there].mean(), abs=0.025)


def test_a_lean_favours_rare_classes_and_changes_no_probability() -> None:
    scores, truth = _sample()
    straight, leaning = fit_calibration(scores, truth), fit_calibration(scores, truth, lean=0.5)
    rare = straight.prior.argmin()
    more = (leaning.logits(scores).argmax(axis=1) == rare).sum()
    assert more > (straight.logits(scores).argmax(axis=1) == rare).sum()
    same = straight.probabilities(straight.logits(scores))
    assert leaning.probabilities(leaning.logits(scores)) == pytest.approx(same)


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_scores_of_any_size_are_brought_to_probabilities(size: float) -> None:
    scores, truth = _sample()
    assert fit_calibration(scores * size, truth).scale * size == pytest.approx([2.5] * 4, rel=0.2)


def test_a_class_without_rows_is_no_obstacle() -> None:
    scores, truth = _sample()
    found = fit_calibration(scores[truth != 3], truth[truth != 3])
    assert np.isfinite(found.offset).all()
    assert found.prior.min() > 0


def test_perfect_scores_stay_finite() -> None:
    found = fit_calibration(np.eye(3)[np.arange(90) % 3], np.arange(90) % 3)
    assert np.isfinite(found.scale).all()


@given(st.integers(0, 1000), st.floats(0, 1))
def test_probabilities_add_up_and_are_the_same_alone(seed: int, lean: float) -> None:
    rng = np.random.default_rng(seed)
    prior = rng.random(5) + 0.01
    one = Calibration(np.ones(5), np.zeros(5), prior / prior.sum(), 0.03, lean)
    logits = rng.normal(size=(7, 5)) * 10
    together = one.probabilities(logits)
    assert together.sum(axis=1) == pytest.approx(1)
    assert together.tobytes() == np.vstack([one.probabilities(row[None]) for row in logits]).tobytes()
