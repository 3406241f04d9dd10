"""Binary targets: figures come from calibrations that did not see the row."""

from dataclasses import replace

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


def aged(rows: int = 6_000, window: int = 3_000) -> HeldOut:
    """Rows whose scores say too little of an event until their windows have all of their history."""
    rng = np.random.default_rng(1)
    truth = (rng.random(rows) < 0.1).astype(float)
    at = np.arange(rows)
    raw = (2 * truth * np.minimum(at / window, 1) + rng.normal(size=rows))[:, None]
    return HeldOut(at, at // 1_000, raw, truth, at, ordered=True, warmth=np.minimum(at, window))


def test_a_calibration_is_by_rows_with_most_history() -> None:
    held = aged()
    warm = held.warmth == 3_000
    calibrator = Binary("x").calibrate(held).calibrator
    alone = Binary("x").calibrate(held.take(np.flatnonzero(warm))).calibrator
    assert calibrator.apply(held.raw).score.tolist() == alone.apply(held.raw).score.tolist()
    top = np.argsort(-held.raw[warm, 0])[:200]
    said, came = calibrator.apply(held.raw[warm][top]).score.mean(), held.truth[warm][top].mean()
    assert abs(said - came) < 0.05
    cold = Binary("x").calibrate(replace(held, warmth=None)).calibrator
    assert cold.apply(held.raw[warm][top]).score.mean() < came - 0.05


def test_the_warmest_rows_hold_enough_of_both_answers_or_all_rows_count() -> None:
    held = aged()
    every = np.ones(len(held), bool)
    for least in (50, 400):
        some = held.warmest(every, least)
        assert held.truth[some].sum() >= least
        assert held.warmth[some].min() >= held.warmth[~some].max()
    assert held.warmest(every, 50).sum() == (held.warmth == 3_000).sum()
    assert held.warmest(every, 10_000).all()
    assert replace(held, warmth=None).warmest(every, 50).all()
