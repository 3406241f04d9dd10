"""Actions of held-out rows by thresholds that these rows did not choose, as figures need them."""

from __future__ import annotations

import numpy as np

from tallystick.config import Settings
from tallystick.models.scores import Scores
from tallystick.tasks.dataset import HeldOut
from tallystick.tasks.policies.base import Codes, FittedPolicy, Policy

__all__ = ["held_out_actions"]


def held_out_actions(
    policy: Policy, fitted: FittedPolicy, held: HeldOut, scores: Scores, settings: Settings
) -> Codes:
    """Return the action of each row by a policy that was fitted on the other folds.

    By the one that was fitted on all of them where folds follow one another in time, so that there are not
    always others, or where there is but one.
    """
    folds = np.unique(held.fold)
    if held.ordered or len(folds) < 2:
        return fitted.act(scores.score, scores.label)
    action = np.zeros(len(held), np.int64)
    for fold in folds:
        out = np.flatnonzero(held.fold == fold)
        others = np.flatnonzero(held.fold != fold)
        one = policy.fit(held.take(others), scores.take(others), settings)
        label = None if scores.label is None else scores.label[out]
        action[out] = one.act(scores.score[out], label)
    return action
