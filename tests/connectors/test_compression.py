"""Compressed files: whole, of several members, and cut or damaged at any place."""

from __future__ import annotations

import gzip
from typing import Any

import pyarrow as pa
import pytest

from tallystick.errors import DataError

LINES = [f"{i},{i * 7919 % 10007},text {i * i % 9973}\n" for i in range(1, 60_001)]
DATA = ("a,b,c\n" + "".join(LINES)).encode()


def packed(kind: str, data: bytes = DATA) -> bytes:
    if kind == "gz":
        return gzip.compress(data, mtime=0)
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_it_is_read_whole_and_in_several_members(read_bytes: Any, kind: str) -> None:
    assert len(read_bytes(packed(kind), f"a.csv.{kind}").rows) == 60_000
    assert (
        len(read_bytes(packed(kind, DATA[:5001]) + packed(kind, DATA[5001:]), f"a.csv.{kind}").rows) == 60_000
    )
    if kind == "gz":
        assert len(read_bytes(packed(kind) + b"\0" * 512, f"a.csv.{kind}").rows) == 60_000


@pytest.mark.parametrize("kind", ["gz", "zst"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.999])
@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_rows_before_a_break_are_kept_and_the_break_is_one_record(
    read_bytes: Any, kind: str, share: float, suffix: str
) -> None:
    data = (
        DATA
        if suffix == "csv"
        else b"".join(b'{"a":"%d","c":"x%d"}\n' % (i, i * 7919) for i in range(1, 90_001))
    )
    whole = packed(kind, data)
    found = read_bytes(whole[: int(len(whole) * share)], f"a.{suffix}.{kind}")
    assert found.codes() == [(len(found.rows) + 1, "broken_file")]
    assert found.records == list(range(1, len(found.rows) + 1))
    assert [row["a"] for row in found.rows] == [str(i) for i in found.records]
    if kind == "gz":  # a zstd block is 128 KiB: what is cut within it cannot be known
        assert len(found.rows) > 60_000 * share * 0.8


def test_a_gzip_gives_every_whole_line_before_its_break(read_bytes: Any) -> None:
    whole = packed("gz")
    cut = whole[: len(whole) // 2]
    import zlib

    plain = zlib.decompressobj(wbits=31).decompress(cut)
    found = read_bytes(cut, "a.csv.gz")
    assert len(found.rows) == plain.count(b"\n") - 1
    assert found.broken[0].value == plain.rpartition(b"\n")[2].decode()
    assert "stops before its end" in found.broken[0].message


def test_a_gzip_with_a_wrong_checksum_gives_all_that_it_holds(read_bytes: Any) -> None:
    whole = bytearray(packed("gz"))
    whole[-8:] = bytes(8)
    found = read_bytes(bytes(whole), "a.csv.gz")
    assert len(found.rows) == len(LINES)
    assert [code for _, code in found.codes()] == ["broken_file"]


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_damage_in_the_middle_is_a_break(read_bytes: Any, kind: str) -> None:
    whole = bytearray(packed(kind, DATA * 3))
    middle = len(whole) // 2
    whole[middle:] = b"\xff" * (len(whole) - middle)  # zstd without a checksum may not notice a few bytes
    found = read_bytes(bytes(whole), f"a.csv.{kind}")
    assert [one.code for one in found.broken if one.code != "ragged_row"] == ["broken_file"]
    assert found.rows[:60_000] == [
        dict(zip("abc", line.rstrip("\n").split(","), strict=True)) for line in LINES
    ]


@pytest.mark.parametrize("kind", ["gz", "zst"])
@pytest.mark.parametrize("suffix", ["csv", "jsonl", "json"])
def test_what_cannot_be_read_from_its_start_is_refused(read_bytes: Any, kind: str, suffix: str) -> None:
    for data in (b"plain, not packed\n1,2\n", packed(kind)[:12], packed(kind)[:3]):
        with pytest.raises(DataError, match=r"breaks off|no JSON|is not packed by"):
            read_bytes(data, f"a.{suffix}.{kind}")


def test_a_packed_file_of_no_bytes_is_empty(read_bytes: Any) -> None:
    for kind in ("gz", "zst"):
        with pytest.raises(DataError, match=r"empty|breaks off"):
            read_bytes(b"", f"a.csv.{kind}")
        with pytest.raises(DataError, match="empty"):
            read_bytes(packed(kind, b""), f"a.csv.{kind}")
