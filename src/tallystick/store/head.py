"""Head of a stream: last entry, source positions and lease holder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from tallystick.store.process import Process
from tallystick.store.tables import HEAD, MARKS

__all__ = ["Head", "Holder", "as_json", "head_row", "holder_of", "marks_of", "read_head"]

_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
#: By sink: last delivered entry, and the sink's own state.
Marks = dict[str, tuple[int, dict[str, Any] | None]]


@dataclass(frozen=True, slots=True)
class Holder:
    """Holder of a stream's lease. until: microseconds UTC, extended by every commit."""

    process: Process
    until: int

    @property
    def host(self) -> str:
        """The machine's name."""
        return self.process.host

    @property
    def pid(self) -> int:
        """Process id."""
        return self.process.pid


@dataclass(frozen=True, slots=True)
class Head:
    """Progress of a stream. rows, duplicates, quarantined: totals; holder: None when free."""

    number: int
    positions: dict[str, dict[str, Any]]
    marks: Marks
    facts: dict[str, Any]
    rows: int
    duplicates: int
    quarantined: int
    holder: Holder | None


def as_json(value: Any) -> str:
    """Serialise to ASCII JSON, which every database accepts."""
    return _ENCODER.encode(value)


def head_row(connection: Connection, tenant: str, stream: str, *, lock: bool = False) -> Row[Any] | None:
    """Read the head row of a stream."""
    query = select(HEAD).where(HEAD.c.tenant == tenant, HEAD.c.stream == stream)
    return connection.execute(query.with_for_update() if lock else query).one_or_none()


def holder_of(row: Row[Any]) -> Holder | None:
    """Return the lease holder of a stream, even when the lease has expired."""
    if not row.token:
        return None
    return Holder(Process(row.host, row.machine, row.pid, row.started), row.until)


def marks_of(connection: Connection, tenant: str, stream: str) -> Marks:
    """Read the position of each sink."""
    rows = connection.execute(
        select(MARKS.c.sink, MARKS.c.number, MARKS.c.mark).where(
            MARKS.c.tenant == tenant, MARKS.c.stream == stream
        )
    )
    return {sink: (number, None if mark is None else json.loads(mark)) for sink, number, mark in rows}


def read_head(connection: Connection, tenant: str, stream: str) -> Head | None:
    """Read the head of a stream; None if it was never claimed."""
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
