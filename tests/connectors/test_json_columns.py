"""JSON column by column: the bytes of row by row, whatever the nesting."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.connectors import render
from tallystick.connectors.json_columns import can_write, json_text
from tallystick.connectors.render import _in_columns, _json_by_python, json_lines, plain, text

TEXT = st.none() | st.text(max_size=6) | st.sampled_from(['a"b', "\\", "\n\t\b\f\r", "\x1f\x7f", "é😀\u2028"])
NUMBER = st.none() | st.floats() | st.sampled_from([1e-5, 1e16, -0.0, 5e-324, 123456789012.5])
WHOLE = st.none() | st.integers(-(2**63), 2**63 - 1)
REASON = pa.struct([("feature", pa.string()), ("value", pa.float64()), ('wo"rds', pa.string())])
KINDS = {
    "id": (pa.string(), TEXT),
    "score": (pa.float64(), NUMBER),
    "n": (pa.int64(), WHOLE),
    "late": (pa.bool_(), st.none() | st.booleans()),
    "reasons": (
        pa.list_(REASON),
        st.none()
        | st.lists(
            st.none() | st.fixed_dictionaries({"feature": TEXT, "value": NUMBER, 'wo"rds': TEXT}), max_size=3
        ),
    ),
    "sequence": (
        pa.map_(pa.string(), pa.int64()),
        st.none() | st.dictionaries(st.text(max_size=3), WHOLE, max_size=3).map(lambda d: list(d.items())),
    ),
    "scores": (
        pa.map_(pa.string(), pa.float64()),
        st.none() | st.dictionaries(st.text(max_size=3), NUMBER, max_size=3).map(lambda d: list(d.items())),
    ),
    "deep": (
        pa.list_(pa.map_(pa.string(), pa.list_(pa.int64()))),
        st.none()
        | st.lists(
            st.none()
            | st.dictionaries(st.sampled_from("ab"), st.none() | st.lists(WHOLE, max_size=2)).map(
                lambda d: list(d.items())
            ),
            max_size=3,
        ),
    ),
}
ROWS = st.lists(st.fixed_dictionaries({name: values for name, (_, values) in KINDS.items()}), max_size=6)


@given(ROWS, st.integers(0, 3))
def test_lines_have_the_bytes_of_row_by_row(rows: list[dict], start: int) -> None:
    columns = [pa.array([row[name] for row in rows], kind).slice(start) for name, (kind, _) in KINDS.items()]
    # One map with a value, so that no batch goes the way of flat columns.
    columns.append(pa.array([[("k", 1)]] * len(columns[0]), pa.map_(pa.string(), pa.int64())))
    names = [*KINDS, "last"]
    batch = pa.RecordBatch.from_arrays(columns, names=names)
    expected = _json_by_python(names, [_in_columns(plain(column)) for column in columns])
    assert json_lines(batch) == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "FEW", -1)  # as for many rows
        assert json_lines(batch) == expected


@given(ROWS, st.integers(0, 3))
def test_text_of_a_map_is_what_its_line_holds(rows: list[dict], start: int) -> None:
    for name in ("sequence", "scores", "deep"):
        column = pa.array([row[name] for row in rows], KINDS[name][0]).slice(start)
        lines = _json_by_python(["v"], [_in_columns(column)]).decode().split("\n")[:-1]
        expected = [
            None if value is None else line[5:-1]
            for value, line in zip(column.to_pylist(), lines, strict=True)
        ]
        assert text(column).to_pylist() == expected


def test_what_lies_behind_a_null_is_not_written() -> None:
    lists = pa.ListArray.from_arrays([0, 2, 3], pa.array([1, 2, 3]), mask=pa.array([True, False]))
    assert json_text(lists).to_pylist() == ["null", "[3]"]


def test_a_key_that_comes_twice_is_an_error() -> None:
    doubled = pa.array([[("a", 1), ("b", 2)], [("a", 1), ("a", 2)]], pa.map_(pa.string(), pa.int64()))
    with pytest.raises(ValueError, match="twice"):
        json_text(doubled)
    for many in (1, 100):  # row by row and in columns
        with pytest.raises(ValueError, match="twice"):
            json_lines(pa.record_batch({"map": pa.concat_arrays([doubled] * many)}))


def test_what_goes_row_by_row_still_comes_out() -> None:
    days = pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.date32()))
    assert not can_write(days.type)
    assert (
        json_lines(pa.RecordBatch.from_arrays([days], names=["d"]))
        == b'{"d":{"a":"1970-01-02"}}\n{"d":null}\n'
    )
