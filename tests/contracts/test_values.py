from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.contracts.column import Column
from tallystick.contracts.values import FEW, each, value_parser

STATUS = Column("status", "category", "Listed", allowed=("Open", "Closed out"), nulls=("?",))
FLAG = Column("ok", "flag", "Yes or no")
VALUES = st.lists(st.sampled_from([None, "open", "Closed  OUT", "?", "yes", "N/A", "0", "gone"]), min_size=1)


@pytest.mark.parametrize("column", [STATUS, FLAG])
@given(values=VALUES)
def test_a_dictionary_changes_nothing(column: Column, values: list[str | None]) -> None:
    look = value_parser(column)
    expected = [(None, 0) if value is None else look(value) for value in values]
    for times in (1, FEW):  # few rows are looked at one by one, many by their distinct values
        array, faults = each(pa.array(values * times, pa.string()), look, column.arrow)
        assert array.type == column.arrow
        assert array.to_pylist() == [value for value, _ in expected] * times
        assert (faults is not None) == any(reason for _, reason in expected)
        if faults is not None:
            assert faults.tolist() == [reason for _, reason in expected] * times


def test_the_memo_is_emptied_and_still_right() -> None:
    look = value_parser(Column("zip", "text", "", pattern=r"\d+"))
    assert [look(str(i)) for i in range(20_010)] == [(str(i), 0) for i in range(20_010)]
    assert look("x") == look("x") != look("7") == ("7", 0)
