from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.config import Settings
from tallystick.contracts import Column, ColumnTypes, Contract, inference
from tallystick.errors import DataError

PEOPLE = Contract(
    "people", 1, (Column("id", "text", "Key", aliases=("person",)),), key="id", events=False, open=True
)
SPELLINGS = [
    "1",
    "0",
    "12.0",
    "2.5",
    "-7",
    "$1,200",
    "02134",
    "yes",
    "No",
    "2024-05-06",
    "red",
    "NA",
    "?",
    "",
    None,
]


def kinds(types: ColumnTypes) -> dict[str, str | None]:
    return {name: column.kind for name, column in types.columns.items()}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["41", " 37 ", "NA", ""], "integer"),
        (["41", "12.0"], "integer"),
        (["41", "37.5", "nan"], "number"),
        (["$1,200", "3"], "integer"),
        (["02134", "10001"], "category"),
        (["12345678901234567890123"], "number"),
        (["yes", "NO", "?"], "flag"),
        (["yes", "1"], "flag"),
        (["0", "1"], "integer"),
        (["2024-05-06", "2024-05-07 10:00"], "time"),
        (["red", "7"], "category"),
        (["unknown", "7"], "category"),
        (["NA", "", None], None),
        ([1, 2, None], "integer"),
        ([1.0, 2.0, None], "number"),
        ([float("nan"), None], None),
        ([True, None], "flag"),
        ([datetime(2024, 5, 6)], "time"),
        ([None, None], None),
        ([], None),
    ],
)
def test_a_type_is_the_narrowest_that_fits_all_values(values: list[object], kind: str | None) -> None:
    assert kinds(ColumnTypes.of(pa.record_batch({"x": pa.array(values)}))) == {"x": kind}


@given(st.lists(st.sampled_from(SPELLINGS), max_size=12), st.lists(st.integers(0, 12), max_size=4))
def test_types_do_not_depend_on_where_a_batch_ends(values: list[str | None], cuts: list[int]) -> None:
    rows = pa.record_batch({"x": pa.array(values, pa.string())})
    edges = [0, *sorted(min(cut, len(values)) for cut in cuts), len(values)]
    parts = [ColumnTypes.of(rows.slice(a, b - a)) for a, b in pairwise(edges)]
    left = parts[0]
    for part in parts[1:]:
        left = left + part
    right = parts[-1]
    for part in reversed(parts[:-1]):
        right = part + right
    assert left == right == ColumnTypes.of(rows)


def test_typed_and_written_columns_merge() -> None:
    whole = ColumnTypes.of(pa.record_batch({"x": [1, 2], "y": [0, 1]}))
    written = ColumnTypes.of(pa.record_batch({"x": ["2.5"], "y": ["yes"]}))
    assert kinds(whole + written) == {"x": "number", "y": "flag"}


def test_categories_are_listed_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "MOST_CATEGORIES", 2)
    few = ColumnTypes.of(pa.record_batch({"x": ["b", "a", "b"]}))
    assert few.to_dict() == {"x": {"type": "category", "categories": ["a", "b"]}}
    many = few + ColumnTypes.of(pa.record_batch({"x": ["c"]}))
    assert many.to_dict() == {"x": {"type": "category", "categories": None}}


def test_types_are_plain_data_in_a_bundle() -> None:
    rows = pa.record_batch({"job": ["clerk"], "age": ["41"], "owns": ["no"], "empty": pa.nulls(1)})
    types = ColumnTypes.of(rows)
    again = ColumnTypes.from_dict(json.loads(json.dumps(types.to_dict())))
    assert again.to_dict() == types.to_dict()
    assert PEOPLE.extended(again) == PEOPLE.extended(types)
    assert [column.name for column in again.as_columns()] == ["job", "age", "owns"]


def test_names_that_differ_in_signs_alone_are_refused() -> None:
    with pytest.raises(DataError, match='"Job type" and "job_type"'):
        ColumnTypes.of(pa.record_batch({"Job type": ["a"], "job_type": ["b"]}))
    with pytest.raises(DataError, match='"Job" and "job"'):
        ColumnTypes.of(pa.record_batch({"Job": ["a"]})) + ColumnTypes.of(pa.record_batch({"job": ["a"]}))


def test_an_open_contract_reads_what_it_does_not_name() -> None:
    rows = pa.record_batch({"person": ["A", "B"], "Age": ["41", "NA"], "job": [" clerk", "NA"]})
    column_mapping = PEOPLE.resolve(rows.schema.names)
    names = PEOPLE.unnamed(column_mapping)
    assert names == ("Age", "job")
    extended = PEOPLE.extended(ColumnTypes.of(rows.select(names)))
    checked = extended.check(rows, extended.resolve(rows.schema.names), Settings())
    assert checked.rows.to_pylist() == [
        {"id": "A", "Age": 41, "job": "clerk"},
        {"id": "B", "Age": None, "job": "NA"},
    ]
    later = pa.record_batch({"id": ["C"], "Age": ["old"]})
    assert extended.check(later, extended.resolve(later.schema.names), Settings()).bad.code == (
        "not_a_number",
    )


def test_an_open_contract_needs_no_column_that_it_names() -> None:
    assert PEOPLE.unnamed(PEOPLE.resolve(["Age", "--"])) == ("Age",)
    with pytest.raises(DataError, match="No column is one that people knows"):
        replace(PEOPLE, open=False).resolve(["Age"])


def test_a_contract_that_is_not_open_takes_no_more_columns() -> None:
    with pytest.raises(ValueError, match="not open"):
        replace(PEOPLE, open=False).extended(ColumnTypes())


def test_only_what_an_open_contract_adds_changes_a_fingerprint() -> None:
    closed = replace(PEOPLE, open=False)
    extended = PEOPLE.extended(ColumnTypes.of(pa.record_batch({"age": ["41"]})))
    assert len({closed.fingerprint(), PEOPLE.fingerprint(), extended.fingerprint()}) == 3
    assert PEOPLE.extended(ColumnTypes()).fingerprint() == closed.fingerprint()
