"""Binary targets: figures come from calibrations that did not see the row."""

import numpy as np

from tallystick.tasks import Binary, HeldOut


def held_out(ordered: bool, seed: int = 0) -> HeldOut:
    rng = np.random.default_rng(seed)
    truth = (rng.random(500) < 0.3).astype(float)
    raw = (truth + rng.normal(size=500))[:, None]
    rows = np.arange(500)
    return HeldOut(rows, rows // 100, raw, truth, rows, ordered=ordered)


def test_a_rows_own_fold_changes_nothing_of_its_score() -> None:
    for ordered in (False, True):
        held = held_out(ordered)
        turned = np.where(held.fold == 3, 1 - held.truth, held.truth)
        other = HeldOut(held.row, held.fold, held.raw, turned, held.time, ordered=ordered)
        one, two = (Binary("x").calibrate(some) for some in (held, other))
        mine = held.fold == 3
        assert one.scores.score[mine].tolist() == two.scores.score[mine].tolist()
        assert one.chosen_on.score[mine].tolist() != two.chosen_on.score[mine].tolist()
        later = held.fold == 2
        same = one.scores.score[later].tolist() == two.scores.score[later].tolist()
        assert same == ordered  # what comes later is not looked at where folds are ordered


def test_the_first_of_ordered_folds_has_no_score_and_a_single_fold_has() -> None:
    held = held_out(ordered=True)
    score = Binary("x").calibrate(held).scores.score
    assert np.isnan(score).tolist() == (held.fold == 0).tolist()
    single = held.take(np.flatnonzero(held.fold == 1))
    assert not np.isnan(Binary("x").calibrate(single).scores.score).any()
