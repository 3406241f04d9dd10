"""The log, decisions, quarantine, marks, notices, snapshots, and the lease."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0001"
down_revision = None

TIME = sa.BigInteger().with_variant(sa.dialects.postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Make all tables."""
    partitioned = op.get_bind().dialect.name == "postgresql"
    _streams()
    _make(
        "ts_log",
        ["number:key", "day:key", "at", "rows", "decided", "bad", "size", "events:bytes"],
        daily=True,
    )
    _make(
        "ts_decisions",
        ["entry:key", "row:key", *(["day:key"] if partitioned else []), "id:text?", "event_time:time?",
         "task:text?", "label:text?", "score:float?", "action:text?", "route:text?", "reasons:text?",
         "model:text?", "sequence:text?", "late:bool?", "scores:text?", "arrived_at:time?",
         "decided_at:time"],
        daily=True, rowid=False,
    )  # fmt: skip
    _make(
        "ts_quarantine",
        ["entry:key", "row:key", "at", "code:text?", "field:text?", "value:text?", "file:text?", "place:int?",
         "message:text?", "record:text?"],
        rowid=False,
    )  # fmt: skip
    _make("ts_snapshots", ["number:key", "complete", "parts", "arrays:text"], rowid=False)
    _make("ts_snapshot_parts", ["number:key", "part:key", "size", "sum", "data:bytes"])
    _notices()


def _streams() -> None:
    _make(
        "ts_head",
        ["number", "at", "day", "rows", "duplicates", "quarantined", "fence", "until", "token:text",
         "host:text", "machine:text", "pid", "started:text", "positions:text", "facts:text"],
        rowid=False,
    )  # fmt: skip
    _make("ts_marks", ["sink:textkey", "number", "mark:text?"], rowid=False)


def _notices() -> None:
    counted = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "ts_notices",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("id", counted, primary_key=True, autoincrement=True),
        *[_column(name) for name in ("entry", "channel:text", "state", "tries", "created", "due_at")],
        _column("error:text?"),
        _column("payload:text"),
        sqlite_autoincrement=True,
    )
    op.create_index("ts_notices_due", "ts_notices", ["tenant", "stream", "state", "due_at"])


def _make(name: str, columns: list[str], *, daily: bool = False, rowid: bool = True) -> None:
    """Make a table of a stream: `NAME:KIND`, a number unless said, `?` where it may be null."""
    options: dict[str, Any] = {} if rowid else {"sqlite_with_rowid": False}
    if daily:
        options["postgresql_partition_by"] = "RANGE (day)"
    op.create_table(
        name, *[_column(one) for one in ("tenant:textkey", "stream:textkey", *columns)], **options
    )


def _column(said: str) -> sa.Column[Any]:
    name, _, kind = said.rstrip("?").partition(":")
    types: dict[str, Any] = {
        "text": sa.Text, "textkey": sa.Text, "bytes": sa.LargeBinary, "float": sa.Double, "bool": sa.Boolean,
        "time": TIME,
    }  # fmt: skip
    return sa.Column(
        name,
        types.get(kind, sa.BigInteger),
        primary_key=kind.endswith("key"),
        autoincrement=False,
        nullable=said.endswith("?"),
    )
