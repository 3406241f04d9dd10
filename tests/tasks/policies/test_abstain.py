"""Abstention: thresholds of classes, wishes kept in a bundle, actions that a fold did not choose."""

from __future__ import annotations

import numpy as np
import pytest

from tallystick.config import Settings
from tallystick.errors import UsageError
from tallystick.models.scores import Scores
from tallystick.tasks import Abstain, HeldOut
from tallystick.tasks.policies import Abstention, held_out_actions


def rows(n: int = 2_000, seed: int = 0, folds: int = 5) -> tuple[HeldOut, Scores]:
    rng = np.random.default_rng(seed)
    score, label = rng.random(n), rng.integers(0, 2, n)
    right = rng.random(n) < np.where(label == 1, 0.5, 0.85) + 0.15 * score
    truth = np.where(right, label, 1 - label).astype(float)
    held = HeldOut(np.arange(n), np.arange(n) % folds, np.zeros((n, 2)), truth, np.zeros(n, np.int64))
    values = np.where(np.eye(2)[label] == 1, score[:, None], 1 - score[:, None])
    return held, Scores(values, score, label)


def test_each_class_has_its_own_threshold() -> None:
    policy = Abstention(0.5, 0.0, None, "accuracy 0.95", (0.5, 0.9, None))
    score, label = np.array([0.6, 0.6, 0.95, 0.99, 0.4]), np.array([0, 1, 1, 2, 0])
    assert policy.act(score, label).tolist() == [0, 1, 0, 1, 1]
    assert policy.act(score[:1], label[:1]).tolist() == [0]  # a row alone as in a batch
    assert Abstain().load(policy.describe()) == policy


def test_the_floor_is_of_each_class_and_the_full_wish_on_request() -> None:
    held, scores = rows(20_000)
    usual = Abstain().fit(held, scores, Settings(accuracy=0.92))
    strict = Abstain().fit(held, scores, Settings(accuracy=0.92, accuracy_by="class"))
    for policy in (usual, strict):
        assert policy.by_class is not None
        assert policy.by_class[1] is None  # it is right .65 of the time at best
    free = Abstain().fit(held, scores, Settings(automation=0.5))
    assert free.by_class is None
    assert free.automation == pytest.approx(0.5, abs=0.01)
    assert (usual.wanted, strict.wanted, free.wanted) == (
        "accuracy 0.92",
        "accuracy 0.92 by class",
        "automation 0.5",
    )
    with pytest.raises(UsageError, match="accuracy_by"):
        Settings().with_values({"accuracy_by": "each"}, "--set")


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({}, None),
        ({"accuracy": 0.9}, "accuracy 0.9 by class"),
        ({"accuracy_by": "all"}, "accuracy 0.92"),
        ({"automation": 0.4}, "automation 0.4"),
    ],
)
def test_what_is_not_wished_for_anew_stays(asked: dict, wanted: str | None) -> None:
    held, scores = rows()
    kept = Abstain().fit(held, scores, Settings(accuracy=0.92, accuracy_by="class")).describe()
    found = Abstain().refit(kept, held, scores, Settings(**asked))
    assert (found and found.wanted) == wanted


def test_the_action_of_a_row_is_not_chosen_by_its_fold() -> None:
    """A fold whose scores are all wrong cannot say so of itself, and the others cannot know."""
    held, scores = rows(5_000)
    settings = Settings(accuracy=0.75)
    fitted = Abstain().fit(held, scores, settings)
    action = held_out_actions(Abstain(), fitted, held, scores, settings)
    assert (action == 0).any()
    assert action.tolist() != fitted.act(scores.score, scores.label).tolist()
    for fold in range(5):
        out, others = held.fold == fold, np.flatnonzero(held.fold != fold)
        one = Abstain().fit(held.take(others), scores.take(others), settings)
        assert action[out].tolist() == one.act(scores.score[out], scores.label[out]).tolist()
    single = rows(5_000, folds=1)
    assert (
        held_out_actions(Abstain(), fitted, *single, Settings()).tolist()
        == fitted.act(single[1].score, single[1].label).tolist()
    )
