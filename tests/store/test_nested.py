"""Nested values as text: the two ways of writing mean the same, and reading gives back what was written."""

from __future__ import annotations

import json
import math
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tallystick.rules.routing import ROUTE
from tallystick.scorer.decision import REASON
from tallystick.store.nested import FEW, as_text, from_text

texts = st.none() | st.text(st.characters(exclude_categories=("Cs",)), max_size=6)
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
times = st.none() | st.integers(-(2**40), 2**51)
reason = st.fixed_dictionaries({"feature": texts, "value": numbers, "effect": numbers, "words": texts})
keys = texts.filter(lambda key: key is not None)


def pairs(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(keys, values, max_size=3).map(lambda found: list(found.items()))


KINDS: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.list_(REASON), st.lists(st.none() | reason, max_size=3)),
    (ROUTE, st.fixed_dictionaries({"department": texts, "priority": texts, "due": times, "rule": texts})),
    (pa.map_(pa.string(), pa.int64()), pairs(st.none() | st.integers(-(2**63), 2**63 - 1))),
    (pa.map_(pa.string(), pa.float64()), pairs(numbers)),
    (pa.list_(pa.list_(pa.bool_())), st.lists(st.none() | st.lists(st.none() | st.booleans(), max_size=2))),
]


@given(data=st.data(), which=st.integers(0, len(KINDS) - 1), cut=st.integers(0, 3))
def test_both_ways_mean_the_same_and_come_back(data: st.DataObject, which: int, cut: int) -> None:
    kind, values = KINDS[which]
    rows = data.draw(st.lists(st.none() | values, max_size=8))
    few = pa.array(rows, kind)
    many = pa.concat_arrays([few] * (FEW + 1)) if rows else few
    few, many = few.slice(cut), many.slice(cut)
    one_by_one, at_once = as_text(few).to_pylist(), as_text(many).to_pylist()
    loads = [[None if t is None else json.loads(t) for t in texts] for texts in (one_by_one, at_once)]
    assert loads[0] == loads[1][: len(few)]
    assert from_text(one_by_one, kind).equals(few)
    assert from_text(at_once, kind).equals(many)


def test_what_json_has_no_number_for_is_null() -> None:
    kind = pa.map_(pa.string(), pa.float64())
    rows = pa.array([[("a", math.nan), ("b", math.inf), ("c", -0.0)]] * (FEW + 1), kind)
    for array in (rows, rows.slice(0, 2)):
        found = [json.loads(text) for text in as_text(array).to_pylist()]
        assert found == [{"a": None, "b": None, "c": 0.0}] * len(array)
        read = from_text(as_text(array).to_pylist(), kind).to_pylist()
        assert math.copysign(1, dict(read[0])["c"]) == -1


def test_a_text_of_an_empty_list_is_short() -> None:
    rows = pa.array([[], None], pa.list_(REASON))
    assert as_text(rows).to_pylist() == ["[]", None]
