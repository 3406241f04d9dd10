"""JSON messages are read as the lines of a file, and broken ones stand alone."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.config import Settings
from tallystick.connectors.formats import Reading, found_formats
from tallystick.connectors.json_records import JsonRows
from tallystick.connectors.notes import Notes
from tallystick.streams.kafka.json_values import JsonValues
from tallystick.streams.kafka.message_rows import MessageRows, split_rows


def read(*values: bytes | None, encoding: str = "auto") -> MessageRows:
    return JsonValues("t", Settings(encoding=encoding), Notes()).rows(values)


def carefully(values: list[bytes]) -> list[tuple[int, dict[str, Any] | str]]:
    """Each value as a file of its own: its row, or the code of what is wrong."""
    found: list[tuple[int, dict[str, Any] | str]] = []
    for place, value in enumerate(values):
        reading = Reading("t", lambda value=value: io.BytesIO(b"\n" + value + b"\n"), Settings())
        for block in found_formats()["jsonl"].read(reading):
            for chunk in block:
                # Rows without any column are counted by their numbers alone.
                rows = chunk.rows.to_pylist() or [{}] * len(chunk.records)
                found += [(place, row) for row in rows]
                found += [(place, one.code) for one in chunk.broken]
    return found


def given_rows(rows: MessageRows) -> list[tuple[int, dict[str, Any] | str]]:
    """What was read, each row with the members that are not null."""
    named = zip(rows.places.tolist(), rows.batch.to_pylist(), strict=True)
    found: list[tuple[int, dict[str, Any] | str]] = [(place, plain(row)) for place, row in named]
    return sorted(found + [(one.record, one.code) for one in rows.broken], key=lambda one: one[0])


def plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


NAMES = st.sampled_from(["a", "b", "amount", "é", 'q"', "_source"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
MEMBERS = st.dictionaries(NAMES, LEAVES | st.lists(LEAVES, max_size=2), max_size=4)
WRITTEN = st.builds(
    lambda value, ascii_only, apart: json.dumps(
        value, ensure_ascii=ascii_only, separators=(", ", " : ") if apart else (",", ":")
    ).encode(),
    MEMBERS,
    st.booleans(),
    st.booleans(),
)
DAMAGED = st.builds(
    lambda value, at, byte: value[: at % (len(value) + 1)] + byte + value[at % (len(value) + 1) :],
    WRITTEN,
    st.integers(0, 200),
    st.sampled_from(
        [b'"', b"\\", b"{", b"}", b"\xff", b"\0", b"\x01", b",", b"1", b"0", b".", b"e", b" ", b"-"]
    ),
)


@given(st.lists(WRITTEN | DAMAGED, min_size=1, max_size=12))
def test_messages_read_as_lines_of_a_file(values: list[bytes]) -> None:
    expected = [(place, row if isinstance(row, str) else plain(row)) for place, row in carefully(values)]
    # Twice by one reader: what was learned from the first must not change the second.
    reader = JsonValues("t", Settings(), Notes())
    assert given_rows(reader.rows(values)) == expected
    assert given_rows(reader.rows(values)) == expected


@given(st.lists(st.lists(WRITTEN | DAMAGED | st.none(), min_size=1, max_size=4), min_size=1, max_size=4))
def test_messages_of_partitions_read_at_once_are_as_by_themselves(
    partitions: list[list[bytes | None]],
) -> None:
    counts = [len(values) for values in partitions]
    parts = split_rows(read(*(value for values in partitions for value in values)), counts)
    assert [given_rows(part) for part in parts] == [given_rows(read(*values)) for values in partitions]


def test_only_messages_that_are_no_flat_objects_are_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed, parse = [], JsonRows._parse

    def counting(self: JsonRows, record: bytes, falls_back: bool) -> None:
        parsed.append(record)
        parse(self, record, falls_back)

    monkeypatch.setattr(JsonRows, "_parse", counting)
    values = [b'{"a":"x%d", "b":%d.50,"c":null}' % (i, i) for i in range(100)]
    others = [b"\n", b'{"a":\n2}', b"", b"{}"]
    rows = read(*others[:2], *values, None, *others[2:])
    assert parsed == others
    assert rows.batch.to_pylist()[8] == {"a": "x7", "b": "7.50", "c": None}
    assert rows.places.tolist() == [1, *range(2, 102), 104]
    assert [one.record for one in rows.broken] == [0, 103]


def test_line_ends_between_and_within_values() -> None:
    rows = read(b'{\n "a": 1,\n "b": [1,\n2]\n}\n', b'{"a": "x\ny"}', b'{"a":2}')
    assert rows.batch.to_pylist() == [{"a": "1", "b": "[1,2]"}, {"a": "2", "b": None}]
    assert rows.places.tolist() == [0, 2]
    (broken,) = rows.broken
    assert (broken.record, broken.code) == (1, "bad_json")
    assert broken.value == '{"a": "x\ny"}'


def test_a_tombstone_is_neither_row_nor_broken() -> None:
    rows = read(None, b'{"a":1}', None)
    assert rows.places.tolist() == [1]
    assert not rows.broken
    assert not len(read(None).places)


@pytest.mark.parametrize("empty", [b"", b"  ", b"\n", b"\xef\xbb\xbf"])
def test_an_empty_message_is_broken(empty: bytes) -> None:
    rows = read(b'{"a":1}', empty, b'{"a":"\\u0041"}')
    assert rows.batch.column("a").to_pylist() == ["1", "A"]
    assert [(one.record, one.code) for one in rows.broken] == [(1, "bad_json")]


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0"])
def test_a_mark_in_one_message_says_nothing_of_the_others(mark: bytes) -> None:
    rows = read(mark + b"[", b'{"a":[1]}', b'{"a":2}')
    assert rows.batch.column("a").to_pylist() == ["[1]", "2"]
    assert [one.record for one in rows.broken] == [0]


def test_a_mark_of_utf_8_is_taken_off() -> None:
    assert read(b'{"a":1}', b'\xef\xbb\xbf{"a":2}').batch.column("a").to_pylist() == ["1", "2"]


def test_windows_bytes_are_read_as_in_files() -> None:
    reader = JsonValues("t", Settings(), Notes())
    for _ in range(2):
        rows = reader.rows([b'{"a":"x"}', b'{"a":"caf\xe9"}', b'{"a":"z"}'])
        assert rows.batch.column("a").to_pylist() == ["x", "café", "z"]
    assert not read(b'{"a":"caf\xe9"}', encoding="utf-8").places.size
    assert read(b'{"a":"caf\xe9"}', encoding="latin-1").batch.to_pylist() == [{"a": "café"}]
