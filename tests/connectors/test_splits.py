"""Splits: a file read in parts, here or in another process, is the file read as a whole."""

from __future__ import annotations

import gzip
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tallystick.config import Settings
from tallystick.connectors import Chunk, Split, encoding, open_source, parquet
from tallystick.errors import DataError

HEADER = "a;b\n"


def splits(path: Path) -> list[Split]:
    return list(open_source(path, Settings()).splits())


def content(chunks: list[Chunk]) -> list[Any]:
    """Every row and broken record with its place, and what was noted."""
    rows = [
        (chunk.name, int(number), *row.values())
        for chunk in chunks
        for number, row in zip(chunk.records, chunk.rows.to_pylist(), strict=True)
    ]
    return sorted(rows + [(chunk.name, one.record, one.code) for chunk in chunks for one in chunk.broken])


def read(parts: list[Split]) -> list[Any]:
    return content([chunk for part in parts for chunk in part.chunks()])


def table(rows: int) -> str:
    """Rows of a thousand characters: the header is looked for in the first 64 KiB, whatever a block is."""
    y = 1000 * "y"
    return HEADER + "".join(f'{i};"{y}{i}\n\ny"\n' if i % 7 == 0 else f"{i};{y}\n" for i in range(rows))


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "BLOCK", 5000)
    monkeypatch.setattr(parquet, "_GROUP_ROWS", 10)


@pytest.mark.usefixtures("small_blocks")
def test_a_csv_is_several_splits_that_number_their_records(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(table(200))
    parts = splits(path)
    assert len(parts) > 5
    assert all(part.small for part in parts)
    whole = gzip.compress(table(200).encode())  # what is packed is read from its start
    (tmp_path / "b.csv.gz").write_bytes(whole)
    (packed,) = splits(tmp_path / "b.csv.gz")
    assert not packed.small
    assert [row[1:] for row in read(parts)] == [row[1:] for row in read([packed])]
    assert [row[1] for row in read(parts)] == list(range(1, 201))


@pytest.mark.usefixtures("small_blocks")
def test_from_a_loose_quote_on_the_rest_is_one_split(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(table(150) + '150;lo"ose\n' + "".join(f"{i};z\n" for i in range(151, 220)))
    *checked, rest = splits(path)
    assert checked
    assert not rest.small
    assert [row[1] for row in read([*checked, rest])] == list(range(1, 221))


@pytest.mark.parametrize("data", ["", "a;b\n", "a;a\n1;2\n"])
def test_what_has_no_header_or_no_record_is_one_split_that_says_so(tmp_path: Path, data: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(data)
    (part,) = splits(path)
    if data == "a;b\n":
        assert read([part]) == []
    else:
        with pytest.raises(DataError):
            read([part])


def test_utf_16_is_one_split(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("a;b\n1;é\n".encode("utf-16"))
    (part,) = splits(path)
    assert read([part]) == [("a.csv", 1, "1", "é")]


def test_a_mark_at_the_start_of_a_later_split_is_part_of_a_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "BLOCK", 1 << 16)
    path = tmp_path / "a.csv"
    long = ((1 << 16) - 7) * b"2"  # with its record's end the first 64 KiB
    path.write_bytes(b"\xef\xbb\xbfa;b\n1;" + long + b"\n\xef\xbb\xbf3;4\n")
    assert len(splits(path)) == 2
    assert [row[2:] for row in read(splits(path))] == [("1", long.decode()), ("\ufeff3", "4")]


@pytest.mark.usefixtures("small_blocks")
def test_row_groups_of_parquet_are_splits(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": range(95)}), path, row_group_size=4)
    parts = splits(path)
    assert len(parts) == 8  # groups of four rows, three together
    assert [row[1:] for row in read(parts)] == [(i + 1, i) for i in range(95)]


def test_a_damaged_row_group_costs_the_rest_of_its_split_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "_GROUP_ROWS", 10)
    path = tmp_path / "a.parquet"
    with pq.ParquetWriter(path, pa.schema([("a", pa.int64())]), write_page_checksum=True) as writer:
        for start in range(0, 30, 10):
            writer.write_table(pa.table({"a": range(start, start + 10)}))
    group = pq.ParquetFile(path).metadata.row_group(1).column(0)
    data = bytearray(path.read_bytes())
    data[group.data_page_offset + 20] ^= 0xFF
    path.write_bytes(data)
    rows = read(splits(path))
    assert [row for row in rows if row[-1] == "broken_file"] == [("a.parquet", 11, "broken_file")]
    assert [row[1] for row in rows if row[-1] != "broken_file"] == [*range(1, 11), *range(21, 31)]


def test_files_are_cut_in_the_order_of_their_names_and_an_unreadable_one_is_a_record(
    tmp_path: Path,
) -> None:
    (tmp_path / "b.csv").write_text("a\n1\n")
    (tmp_path / "a.parquet").write_bytes(b"no parquet")
    (tmp_path / "c.jsonl").write_text('{"a": 2}\n')
    assert read(splits(tmp_path)) == [
        ("a.parquet", 1, "broken_file"),
        ("b.csv", 1, "1"),
        ("c.jsonl", 1, "2"),
    ]


def test_what_is_said_of_a_split_goes_with_its_chunks(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a\ncaf\xe9\ncaf\xe9\n")
    (part,) = splits(path)
    (chunk,) = part.chunks()
    ((sentence, times),) = chunk.notes
    assert "Windows-1252" in sentence
    assert times == 2


@pytest.mark.usefixtures("small_blocks")
def test_a_split_reads_the_same_in_another_process(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(table(200))
    part = splits(path)[2]
    program = (
        "import pickle, sys\n"
        "part = pickle.load(sys.stdin.buffer)\n"
        "print([(int(n), *r.values()) for c in part.chunks() for n, r in zip(c.records, c.rows.to_pylist())])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=pickle.dumps(part), capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == str([row[1:] for row in read([part])])
    assert replace(part, alone=False) != part
