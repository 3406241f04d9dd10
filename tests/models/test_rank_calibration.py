import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.models.rank_calibration import RankCalibration


def test_it_is_the_share_that_was_less_odd() -> None:
    raw = np.random.default_rng(0).gumbel(size=100_000)
    calibration = RankCalibration.fit(raw)
    got = np.sort(calibration.share(raw))
    expected = (np.arange(100_000) + 0.5) / 100_000
    assert np.abs(got - expected).max() < 0.005
    top = slice(-1000, None)
    assert (1 - got[top]) == pytest.approx(1 - expected[top], rel=0.05, abs=1e-5)
    assert len(calibration.scores) < 1500


def test_ties_stand_in_the_middle() -> None:
    calibration = RankCalibration.fit(np.array([0.0] * 90 + [1.0] * 10))
    assert calibration.share(np.array([0.0, 1.0])) == pytest.approx([0.45, 0.95], abs=0.01)


def test_weights_count_as_copies() -> None:
    once = RankCalibration.fit(np.array([1.0, 2.0, 3.0]), np.array([1.0, 5.0, 1.0]))
    copied = RankCalibration.fit(np.array([1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 3.0]))
    assert once.shares == pytest.approx(copied.shares)


finite = st.floats(-1e6, 1e6)


@settings(max_examples=60, deadline=None)
@given(st.lists(finite, min_size=1, max_size=60), st.lists(finite, min_size=1, max_size=20))
def test_it_rises_and_stays_inside(raw: list, asked: list) -> None:
    calibration = RankCalibration.fit(np.array(raw))
    got = calibration.share(np.unique([*asked, *raw, -1e9, 1e9]))
    assert ((got > 0) & (got < 1)).all()
    assert (np.diff(got) >= 0).all()


def test_what_is_odder_than_all_seen_is_told_apart() -> None:
    calibration = RankCalibration.fit(np.arange(100.0))
    got = calibration.share(np.array([-1e4, -5.0, 0.0, 99.0, 150.0, 1e4]))
    assert (np.diff(got) > 0).all()
    assert got[0] > 0
    assert got[-1] < 1


def test_one_row_is_as_in_a_batch_and_after_json() -> None:
    raw = np.random.default_rng(0).normal(size=3000)
    calibration = RankCalibration.fit(raw)
    back = RankCalibration.of(json.loads(json.dumps(calibration.describe())), calibration.arrays())
    got = calibration.share(raw)
    assert np.concatenate([back.share(raw[i : i + 1]) for i in range(200)]).tobytes() == got[:200].tobytes()


def test_no_scores_are_not_fitted_on() -> None:
    assert np.isnan(RankCalibration.fit(np.arange(3.0)).share(np.array([np.nan]))).all()
