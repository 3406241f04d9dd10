"""The order of application, given and recorded."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import DataError
from tallystick.windows import order

LAST = np.iinfo(np.int64).max


def test_time_then_labels_then_the_key_s_bytes_then_place() -> None:
    time = np.array([5, 5, 5, 5, 5, LAST, 1])
    label = np.array([False, False, True, False, False, False, False])
    key = pa.array(["é", "z", "zz", "b", "b", "a", None])
    assert order(time, label, key, np.array([0, 1, 2, 9, 4, 5, 6])).tolist() == [6, 2, 4, 3, 1, 0, 5]


def test_a_row_without_a_key_comes_after_those_with_one() -> None:
    assert order(np.zeros(2, int), np.zeros(2, bool), pa.array([None, "a"]), np.arange(2)).tolist() == [1, 0]


@given(
    st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 2), st.integers(0, 4)), max_size=30), st.randoms()
)
def test_recorded_numbers_come_out_ascending_for_each_entity(
    rows: list[tuple[int, int, int]], chance: random.Random
) -> None:
    entities = np.array([row[:2] for row in rows], np.int64).reshape(-1, 2)
    sequence = np.zeros_like(entities)
    seen: dict[tuple[int, int], int] = {}
    for row in chance.sample(range(len(rows)), len(rows)):  # some run's order
        for e in range(2):
            if entities[row, e] >= 0:
                key = (e, int(entities[row, e]))
                seen[key] = sequence[row, e] = seen.get(key, 0) + 1
    time, key = np.array([row[2] for row in rows], np.int64), pa.array([f"k{i}" for i in range(len(rows))])
    found = order(time, np.zeros(len(rows), bool), key, np.arange(len(rows)), sequence, entities)
    assert sorted(found.tolist()) == list(range(len(rows)))
    for e in range(2):
        for code in range(4):
            numbers = [sequence[row, e] for row in found if entities[row, e] == code]
            assert numbers == sorted(numbers)


def test_numbers_that_agree_with_time_leave_its_order() -> None:
    time = np.array([3, 1, 2])
    args = (time, np.zeros(3, bool), pa.array(["a", "b", "c"]), np.arange(3))
    assert (
        order(*args, np.array([[2], [1], [0]]), np.array([[0], [0], [-1]])).tolist() == order(*args).tolist()
    )


def test_contradictions_name_an_entity() -> None:
    args = (np.zeros(2, int), np.zeros(2, bool), pa.array(["a", "b"]), np.arange(2))
    with pytest.raises(DataError, match=r"entity 7 of column 0 has the number 1 twice"):
        order(*args, np.array([[1], [1]]), np.array([[7], [7]]))
    with pytest.raises(DataError, match="come before the other"):
        order(*args, np.array([[1, 2], [2, 1]]), np.array([[0, 0], [0, 0]]))
