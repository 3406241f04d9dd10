"""Notices: outgoing notifications, stored with their entry until they are sent or given up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from tallystick.store.head import as_json
from tallystick.store.tables import NOTICES

__all__ = ["DEAD", "SENT", "WAITING", "Notice", "add", "due", "settle"]

WAITING, SENT, DEAD = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification for one channel. tries: failed attempts; created: microseconds UTC."""

    id: int
    channel: str
    payload: dict[str, Any]
    tries: int
    created: int


def add(
    connection: Connection,
    tenant: str,
    stream: str,
    entry: int,
    at: int,
    notices: Sequence[tuple[str, dict[str, Any]]],
) -> None:
    """Insert notices that are due immediately."""
    if not notices:
        return
    shared = {"tenant": tenant, "stream": stream, "entry": entry, "state": WAITING, "tries": 0}
    connection.execute(
        insert(NOTICES),
        [
            {**shared, "channel": channel, "created": at, "due_at": at, "payload": as_json(payload)}
            for channel, payload in notices
        ],
    )


def due(connection: Connection, tenant: str, stream: str, now: int, most: int) -> list[Notice]:
    """Read due notices, longest waiting first."""
    c = NOTICES.c
    wanted = (
        select(c.id, c.channel, c.payload, c.tries, c.created)
        .where(c.tenant == tenant, c.stream == stream, c.state == WAITING, c.due_at <= now)
        .order_by(c.due_at, c.id)
        .limit(most)
    )
    return [
        Notice(id_, channel, json.loads(payload), tries, created)
        for id_, channel, payload, tries, created in connection.execute(wanted)
    ]


def settle(
    connection: Connection,
    tenant: str,
    stream: str,
    done: Sequence[int],
    failed: Sequence[tuple[int, int, str]],
    dead: Sequence[tuple[int, str]],
) -> None:
    """Record outcomes: sent, to be retried at a time, or given up.

    A failure without an error is a notice that was delayed, for example to group it.
    """
    c = NOTICES.c
    waiting = update(NOTICES).where(c.tenant == tenant, c.stream == stream, c.state == WAITING)
    if done:
        connection.execute(waiting.where(c.id.in_(done)).values(state=SENT, error=None))
    by_id = waiting.where(c.id == bindparam("one"))
    retry = by_id.values(due_at=bindparam("again"))
    delayed = [{"one": id_, "again": due_at} for id_, due_at, error in failed if not error]
    with_error = [{"one": id_, "again": due_at, "why": error} for id_, due_at, error in failed if error]
    if delayed:
        connection.execute(retry, delayed)
    if with_error:
        connection.execute(retry.values(tries=c.tries + 1, error=bindparam("why")), with_error)
    for id_, error in dead:
        connection.execute(waiting.where(c.id == id_).values(state=DEAD, tries=c.tries + 1, error=error))
