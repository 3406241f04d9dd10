"""SQLite: values of any kind in any column, files that are none, and locks."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import tallystick as ts
from tallystick.config import Settings
from tallystick.connectors import database_sqlite_connection, is_state, open_sink, open_source
from tallystick.errors import DataError, TallystickError, UsageError

BATCH = pa.RecordBatch.from_pydict({"a": ["x", None], "n": [1, 2]})


@pytest.fixture
def made(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as connection:
        yield connection


def read(tmp_path: Path, what: str, **how: Any) -> tuple[pa.Table, tuple[str, ...]]:
    source = open_source(f"sqlite:///{tmp_path}/a.db?{what}", Settings(**how))
    return pa.Table.from_batches([chunk.rows for chunk in source.chunks()]), source.notes


def test_a_column_has_the_type_of_what_is_in_it(tmp_path: Path, made: sqlite3.Connection) -> None:
    made.execute(
        "CREATE TABLE t (whole INTEGER, real REAL, mixed, flag BOOLEAN, blob BLOB, both NUMERIC, no)"
    )
    made.execute("INSERT INTO t VALUES (1, 1, 'x', 1, x'00ff', 5, NULL), (2, .5, 1.5, 0, NULL, 5.5, NULL)")
    rows, _ = read(tmp_path, "table=t")
    kinds = {field.name: str(field.type) for field in rows.schema}
    assert kinds == {
        "whole": "int64",
        "real": "double",
        "mixed": "string",
        "flag": "bool",
        "blob": "string",
        "both": "double",
        "no": "string",
    }
    assert rows["mixed"].to_pylist() == ["x", "1.5"]
    assert rows["blob"].to_pylist() == ["00ff", None]
    assert rows["flag"].to_pylist() == [True, False]


def test_whole_numbers_among_real_ones_lose_nothing(tmp_path: Path, made: sqlite3.Connection) -> None:
    made.execute("CREATE TABLE t (x)")
    made.execute(f"INSERT INTO t VALUES ({2**53 + 1}), (0.1)")
    assert read(tmp_path, "table=t")[0]["x"].to_pylist() == [str(2**53 + 1), "0.1"]


def test_text_that_is_no_utf8_is_read_as_windows_and_counted(
    tmp_path: Path, made: sqlite3.Connection
) -> None:
    made.execute("CREATE TABLE t (x TEXT)")
    for i in range(10):
        made.execute(
            "INSERT INTO t VALUES (CAST(? AS TEXT))", (b"caf\xe9" if i in (4, 7) else b"caf\xc3\xa9",)
        )
    rows, notes = read(tmp_path, "table=t", batch_rows=3)
    assert rows["x"].to_pylist() == ["café"] * 10
    assert notes == ("t: 2 values are no UTF-8 and were read as Windows-1252",)


def test_rows_come_in_the_order_of_their_numbers(tmp_path: Path, made: sqlite3.Connection) -> None:
    made.execute("CREATE TABLE t (rowid TEXT, b)")
    made.execute("CREATE INDEX by_both ON t (rowid, b)")
    made.execute("INSERT INTO t VALUES ('z', 1), ('a', 2), ('m', 3)")
    assert read(tmp_path, "table=t")[0]["b"].to_pylist() == [1, 2, 3]
    made.execute("CREATE TABLE k (a INTEGER PRIMARY KEY, b) WITHOUT ROWID")
    made.execute("INSERT INTO k VALUES (2, 'y'), (1, 'x')")
    assert read(tmp_path, "table=k")[0]["a"].to_pylist() == [1, 2]


def test_a_view_is_read_and_never_written(tmp_path: Path, made: sqlite3.Connection) -> None:
    made.execute("CREATE TABLE t (a)")
    made.execute("INSERT INTO t VALUES (1)")
    made.execute("CREATE VIEW v AS SELECT a + 1 AS b FROM t")
    assert read(tmp_path, "table=v")[0].to_pylist() == [{"b": 2}]
    with pytest.raises(UsageError, match="is no table but: view"):
        open_sink(f"sqlite:///{tmp_path}/a.db?table=v")
    source = open_source(f"sqlite:///{tmp_path}/a.db?table=v", Settings())
    with pytest.raises(UsageError, match="is read by the input itself"):
        open_sink(f"sqlite:///{tmp_path}/a.db?table=t", source=source)


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"Not one at all. " * 100)
    for what in (open_source, open_sink):
        with pytest.raises(UsageError, match="is no SQLite database"):
            what(f"sqlite:///{tmp_path}/a.db?table=t", Settings() if what is open_source else None)
    with pytest.raises(UsageError, match=r'is not there(.|\n)*Did you mean "a.db"'):
        open_source(f"sqlite:///{tmp_path}/b.db?table=t", Settings())
    with pytest.raises(UsageError, match="is a folder"):
        open_source(f"sqlite:///{tmp_path}?table=t", Settings())


def test_a_damaged_file_is_told(tmp_path: Path, made: sqlite3.Connection) -> None:
    made.execute("CREATE TABLE t (a)")
    made.executemany("INSERT INTO t VALUES (?)", [("x" * 1000,)] * 100)
    made.close()
    data = bytearray((tmp_path / "a.db").read_bytes())
    data[4096 * 3 :] = bytes(len(data) - 4096 * 3)
    (tmp_path / "a.db").write_bytes(data)
    with pytest.raises(DataError, match="is damaged"):
        read(tmp_path, "table=t")


def test_a_lock_of_another_is_waited_for_and_then_told(
    tmp_path: Path, made: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_sqlite_connection, "PATIENCE", 0.05)
    made.execute("CREATE TABLE t (a)")
    made.execute("BEGIN IMMEDIATE")
    sink = open_sink(f"sqlite:///{tmp_path}/a.db?table=u")
    sink.__enter__()
    sink.write(BATCH)
    with pytest.raises(TallystickError, match="the database is locked") as caught:
        sink.__exit__(None, None, None)
    assert caught.value.exit_code == 1
    assert sorted(one.name for one in tmp_path.iterdir() if "partial" in one.name) == []


FULL = """
    import resource, sys
    import pyarrow as pa
    from tallystick.connectors import open_sink
    from tallystick.errors import TallystickError
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
    batch = pa.RecordBatch.from_pydict({"a": ["x" * 1000] * 1000})
    try:
        with open_sink(sys.argv[1], batch.schema) as sink:
            for _ in range(3):
                sink.write(batch)
    except TallystickError as error:
        print(error.exit_code, error.message)
"""


def test_a_full_disk_leaves_the_old_table(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/a.db?table=t"
    with open_sink(uri) as sink:
        sink.write(BATCH)
    command = [sys.executable, "-c", textwrap.dedent(FULL), uri]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"1 {uri} could not be read or written: the disk ")
    rows, _ = read(tmp_path, "table=t")
    assert rows.to_pylist() == BATCH.to_pylist()
    assert [one.name for one in tmp_path.iterdir()] == ["a.db"]


def test_readers_of_a_table_do_not_keep_its_successor_waiting(
    tmp_path: Path, made: sqlite3.Connection
) -> None:
    uri = f"sqlite:///{tmp_path}/a.db?table=t"
    for _ in range(2):
        with open_sink(uri) as sink:
            sink.write(BATCH)
    assert [row[0] for row in made.execute("SELECT name FROM sqlite_master")] == ["t"]


def test_what_a_stream_delivers_to_is_not_replaced(tmp_path: Path, made: sqlite3.Connection) -> None:
    made.execute("CREATE TABLE ts_delivered (tenant, stream, target, number)")
    made.execute("INSERT INTO ts_delivered VALUES ('default', 's', 'decisions', 4)")
    made.execute("CREATE TABLE decisions (a)")
    with pytest.raises(UsageError, match="is what a stream delivers to"):
        open_sink(f"sqlite:///{tmp_path}/a.db")
    open_sink(f"sqlite:///{tmp_path}/a.db?table=others")


def test_a_state_is_known_by_its_table(tmp_path: Path, made: sqlite3.Connection) -> None:
    uri = f"sqlite:///{tmp_path}/a.db"
    assert is_state(uri) is False
    made.execute("CREATE TABLE ts_head (a)")
    assert is_state(uri) is True
    assert is_state(f"{uri}?table=t") is False
    assert is_state(str(tmp_path / "a.db")) is False


def test_a_table_scores_as_its_file_does(tmp_path: Path, records: Path, model: Path) -> None:
    """The same records by file and by database: the same decisions but for the name of the place."""
    uri = f"sqlite:///{tmp_path}/a.db?table=complaints"
    source = open_source(records, Settings())
    with open_sink(uri) as sink:
        for chunk in source.chunks():
            sink.write(chunk.rows)
    for name, given in (("file", records), ("table", uri)):
        ts.score("complaints", given, model=model, output=tmp_path / f"{name}.jsonl")
    assert (tmp_path / "file.jsonl").read_bytes() == (tmp_path / "table.jsonl").read_bytes()
