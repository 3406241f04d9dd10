"""Thresholds of events: chosen as the settings wish, and again from what a bundle kept."""

from typing import Any

import numpy as np
import pytest

from tallystick.config import Settings
from tallystick.contracts.zones import LATEST
from tallystick.errors import UsageError
from tallystick.evaluation import Thresholds
from tallystick.models.scores import Scores
from tallystick.tasks import HeldOut, ReviewAndDecline
from tallystick.tasks.policies import FittedThresholds, costs

DAY = 86_400_000_000


def kept(rows: int = 2_000, seed: int = 0) -> dict[str, Any]:
    """Out-of-fold scores as a bundle keeps them: ten days, one event in ten."""
    rng = np.random.default_rng(seed)
    truth = rng.random(rows) < 0.1
    score = np.clip(rng.normal(np.where(truth, 0.6, 0.2), 0.15), 0, 1).round(3)
    return {
        "truth": truth,
        "probability": score,
        "time": np.sort(rng.integers(0, 10 * DAY, rows)),
        "amount": rng.integers(1, 500, rows).astype(float),
    }


def held_out(kept: dict[str, Any]) -> tuple[HeldOut, Scores]:
    score, none = kept["probability"], np.zeros(len(kept["truth"]), np.int64)
    held = HeldOut(
        np.arange(len(score)), none, score[:, None], kept["truth"].astype(float), kept["time"], kept["amount"]
    )
    return held, Scores(score[:, None], score)


def act(thresholds: Thresholds, score: np.ndarray) -> np.ndarray:
    return FittedThresholds(thresholds).act(score)


def chosen(arrays: dict[str, Any], **settings: Any) -> Thresholds:
    wish = Settings().with_values(settings, "--set")
    return ReviewAndDecline().fit(*held_out(arrays), wish).thresholds


def test_without_a_wish_few_good_payments_are_looked_at() -> None:
    some = kept()
    found = chosen(some)
    assert (found.review_wanted, found.decline_wanted) == ("false_positive_rate=0.005", "precision=0.9")
    declined = some["probability"] >= found.decline
    assert some["truth"][declined].mean() >= 0.9
    assert found.review == found.decline  # what is declined is more than that already, and the notes say so
    assert "nothing is left to review" in found.notes[0]
    strict = chosen(some, decline="precision=.99")
    flagged = some["probability"] >= strict.review
    assert 0 < (flagged & ~some["truth"]).sum() <= 0.005 * (~some["truth"]).sum()


@pytest.mark.parametrize(
    ("review", "holds"),
    [
        ("alerts_per_day=5", lambda flagged, truth: flagged.sum() <= 50),
        ("precision=.6", lambda flagged, truth: truth[flagged].mean() >= 0.6),
        ("recall=80%", lambda flagged, truth: truth[flagged].sum() >= 0.8 * truth.sum()),
        ("score=.5", lambda flagged, truth: flagged.any()),
        ("cost", lambda flagged, truth: truth[flagged].any()),
    ],
)
def test_a_wish_is_met(review: str, holds: Any) -> None:
    some = kept()
    found = chosen(some, review=review, decline="score=1")
    assert found.review is not None
    assert holds(some["probability"] >= found.review, some["truth"])
    assert act(found, some["probability"]).tolist() == [
        2 if found.decline is not None and s >= found.decline else int(s >= found.review)
        for s in some["probability"]
    ]


def test_choosing_anew_is_choosing_on_what_was_kept() -> None:
    wished = {"review_wanted": "false_positive_rate=0.005", "decline_wanted": "precision=0.9"}
    some = kept()
    for settings in ({"review": "alerts_per_day=3"}, {"decline": "precision=.99"}, {"review": "cost"}):
        wish = Settings().with_values(settings, "--set")
        again = ReviewAndDecline().refit(wished, *held_out(some), wish)
        assert again is not None
        assert again.thresholds == chosen(some, **settings)
    assert ReviewAndDecline().refit(wished, *held_out(some), Settings()) is None
    other = ReviewAndDecline().refit(wished, *held_out(some), Settings(review="score=.4"))
    assert other is not None
    assert other.thresholds != chosen(some)


def test_costs_are_those_of_the_settings() -> None:
    set_ = Settings().with_values({"review_cost": "40", "decline_cost": ".02"}, "--set")
    assert (costs(set_).review_cost, costs(set_).good_declined_share) == (40, 0.02)
    some = kept()
    dear, cheap = chosen(some, review="cost", review_cost=400), chosen(some, review="cost", review_cost=0)
    assert (dear.review or np.inf) > cheap.review


def test_rows_without_a_time_are_of_no_day() -> None:
    some = kept()
    half = dict(some, time=np.where(np.arange(2_000) % 2, LATEST, some["time"]))
    dated = {name: array[::2] for name, array in some.items()}
    assert chosen(half, review="alerts_per_day=5") == chosen(dated, review="alerts_per_day=5")
    none = dict(some, time=np.full(2_000, LATEST))
    flagged = some["probability"] >= chosen(none, review="alerts_per_day=5", decline="score=1").review
    assert flagged.sum() <= 5  # all of one day


def test_without_amounts_there_is_no_cost() -> None:
    some = dict(kept(), amount=None)
    with pytest.raises(UsageError, match="by cost needs the amounts"):
        chosen(some, review="cost")
    assert chosen(some).review is not None


@pytest.mark.parametrize("wish", ["sometimes", "precision=2", "alerts_per_day=many", "cost=3"])
def test_a_wrong_wish_is_told(wish: str) -> None:
    with pytest.raises(UsageError):
        chosen(kept(), review=wish)


@pytest.mark.parametrize("thresholds", [Thresholds(0.3, 0.7), Thresholds(None, 0.7), Thresholds(0.3, None)])
def test_a_score_by_itself_is_acted_on_as_among_others(thresholds: Thresholds) -> None:
    score = np.array([0.0, 0.3, 0.5, 0.7, 1.0, np.nan])
    alone = [act(thresholds, score[i : i + 1]).tolist() for i in range(len(score))]
    assert [code for one in alone for code in one] == act(thresholds, score).tolist()
