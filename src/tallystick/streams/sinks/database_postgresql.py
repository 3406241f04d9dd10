# ruff: noqa: S608 - every name is quoted
"""Appending to a table of PostgreSQL by COPY, through a server that is away for a while."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tallystick.connectors.database_address import Address, quoted
from tallystick.connectors.database_columns import check_names, columns_sql, copy_text, postgresql_type
from tallystick.connectors.database_postgresql_connection import UnreachableError, connect, explained
from tallystick.connectors.database_postgresql_sink import LONGEST
from tallystick.errors import UsageError
from tallystick.streams.sinks.database_sqlite import lacks

if TYPE_CHECKING:
    import psycopg

__all__ = ["PostgreSQLAppending"]

_PATIENCE = 60.0  # seconds for which a server may be away
_MADE = (
    "CREATE TABLE IF NOT EXISTS ts_delivered (tenant text NOT NULL DEFAULT 'default', stream text NOT NULL,"
    " target text NOT NULL, number bigint NOT NULL, PRIMARY KEY (tenant, stream, target))"
)
_WHOSE = "tenant = 'default' AND stream = %s AND target = %s"
# Two that begin at once would both make the tables.
_ALONE = "SELECT pg_advisory_xact_lock(hashtext('tallystick ts_delivered'))"


class PostgreSQLAppending:
    """See `database.Appending`."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._connection: psycopg.Connection[Any] | None = None

    def begin(self, schema: pa.Schema, stream: str) -> int:
        """Make table and position where they are missing, and say where the stream stands."""
        import psycopg

        address = self._address
        check_names([address.name], address.shown, longest=LONGEST)
        check_names(schema.names, address.shown, longest=LONGEST)
        self.close()
        self._connection = connection = connect(address.location, read_only=False)
        try:
            # Not less than what a server is set to by default: what was said to be there survives its fall.
            connection.execute("SET synchronous_commit = on")
            with connection.transaction():
                connection.execute(_ALONE)
                found = [
                    name
                    for (name,) in connection.execute(
                        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0"
                        " AND NOT attisdropped",
                        (address.sql,),
                    )
                ]
                if not found:
                    connection.execute(f"CREATE TABLE {address.sql} ({columns_sql(schema, postgresql_type)})")
                elif missing := [name for name in schema.names if name not in found]:
                    raise lacks(address, missing)
                if connection.execute("SELECT to_regclass('ts_delivered') IS NULL").fetchone() == (True,):
                    connection.execute(_MADE)
                connection.execute(
                    "INSERT INTO ts_delivered (stream, target, number) VALUES (%s, %s, 0)"
                    " ON CONFLICT DO NOTHING",
                    (stream, address.table),
                )
                number = self._stands(stream)
        except psycopg.Error as error:
            self.close()
            raise explained(error, address.location) from None
        except UsageError:
            self.close()
            raise
        return number

    def append(self, batches: Sequence[pa.RecordBatch], stream: str, before: int, number: int) -> bool:
        """Append rows, and move the stream's number, in one transaction; tried again while nobody answers.

        Where an answer is lost on its way, the number says whether the transaction was kept.
        """
        ready = [(batch.schema.names, copy_text(batch)) for batch in batches if batch.num_rows]
        began = time.monotonic()
        pause, tried = 0.05, False
        while True:
            try:
                if tried and self._stands(stream) == number:
                    return True
                tried = True
                return self._append(ready, stream, before, number)
            except UnreachableError:
                self.close()
                if time.monotonic() - began > _PATIENCE:
                    raise
                time.sleep(pause)
                pause = min(pause * 2, 2.0)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            with suppress(Exception):  # a broken connection needs no goodbye
                self._connection.close()
            self._connection = None

    def _append(
        self, ready: Sequence[tuple[list[str], bytes]], stream: str, before: int, number: int
    ) -> bool:
        import psycopg

        connection = self._connected()
        try:
            with connection.transaction(), connection.cursor() as cursor:
                cursor.execute(
                    f"UPDATE ts_delivered SET number = %s WHERE {_WHOSE} AND number = %s",
                    (number, stream, self._address.table, before),
                )
                if cursor.rowcount != 1:
                    return False
                for names, data in ready:
                    listed = ", ".join(map(quoted, names))
                    with cursor.copy(f"COPY {self._address.sql} ({listed}) FROM STDIN (FORMAT csv)") as copy:
                        copy.write(data)
        except psycopg.Error as error:
            raise explained(error, self._address.location) from None
        return True

    def _stands(self, stream: str) -> int:
        import psycopg

        try:
            row = (
                self._connected()
                .execute(f"SELECT number FROM ts_delivered WHERE {_WHOSE}", (stream, self._address.table))
                .fetchone()
            )
        except psycopg.Error as error:
            raise explained(error, self._address.location) from None
        return int(row[0]) if row else -1

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            self._connection = connect(self._address.location, read_only=False)
        return self._connection
