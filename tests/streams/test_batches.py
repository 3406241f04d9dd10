"""Batches of few rows and of many: every function gives the same for both."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.streams import batches

VALUES = st.lists(st.none() | st.sampled_from(["a", "b", ""]) | st.text(max_size=2), max_size=8)


def decoded(column: pa.Array, monkeypatch: pytest.MonkeyPatch, few: int) -> list[str | None]:
    monkeypatch.setattr(batches, "FEW", few)
    values, codes = batches.encode(column)
    assert codes.dtype == np.int64
    assert len(set(values)) == len(values)
    assert len(codes) == len(column)
    return [values[code] for code in codes]


@given(values=VALUES, dictionary=st.booleans(), cut=st.integers(0, 3))
def test_values_are_encoded_the_same_way_in_few_rows_and_in_many(
    values: list[str | None], dictionary: bool, cut: int
) -> None:
    column = pa.array(values, pa.string())
    # A slice has values in its dictionary that none of its rows has.
    column = (column.dictionary_encode() if dictionary else column).slice(cut)
    with pytest.MonkeyPatch.context() as monkeypatch:
        assert decoded(column, monkeypatch, 64) == decoded(column, monkeypatch, -1) == values[cut:]


PARTS = st.lists(st.lists(st.integers(0, 9), max_size=3), min_size=1, max_size=4)


@given(parts=PARTS)
def test_one_batch_is_joined_as_several_are(parts: list[list[int]]) -> None:
    expected = [value for part in parts for value in part]
    schema = pa.schema([("a", pa.int64())])
    rows = batches.join_batches([pa.record_batch([pa.array(part, pa.int64())], schema) for part in parts])
    assert rows.column("a").to_pylist() == expected
    assert batches.join_arrays([pa.array(part, pa.int64()) for part in parts]).to_pylist() == expected
    assert batches.join_numbers([np.array(part, np.int64) for part in parts]).tolist() == expected


@given(wanted=st.lists(st.booleans(), max_size=6))
def test_rows_are_filtered_whether_all_are_wanted_or_some(wanted: list[bool]) -> None:
    places = [i for i, one in enumerate(wanted) if one]
    numbers = np.arange(len(wanted))
    rows, ids, left = batches.filter_rows(
        np.array(wanted, np.bool_), pa.record_batch({"a": numbers}), pa.array(numbers), numbers
    )
    assert rows.column("a").to_pylist() == ids.to_pylist() == left.tolist() == places
