"""Records that were read apart come back in their order, however many parts they were read in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tallystick.connectors.parts import Part, join_parts

RECORD = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["x", "y"]), max_size=3)


def part(places: list[int], records: list[dict[str, str]]) -> Part:
    """The columns of some of the records, those alone that one of them has."""
    names = dict.fromkeys(name for place in places for name in records[place])
    columns = {name: pa.array([records[place].get(name) for place in places], pa.string()) for name in names}
    return Part(np.array(places, np.int64), columns)


@given(records=st.lists(st.tuples(RECORD, st.integers(0, 3)), max_size=8))
def test_several_parts_are_joined_as_one_is(records: list[tuple[dict[str, str], int]]) -> None:
    rows = [row for row, _ in records]
    groups = [[i for i, (_, group) in enumerate(records) if group == wanted] for wanted in range(4)]
    several = [part(places, rows) for places in groups if places]
    for parts in (several, [part(list(range(len(rows))), rows)]):
        batch, places = join_parts(parts)
        assert places.tolist() == list(range(len(rows)))
        assert len(batch) == len(rows)
        plain = [
            {name: value for name, value in row.items() if value is not None} for row in batch.to_pylist()
        ]
        assert plain == rows


def test_columns_are_those_that_are_wanted() -> None:
    parts = [Part(np.array([1]), {"a": pa.array(["x"])}), Part(np.array([0]), {"b": pa.array(["y"])})]
    batch, _ = join_parts(parts, ["b", "c"])
    assert batch.to_pydict() == {"b": ["y", None], "c": [None, None]}
    assert join_parts(parts[:1], ["c"])[0].to_pydict() == {"c": [None]}


def test_a_column_of_several_types_is_text() -> None:
    def typed(place: int, array: Any) -> Part:
        return Part(np.array([place]), {"a": array})

    number, word, nothing = pa.array([1]), pa.array(["x"]), pa.nulls(1)
    batch, _ = join_parts([typed(0, number), typed(1, word), typed(2, nothing)])
    assert batch.to_pydict() == {"a": ["1", "x", None]}
    batch, _ = join_parts([typed(0, number), typed(1, nothing)])
    assert batch.schema.field("a").type == pa.int64()
    assert batch.to_pydict() == {"a": [1, None]}
