"""Parquet: typed columns, times to the microsecond, damage that keeps what came before."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tallystick.errors import DataError


def test_nanoseconds_become_microseconds_downwards(read_path: Any, tmp_path: Path) -> None:
    naive = pa.array([-1, 1_999, None, 2**62], pa.timestamp("ns"))
    zoned = pa.array([-1, 1_999, None, 2**62], pa.timestamp("ns", tz="Europe/Berlin"))
    pq.write_table(pa.table({"n": naive, "z": zoned}), tmp_path / "a.parquet")
    rows = read_path(tmp_path / "a.parquet").chunks[0].rows
    assert rows.schema.types == [pa.timestamp("us"), pa.timestamp("us", tz="Europe/Berlin")]
    for column in rows.columns:
        assert column.cast(pa.int64()).to_pylist() == [-1, 1, None, 2**62 // 1000]


def test_old_spark_times_are_read_beyond_the_nanosecond_range(read_path: Any, tmp_path: Path) -> None:
    far = dt.datetime(9999, 12, 31)
    table = pa.table({"t": pa.array([far], pa.timestamp("us"))})
    pq.write_table(table, tmp_path / "a.parquet", use_deprecated_int96_timestamps=True)
    assert read_path(tmp_path / "a.parquet").rows == [{"t": far}]


def test_types_stay_and_ways_of_keeping_them_go(read_path: Any, tmp_path: Path) -> None:
    table = pa.table(
        {
            "d": pa.array(["x", None, "x"]).dictionary_encode(),
            "l": pa.array(["a", "b", None], pa.large_string()),
            "v": pa.array(["a", "b", None], pa.string_view()),
            "b": pa.array([b"text", b"caf\xe9", None]),
            "i": pa.array([1, 2**62, None], pa.int64()),
            "n": pa.array([[1], [], None], pa.list_(pa.int32())),
            "s": pa.array([{"k": "é"}, {"k": None}, None]),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    found = read_path(tmp_path / "a.parquet")
    text = [pa.string()] * 4
    assert found.chunks[0].rows.schema.types == [*text, pa.int64(), pa.string(), pa.string()]
    assert found.rows[1] == {
        "d": None,
        "l": "b",
        "v": "b",
        "b": "café",
        "i": 2**62,
        "n": "[]",
        "s": '{"k":null}',
    }
    assert found.rows[2]["n"] is None
    assert found.rows[2]["s"] is None


@pytest.mark.parametrize("batch_rows", [1000, 30_000, 65_536])
def test_rows_before_damage_are_kept(batch_rows: int, read_path: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table({"a": [f"{i * 7919:x}" for i in range(40_000)]})
    pq.write_table(table, path, row_group_size=10_000, write_page_checksum=True, use_dictionary=False)
    at = pq.ParquetFile(path).metadata.row_group(2).column(0).data_page_offset
    data = bytearray(path.read_bytes())
    data[at + 200 : at + 260] = b"\xff" * 60
    path.write_bytes(data)
    found = read_path(path, batch_rows=batch_rows)
    assert found.codes() == [(20_001, "broken_file")]
    assert [row["a"] for row in found.rows] == table.column("a").to_pylist()[:20_000]


def test_what_is_no_parquet_is_refused(read_bytes: Any, read_path: Any, tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": list(range(1000))}), tmp_path / "good.parquet")
    good = (tmp_path / "good.parquet").read_bytes()
    wrong_foot = good[:-60] + b"\xff" * 40 + good[-20:]
    for data in (b"", b"PAR1", b"a,b\n1,2\n", good[:-10], wrong_foot):
        with pytest.raises(DataError, match="no readable Parquet"):
            read_bytes(data, "bad.parquet")
    at = pq.ParquetFile(tmp_path / "good.parquet").metadata.row_group(0).column(0).dictionary_page_offset
    with pytest.raises(DataError, match=r"damaged|no readable"):
        read_bytes(good[:at] + b"\xff" * 200 + good[at + 200 :], "bad.parquet")


def test_no_row_is_refused(read_path: Any, tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="no row"):
        read_path(tmp_path / "a.parquet")


def test_a_doubled_column_is_named(read_path: Any, tmp_path: Path) -> None:
    pq.write_table(
        pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"]), tmp_path / "a.parquet"
    )
    with pytest.raises(DataError, match='"x" more than once'):
        read_path(tmp_path / "a.parquet")
