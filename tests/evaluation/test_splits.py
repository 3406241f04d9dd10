"""Splits: every row is tested as promised, and nothing that hangs together is on both sides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.errors import DataError, UsageError
from tallystick.evaluation import folds, time_split

LABELS = st.lists(st.integers(0, 4), min_size=6, max_size=80)


def all_tested(parts):
    return np.sort(np.concatenate([test for _, test in parts]))


@given(LABELS, st.sampled_from(["random", "stratified", "grouped"]), st.integers(2, 5), st.integers(0, 9))
def test_each_row_is_tested_once_and_never_taught_then(labels, kind, n, seed):
    rows = len(labels)
    parts = folds(kind, n, y=labels, groups=np.arange(rows), seed=seed)
    assert len(parts) == n
    assert all_tested(parts).tolist() == list(range(rows))
    for train, test in parts:
        assert np.sort(np.concatenate([train, test])).tolist() == list(range(rows))
        assert len(test) > 0


@given(LABELS, st.integers(2, 5), st.integers(0, 9))
def test_stratified_gives_each_fold_its_share_of_each_class_and_of_the_rows(labels, n, seed):
    y = np.array(labels)
    held = np.array([np.bincount(y[test], minlength=5) for _, test in folds("stratified", n, y=y, seed=seed)])
    assert np.ptp(held, axis=0).max() <= 1
    assert np.ptp(held.sum(axis=1)) <= 1


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20)), min_size=30, max_size=120), st.integers(0, 9)
)
def test_grouped_never_parts_a_group(rows, seed):
    y, groups = (np.array(column) for column in zip(*rows, strict=True))
    if len(np.unique(groups)) < 3:
        return
    parts = folds("grouped", 3, y=y, groups=groups, seed=seed)
    assert all_tested(parts).tolist() == list(range(len(y)))
    for train, test in parts:
        assert not set(groups[train]) & set(groups[test])


def test_grouped_keeps_classes_in_balance_about_as_well_as_scikit_learn():
    from sklearn.model_selection import StratifiedGroupKFold

    rng = np.random.default_rng(3)
    groups = rng.zipf(1.6, 4000).clip(max=900)
    y = rng.choice(6, size=4000, p=[0.5, 0.2, 0.15, 0.1, 0.04, 0.01])
    y[groups < 20] = groups[groups < 20] % 6  # large groups are of one class, as copies of a letter are

    def spread(parts):
        held = np.array([np.bincount(y[test], minlength=6) for _, test in parts])
        return float((held.std(axis=0) / held.mean(axis=0)).mean())

    ours = spread(folds("grouped", 5, y=y, groups=groups))
    theirs = spread(StratifiedGroupKFold(5).split(np.zeros(len(y)), y, groups))
    assert ours <= theirs * 1.1


def test_singles_level_out_what_groups_leave_uneven():
    y = [0] * 40
    groups = [0] * 10 + list(range(1, 31))
    sizes = sorted(len(test) for _, test in folds("grouped", 4, y=y, groups=groups))
    assert sizes == [10, 10, 10, 10]


def test_rare_classes_are_tested_once_each_in_different_folds():
    y = [0] * 20 + [1] * 2 + [2]
    parts = folds("stratified", 5, y=y)
    assert [sum(20 <= row < 22 for row in test) for _, test in parts].count(1) == 2
    assert sorted(len(test) for _, test in parts) == [4, 4, 5, 5, 5]


def test_the_seed_decides_and_nothing_else():
    y = np.arange(50) % 3
    first, again, other = (folds("stratified", 5, y=y, seed=seed) for seed in (1, 1, 2))
    assert all((a[1] == b[1]).all() for a, b in zip(first, again, strict=True))
    assert any(a[1].tolist() != b[1].tolist() for a, b in zip(first, other, strict=True))


def test_text_labels_and_missing_ones_are_classes_too():
    y = np.array(["loan", None, "card", None, "loan", "card"], dtype=object)
    for _, test in folds("stratified", 2, y=y):
        assert sorted(str(y[row]) for row in test) == ["None", "card", "loan"]


@given(st.lists(st.integers(0, 30), min_size=10, max_size=100), st.integers(2, 4))
def test_time_folds_train_on_what_was_before(times, n):
    time = np.array(times)
    if len(np.unique(time)) < n + 1:
        with pytest.raises(DataError, match=f"at least {n + 1} different times"):
            folds("time", n, time=time)
        return
    parts = folds("time", n, time=time)
    assert len(parts) == n
    for i, (train, test) in enumerate(parts):
        assert time[train].max() < time[test].min()
        if i:
            assert set(train) == set(parts[i - 1][0]) | set(parts[i - 1][1])
    assert len(parts[-1][0]) + len(parts[-1][1]) == len(time)


def test_time_folds_are_of_about_one_size():
    parts = folds("time", 4, time=np.arange(100)[::-1])
    assert [len(test) for _, test in parts] == [20, 20, 20, 20]
    assert parts[0][0].tolist() == list(range(80, 100))


@given(st.lists(st.integers(0, 9), min_size=3, max_size=60), st.floats(0.05, 0.95))
@settings(max_examples=60)
def test_time_split_cuts_nearest_to_the_share_and_never_in_a_tie(times, share):
    time = np.array(times)
    if len(np.unique(time)) < 2:
        with pytest.raises(DataError, match="different times"):
            time_split(time, share)
        return
    train, test = time_split(time, share)
    assert time[train].max() < time[test].min()
    possible = [np.count_nonzero(time >= t) for t in np.unique(time)[1:]]
    assert abs(len(test) - share * len(time)) <= min(abs(p - share * len(time)) for p in possible) + 1e-9


def test_a_missing_time_counts_as_the_latest():
    time = np.array(["2024-01-01", "NaT", "2023-01-01", "NaT"], dtype="datetime64[D]")
    assert time_split(time, 0.5)[1].tolist() == [1, 3]
    assert time_split([3.0, np.nan, 1.0, np.nan], 0.5)[1].tolist() == [1, 3]
    assert time_split(np.array(["b", None, "a", None], dtype=object), 0.5)[1].tolist() == [1, 3]


def test_errors_say_what_is_wanted():
    with pytest.raises(UsageError, match="stratified"):
        folds("stratifed", y=[1, 2])
    with pytest.raises(UsageError, match='needs "groups"'):
        folds("grouped", y=[1] * 9)
    with pytest.raises(UsageError, match="at least 2"):
        folds("random", 1, rows=9)
    with pytest.raises(UsageError, match="how many rows"):
        folds("random")
    with pytest.raises(UsageError, match="differ in length"):
        folds("grouped", y=[1] * 9, groups=[1] * 8)
    with pytest.raises(DataError, match="at least 5 rows; there are 3"):
        folds("random", 5, rows=3)
    with pytest.raises(DataError, match="at least 5 groups; there are 2"):
        folds("grouped", 5, groups=[1, 2] * 5)
    with pytest.raises(UsageError, match="between 0 and 1"):
        time_split([1, 2], 1.5)
