"""Store: opened once per process, read by any thread, written through claims."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
from numpy.typing import NDArray
from sqlalchemy import select

from tallystick.contracts import QUARANTINE as BAD_ROWS
from tallystick.errors import UsageError, did_you_mean
from tallystick.store import log, notices, retention, snapshots
from tallystick.store.claim import Claim
from tallystick.store.database import Database
from tallystick.store.entry import LogEntry
from tallystick.store.head import Head, read_head
from tallystick.store.lease import Lease
from tallystick.store.location import parse_uri
from tallystick.store.notices import Notice
from tallystick.store.rows import RENAMED
from tallystick.store.tables import QUARANTINE
from tallystick.store.versions import upgrade_tables

__all__ = ["Store"]

DURABILITY = ("power", "process")


class Store:
    """Database of streams. Thread-safe; close it, or use it as a context manager."""

    def __init__(self, database: Database, tenant: str) -> None:
        self._database, self._tenant = database, tenant

    @classmethod
    def open(
        cls, uri: str, *, tenant: str = "default", durability: str = "power", create: bool = True
    ) -> Store:
        """Open a store; create or upgrade its tables.

        uri: `sqlite:///relative.db`, `sqlite:////full/path.db` or `postgresql://user@host:port/database`; a
        password also from TALLYSTICK_STORE_PASSWORD, a file that TALLYSTICK_STORE_PASSWORD_FILE names, or
        PGPASSWORD. durability: what a commit survives, loss of `power` or the end of the `process`; create:
        False refuses an SQLite file that does not exist. Raises UsageError for a location that cannot be a
        store, TallystickError for one of a newer version.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, Store.open(f"sqlite:///{folder}/state.db") as store:
        ...     claim = store.claim("fraud")
        ...     claim.remember(currency="EUR")
        ...     store.head("fraud").facts
        {'currency': 'EUR'}
        """
        if durability not in DURABILITY:
            raise UsageError(f'There is no durability "{durability}".', did_you_mean(durability, DURABILITY))
        location = parse_uri(uri)
        database: Database
        if location.path is not None:
            from tallystick.store.sqlite import SQLite

            database = SQLite(location.path, location.shown, durability=durability, create=create)
        else:
            from tallystick.store.postgres import Postgres

            assert location.url is not None
            database = Postgres(location.url, location.shown, durability=durability)
        try:
            upgrade_tables(database)
        except BaseException:
            database.close()
            raise
        return cls(database, tenant)

    def __repr__(self) -> str:
        return f"Store({self.uri_shown!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def uri_shown(self) -> str:
        """The URI without its secrets."""
        return self._database.shown

    def head(self, stream: str) -> Head | None:
        """Read the head of a stream; None if it was never claimed."""
        return self._database.read(lambda connection: read_head(connection, self._tenant, stream))

    def claim(self, stream: str, *, lease: float = 10.0) -> Claim:
        """Claim a stream as its only writer, for `lease` seconds after each write.

        Raises LeaseHeldError while another process holds it: until that one releases it, has not written for
        so long, or has ended on this machine.
        """
        return Claim(self._database, Lease(self._tenant, stream, round(lease * 1e6)))

    def entries(self, stream: str, after: int = 0, *, whole: bool = False) -> Iterator[LogEntry]:
        """Read the log after an entry, in order, from the first that is still stored; about 16 MB per page.

        whole: raise TallystickError when the entry that follows is no longer kept, as recovery must.
        """
        return log.entries(self._database, self._tenant, stream, after, whole=whole)

    def entry(self, stream: str, number: int) -> pa.RecordBatch | None:
        """Read the batch of one entry of the log; None where it is no longer kept."""
        return log.entry(self._database, self._tenant, stream, number)

    def decisions(
        self, stream: str, after: int, schema: pa.Schema, most: int = 50_000
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Read decisions after an entry: number and batch of each entry, empty ones included.

        schema: as `scorer.decision_schema` makes it; most: about how many rows are read at once.
        """
        return log.decisions(self._database, self._tenant, stream, after, schema, most)

    def snapshot(self, stream: str) -> tuple[int, dict[str, NDArray[Any]]] | None:
        """Read the newest complete snapshot: its entry number and arrays."""
        return snapshots.load(self._database, self._tenant, stream)

    def due(self, stream: str, now: int, most: int = 100) -> list[Notice]:
        """Read due notices (now: microseconds UTC), longest waiting first."""
        return self._database.read(
            lambda connection: notices.due(connection, self._tenant, stream, now, most)
        )

    def settle(
        self,
        stream: str,
        done: Sequence[int] = (),
        failed: Sequence[tuple[int, int, str]] = (),
        dead: Sequence[tuple[int, str]] = (),
    ) -> None:
        """Record the outcome of notices.

        done: sent; failed: id, when to try again (microseconds UTC) and the error; dead: id and the error of
        those that are given up.
        """
        if done or failed or dead:
            self._database.write(
                lambda connection: notices.settle(connection, self._tenant, stream, done, failed, dead)
            )

    def quarantine(self, stream: str, most: int = 1000) -> pa.Table:
        """Read the last bad rows in order, with schema `contracts.QUARANTINE`."""
        c = QUARANTINE.c
        query = (
            select(*[c[RENAMED.get(name, name)] for name in BAD_ROWS.names])
            .where(c.tenant == self._tenant, c.stream == stream)
            .order_by(c.entry.desc(), c.row.desc())
            .limit(most)
        )
        rows = self._database.read(lambda connection: connection.execute(query).all())[::-1]
        columns = zip(*rows, strict=True) if rows else [[]] * len(BAD_ROWS)
        return pa.table([list(column) for column in columns], schema=BAD_ROWS)

    def clear(self, stream: str, before_day: int, most: int = 10_000) -> int:
        """Delete some rows committed before a day (days since 1970); return their number.

        Log, decisions, bad rows and settled notices; about `most` rows, whole entries, in PostgreSQL a whole
        day where the stream is alone in it. What the kept snapshots or a sink still need stays. Call it again
        until it returns 0.
        """
        return retention.clear(self._database, self._tenant, stream, before_day, most)

    def close(self) -> None:
        """Close all connections; may be called twice."""
        self._database.close()
