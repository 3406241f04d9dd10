"""Daily partitions of the log and decisions in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, text

__all__ = ["DAILY", "drop", "make", "partition"]

#: The tables that are kept by day.
DAILY: Final = ("ts_log", "ts_decisions")
MAKING = 0x7473_0002  # an advisory lock


def partition(table: str, day: int) -> str:
    """Return the name of a day's partition.

    >>> partition("ts_log", 20000)
    'ts_log_d20000'
    """
    return f"{table}_d{day}"


def make(connection: Connection, days: Sequence[int]) -> None:
    """Create missing partitions detached, then attach them, so that readers and writers are not blocked."""
    _lock_schema(connection)
    existing = set(_days(connection))
    for day in days:
        for table in DAILY if day not in existing else ():
            name = partition(table, day)
            connection.execute(text(f'CREATE TABLE "{name}" (LIKE "{table}" INCLUDING ALL)'))
            span = f"FOR VALUES FROM ({day}) TO ({day + 1})"
            connection.execute(text(f'ALTER TABLE "{table}" ATTACH PARTITION "{name}" {span}'))


def drop(
    connection: Connection, key: Mapping[str, str], before_day: int, upto: int
) -> tuple[int, int] | None:
    """Drop the oldest day that only this stream uses and no longer needs; return the day and its rows.

    None if there is no such day; rows must then be deleted one by one.
    """
    connection.execute(text("SET LOCAL lock_timeout = '2s'"))  # do not wait for a long reader: try later
    _lock_schema(connection)
    for day in _days(connection):
        log = partition(DAILY[0], day)
        if day >= before_day:
            return None
        if not _has(connection, log, key):
            continue
        for table in DAILY:  # no more inserts from here on
            connection.execute(text(f'LOCK TABLE "{partition(table, day)}" IN ACCESS EXCLUSIVE MODE'))
        last, rows = connection.execute(
            text(f'SELECT max(number), sum(decided + bad + 1) FROM "{log}"')  # noqa: S608
        ).one()
        if last > upto or not _is_only_stream(connection, log, key):
            return None
        connection.execute(
            text("DELETE FROM ts_quarantine WHERE tenant = :tenant AND stream = :stream AND entry <= :last"),
            {**key, "last": last},
        )
        for table in DAILY:
            connection.execute(text(f'DROP TABLE "{partition(table, day)}"'))
        return day, int(rows)
    return None


def _days(connection: Connection) -> list[int]:
    """Return the existing days, oldest first."""
    tables = connection.execute(
        text(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = to_regclass(:table)"
        ),
        {"table": DAILY[0]},
    ).scalars()
    return sorted(int(name.rpartition("_d")[2]) for name in tables)


def _has(connection: Connection, name: str, key: Mapping[str, str]) -> bool:
    query = text(f'SELECT 1 FROM "{name}" WHERE tenant = :tenant AND stream = :stream LIMIT 1')  # noqa: S608
    return connection.execute(query, key).first() is not None


def _lock_schema(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MAKING})


def _is_only_stream(connection: Connection, name: str, key: Mapping[str, str]) -> bool:
    """Return whether no other stream has rows: it would be at one end of the index."""
    for order in ("tenant, stream", "tenant DESC, stream DESC"):
        row = connection.execute(
            text(f'SELECT tenant, stream FROM "{name}" ORDER BY {order} LIMIT 1')  # noqa: S608
        ).first()
        if row is not None and tuple(row) != (key["tenant"], key["stream"]):
            return False
    return True
