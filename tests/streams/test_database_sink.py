"""Decisions into a table: exactly once, through kills, restarts, and a second process that should not be."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from tests.servers.databases import Run
from tests.servers.postgres import Server

from tallystick.config import Settings
from tallystick.connectors import open_sink, open_source
from tallystick.connectors.database_postgresql_connection import UnreachableError
from tallystick.errors import TallystickError, UsageError
from tallystick.scorer.decision import decision_schema
from tallystick.streams.sinks.database import open_stream
from tallystick.streams.sinks.database_postgresql import PostgreSQLAppending

SCHEMA = decision_schema(all_scores=True)


def decisions(*names: str) -> pa.RecordBatch:
    rows = [
        {
            "id": name,
            "event_time": 1_704_153_600_000_000 + i,
            "task": "fraud",
            "label": "yes",
            "score": 0.1 + i,
            "action": "review",
            "route": {"department": "cards", "priority": "high", "due": None, "rule": None} if i else None,
            "reasons": [{"feature": "a", "value": 1.5, "effect": None, "words": 'say "x"'}] * (i % 3),
            "model": "m",
            "sequence": [("customer_id", i)],
            "late": i % 2 == 1,
            "scores": [("yes", 0.1), ("no", 0.9)],
        }
        for i, name in enumerate(names)
    ]
    return pa.RecordBatch.from_pylist(rows, schema=SCHEMA)


def ids(run: Run, table: str = "decisions") -> list[str]:
    return sorted(row[0] for row in run(f"SELECT id FROM {table}").fetchall())


def test_each_entry_is_delivered_once(database: str, run: Run) -> None:
    sink = open_stream(database, SCHEMA, Settings(), stream="fraud")
    assert sink.resume(0, None) == 0
    assert sink.deliver(1, [decisions("a", "b")]) == {"number": 1}
    assert sink.deliver(3, [decisions("c"), decisions()]) == {"number": 3}
    assert sink.deliver(3, [decisions("c")]) == {"number": 3}  # again: nothing
    assert sink.deliver(4, []) == {"number": 4}
    sink.close()
    sink.close()
    again = open_stream(database, SCHEMA, Settings(), stream="fraud")
    assert again.resume(1, {"number": 1}) == 4  # it knows better than the mark
    again.deliver(5, [decisions("d")])
    again.close()
    assert ids(run) == ["a", "b", "c", "d"]
    assert run("SELECT stream, target, number FROM ts_delivered").fetchall() == [("fraud", "decisions", 5)]
    assert "postgres@" not in sink.name


def test_streams_and_tables_have_positions_of_their_own(database: str, run: Run) -> None:
    for stream, table in (("one", "decisions"), ("two", "decisions"), ("one", "more")):
        sink = open_stream(f"{database}?table={table}", SCHEMA, Settings(), stream=stream)
        assert sink.resume(0, None) == 0
        sink.deliver(7, [decisions(f"{stream}-{table}")])
        sink.close()
    assert (ids(run), ids(run, "more")) == (["one-decisions", "two-decisions"], ["one-more"])


def test_a_batch_writes_the_same_values(database: str) -> None:
    batch = decisions("a", "b", "c")
    with open_sink(f"{database}?table=batch", SCHEMA) as whole:
        whole.write(batch)
    sink = open_stream(f"{database}?table=moving", SCHEMA, Settings(), stream="s")
    sink.resume(0, None)
    sink.deliver(1, [batch])
    sink.close()
    one, two = (
        [chunk.rows for chunk in open_source(f"{database}?table={table}", Settings()).chunks()]
        for table in ("batch", "moving")
    )
    assert one == two
    first = one[0].to_pylist()[1]
    assert json.loads(first["reasons"])[0]["words"] == 'say "x"'
    assert json.loads(first["sequence"]) == {"customer_id": 1}


def test_a_second_that_delivers_is_refused(database: str, run: Run) -> None:
    old, new = (open_stream(database, SCHEMA, Settings(), stream="s") for _ in range(2))
    old.resume(0, None)
    new.resume(0, None)
    new.deliver(1, [decisions("a")])
    with pytest.raises(TallystickError, match="somebody else delivers"):
        old.deliver(1, [decisions("a")])
    assert ids(run) == ["a"]
    assert old.resume(0, None) == 1
    old.deliver(2, [decisions("b")])
    assert ids(run) == ["a", "b"]
    old.close()
    new.close()


def test_a_failed_delivery_leaves_nothing(database: str, run: Run) -> None:
    sink = open_stream(database, SCHEMA, Settings(), stream="s")
    sink.resume(0, None)
    if database.startswith("sqlite"):
        run("CREATE UNIQUE INDEX ids ON decisions (id)")
    else:
        run("ALTER TABLE decisions ADD UNIQUE (id)")
    with pytest.raises(TallystickError):
        sink.deliver(1, [decisions("a", "b"), decisions("a")])
    assert ids(run) == []
    assert sink.resume(0, None) == 0
    sink.deliver(1, [decisions("a", "b")])
    assert ids(run) == ["a", "b"]
    sink.close()


def test_a_table_of_another_kind_is_refused(database: str, run: Run) -> None:
    run("CREATE TABLE decisions (id TEXT, task TEXT, mine TEXT)")
    sink = open_stream(database, SCHEMA, Settings(), stream="s")
    with pytest.raises(UsageError, match="has no column event_time, label"):
        sink.resume(0, None)
    few = SCHEMA.empty_table().select(["id", "task"]).schema
    sink = open_stream(database, few, Settings(), stream="s")
    sink.resume(0, None)
    sink.deliver(1, [decisions("a").select(["id", "task"])])
    assert run("SELECT id, task, mine FROM decisions").fetchall() == [("a", "fraud", None)]
    sink.close()
    with pytest.raises(UsageError, match="is what a stream delivers to"):
        open_sink(database)


def test_the_state_of_another_connection_lies_in_the_same_file(tmp_path: Path) -> None:
    """Another writer holds the file for a moment: the delivery waits for it."""
    uri = f"sqlite:///{tmp_path}/a.db"
    sink = open_stream(uri, SCHEMA, Settings(), stream="s")
    sink.resume(0, None)
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None, check_same_thread=False)) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE ts_log (a)")
        threading.Timer(0.3, lambda: other.execute("COMMIT")).start()
        began = time.monotonic()
        sink.deliver(1, [decisions("a")])
        assert time.monotonic() - began > 0.2
        assert ids(other.execute) == ["a"]
    sink.close()


KILLED = """
    import sys
    sys.path.insert(0, sys.argv[2])
    from test_database_sink import SCHEMA, decisions
    from tallystick.config import Settings
    from tallystick.streams.sinks.database import open_stream
    sink = open_stream(sys.argv[1], SCHEMA, Settings(), stream="s")
    number = sink.resume(0, None)
    first = number
    while True:
        number += 1
        if number == first + 3:  # all that is slow to begin has begun
            print("ready", flush=True)
        sink.deliver(number, [decisions(*(f"{number:06}-{i}" for i in range(number % 50)))])
"""


def test_a_killed_process_leaves_whole_entries(database: str, run: Run) -> None:
    for moment in (0.05, 0.2, 0.4):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(KILLED), database, str(Path(__file__).parent)],
            stdout=subprocess.PIPE, cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(moment)
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()
    until = time.monotonic() + 10  # a server may still be at the last commit
    while True:
        (number,) = run("SELECT number FROM ts_delivered").fetchone()
        there = ids(run)
        if there == sorted(f"{n:06}-{i}" for n in range(1, number + 1) for i in range(n % 50)):
            break
        assert time.monotonic() < until
    assert number > 3


@pytest.mark.postgres
def test_an_answer_that_is_lost_does_not_double_what_was_kept(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction is kept, and its answer does not arrive."""
    keep = PostgreSQLAppending._append
    lost = iter([True, False, False])

    def once(self: PostgreSQLAppending, *what: Any) -> bool:
        done = keep(self, *what)
        if next(lost):
            raise UnreachableError("gone")
        return done

    monkeypatch.setattr(PostgreSQLAppending, "_append", once)
    sink = open_stream(postgres, SCHEMA, Settings(), stream="s")
    sink.resume(0, None)
    sink.deliver(1, [decisions("a")])
    sink.deliver(2, [decisions("b")])
    sink.close()
    with psycopg.connect(postgres, autocommit=True) as connection:
        assert ids(connection.execute) == ["a", "b"]


@pytest.mark.postgres
def test_a_server_that_falls_between_and_during_deliveries(postgres_server: Server) -> None:
    sink = open_stream(postgres_server.uri(), SCHEMA, Settings(), stream="s")
    sink.resume(0, None)
    names: list[str] = []

    def fall() -> None:
        for _ in range(2):
            time.sleep(0.2)
            postgres_server.stop(signal.SIGKILL)
            postgres_server.start()

    falling = threading.Thread(target=fall)
    falling.start()
    try:
        while falling.is_alive():
            names.append(f"{len(names):06}")
            sink.deliver(len(names), [decisions(names[-1])])
    finally:
        falling.join()
    sink.close()
    with psycopg.connect(postgres_server.uri(), autocommit=True) as connection:
        assert ids(connection.execute) == sorted(names)
