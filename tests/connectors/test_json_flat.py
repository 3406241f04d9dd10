"""The fast way through JSON lines says what the careful one says, to the last byte, or nothing."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.connectors.json_flat import FlatLines, Lines
from tallystick.connectors.json_values import BadRecordError, decoder, row_of
from tallystick.connectors.parts import Part

SPACE = st.text(" \t\r", max_size=2)
NAMES = st.sampled_from(["a", "b", "ab", "é", "_source", "", 'q"', "\\", "\0"])
NUMBERS = st.sampled_from(
    ["0", "-0", "10", "1.50", "1e5", "1E+5", "-1.0e-07", "01", "1.", ".5", "+1", "-", "1e", "NaN", "Infinity",
     "-Infinity", "1 2", "٣", "12345678901234567890123"]
)  # fmt: skip
LITERALS = st.sampled_from(
    ["true", "false", "null", "tru", "nul", "falsE", "None", "[1]", '{"x":1}', "", "{"]
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5).map(
    lambda t: json.dumps(t, ensure_ascii=False)
)
RAW = st.sampled_from(['"\\u00e9"', '"a\tb"', '"a\0b"', '"\\"', '"open', '"x" y', "\x7f", '"\x7f"'])
MEMBER = st.tuples(NAMES, SPACE, SPACE, TEXTS | NUMBERS | LITERALS | RAW).map(
    lambda m: f"{json.dumps(m[0], ensure_ascii=False)}{m[1]}:{m[2]}{m[3]}"
)
OBJECT = st.tuples(
    SPACE, st.lists(MEMBER, max_size=4), SPACE, st.sampled_from(["}", "}", "}", "},", "", "}}"])
).map(lambda o: f"{o[0]}{{{','.join(o[1])}{o[2]}{o[3]}")
ROW = st.fixed_dictionaries({"a": TEXTS | NUMBERS, "b": TEXTS | LITERALS}).map(
    lambda row: "{" + ",".join(f'"{name}": {value}' for name, value in row.items()) + "}"
)
BYTES = st.sampled_from([b"\xff", b'{"a":"\xff"}', b'{"a":"\xed\xa0\x80"}', b'{"\xe9":1}'])
LINE = (ROW | OBJECT).map(str.encode) | BYTES


def carefully(line: bytes) -> dict[str, str | None] | None:
    try:
        return row_of(decoder().decode(line.decode()))
    except (ValueError, RecursionError, BadRecordError):
        return None


def rows_of(parts: list[Part]) -> dict[int, dict[str, str | None]]:
    found: dict[int, dict[str, str | None]] = {}
    for part in parts:
        values = zip(*(column.to_pylist() for column in part.columns.values()), strict=True)
        for place, row in zip(part.places.tolist(), values, strict=True):
            assert place not in found
            found[place] = dict(zip(part.columns, row, strict=True))
    return found


@settings(max_examples=400, deadline=None)
@given(st.lists(LINE, max_size=12), st.integers(1, 12))
def test_each_line_is_read_as_the_careful_way_reads_it_or_left_to_it(lines: list[bytes], most: int) -> None:
    block = b"\n".join(lines)
    whole = [line for line in block.split(b"\n") if line.strip(b" \t\r\n")]
    given_, flat = Lines.of(block), FlatLines()
    assert [given_[i] for i in range(len(given_))] == whole
    for start in range(0, len(whole), most):
        stop = min(start + most, len(whole))
        parts, rest = flat.read(given_, start, stop)
        for part in parts:
            for column in part.columns.values():
                column.validate(full=True)
        found = rows_of(parts)
        assert sorted([*found, *rest.tolist()]) == list(range(stop - start))
        for place, row in found.items():
            wanted = carefully(whole[start + place])
            assert wanted is not None
            assert {name: value for name, value in row.items() if value is not None} == {
                name: value for name, value in wanted.items() if value is not None
            }
            assert [name for name in row if name in wanted] == list(wanted)


def test_plain_records_are_all_taken_apart() -> None:
    rows = [{"id": f"é{i}", "n": i / 4, "flag": i % 2 == 0, "none": None} for i in range(50)]
    rows.insert(20, {"id": "x", "more": 1})
    rows.insert(30, {"n": 2})
    block = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    parts, rest = FlatLines().read(Lines.of(block), 0, len(rows))
    assert not len(rest)
    assert [part.places.tolist() for part in parts] == [[*range(20), *range(21, 52)], [20]]
    assert rows_of(parts)[30] == {"id": None, "n": "2", "flag": None, "none": None}


@pytest.mark.parametrize("bad", [b'{"a":"\xff"}', b'{"a":"x\\u0041"}', b'{"a":{"b":1}}', b'{"a":1,"a":2}'])
def test_what_is_not_plain_does_not_keep_the_others_from_it(bad: bytes) -> None:
    lines = [b'{"a":"y"}', bad, b'{"a":null}', bad]
    parts, rest = FlatLines().read(Lines.of(b"\n".join(lines)), 0, 4)
    assert rows_of(parts) == {0: {"a": "y"}, 2: {"a": None}}
    assert rest.tolist() == [1, 3]


def test_few_kinds_are_kept_and_new_ones_take_the_place_of_old() -> None:
    flat = FlatLines()
    flood = b"\n".join(b'{"a%d":1}' % i for i in range(100))
    for _ in range(2):
        parts, rest = flat.read(Lines.of(flood), 0, 100)
        assert len(parts) == 4
        assert len(rest) == 96
    for name in range(20):
        parts, rest = flat.read(Lines.of(b'{"b%d":1}\n{"b%d":2}' % (name, name)), 0, 2)
        assert not len(rest)
        assert rows_of(parts) == {0: {f"b{name}": "1"}, 1: {f"b{name}": "2"}}


def test_a_file_reads_the_same_whichever_way(read_bytes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [b'{"b":1,"a":"x"}', b'{"a":"y"}', b"{", b'{"c":[1],"b":2}', b'{"d":1}', b'{"a":"\\n","e":0}',
             b"", b"[]", b'{"b":3,"a":"\xe9"}', b'{"b":4,"f":"f"}']  # fmt: skip
    data = b"\n".join(lines * 5)
    fast = read_bytes(data, "a.jsonl")
    monkeypatch.setattr(FlatLines, "read", lambda _self, _lines, start, stop: ([], np.arange(stop - start)))
    slow = read_bytes(data, "a.jsonl")
    assert (fast.rows, fast.records, fast.broken) == (slow.rows, slow.records, slow.broken)
    assert [list(row) for row in fast.rows] == [list(row) for row in slow.rows]
