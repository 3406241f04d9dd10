# ruff: noqa: S608 - every name is quoted
"""Appending to a table of SQLite, in WAL mode, safe against power loss.

The file may be that of the state, to which another connection writes: each waits for the other.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress

import pyarrow as pa

from tallystick.connectors.database_address import Address, quoted
from tallystick.connectors.database_columns import check_names, columns_sql, inserts, sqlite_type
from tallystick.connectors.database_sqlite_connection import connect, explained
from tallystick.errors import UsageError

__all__ = ["SQLiteAppending"]

_MADE = (
    "CREATE TABLE IF NOT EXISTS ts_delivered (tenant TEXT NOT NULL DEFAULT 'default', stream TEXT NOT NULL,"
    " target TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (tenant, stream, target)) WITHOUT ROWID"
)
_WHOSE = "tenant = 'default' AND stream = ? AND target = ?"


class SQLiteAppending:
    """See `database.Appending`."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._connection: sqlite3.Connection | None = None

    def begin(self, schema: pa.Schema, stream: str) -> int:
        """Make table and position where they are missing, and say where the stream stands."""
        address = self._address
        check_names(schema.names, address.shown)
        self.close()
        connection = connect(address.location, write=True)
        self._connection = connection
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            found = [row[1] for row in connection.execute(f"PRAGMA table_info({quoted(address.name)})")]
            if not found:
                connection.execute(f"CREATE TABLE {address.sql} ({columns_sql(schema, sqlite_type)})")
            elif missing := [name for name in schema.names if name.lower() not in map(str.lower, found)]:
                connection.execute("ROLLBACK")
                raise lacks(address, missing)
            connection.execute(_MADE)
            connection.execute(
                "INSERT OR IGNORE INTO ts_delivered (stream, target, number) VALUES (?, ?, 0)",
                (stream, address.name),
            )
            row = connection.execute(
                f"SELECT number FROM ts_delivered WHERE {_WHOSE}", (stream, address.name)
            ).fetchone()
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self.close()
            raise explained(error, address.location) from None
        except UsageError:
            self.close()
            raise
        return int(row[0])

    def append(self, batches: Sequence[pa.RecordBatch], stream: str, before: int, number: int) -> bool:
        """Append rows, and move the stream's number, in one transaction."""
        connection = self._connection
        if connection is None:
            raise RuntimeError("begin before you append")
        # The values are made before the lock is taken.
        ready = [made for batch in batches for made in inserts(batch, self._address.sql)]
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                moved = connection.execute(
                    f"UPDATE ts_delivered SET number = ? WHERE {_WHOSE} AND number = ?",
                    (number, stream, self._address.name, before),
                )
                if moved.rowcount != 1:
                    connection.execute("ROLLBACK")
                    return False
                for sql, values in ready:
                    connection.executemany(sql, values)
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise
        except (sqlite3.Error, OverflowError) as error:
            raise explained(error, self._address.location) from None
        return True

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def lacks(address: Address, missing: Sequence[str]) -> UsageError:
    """Return the error for a table that was made for decisions of another kind."""
    return UsageError(
        f"{address.shown} is there and has no column {', '.join(missing)}.",
        "Add what is missing (ALTER TABLE … ADD COLUMN), or name another table: ?table=NAME.",
    )
