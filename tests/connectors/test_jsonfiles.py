"""JSON lines and documents: values as written, bad lines kept, documents that are no list refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.config import Settings
from tallystick.connectors import encoding, jsonfiles, open_source
from tallystick.connectors.json_values import decoder, row_of
from tallystick.errors import DataError

VALUES = (
    b'{"s":"x","n":85.10,"e":1E5,"big":12345678901234567890123,"t":true,"f":false,"z":null,'
    b'"l":[1.50,"1.50",null,true],"o":{"k":-0}}'
)
TEXTS = {
    "s": "x",
    "n": "85.10",
    "e": "1E5",
    "big": "12345678901234567890123",
    "t": "true",
    "f": "false",
    "z": None,
    "l": '[1.50,"1.50",null,true]',
    "o": '{"k":-0}',
}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jsonl", VALUES + b"\n"),
        ("a.jsonl", b"\xef\xbb\xbf\r\n" + VALUES),
        ("a.json", b"[" + VALUES + b"]"),
        ("a.json", b" [ \n" + VALUES + b"\n ] \n"),
        ("a.json", b'{"took":3,"hits":{"total":{"value":1},"hits":[{"_id":"7","_source":' + VALUES + b"}]}}"),
        ("a.json", b'{"records":[' + VALUES + b'],"meta":{"pages":[1,2]}}'),
    ],
)
def test_values_are_texts_as_they_were_written(read_bytes: Any, name: str, data: bytes) -> None:
    found = read_bytes(data, name)
    assert found.rows == [TEXTS]
    assert (found.records, found.broken) == ([1], [])


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("abé"), inner),
        max_leaves=8,
    )
)
def test_a_nested_value_as_text_is_the_same_json(value: Any) -> None:
    text = row_of(decoder().decode(json.dumps({"v": [value]})))["v"]
    assert text is not None
    assert json.loads(text) == [value]


def test_bad_lines_are_broken_and_the_others_kept(read_bytes: Any) -> None:
    lines = [
        b'{"a":1}',
        b"{",
        b"[1]",
        b'"x"',
        b"null",
        b"",
        b'{"a":1,"a":2}',
        b'{"a":"\\u0000"}',
        b'{"a":"\\ud800"}',
        b'{"a":"x\0"}',
        b'{"a":"x\ty"}',
        b"[" * 100_000,
        b'{"b":2}',
    ]
    found = read_bytes(b"\n".join(lines), "a.jsonl")
    assert found.codes() == [
        (2, "bad_json"),
        (3, "not_an_object"),
        (4, "not_an_object"),
        (5, "not_an_object"),
        (6, "doubled_name"),
        (7, "nul_byte"),
        (8, "bad_encoding"),
        (9, "nul_byte"),
        (10, "bad_json"),
        (11, "bad_json"),
    ]
    assert found.rows == [{"a": "1", "b": None}, {"a": None, "b": "2"}]
    assert found.records == [1, 12]


def test_columns_join_as_they_are_met(read_bytes: Any) -> None:
    found = read_bytes(b'{"a":1}\n{"b":2}\n{"a":3}\n', "a.jsonl", batch_rows=1)
    assert [chunk.rows.schema.names for chunk in found.chunks] == [["a"], ["a", "b"], ["a", "b"]]


@pytest.mark.parametrize("size", [1, 5, 40])
def test_blocks_do_not_show(read_bytes: Any, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(encoding, "BLOCK", size)
    found = read_bytes(b"".join(b'{"a":"%d\\n","b":"x"}\n' % i for i in range(50)), "a.jsonl", batch_rows=7)
    assert [row["a"] for row in found.rows] == [f"{i}\n" for i in range(50)]
    assert found.records == list(range(1, 51))


def test_a_line_without_end_is_given_up(read_bytes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "BLOCK", 64)
    monkeypatch.setattr(encoding, "LONGEST", 1024)
    found = read_bytes(b'{"a":1}\n{"a":"' + b"x" * 5000 + b'"}\n{"a":3}\n', "a.jsonl")
    assert found.codes() == [(2, "record_too_long")]
    assert [row["a"] for row in found.rows] == ["1", "3"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b'"text"', "single JSON value"),
        (b"17", "single JSON value"),
        (b'{"a":1,"b":[1,2]}', '"a", "b", without a list of records'),
        (b'{"a":[{}],"b":[{}]}', "several lists of objects: a, b"),
        (b"[1,2,3]", "without any object"),
        (b"[]", "no record"),
        (b"{nonsense", "no JSON"),
        (b"[nonsense", "no JSON"),
        (b"a,b\n1,2\n", "no JSON"),
        (b'[{"a":1,"a":2}]', "more than once"),
    ],
)
def test_a_document_that_is_no_list_of_records_is_refused(read_bytes: Any, data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_bytes(data, "a.json")


def test_a_list_that_breaks_keeps_what_came_before(read_bytes: Any) -> None:
    for data in (
        b'[{"a":1},{"a":2},{"a":',
        b'[{"a":1},{"a":2} {"a":3}]',
        b'[{"a":1},{"a":2},]',
        b'[{"a":1},{"a":2}] x',
    ):
        found = read_bytes(data, "a.json")
        assert [row["a"] for row in found.rows] == ["1", "2"]
        assert found.codes() == [(3, "bad_json")]


def test_elements_that_are_no_objects_are_broken(read_bytes: Any) -> None:
    found = read_bytes(b'[{"a":1},2,null,{"a":4}]', "a.json")
    assert found.codes() == [(2, "not_an_object"), (3, "not_an_object")]
    assert found.records == [1, 4]


def test_a_json_of_one_object_a_line_is_read_as_lines(read_bytes: Any) -> None:
    found = read_bytes(b'{"a":1}\n{"a":2}\n', "a.json")
    assert [row["a"] for row in found.rows] == ["1", "2"]
    assert "read as JSON lines" in found.notes[0]


def test_a_huge_document_is_refused_with_a_way_out(read_bytes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonfiles, "LARGEST_DOCUMENT", 100)
    with pytest.raises(DataError, match=r"\.jsonl"):
        read_bytes(b'[{"a":"' + b"x" * 200 + b'"}]', "a.json")


def test_headers_of_a_document_are_those_of_its_first_records(tmp_path: Path) -> None:
    from tallystick.config import Settings
    from tallystick.connectors import open_source

    (tmp_path / "a.json").write_bytes(b'[{"a":1,"b":2}]')
    assert open_source(tmp_path / "a.json", Settings()).headers() == {"a.json": ("a", "b")}


def test_rows_json_of_an_open_data_portal(tmp_path: Path) -> None:
    columns = [
        {"name": "sid", "fieldName": ":sid"}, {"name": "Complaint ID", "fieldName": "complaint_id"},
        {"name": "Product", "fieldName": "product"},
    ]  # fmt: skip
    document = {
        "meta": {"view": {"columns": columns}},
        "data": [["row-1", "7", "Mortgage"], ["row-2", "8", None], 5],
    }
    (tmp_path / "rows.json").write_text(json.dumps(document))
    chunks = list(open_source(tmp_path / "rows.json", Settings()).chunks())
    rows = [row for chunk in chunks for row in chunk.rows.to_pylist()]
    assert rows == [{"Complaint ID": "7", "Product": "Mortgage"}, {"Complaint ID": "8", "Product": None}]
    assert [one.code for chunk in chunks for one in chunk.broken] == ["not_an_object"]
