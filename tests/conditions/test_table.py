from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.conditions import Condition, ConditionTable
from tallystick.conditions.build import ConditionBuilder
from tallystick.conditions.table import FEW
from tallystick.contracts.ranges import Range
from tallystick.errors import UsageError

KINDS = {"place": "text", "tags": "text", "note": "text", "score": "number", "late": "flag"}
TERMS = [
    "is_any(place, ['oslo', none])",
    "is_any(place, cities)",
    "has_any(tags, ['a', 'B'])",
    "has_any(tags, [none])",
    "words(note, ['sue', 'law suit'])",
    "all_words(note, ['sue', 'thanks'])",
    "no_words(note, ['thanks'])",
    "score >= .5",
    "0 < score",
    "score < .5",
    "score == .5",
    "missing(score)",
    "late",
    "not late",
    "(place == 'Oslo' or score > .7)",
]
LISTS = {"cities": ["Rome", "KYIV"]}
ROW = st.fixed_dictionaries(
    {
        "place": st.sampled_from(["Oslo", " OSLO", "rome", "Kyiv", "", None]),
        "tags": st.sampled_from(["a", "c, b", "c", "", None]),
        "note": st.sampled_from(["I will sue. Thanks", "a law-suit", "an issue", None]),
        "score": st.sampled_from([0.0, 0.4, 0.5, 0.9, float("nan"), None]),
        "late": st.booleans(),
    }
)


def columns(rows: list[dict[str, Any]]) -> dict[str, pa.Array]:
    types = {"score": pa.float64(), "late": pa.bool_()}
    return {n: pa.array([row[n] for row in rows], types.get(n, pa.string())) for n in KINDS}


@given(
    st.lists(st.lists(st.sampled_from(TERMS), min_size=1, max_size=4), min_size=1, max_size=6),
    st.lists(ROW, min_size=1, max_size=6),
    st.booleans(),
)
def test_a_table_answers_as_each_condition_does(
    written: list[list[str]], rows: list[dict[str, Any]], many: bool
) -> None:
    conditions = [Condition.parse(" and ".join(terms), KINDS, LISTS) for terms in written]
    rows = rows * (FEW // len(rows) + 1) if many else rows
    arrays = columns(rows)
    values = {name: array.to_numpy(zero_copy_only=False) for name, array in arrays.items()}
    values["score"] = values["score"].astype(float)
    expected = np.column_stack([condition.holds(values) for condition in conditions])
    table = ConditionTable(conditions)
    assert table.holds(arrays.get, len(rows)).tolist() == expected.tolist()
    assert table.hits(arrays.get, len(rows)) == list(
        zip(*map(np.ndarray.tolist, np.nonzero(expected)), strict=True)
    )
    first = np.where(expected.any(axis=1), expected.argmax(axis=1), -1)
    assert table.first(arrays.get, len(rows)).tolist() == first.tolist()


def test_a_column_that_is_not_there_is_missing() -> None:
    conditions = [Condition.parse(text, KINDS, LISTS) for text in TERMS if "or" not in text.split()]
    empty = {name: pa.nulls(2, kind.type) for name, kind in columns([]).items()}
    table = ConditionTable(conditions)
    assert table.hits({}.get, 2) == table.hits(empty.get, 2)


def test_what_a_file_asks_for_becomes_a_condition() -> None:
    builder = ConditionBuilder()
    assert builder.build() is None
    builder.add_texts("place", ["Oslo"])
    builder.add_texts("tags", ["a", None], several=True)
    builder.add_range("score", Range.read("below .5"))
    builder.add_flag("late", False)
    builder.add_words("words", "note", ["sue"])
    builder.add_words("no_words", "note", [])
    condition = builder.build()
    assert condition is not None
    assert condition.terms_alone
    assert condition.columns == KINDS.keys()
    unknown = ConditionBuilder()
    unknown.add_range("score", Range.read("none"))
    assert unknown.build() == Condition.parse("missing(`score`)", KINDS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("shout(place, ['a'])", "is_any(NAME, LIST)"),
        ("is_any(place)", "functions are"),
        ("is_any(score, ['a'])", "not a text"),
        ("is_any(place, [1])", "texts in quotes"),
        ("is_any(place, towns)", "the name of one"),
        ("missing(place)", "functions are"),
    ],
)
def test_a_mistake_in_a_function_is_named(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        Condition.parse(text, KINDS, LISTS)
    assert words.lower() in str(caught.value).lower()
