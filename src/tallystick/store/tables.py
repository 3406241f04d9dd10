"""The tables of the store; all names begin with `ts_`, and each has its tenant.

Times are microseconds UTC. Large columns come last in a table, so that the others are read without them.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

__all__ = [
    "DAY",
    "DECISIONS",
    "HEAD",
    "LOG",
    "MARKS",
    "METADATA",
    "NOTICES",
    "PARTS",
    "QUARANTINE",
    "SNAPSHOTS",
]

#: Microseconds of a day.
DAY: Final = 86_400_000_000
METADATA: Final = MetaData()

#: A time that people query: a number in SQLite, which has no times, and a time in PostgreSQL.
_TIME = BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")
_ID = BigInteger().with_variant(Integer, "sqlite")  # SQLite autoincrements only INTEGER


def _key(name: str, data_type: type[Text] | type[BigInteger] = BigInteger) -> Column[object]:
    return Column(name, data_type, primary_key=True, autoincrement=False)


def _integer(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _stream() -> tuple[Column[object], Column[object]]:
    return _key("tenant", Text), _key("stream", Text)


#: One row per stream: its progress and its lease.
HEAD: Final = Table(
    "ts_head",
    METADATA,
    *_stream(),
    _integer("number"),
    _integer("at"),
    _integer("day"),
    _integer("rows"),
    _integer("duplicates"),
    _integer("quarantined"),
    _integer("fence"),
    _integer("until"),
    _text("token"),
    _text("host"),
    _text("machine"),
    _integer("pid"),
    _text("started"),
    _text("positions"),
    _text("facts"),
    sqlite_with_rowid=False,
)

#: The normalised input, an entry per commit. day: days since 1970, never decreasing; partitions PostgreSQL.
LOG: Final = Table(
    "ts_log",
    METADATA,
    *_stream(),
    _key("number"),
    _key("day"),
    _integer("at"),
    _integer("rows"),
    _integer("decided"),
    _integer("bad"),
    _integer("size"),
    Column("events", LargeBinary, nullable=False),
)

#: Decisions, a row per record and task; in PostgreSQL also with the day of the entry.
DECISIONS: Final = Table(
    "ts_decisions",
    METADATA,
    *_stream(),
    _key("entry"),
    _key("row"),
    Column("id", Text),
    Column("event_time", _TIME),
    Column("task", Text),
    Column("label", Text),
    Column("score", Double),
    Column("action", Text),
    Column("route", Text),
    Column("reasons", Text),
    Column("model", Text),
    Column("sequence", Text),
    Column("late", Boolean),
    Column("scores", Text),
    Column("arrived_at", _TIME),
    Column("decided_at", _TIME, nullable=False),
    sqlite_with_rowid=False,
)

#: Rows that break the contract; `field`, `place` and `message` are column, row and sentence of the report.
QUARANTINE: Final = Table(
    "ts_quarantine",
    METADATA,
    *_stream(),
    _key("entry"),
    _key("row"),
    _integer("at"),
    Column("code", Text),
    Column("field", Text),
    Column("value", Text),
    Column("file", Text),
    Column("place", BigInteger),
    Column("message", Text),
    Column("record", Text),
    sqlite_with_rowid=False,
)

#: Last delivered entry of each sink.
MARKS: Final = Table(
    "ts_marks",
    METADATA,
    *_stream(),
    _key("sink", Text),
    _integer("number"),
    Column("mark", Text),
    sqlite_with_rowid=False,
)

#: Notifications. state: 0 waiting, 1 sent, 2 given up.
NOTICES: Final = Table(
    "ts_notices",
    METADATA,
    Column("tenant", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("id", _ID, primary_key=True, autoincrement=True),
    _integer("entry"),
    _text("channel"),
    _integer("state"),
    _integer("tries"),
    _integer("created"),
    _integer("due_at"),
    Column("error", Text),
    _text("payload"),
    Index("ts_notices_due", "tenant", "stream", "state", "due_at"),
    sqlite_autoincrement=True,
)

#: Snapshots of the state after an entry. complete: 1 once all its parts are there.
SNAPSHOTS: Final = Table(
    "ts_snapshots",
    METADATA,
    *_stream(),
    _key("number"),
    _integer("complete"),
    _integer("parts"),
    _text("arrays"),
    sqlite_with_rowid=False,
)

PARTS: Final = Table(
    "ts_snapshot_parts",
    METADATA,
    *_stream(),
    _key("number"),
    _key("part"),
    _integer("size"),
    _integer("sum"),
    Column("data", LargeBinary, nullable=False),
)
