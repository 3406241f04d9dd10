from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.models import Calibration, LinearModel, cross_calibrate, fit_calibration, probabilities
from tallystick.models.calibration import _loss

SHIFTS = np.array([0.8, 0.0, -0.3, -0.5])


def _sample(rows: int = 4000, seed: int = 0, wrong: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and labels drawn from what a known scaling makes of them; some are replaced."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(rows, 4))
    probability = probabilities(scores * 2.5 + SHIFTS)
    truth = (probability.cumsum(axis=1) > rng.random(rows)[:, None]).argmax(axis=1)
    mistaken = rng.random(rows) < wrong
    truth[mistaken] = rng.choice(truth, mistaken.sum())
    return scores, truth


def _folds(rows: int, n: int = 5) -> np.ndarray:
    return np.arange(rows) % n


def test_a_known_scaling_is_found_again() -> None:
    found = fit_calibration(*_sample(rows=60_000))
    seen = found.matrix - found.matrix.mean(axis=1, keepdims=True)
    wanted = 2.5 * (np.eye(4) - 0.25)
    assert seen == pytest.approx(wanted, abs=0.15)
    assert found.offset - found.offset.mean() == pytest.approx(SHIFTS, abs=0.08)
    assert found.floor < 0.01


def test_wrong_labels_become_the_floor() -> None:
    assert fit_calibration(*_sample(rows=60_000, wrong=0.1)).floor == pytest.approx(0.1, abs=0.03)


def test_what_one_class_says_of_another_is_learned() -> None:
    """Class 2 looks like class 0 and a little unlike class 1: only a full matrix can say so."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(20_000, 3))
    mixed = scores @ np.array([[2.0, 0, 1.0], [0, 2.0, -1.0], [0, 0, 2.0]])
    truth = (probabilities(mixed).cumsum(axis=1) > rng.random(len(scores))[:, None]).argmax(axis=1)
    found = fit_calibration(scores, truth)
    passed = found.matrix - found.matrix.mean(axis=1, keepdims=True)
    assert passed[0, 2] - passed[0, 1] == pytest.approx(1.0, abs=0.25)
    assert passed[1, 2] - passed[1, 0] == pytest.approx(-1.0, abs=0.25)


def test_the_gradient_is_that_of_the_loss() -> None:
    scores, truth = _sample(rows=200)
    prior = np.bincount(truth) / len(truth)
    width = np.array([0.5, 1.0, 1.5, 1.0])
    at = np.random.default_rng(3).normal(size=1 + 16 + 4 + 1) / 2
    _, gradient = _loss(at, scores, width, truth, prior)
    for i in range(len(at)):
        step = np.eye(len(at))[i] * 1e-6
        up, down = (_loss(at + way * step, scores, width, truth, prior)[0] for way in (1, -1))
        assert gradient[i] == pytest.approx((up - down) / 2e-6, abs=1e-6)


def test_folding_is_applying() -> None:
    scores, truth = _sample()
    found = fit_calibration(scores, truth, prior_correction=0.2)
    folded = found.fold(LinearModel(np.eye(4), np.zeros(4)))
    logits = scores @ folded.weights + folded.intercept
    assert logits == pytest.approx(found.logits(scores))
    for kept in (replace(found, folded=True), found):
        back = Calibration.of(kept.describe(), kept.arrays())
        raw = logits if kept.folded else scores
        assert back.apply(raw).values == pytest.approx(found.decide(found.logits(scores)).probability)
        assert back.apply(raw[:1]).values.tobytes() == back.apply(raw).values[:1].tobytes()


def test_scores_are_as_often_right_as_they_say() -> None:
    scores, truth = _sample(rows=30_000, wrong=0.05)
    final, inside = cross_calibrate(scores, truth, _folds(len(truth)), 0.0)
    fresh, true = _sample(rows=30_000, wrong=0.05, seed=1)
    for decided, labels in ((inside, truth), (final.decide(final.logits(fresh)), true)):
        for low in (0.4, 0.6, 0.8, 0.9):
            there = (decided.confidence >= low) & (decided.confidence < low + 0.1)
            assert (decided.label == labels)[there].mean() == pytest.approx(
                decided.confidence[there].mean(), abs=0.025
            )


def test_no_row_is_decided_by_a_calibration_that_saw_it() -> None:
    """Turning the labels of one fold leaves what was decided of that fold as it was, but for its sureness."""
    scores, truth = _sample(rows=600)
    turned = np.where(_folds(600) == 2, (truth + 1) % 4, truth)
    first, again = (cross_calibrate(scores, y, _folds(600), 0.0)[1] for y in (truth, turned))
    assert (first.label == again.label)[_folds(600) == 2].all()


def test_a_lean_favours_rare_classes() -> None:
    scores, truth = _sample()
    straight, leaning = fit_calibration(scores, truth), fit_calibration(scores, truth, prior_correction=0.5)
    rare = straight.prior.argmin()
    chosen = [(c.decide(c.logits(scores)).label == rare).sum() for c in (straight, leaning)]
    assert chosen[1] > 1.03 * chosen[0]


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_scores_of_any_size_give_the_same_decisions(size: float) -> None:
    scores, truth = _sample()
    usual, other = fit_calibration(scores, truth), fit_calibration(scores * size, truth)
    assert other.decide(other.logits(scores * size)).confidence == pytest.approx(
        usual.decide(usual.logits(scores)).confidence, abs=1e-3
    )


def test_a_class_without_rows_is_no_obstacle() -> None:
    scores, truth = _sample()
    found = fit_calibration(scores[truth != 3], truth[truth != 3])
    assert np.isfinite(found.matrix).all()
    assert found.prior.min() > 0


def test_a_score_that_never_changes_is_no_obstacle() -> None:
    scores, truth = _sample(rows=300)
    scores[:, 2] = 1.5
    assert np.isfinite(fit_calibration(scores, truth).decide(scores).probability).all()


def test_few_rows_and_perfect_scores_stay_finite() -> None:
    scores, truth = np.eye(3)[np.arange(15) % 3], np.arange(15) % 3
    final, decided = cross_calibrate(scores, truth, _folds(15), 0.2)
    assert (decided.label == truth).all()
    assert ((decided.confidence > 0.5) & (decided.confidence < 1)).all()
    assert np.isfinite(final.matrix).all()


def of_logits(prior: np.ndarray, floor: float, lean: float, sure: tuple) -> Calibration:
    """A calibration whose first step is in the model already."""
    classes = len(prior)
    return Calibration(np.eye(classes), np.zeros(classes), prior, floor, lean, sure, folded=True)


CALIBRATIONS = st.builds(
    lambda seed, lean, floor: (
        np.random.default_rng(seed).normal(size=(7, 5)) * 10,
        of_logits(np.random.default_rng(seed).dirichlet(np.ones(5)) + 0.01, floor, lean, (0.3, 0.7, -0.1)),
    ),
    st.integers(0, 1000),
    st.floats(0, 1),
    st.floats(0, 0.2),
)


@given(CALIBRATIONS)
def test_probabilities_add_up_and_a_row_alone_has_the_bits_of_a_batch(made: tuple) -> None:
    logits, calibration = made
    together = calibration.decide(logits)
    assert together.probability.sum(axis=1) == pytest.approx(1)
    assert (together.label == logits.argmax(axis=1)).all()
    alone = [calibration.decide(row[None]) for row in logits]
    assert together.probability.tobytes() == np.vstack([one.probability for one in alone]).tobytes()


def test_no_rows_are_fine() -> None:
    assert of_logits(np.ones(3) / 3, 0.0, 0.0, (0, 1, 0)).decide(np.empty((0, 3))).probability.shape == (0, 3)


def test_of_equal_logits_the_first_class_is_the_label() -> None:
    one = of_logits(np.ones(3) / 3, 0.0, 0.0, (0, 1, 0))
    assert one.decide(np.array([[1.0, 1.0, 1.0], [0.0, 2.0, 2.0]])).label.tolist() == [0, 1]
