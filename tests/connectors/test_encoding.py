"""Encodings: marks, UTF-16, and records that are no UTF-8, each for itself."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.connectors import encoding
from tallystick.errors import DataError

ROWS = [{"name": "é", "n": "1"}, {"name": "日本", "n": "2"}]
TEXT = "name,n\né,1\n日本,2\n"


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_decides_and_is_no_part_of_the_first_name(read_bytes: Any, codec: str) -> None:
    assert read_bytes(TEXT.encode(codec)).rows == ROWS
    assert read_bytes(TEXT.encode(codec), encoding=codec).rows == ROWS


@pytest.mark.parametrize("size", [1, 3, 64])
def test_utf_16_is_read_across_blocks(read_bytes: Any, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(encoding, "BLOCK", size)
    assert read_bytes(("name,n\n" + "😀é,1\n" * 50).encode("utf-16")).rows == [{"name": "😀é", "n": "1"}] * 50


def test_a_record_that_is_no_utf_8_is_read_as_windows_alone(read_bytes: Any) -> None:
    found = read_bytes(b"name,n\ncaf\xe9 \x80,1\ncaf\xc3\xa9,2\n\x81\xc3\xa9,3\n")
    assert [row["name"] for row in found.rows] == ["café €", "café", "\x81Ã©"]
    assert found.notes == ("a.csv: records that were not valid UTF-8 and were read as Windows-1252: 2",)


def test_a_windows_header_is_read(read_bytes: Any) -> None:
    assert read_bytes(b"pr\xe9nom,n\nx,1\n").rows == [{"prénom": "x", "n": "1"}]


def test_a_named_encoding_is_used_as_said(read_bytes: Any) -> None:
    data = "name,n\né,1\n".encode("latin-1")
    assert read_bytes(data, encoding="latin-1").rows == [{"name": "é", "n": "1"}]
    assert read_bytes("name,n\né,1\n".encode(), encoding="latin-1").rows == [{"name": "Ã©", "n": "1"}]
    assert read_bytes("name,n\né,1\n".encode("utf-16-le"), encoding="utf-16-le").rows == [
        {"name": "é", "n": "1"}
    ]


def test_half_a_character_in_utf_16_is_broken_and_not_windows(read_bytes: Any) -> None:
    found = read_bytes("name,n\nx".encode("utf-16") + b"\x00\xdc" + ",1\ny,2\n".encode("utf-16-le"))
    assert found.codes() == [(1, "bad_encoding")]
    assert found.rows == [{"name": "y", "n": "2"}]


@pytest.mark.parametrize("codec", ["utf-8", "ascii", "utf-16"])
def test_a_record_that_breaks_a_named_encoding_is_broken(read_bytes: Any, codec: str) -> None:
    good = "name,n\nok,1\n".encode(codec)
    bad = {"utf-8": b"\xe9,2\n", "ascii": b"\xe9,2\n", "utf-16": b"\x00\xdc" + ",2\n".encode("utf-16-le")}[
        codec
    ]
    after = "ok,3\n".encode("utf-16-le" if codec == "utf-16" else codec)
    found = read_bytes(good + bad + after, encoding=codec)
    assert found.codes() == [(2, "bad_encoding")]
    assert found.broken[0].column == "name"
    assert found.records == [1, 3]


def test_a_header_that_breaks_a_named_encoding_is_refused(read_bytes: Any) -> None:
    with pytest.raises(DataError, match="header is not valid"):
        read_bytes(b"\xe9,n\n1,2\n", encoding="utf-8")


def test_json_records_are_healed_alone(read_bytes: Any) -> None:
    lines = b'{"a":"caf\xe9","b":"\xc3\xa9"}\n{"a":"caf\xc3\xa9"}\n'
    for name, data in (("a.jsonl", lines), ("a.json", b"[" + lines.strip().replace(b"\n", b",") + b"]")):
        found = read_bytes(data, name)
        assert found.rows == [{"a": "café", "b": "Ã©"}, {"a": "café", "b": None}]
        assert found.notes == (f"{name}: records that were not valid UTF-8 and were read as Windows-1252: 1",)
