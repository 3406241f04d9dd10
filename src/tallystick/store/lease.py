"""Lease of a stream: one writer, extended by every commit, with a fencing token.

The fence is a number: each claim of a stream raises it, and each write checks it. So a process that was
suspended and has lost its lease cannot write.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass, field

from sqlalchemy import Connection, text, update

from tallystick.errors import TallystickError
from tallystick.store.database import Database
from tallystick.store.head import head_row, holder_of
from tallystick.store.process import Process, current_process
from tallystick.store.tables import HEAD

__all__ = ["Lease", "LeaseHeldError", "LeaseLostError", "clock"]

EMPTY = text(
    "INSERT INTO ts_head (tenant, stream, number, at, day, rows, duplicates, quarantined, fence, until, "
    "token, host, machine, pid, started, positions, facts) "
    "VALUES (:tenant, :stream, 0, 0, 0, 0, 0, 0, 0, 0, '', '', '', 0, '', '{}', '{}') ON CONFLICT DO NOTHING"
)


class LeaseHeldError(TallystickError):
    """Another process holds the lease until `until` (microseconds UTC), unless it is extended."""

    def __init__(self, message: str, hint: str, until: int) -> None:
        super().__init__(message, hint)
        self.until = until


class LeaseLostError(TallystickError):
    """Another process has taken over the stream; this process's writes are refused."""


@dataclass(slots=True)
class Lease:
    """Right to write one stream. micros: duration after each write; fence: 0 before it is taken."""

    tenant: str
    stream: str
    micros: int
    process: Process = field(default_factory=current_process)
    token: str = field(default_factory=lambda: secrets.token_hex(8), repr=False)
    fence: int = 0

    def take(self, connection: Connection, database: Database) -> None:
        """Acquire the lease within a transaction; raises LeaseHeldError."""
        connection.execute(EMPTY, {"tenant": self.tenant, "stream": self.stream})
        row = head_row(connection, self.tenant, self.stream, lock=True)
        assert row is not None
        now = clock(connection, database)
        holder = holder_of(row)
        # The token is its own when the answer to an earlier try was lost.
        if holder and row.token != self.token and holder.until > now and not holder.process.has_ended():
            until = dt.datetime.fromtimestamp(holder.until // 1_000_000, dt.UTC).strftime("%H:%M:%S UTC")
            raise LeaseHeldError(
                f'The stream "{self.stream}" in {database.shown} is held by process {holder.pid} on '
                f"{holder.host} until {until}.",
                "Only one process may write a stream. Stop the other one, or wait: its lease expires when "
                "it no longer writes.",
                holder.until,
            )
        self.fence = int(row.fence) + 1
        connection.execute(
            update(HEAD)
            .where(HEAD.c.tenant == self.tenant, HEAD.c.stream == self.stream)
            .values(
                fence=self.fence,
                token=self.token,
                until=now + self.micros,
                host=self.process.host,
                machine=self.process.machine,
                pid=self.process.pid,
                started=self.process.started,
            )
        )

    def extend(self, connection: Connection, database: Database) -> None:
        """Extend the lease and lock the head row; raises LeaseLostError."""
        query = text(
            f"UPDATE ts_head SET until = {database.clock} + :micros "  # noqa: S608 (no user input)
            "WHERE tenant = :tenant AND stream = :stream AND fence = :fence AND token = :token"
        )
        values = {
            "micros": self.micros,
            "tenant": self.tenant,
            "stream": self.stream,
            "fence": self.fence,
            "token": self.token,
        }
        if not connection.execute(query, values).rowcount:
            raise self.lost(connection, database)

    def release(self, connection: Connection) -> None:
        """Release the lease, unless another process already holds it."""
        connection.execute(
            update(HEAD)
            .where(
                HEAD.c.tenant == self.tenant,
                HEAD.c.stream == self.stream,
                HEAD.c.fence == self.fence,
                HEAD.c.token == self.token,
            )
            .values(token="", until=0)
        )

    def lost(self, connection: Connection, database: Database) -> LeaseLostError:
        """Return the error that names the new holder."""
        row = head_row(connection, self.tenant, self.stream)
        holder = None if row is None else holder_of(row)
        new_holder = f"process {holder.pid} on {holder.host}" if holder else "another process"
        if row is not None and row.fence == self.fence:
            return LeaseLostError(
                f'The stream "{self.stream}" in {database.shown} was released.', "Claim it again."
            )
        return LeaseLostError(
            f'The stream "{self.stream}" in {database.shown} was taken over by {new_holder}: this process '
            "had not "
            f"written for {self.micros / 1e6:g} s.",
            "Nothing was written twice. Stop the other process, then start again.",
        )


def clock(connection: Connection, database: Database) -> int:
    """Return the time of the database, microseconds UTC."""
    return int(connection.execute(text(f"SELECT {database.clock}")).scalar_one())
