"""PostgreSQL: its types, its errors in words, and what is dropped and kept."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from tallystick.config import Settings
from tallystick.connectors import is_state, open_sink, open_source
from tallystick.errors import MissingExtraError, TallystickError, UsageError

pytestmark = pytest.mark.postgres

BATCH = pa.RecordBatch.from_pydict({"a": ["x", None], "n": [1, 2]})
Connection = psycopg.Connection[Any]


@pytest.fixture
def made(postgres: str) -> Iterator[Connection]:
    with psycopg.connect(postgres, autocommit=True) as connection:
        yield connection


def read(uri: str, **how: Any) -> pa.Table:
    return pa.Table.from_batches([chunk.rows for chunk in open_source(uri, Settings(**how)).chunks()])


TYPES = {
    "1::int2": 1,
    "1::int4": 1,
    "9223372036854775807::int8": 2**63 - 1,
    "0.1::float8": 0.1,
    "1.5::float4": 1.5,
    "12345678901234567890.10::numeric": "12345678901234567890.10",
    "'NaN'::numeric": "NaN",
    "true": True,
    "'2024-01-31 12:00:00.000005+01'::timestamptz": dt.datetime(2024, 1, 31, 11, 0, 0, 5, dt.UTC),
    "'2024-01-31 12:00'::timestamp": dt.datetime(2024, 1, 31, 12),
    "'infinity'::timestamptz": dt.datetime(9999, 12, 31, 23, 59, 59, 999999, dt.UTC),
    "'4713-01-01 BC'::timestamp": dt.datetime(1, 1, 1),
    "'infinity'::date": dt.date(9999, 12, 31),
    "'2024-01-31'::date": dt.date(2024, 1, 31),
    "'ab'::char(5)": "ab",
    "'ab '::varchar(5)": "ab ",
    "''::text": "",
    "'\\x00ff'::bytea": "00ff",
    '\'{"b": 1,  "a": 1.0}\'::json': '{"b": 1,  "a": 1.0}',
    "'{\"b\": 1}'::jsonb": '{"b": 1}',
    "'0b0e5a9c-0000-4000-8000-000000000001'::uuid": "0b0e5a9c-0000-4000-8000-000000000001",
    "'sad'::mood": "sad",
    "array['a', null, 'q\"']": '["a",null,"q\\""]',
    "array[array[1,2]]": "[[1,2]]",
    "'2024-01-31 12:00+01'::timestamptz::text": "2024-01-31 11:00:00+00",
    "array['2024-01-31 12:00+01'::timestamptz]": '["2024-01-31T11:00:00+00:00"]',
    "'10.0.0.1'::inet": "10.0.0.1/32",
    "'1 day 2 hours'::interval": "P1DT2H",
    "'10:30'::time": "10:30:00",
    "5::posint": 5,
    "'5.10'::money::numeric": "5.10",
    "'1.50'::money": "1.50",
}


def test_every_type_comes_as_the_contract_can_take_it(postgres: str, made: Connection) -> None:
    made.execute("CREATE TYPE mood AS ENUM ('sad', 'ok')")
    made.execute("CREATE DOMAIN posint AS int CHECK (value > 0)")
    made.execute(f"ALTER DATABASE {made.info.dbname} SET TimeZone = 'Asia/Tokyo'")
    columns = ", ".join(f"{sql} AS c{i}" for i, sql in enumerate(TYPES))
    made.execute(f"CREATE TABLE t AS SELECT {columns}")  # type: ignore[arg-type]
    made.execute("INSERT INTO t DEFAULT VALUES")
    first, nothing = read(f"{postgres}?table=t").to_pylist()
    assert dict(zip(TYPES, first.values(), strict=True)) == TYPES
    assert set(nothing.values()) == {None}
    assert list(read(f"{postgres}?query=SELECT * FROM t").to_pylist()[0].values()) == list(first.values())


def test_columns_of_one_name_in_a_query(postgres: str) -> None:
    rows = read(f"{postgres}?query=SELECT 1 AS a, 'x' AS a")
    assert rows.schema.names == ["a", "a"]
    assert [column.to_pylist() for column in rows.columns] == [[1], ["x"]]


def test_rows_come_in_the_order_of_the_key(postgres: str, made: Connection) -> None:
    made.execute('CREATE TABLE t (b int, "A" int, PRIMARY KEY ("A", b))')
    made.execute("INSERT INTO t VALUES (1, 2), (2, 1), (1, 1)")
    assert read(f"{postgres}?table=t").to_pylist() == [{"b": 1, "A": 1}, {"b": 2, "A": 1}, {"b": 1, "A": 2}]


def test_a_table_in_a_schema(postgres: str, made: Connection) -> None:
    made.execute('CREATE SCHEMA "Bank"')
    with open_sink(f"{postgres}?table=Bank.t") as sink:
        sink.write(BATCH)
    with open_sink(f"{postgres}?table=t") as sink:
        sink.write(BATCH.slice(1))
    assert (len(read(f"{postgres}?table=Bank.t")), len(read(f"{postgres}?table=t"))) == (2, 1)
    with pytest.raises(UsageError, match=r'has no schema "bank"(.|\n)*Did you mean "Bank"'):
        open_sink(f"{postgres}?table=bank.t")
    with pytest.raises(UsageError, match=r'has no table "u"(.|\n)*There are: Bank.t, t'):
        open_source(f"{postgres}?table=u", Settings())


def test_types_of_a_table_that_was_written(postgres: str, made: Connection) -> None:
    batch = pa.RecordBatch.from_arrays(
        [
            pa.array([None], pa.decimal128(12, 2)),
            pa.array([0], pa.timestamp("us", tz="UTC")),
            pa.array([0], pa.timestamp("ns")),
            pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
            pa.array([b"\0"]),
            pa.array(["a\0b"]),
            pa.array([[{"x": "a\0b\\u0000"}]]),
        ],
        names=["money", "at", "naive", "map", "raw", "nul", "nested"],
    )
    with open_sink(f"{postgres}?table=t") as sink:
        sink.write(batch)
    found = made.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = 't'::regclass AND attnum > 0"
    ).fetchall()
    assert dict(found) == {
        "money": "numeric(12,2)",
        "at": "timestamp with time zone",
        "naive": "timestamp without time zone",
        "map": "jsonb",
        "raw": "bytea",
        "nul": "text",
        "nested": "jsonb",
    }
    row = made.execute("SELECT nul, nested, extract(epoch FROM at)::int FROM t").fetchone()
    assert row == ("a\\x00b", [{"x": "a\\x00b\\u0000"}], 0)


def test_a_view_that_stands_on_the_old_table_keeps_it(postgres: str, made: Connection) -> None:
    made.execute("CREATE TABLE t AS SELECT 1 AS a")
    made.execute("CREATE VIEW v AS SELECT * FROM t")
    with pytest.raises(UsageError, match="is no table but a view"):
        open_sink(f"{postgres}?table=v")
    with pytest.raises(UsageError, match="cannot be replaced"), open_sink(f"{postgres}?table=t") as sink:
        sink.write(BATCH)
    assert read(f"{postgres}?table=t").to_pylist() == [{"a": 1}]
    source = open_source(f"{postgres}?table=v", Settings())
    with pytest.raises(UsageError, match="is read by the input itself"):
        open_sink(f"{postgres}?table=t", source=source)


def test_a_name_that_would_be_cut_short_is_refused(postgres: str) -> None:
    with pytest.raises(UsageError, match="more than 63 bytes"):
        open_sink(postgres, pa.schema([("x" * 64, pa.string())]))
    with pytest.raises(UsageError, match="more than 63 bytes"):
        open_sink(f"{postgres}?table={'x' * 64}")


def test_permission_denied_is_told(postgres: str, made: Connection) -> None:
    made.execute("CREATE TABLE t AS SELECT 1 AS a")
    made.execute("DROP ROLE IF EXISTS ts_nobody")
    made.execute("CREATE ROLE ts_nobody LOGIN")
    uri = postgres.replace("postgres@", "ts_nobody@")
    try:
        with pytest.raises(UsageError, match="permission denied"):
            open_source(f"{uri}?table=t", Settings())
        with pytest.raises(UsageError, match="permission denied"), open_sink(f"{uri}?table=u", BATCH.schema):
            pass
    finally:
        made.execute("DROP ROLE ts_nobody")


def test_who_cannot_be_reached_is_told_with_host_and_port(postgres: str) -> None:
    with pytest.raises(UsageError, match=r"cannot be reached at 127\.0\.0\.1:1:"):
        open_source("postgresql://me:S3cret@127.0.0.1:1/db?table=t", Settings())
    with pytest.raises(UsageError, match='database "nowhere" does not exist'):
        open_source(f"{postgres.rpartition('/')[0]}/nowhere?table=t", Settings())
    with pytest.raises(UsageError, match="SSL"):  # the option arrived
        open_source(f"{postgres}?table=t&sslmode=require", Settings())


def test_a_server_that_goes_away_while_it_is_read(postgres: str, made: Connection) -> None:
    made.execute("CREATE TABLE t AS SELECT i, repeat('x', 200) AS s FROM generate_series(1, 200000) AS i")
    chunks = open_source(f"{postgres}?table=t", Settings(threads=1)).chunks()
    next(chunks)
    made.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tallystick'"
    )
    with pytest.raises(TallystickError) as caught:
        list(chunks)
    assert caught.value.exit_code == 1


def test_what_is_left_early_is_not_read_to_its_end(postgres: str) -> None:
    endless = f"{postgres}?query=SELECT generate_series(1, 1000000000000) AS i"
    with closing(open_source(endless, Settings(batch_rows=10)).chunks()) as chunks:  # type: ignore[type-var]
        assert next(chunks).rows.num_rows == 10


def test_a_table_that_others_hold_is_told(postgres: str, made: Connection) -> None:
    made.execute("CREATE TABLE t AS SELECT 1 AS a")
    with psycopg.connect(postgres) as other:
        other.execute("SELECT * FROM t")
        sink = open_sink(f"{postgres}?table=t", BATCH.schema)
        sink.__enter__()
        sink._connection.execute("SET LOCAL lock_timeout = '50ms'")  # type: ignore[attr-defined]
        with pytest.raises(TallystickError, match="locked by another transaction"):
            sink.__exit__(None, None, None)
    assert read(f"{postgres}?table=t").to_pylist() == [{"a": 1}]


def test_a_state_is_known_by_its_table(postgres: str, made: Connection) -> None:
    assert is_state(postgres) is False
    made.execute("CREATE TABLE ts_head (a int)")
    assert is_state(postgres) is True
    assert is_state(f"{postgres}?table=t") is False


def test_a_missing_extra_is_told(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"pip install \"tallystick\[postgres\]\""):
        open_source(f"{postgres}?table=t", Settings())
