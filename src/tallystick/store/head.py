"""The head of a stream: how far it has been committed, where its sources stood then, and who may go on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from tallystick.store.process import Process
from tallystick.store.tables import HEAD, MARKS

__all__ = ["Head", "Holder", "as_json", "head_row", "holder_of", "marks_of", "read_head"]

_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
#: Entry up to which a sink has all, and what it wants to be told again.
Marks = dict[str, tuple[int, dict[str, Any] | None]]


@dataclass(frozen=True, slots=True)
class Holder:
    """Who may write. until: microseconds UTC, prolonged with every commit."""

    process: Process
    until: int

    @property
    def host(self) -> str:
        """The machine's name."""
        return self.process.host

    @property
    def pid(self) -> int:
        """The number of the process on its machine."""
        return self.process.pid


@dataclass(frozen=True, slots=True)
class Head:
    """How far a stream is. rows, duplicates, quarantined: in all entries so far; holder: None when free."""

    number: int
    positions: dict[str, dict[str, Any]]
    marks: Marks
    facts: dict[str, Any]
    rows: int
    duplicates: int
    quarantined: int
    holder: Holder | None


def as_json(value: Any) -> str:
    """Write JSON that every database takes: ASCII, so that no half of a character is in its way."""
    return _ENCODER.encode(value)


def head_row(connection: Connection, tenant: str, stream: str, *, lock: bool = False) -> Row[Any] | None:
    """Read the row of a stream as it is."""
    wanted = select(HEAD).where(HEAD.c.tenant == tenant, HEAD.c.stream == stream)
    return connection.execute(wanted.with_for_update() if lock else wanted).one_or_none()


def holder_of(row: Row[Any]) -> Holder | None:
    """Say who holds a stream, also when the time is over."""
    if not row.token:
        return None
    return Holder(Process(row.host, row.machine, row.pid, row.started), row.until)


def marks_of(connection: Connection, tenant: str, stream: str) -> Marks:
    """Read how far each sink is."""
    found = connection.execute(
        select(MARKS.c.sink, MARKS.c.number, MARKS.c.mark).where(
            MARKS.c.tenant == tenant, MARKS.c.stream == stream
        )
    )
    return {sink: (number, None if mark is None else json.loads(mark)) for sink, number, mark in found}


def read_head(connection: Connection, tenant: str, stream: str) -> Head | None:
    """Read all that is known of a stream; None when nobody has claimed it yet."""
    row = head_row(connection, tenant, stream)
    if row is None:
        return None
    return Head(
        number=row.number,
        positions=json.loads(row.positions),
        marks=marks_of(connection, tenant, stream),
        facts=json.loads(row.facts),
        rows=row.rows,
        duplicates=row.duplicates,
        quarantined=row.quarantined,
        holder=holder_of(row),
    )
