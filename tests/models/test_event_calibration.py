import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.models.event_calibration import EventCalibration


def world(rows: int, seed: int = 0, bend: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Raw scores, events and their true probability: about one row in sixty is an event."""
    rng = np.random.default_rng(seed)
    odds = np.where(rng.random(rows) < 0.02, rng.normal(1.5, 2, rows), rng.normal(-6.5, 1.2, rows))
    chance = 1 / (1 + np.exp(-odds))
    raw = np.where(odds > -3, bend * (odds + 3) - 3, odds)
    return 1.8 * raw + 1, rng.random(rows) < chance, chance


def loss(given: np.ndarray, chance: np.ndarray) -> float:
    return float(-(chance * np.log(given) + (1 - chance) * np.log1p(-given)).mean())


@pytest.mark.parametrize("bend", [1.0, 0.3])
@pytest.mark.parametrize("squash", [False, True])
def test_probabilities_hold_in_the_tail(bend: float, squash: bool) -> None:
    def shown(raw: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-raw / 3)) if squash else raw

    raw, truth, _ = world(20_000, 0, bend)
    calibration = EventCalibration.fit(shown(raw), truth)
    raw, _, chance = world(50_000, 1, bend)
    got = calibration.probability(shown(raw))
    assert loss(got, chance) < loss(chance, chance) + 0.0005
    top = np.argsort(got)[-1000:]
    gaps = [abs(got[part].mean() - chance[part].mean()) for part in np.array_split(top, 10)]
    assert np.mean(gaps) < 0.06


def test_a_straight_line_is_not_enough_where_the_odds_bend() -> None:
    raw, truth, _ = world(20_000, 0, 0.3)
    bent = EventCalibration.fit(raw, truth)
    straight = EventCalibration(
        bent.knots[[0, -1]], EventCalibration.fit(raw[::40], truth[::40]).odds[[0, -1]]
    )
    raw, _, chance = world(50_000, 1, 0.3)
    assert loss(bent.probability(raw), chance) < loss(straight.probability(raw), chance)
    assert len(bent.knots) > 2


@pytest.mark.parametrize("events", [0, 1, 5, 20])
def test_few_events_are_no_obstacle(events: int) -> None:
    raw, truth, _ = world(30_000)
    few = np.concatenate([np.flatnonzero(truth)[:events], np.flatnonzero(~truth)[: 60 * max(events, 1)]])
    got = EventCalibration.fit(raw[few], truth[few]).probability(raw)
    assert ((got > 0) & (got < 1)).all()
    if events >= 5:
        assert 0.2 < got.mean() / truth.mean() < 4


def test_weights_bring_back_how_rows_really_come() -> None:
    raw, truth, chance = world(40_000)
    kept = truth | (np.arange(len(raw)) % 10 == 0)
    weight = np.where(truth[kept], 1.0, 10.0)
    plain = EventCalibration.fit(raw[kept], truth[kept]).probability(raw)
    weighed = EventCalibration.fit(raw[kept], truth[kept], weight).probability(raw)
    assert weighed.mean() == pytest.approx(chance.mean(), rel=0.1)
    assert plain.mean() > 1.5 * chance.mean()


def test_rows_that_count_nothing_change_nothing() -> None:
    raw, truth, _ = world(3000)
    weight = (np.arange(3000) < 2000) * 1.0
    weighed, without = (
        EventCalibration.fit(raw, truth, weight),
        EventCalibration.fit(raw[:2000], truth[:2000]),
    )
    assert weighed.describe() == without.describe()


numbers = st.floats(-50, 50).map(lambda x: round(x, 6))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(numbers, st.booleans()), min_size=1, max_size=40),
    st.lists(numbers, min_size=2, max_size=20),
)
def test_the_ranking_is_kept_whatever_it_is_fitted_on(rows: list, asked: list) -> None:
    raw, truth = np.array([r for r, _ in rows]), np.array([t for _, t in rows])
    calibration = EventCalibration.fit(raw, truth)
    assert (np.diff(calibration.knots) > 0).all()
    assert (np.diff(calibration.odds) > 0).all()
    order = np.unique(asked)
    got = calibration.probability(order)
    assert ((got > 0) & (got < 1)).all()
    if not calibration.as_odds:
        assert (np.diff(got) >= 0).all()
        assert (np.diff(got)[np.diff(order) > 1e-3] > 0).all()


def test_one_row_is_as_in_a_batch_and_after_json() -> None:
    raw, truth, _ = world(5000)
    calibration = EventCalibration.fit(raw, truth)
    back = EventCalibration.of(json.loads(json.dumps(calibration.describe())))
    got = calibration.probability(raw)
    assert (
        np.concatenate([back.probability(raw[i : i + 1]) for i in range(200)]).tobytes()
        == got[:200].tobytes()
    )


def test_scores_beyond_those_seen_go_on_rising() -> None:
    raw, truth, _ = world(5000)
    calibration = EventCalibration.fit(raw, truth)
    far = np.array([-1e6, -1e3, raw.min(), raw.max(), 1e3, 1e6])
    got = calibration.probability(far)
    assert (np.diff(got) > 0).all()
    assert got[0] > 0
    assert got[-1] < 1


def test_scores_that_are_all_alike_get_the_rate() -> None:
    got = EventCalibration.fit(np.full(1000, 2.5), np.arange(1000) < 20).probability(np.array([2.5]))
    assert got[0] == pytest.approx(0.02, rel=0.2)
