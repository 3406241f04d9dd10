"""Retention: delete old entries in small steps, except those still needed.

Needed are all entries after the oldest snapshot that is kept, since recovery replays them; all that a sink
has not been delivered; and each notice that still waits.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, func, select

from tallystick.store.database import Database
from tallystick.store.notices import WAITING
from tallystick.store.tables import DAY, DECISIONS, LOG, MARKS, NOTICES, QUARANTINE, SNAPSHOTS

__all__ = ["clear", "free"]


def clear(database: Database, tenant: str, stream: str, before_day: int, most: int) -> int:
    """Remove a step, at least one entry when there is one to go; see `Store.clear`."""
    key = {"tenant": tenant, "stream": stream}
    upto = database.read(lambda connection: free(connection, tenant, stream))
    gone = database.drop_days(key, before_day, upto)
    if not gone:
        gone = database.write(lambda connection: _entries(connection, key, before_day, upto, most))
    if gone < most:
        gone += database.write(lambda connection: _notices(connection, key, before_day, most - gone))
    return gone


def free(connection: Connection, tenant: str, stream: str) -> int:
    """Return the last entry that is no longer needed; 0 if there is no snapshot."""
    oldest = connection.execute(
        select(func.min(SNAPSHOTS.c.number)).where(
            SNAPSHOTS.c.tenant == tenant, SNAPSHOTS.c.stream == stream, SNAPSHOTS.c.complete == 1
        )
    ).scalar()
    slowest = connection.execute(
        select(func.min(MARKS.c.number)).where(MARKS.c.tenant == tenant, MARKS.c.stream == stream)
    ).scalar()
    if oldest is None:
        return 0
    return int(oldest) if slowest is None else min(int(oldest), int(slowest))


def _entries(connection: Connection, key: dict[str, str], before_day: int, upto: int, most: int) -> int:
    """Delete the oldest entries with their decisions and bad rows."""
    c = LOG.c
    found = connection.execute(
        select(c.number, c.decided + c.bad + 1)
        .where(c.tenant == key["tenant"], c.stream == key["stream"], c.number <= upto, c.day < before_day)
        .order_by(c.number)
        .limit(most)
    ).all()
    gone, last = 0, 0
    for number, rows in found:
        if gone and gone + rows > most:
            break
        gone, last = gone + rows, number
    if gone:
        for table, number_of in ((DECISIONS, "entry"), (QUARANTINE, "entry"), (LOG, "number")):
            connection.execute(delete(table).where(*_of(table, key), table.c[number_of] <= last))
    return gone


def _notices(connection: Connection, key: dict[str, str], before_day: int, most: int) -> int:
    """Remove notices that were sent or given up."""
    c = NOTICES.c
    old = (
        select(c.id)
        .where(*_of(NOTICES, key), c.state != WAITING, c.created < before_day * DAY)
        .limit(most)
        .scalar_subquery()
    )
    return int(connection.execute(delete(NOTICES).where(c.id.in_(old))).rowcount)


def _of(table: Any, key: dict[str, str]) -> list[Any]:
    return [table.c[name] == value for name, value in key.items()]
