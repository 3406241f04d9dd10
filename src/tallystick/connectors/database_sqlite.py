# ruff: noqa: S608 - every name is quoted, and a query runs where nothing can be written
"""SQLite: `sqlite:///FILE?table=NAME`, by the standard library."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pyarrow as pa

from tallystick.config import Settings
from tallystick.connectors.database_address import Address, no_table, quoted
from tallystick.connectors.database_columns import found_column
from tallystick.connectors.database_source import DatabaseSource
from tallystick.connectors.database_sqlite_connection import connect, explained, file_of, table_names
from tallystick.connectors.encoding import from_windows
from tallystick.connectors.location import Location
from tallystick.connectors.notes import Notes
from tallystick.connectors.sink import Sink
from tallystick.connectors.source import Source
from tallystick.errors import TallystickError, UsageError

__all__ = ["DATABASES", "SQLiteTable", "forgiving"]

_KINDS = "('table', 'view')"


class SQLiteTable:
    """A table, a view or a query of a file."""

    def __init__(self, address: Address) -> None:
        self._address = address
        with closing(connect(address.location)) as connection:
            if not address.query and not _is_there(connection, address):
                raise no_table(address, table_names(connection))
            try:
                self._names = tuple(
                    part[0] for part in connection.execute(f"SELECT * FROM {self._from} LIMIT 0").description
                )
            except (sqlite3.Error, sqlite3.Warning) as error:
                raise self._refused(error) from None
            self._declared = self._types(connection)
            self._order = "" if address.query else _order(connection, address, self._names)

    def columns(self) -> tuple[str, ...]:
        """Give the names of its columns."""
        return self._names

    def batches(self, rows: int, notes: Notes) -> Iterator[pa.RecordBatch]:
        """Give its rows, typed by what is found in each batch."""
        with closing(connect(self._address.location)) as connection:
            try:
                connection.execute("BEGIN")
                for values in self._rows(connection, rows, notes):
                    yield self.batch(values)
            except sqlite3.Error as error:
                raise self._refused(error) from None

    def batch(self, values: list[tuple[Any, ...]]) -> pa.RecordBatch:
        """Turn rows into columns."""
        columns = zip(*values, strict=True) if values else ((),) * len(self._names)
        arrays = [found_column(column, kind) for column, kind in zip(columns, self._declared, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, names=list(self._names))

    def reads(self, other: Location) -> bool:
        """Say whether a location is a table that is read, also through a view."""
        mine, theirs = file_of(self._address.location), file_of(other)
        if not theirs.exists() or not mine.samefile(theirs):
            return False
        target = Address.of(other, other.options, default="decisions").name.lower()
        read: set[str] = {self._address.name.lower()}

        def note(action: int, table: str | None, *_: str | None) -> int:
            if action == sqlite3.SQLITE_READ and table:
                read.add(table.lower())
            return sqlite3.SQLITE_OK

        with closing(connect(self._address.location)) as connection:
            connection.set_authorizer(note)
            connection.execute(f"EXPLAIN SELECT * FROM {self._from}")
        return target in read

    @property
    def has_numbers(self) -> bool:
        """Whether each row has a number of its own."""
        return bool(self._order)

    @property
    def _from(self) -> str:
        return f"({self._address.query}\n)" if self._address.query else self._address.sql

    def _rows(
        self, connection: sqlite3.Connection, most: int, notes: Notes
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Fetch rows; from the first text that is no UTF-8 on with a decoder that takes any."""
        sql = f"SELECT * FROM {self._from}{self._order}"
        cursor = connection.execute(sql)
        given = 0
        while True:
            try:
                rows = cursor.fetchmany(most)
            except sqlite3.OperationalError as error:
                if "Could not decode" not in str(error) or connection.text_factory is not str:
                    raise
                connection.text_factory = forgiving(notes, self._address.table or "query")
                cursor = connection.execute(sql)
                for _ in range(given // most):
                    cursor.fetchmany(most)
                continue
            if not rows:
                return
            given += len(rows)
            yield rows

    def _types(self, connection: sqlite3.Connection) -> list[str]:
        if self._address.query:
            return [""] * len(self._names)
        schema = f"{quoted(self._address.schema)}." if self._address.schema else ""
        found = connection.execute(f"PRAGMA {schema}table_xinfo({quoted(self._address.name)})")
        types = {name: declared or "" for _, name, declared, *_ in found}
        return [types.get(name, "") for name in self._names]

    def _refused(self, error: Exception) -> TallystickError:
        if self._address.query and not any(word in str(error) for word in ("locked", "malformed", "disk")):
            return UsageError(
                f"{self._address.shown} cannot be run: {error}.",
                "One SELECT is wanted. Its tables: see them with ?table= left out and no query.",
            )
        return explained(error, self._address.location)


def _is_there(connection: sqlite3.Connection, address: Address) -> bool:
    if not address.name or address.schema not in ("", "main"):
        return False
    found = connection.execute(
        f"SELECT 1 FROM sqlite_master WHERE type IN {_KINDS} AND name = ?", (address.name,)
    )
    return found.fetchone() is not None


def _order(connection: sqlite3.Connection, address: Address, names: tuple[str, ...]) -> str:
    """Ask for the order of the rows' own numbers, which costs nothing; a table without them has a key."""
    taken = {name.lower() for name in names}
    for number in ("rowid", "_rowid_", "oid"):
        if number not in taken:
            order = f" ORDER BY {number}"
            try:
                connection.execute(f"SELECT 1 FROM {address.sql}{order} LIMIT 0")
            except sqlite3.OperationalError:
                return ""
            return order
    return ""


def forgiving(notes: Notes, name: str) -> Any:
    """Return what decodes text that need not be UTF-8, and counts such text."""

    def decode(raw: bytes) -> str:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            notes.say(f"{name}: {{n}} values are no UTF-8 and were read as Windows-1252")
            return from_windows(raw)

    return decode


class SQLite:
    """Files of SQLite."""

    scheme = "sqlite"

    def tables(self, location: Location) -> list[str]:
        """List the tables and views of a file."""
        with closing(connect(location)) as connection:
            return table_names(connection)

    def open_source(self, location: Location, settings: Settings) -> Source:
        """Open a table or a query."""
        address = Address.of(location, ())
        return DatabaseSource(address, SQLiteTable(address), settings.batch_rows)

    def open_sink(self, location: Location, schema: pa.Schema | None, source: Source | None) -> Sink:
        """Prepare a table."""
        from tallystick.connectors.database_sqlite_sink import SQLiteSink

        address = Address.of(location, (), default="decisions").for_output()
        if source is not None and source.is_read_by(location):
            raise UsageError(f"{address.shown} is read by the input itself.", "Name another table.")
        return SQLiteSink(address, schema)

    def remove(self, location: Location) -> None:
        """Drop a table, if it is there."""
        address = Address.of(location, (), default="decisions").for_output()
        if not file_of(location).exists():
            return
        with closing(connect(location, write=True)) as connection:
            try:
                connection.execute(f"DROP TABLE IF EXISTS {address.sql}")
            except sqlite3.Error as error:
                raise explained(error, location) from None


DATABASES = (SQLite(),)
