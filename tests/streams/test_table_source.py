"""New rows of a table: each once, none passed over, whatever order transactions end in."""

from __future__ import annotations

import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.servers.databases import Run
from tests.servers.postgres import Server

from tallystick.config import Settings
from tallystick.errors import DataError, UsageError
from tallystick.streams.sources import open_stream
from tallystick.streams.sources import table as module
from tallystick.streams.sources.table import TableSource

WAIT = 0.05


def opened(uri: str, position: dict[str, Any] | None = None) -> TableSource:
    source = open_stream(uri, Settings())
    assert isinstance(source, TableSource)
    source.seek(position)
    return source


def all_of(source: TableSource, column: str = "id", most: int = 1000) -> list[Any]:
    found = []
    while taken := source.take(most, WAIT):
        for one in taken:
            assert len(one.chunk.rows) == len(one.arrived) == len(one.chunk.records) <= most
            found += one.chunk.rows.column(column).to_pylist()
    return found


def serial(database: str) -> str:
    if database.startswith("sqlite"):
        return "CREATE TABLE pay (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT)"
    return "CREATE TABLE pay (id bigserial PRIMARY KEY, v text)"


def test_new_rows_come_once_and_go_on_after_a_restart(database: str, run: Run) -> None:
    run(serial(database))
    uri = f"{database}?table=pay"
    source = opened(uri)
    assert (source.take(10, WAIT), source.lag(), source.ended) == ([], 0, False)
    for i in range(7):
        run(f"INSERT INTO pay (v) VALUES ('x{i}')")
    first = source.take(5, WAIT)
    assert [(one.chunk.name, one.chunk.records.tolist()) for one in first] == [("pay", [1, 2, 3, 4, 5])]
    assert first[0].chunk.rows.column("v").to_pylist() == [f"x{i}" for i in range(5)]
    assert abs(first[0].arrived[0] / 1e6 - time.time()) < 30
    source.close()
    again = opened(uri, first[-1].position)
    assert again.lag() == 2
    rest = again.take(5, WAIT)
    assert [one.chunk.records.tolist() for one in rest] == [[6, 7]]
    assert (all_of(again), again.lag()) == ([], 0)
    run("INSERT INTO pay (v) VALUES ('late')")
    assert all_of(again, "v") == ["late"]
    again.close()
    again.close()
    assert (source.name, "postgres@" in source.name) == (again.name, False)


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_equal_values_are_told_apart(database: str, run: Run, most: int) -> None:
    kind = "timestamptz" if database.startswith("postgresql") else "TEXT"
    run(f"CREATE TABLE pay (at {kind}, id INTEGER PRIMARY KEY)")
    for i, hour in enumerate([1, 1, 1, 2, 2, 1, 3]):
        run(f"INSERT INTO pay VALUES ('2024-01-31 0{hour}:00:00.123456+00', {i})")
    uri = f"{database}?table=pay&rising=at"
    source = opened(uri)
    found, position = [], None
    while taken := source.take(most, WAIT):
        found += taken[0].chunk.rows.column("id").to_pylist()
        position = taken[0].position
        source.close()
        source = opened(uri, position)
    assert found == [0, 1, 2, 5, 3, 4, 6]
    run("INSERT INTO pay VALUES ('2024-01-31 03:00:00.123456+00', 9)")  # the same value, later
    assert all_of(source) == [9]
    assert source.notes == ("pay: at has no index, so every look reads the whole table",)
    source.close()


def test_rows_without_a_value_are_told_of(database: str, run: Run) -> None:
    run("CREATE TABLE pay (n INTEGER UNIQUE, id INTEGER PRIMARY KEY)")
    run("INSERT INTO pay VALUES (5, 1), (NULL, 2), (3, 3)")
    source = opened(f"{database}?table=pay&rising=n")
    assert (all_of(source), source.notes) == ([3, 1], ("pay: rows without a value in n are not read",))
    source.close()


def test_a_table_made_anew_is_told_of(database: str, run: Run) -> None:
    run(serial(database))
    run("INSERT INTO pay (v) VALUES ('x')")
    position = {"column": "id", "after": ["i9" if database.startswith("sqlite") else "9"], "records": 9}
    source = opened(f"{database}?table=pay", position)
    assert source.notes == ("pay: its newest id is 1, below 9, where it was left: was the table made anew?",)
    source.close()
    with pytest.raises(DataError, match="by the column at before, and by id now"):
        opened(f"{database}?table=pay", {**position, "column": "at"})


@pytest.mark.parametrize(
    ("made", "options", "words"),
    [
        ("CREATE TABLE pay (a TEXT PRIMARY KEY)", "", "no primary key of one whole number"),
        ("CREATE TABLE pay (a INT, b INT, PRIMARY KEY (a, b))", "", "no primary key of one whole number"),
        ("CREATE TABLE pay (amount INT PRIMARY KEY)", "&rising=amuont", 'Did you mean "amount"'),
        ("CREATE TABLE pay (a INT PRIMARY KEY)", "&poll=soon", 'poll="soon" is no time'),
        ("CREATE TABLE pay (a INT PRIMARY KEY)", "&pol=1", 'no option "pol"'),
        ("CREATE TABLE paid (a INT PRIMARY KEY)", "", "There are: paid."),
    ],
)
def test_what_cannot_be_read_by_is_told(database: str, run: Run, made: str, options: str, words: str) -> None:
    run(made)
    with pytest.raises(UsageError) as caught:
        open_stream(f"{database}?table=pay{options}", Settings())
    assert words in str(caught.value)


def test_values_that_need_not_differ_want_a_key(database: str, run: Run) -> None:
    without = " WITHOUT ROWID" if database.startswith("sqlite") else ""
    run(f"CREATE TABLE pay (a TEXT PRIMARY KEY, n INTEGER){without}")
    with pytest.raises(UsageError, match="the values of n need not differ"):
        open_stream(f"{database}?table=pay&rising=n", Settings())


def test_a_query_has_no_new_rows(database: str) -> None:
    with pytest.raises(UsageError, match="a query has no new rows"):
        open_stream(f"{database}?query=SELECT 1 AS a", Settings())


def test_with_a_rate_what_is_there_is_replayed(database: str, run: Run) -> None:
    run(serial(database))
    for i in range(5):
        run(f"INSERT INTO pay (v) VALUES ('x{i}')")
    source = open_stream(f"{database}?table=pay&rising=id", Settings(), rate=1000)
    source.seek(None)
    found: list[str] = []
    while not source.ended:
        for one in source.take(2, 1.0):
            found += one.chunk.rows.column("v").to_pylist()
    assert found == [f"x{i}" for i in range(5)]
    source.close()


def test_a_locked_file_only_waits(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as connection:
        connection.execute(serial("sqlite"))
        source = opened(f"sqlite:///{tmp_path}/a.db?table=pay")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("INSERT INTO pay (v) VALUES ('x')")
        began = time.monotonic()
        assert source.take(10, WAIT) == []
        assert time.monotonic() - began < 5
        assert source.lag() == 1  # it cannot be known
        connection.execute("COMMIT")
        assert all_of(source) == [1]
        source.close()


def test_text_that_is_no_utf8_does_not_stop_it(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as connection:
        connection.execute(serial("sqlite"))
        connection.execute("INSERT INTO pay (v) VALUES ('x'), (CAST(x'636166e9' AS TEXT))")
        source = opened(f"sqlite:///{tmp_path}/a.db?table=pay")
        assert all_of(source, "v") == ["x", "café"]
        assert "read as Windows-1252" in source.notes[-1]
        source.close()


@pytest.fixture
def other(postgres: str) -> Iterator[psycopg.Connection[Any]]:
    """A transaction of somebody else."""
    with psycopg.connect(postgres) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def writer(postgres: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE pay (id bigserial PRIMARY KEY, at timestamptz DEFAULT now(), v text)"
        )
        yield connection


@pytest.mark.postgres
@pytest.mark.parametrize("late", ["INSERT INTO pay (v) VALUES ('late')", "SELECT nextval('pay_id_seq')"])
def test_a_lower_number_that_is_committed_later_is_not_passed_over(
    postgres: str, writer: psycopg.Connection[Any], other: psycopg.Connection[Any], late: Any
) -> None:
    source = opened(f"{postgres}?table=pay")
    done = other.execute(late)
    number = done.fetchone() if "SELECT" in late else None
    writer.execute("INSERT INTO pay (v) VALUES ('early')")
    assert source.take(10, 0.3) == []
    assert source.lag() == 1  # it is there, and waits
    if number:
        other.execute("INSERT INTO pay (id, v) VALUES (%s, 'late')", number)
    other.commit()
    assert all_of(source, "v") == ["late", "early"]
    source.close()


@pytest.mark.postgres
def test_a_partition_and_a_prepared_transaction_are_waited_for_too(
    postgres: str, writer: psycopg.Connection[Any], other: psycopg.Connection[Any]
) -> None:
    writer.execute("CREATE TABLE parts (id bigserial, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id)")
    writer.execute("CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (1000)")
    source = opened(f"{postgres}?table=parts")
    number = writer.execute("SELECT nextval('parts_id_seq')").fetchone()
    other.execute("INSERT INTO parts_1 (id, v) VALUES (%s, 'late')", number)
    writer.execute("INSERT INTO parts (v) VALUES ('early')")
    assert source.take(10, 0.2) == []
    other.commit()
    assert all_of(source, "v") == ["late", "early"]
    source.close()


@pytest.mark.postgres
def test_a_long_report_keeps_nobody_waiting(
    postgres: str, writer: psycopg.Connection[Any], other: psycopg.Connection[Any]
) -> None:
    source = opened(f"{postgres}?table=pay")
    other.execute("SELECT * FROM pay")
    writer.execute("INSERT INTO pay (v) VALUES ('x')")
    assert len(source.take(10, 1.0)) == 1
    source.close()


@pytest.mark.postgres
def test_a_time_by_now_waits_for_whoever_began_before(
    postgres: str, writer: psycopg.Connection[Any], other: psycopg.Connection[Any]
) -> None:
    source = opened(f"{postgres}?table=pay&rising=at")
    other.execute("SELECT 1")  # its now() is this moment, and it holds no lock on the table
    writer.execute("INSERT INTO pay (v) VALUES ('early')")
    assert source.take(10, 0.3) == []
    other.execute("INSERT INTO pay (v) VALUES ('late')")
    other.commit()
    assert all_of(source, "v") == ["late", "early"]
    source.close()


@pytest.mark.postgres
def test_a_lag_holds_back(postgres: str, writer: psycopg.Connection[Any]) -> None:
    source = opened(f"{postgres}?table=pay&lag=0.5")
    writer.execute("INSERT INTO pay (v) VALUES ('x')")
    began = time.monotonic()
    assert source.take(10, 0.1) == []
    assert len(source.take(10, 5)) == 1
    assert time.monotonic() - began > 0.5
    source.close()


@pytest.mark.postgres
def test_many_writers_at_once_lose_nothing(postgres: str, writer: psycopg.Connection[Any]) -> None:
    """Transactions of random length, some rolled back, are read while they write."""
    stop = threading.Event()

    def write(seed: int) -> None:
        with psycopg.connect(postgres) as connection:
            for i in range(40):
                for _ in range(1 + (i + seed) % 3):
                    connection.execute("INSERT INTO pay (v) VALUES (%s)", (f"{seed}-{i}",))
                    time.sleep(0.001 * ((i * seed) % 4))
                (connection.rollback if (i + seed) % 7 == 0 else connection.commit)()

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
    found: list[int] = []
    source = opened(f"{postgres}?table=pay&poll=0.01")
    for thread in threads:
        thread.start()
    try:
        while any(thread.is_alive() for thread in threads):
            for one in source.take(7, 0.02):
                found += one.chunk.rows.column("id").to_pylist()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    found += all_of(source)
    source.close()
    there = [row[0] for row in writer.execute("SELECT id FROM pay ORDER BY id")]
    assert found == there
    assert len(there) > 200


@pytest.mark.postgres
def test_a_server_that_falls_and_comes_back_is_gone_on_with(
    postgres_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = postgres_server.uri()
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("CREATE TABLE pay (id bigserial PRIMARY KEY, v text)")
        connection.execute("INSERT INTO pay (v) VALUES ('a'), ('b')")
    source = opened(f"{uri}?table=pay")
    assert len(source.take(1, 1.0)) == 1
    postgres_server.stop(signal.SIGKILL)
    threading.Timer(0.5, postgres_server.start).start()
    assert all_of(source, "v") == ["b"]
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("INSERT INTO pay (v) VALUES ('c')")
    assert all_of(source, "v") == ["c"]
    postgres_server.stop()
    monkeypatch.setattr(module, "_PATIENCE", 0.2)
    with pytest.raises(UsageError, match="cannot be reached") as caught:
        source.take(1, WAIT)
    assert caught.value.hint
    source.close()
