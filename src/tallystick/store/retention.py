"""Retention: delete old entries in small steps, except those still needed.

Needed are all entries after the oldest stored snapshot (recovery replays them), all entries that some sink
has not received, and pending notices.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, func, select

from tallystick.store.database import Database
from tallystick.store.notices import WAITING
from tallystick.store.tables import DAY, DECISIONS, LOG, MARKS, NOTICES, QUARANTINE, SNAPSHOTS

__all__ = ["clear", "last_removable"]


def clear(database: Database, tenant: str, stream: str, before_day: int, most: int) -> int:
    """Delete one step, at least one entry if any may be deleted; see `Store.clear`."""
    key = {"tenant": tenant, "stream": stream}
    upto = database.read(lambda connection: last_removable(connection, tenant, stream))
    deleted = database.drop_days(key, before_day, upto)
    if not deleted:
        deleted = database.write(lambda connection: _entries(connection, key, before_day, upto, most))
    if deleted < most:
        deleted += database.write(lambda connection: _notices(connection, key, before_day, most - deleted))
    return deleted


def last_removable(connection: Connection, tenant: str, stream: str) -> int:
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
    entries = connection.execute(
        select(c.number, c.decided + c.bad + 1)
        .where(c.tenant == key["tenant"], c.stream == key["stream"], c.number <= upto, c.day < before_day)
        .order_by(c.number)
        .limit(most)
    ).all()
    deleted, last = 0, 0
    for number, rows in entries:
        if deleted and deleted + rows > most:
            break
        deleted, last = deleted + rows, number
    if deleted:
        for table, number_of in ((DECISIONS, "entry"), (QUARANTINE, "entry"), (LOG, "number")):
            connection.execute(delete(table).where(*_of(table, key), table.c[number_of] <= last))
    return deleted


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
