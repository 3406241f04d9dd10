# ruff: noqa: S608 - every name is quoted
"""New rows of a table of SQLite.

One transaction writes at a time, so what is committed later has a greater number. That does not hold for a
number that is used again after the newest row was deleted: AUTOINCREMENT forbids that.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pyarrow as pa

from tallystick.connectors.database_address import Address, quoted
from tallystick.connectors.database_sqlite import SQLiteTable, forgiving
from tallystick.connectors.database_sqlite_connection import connect, explained
from tallystick.connectors.notes import Notes
from tallystick.errors import DataError, UsageError, did_you_mean

__all__ = ["SQLiteRising"]

_MOST_COUNTED = 100_000
_MARKS = {int: "i", float: "f", str: "s"}


class SQLiteRising:
    """See `table.Rising`; a value is kept with a letter for its kind, since 2 and "2" are not the same."""

    def __init__(self, address: Address, column: str) -> None:
        self._table = SQLiteTable(address)
        self._address = address
        self._connection: sqlite3.Connection | None = None
        self._notes = Notes()
        with closing(connect(address.location)) as connection:
            self.column = _column(connection, address, column, self._table.columns())
            unique, indexed = _indexes(connection, address, self.column)
        self.name = address.key
        self._indexed = indexed
        self._by = quoted(self.column) if self.column in self._table.columns() else self.column
        number = next((one for one in ("rowid", "_rowid_", "oid") if one not in self._lower()), "")
        if not unique and (not number or not self._table.has_numbers):
            raise UsageError(
                f"{address.shown}: the values of {self.column} need not differ, and the rows have no number.",
                "Name a column that is unique: &rising=COLUMN.",
            )
        self._order = (self._by,) if unique else (self._by, number)

    @property
    def held(self) -> bool:
        """Never: what is there came in order."""
        return False

    def check(self, after: Sequence[str] | None, notes: Notes) -> None:
        """Add notes on problems with starting after a value."""
        self._notes = notes
        table, by = self._address.sql, self._by
        if not self._indexed:
            notes.say(
                f"{self._address.table}: {self.column} has no index, so every look reads the whole table"
            )
        if self._one(f"SELECT EXISTS(SELECT 1 FROM {table} WHERE {by} IS NULL)"):
            notes.say(f"{self._address.table}: rows without a value in {self.column} are not read")
        if after is not None:
            newest = self._one(f"SELECT max({by}) FROM {table}")
            if newest is not None and self._one("SELECT ? < ?", newest, _value(after[0])):
                notes.say(
                    f"{self._address.table}: its newest {self.column} is {newest}, below {after[0][1:]}, "
                    "where it was left: was the table made anew?"
                )

    def read(self, after: Sequence[str] | None, most: int, wait: float) -> tuple[pa.RecordBatch, list[str]]:
        """Return rows after a value."""
        where, values = self._after(after)
        listed = ", ".join(self._order)
        sql = f"SELECT *, {listed} FROM {self._address.sql} WHERE {where} ORDER BY {listed} LIMIT {int(most)}"
        try:
            connection = self._open()
            connection.execute(f"PRAGMA busy_timeout = {max(1, int(wait * 1000))}")
            try:
                rows = connection.execute(sql, values).fetchall()
            except sqlite3.OperationalError as error:
                if "Could not decode" not in str(error):
                    raise
                connection.text_factory = forgiving(self._notes, self._address.table)
                rows = connection.execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise explained(error, self._address.location) from None
            rows = []  # somebody writes: the next look comes soon
        except sqlite3.Error as error:
            raise explained(error, self._address.location) from None
        width = len(self._order)
        batch = self._table.batch([row[:-width] for row in rows])
        return batch, [_text(value, self.column) for value in rows[-1][-width:]] if rows else []

    def waiting(self, after: Sequence[str] | None) -> int:
        """Count rows after a value."""
        where, values = self._after(after)
        sql = f"SELECT count(*) FROM (SELECT 1 FROM {self._address.sql} WHERE {where} LIMIT {_MOST_COUNTED})"
        try:
            return int(self._open().execute(sql, values).fetchone()[0])
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise explained(error, self._address.location) from None
            return 1  # somebody writes, so something may come

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._address.location)
        return self._connection

    def _one(self, sql: str, *values: Any) -> Any:
        try:
            return self._open().execute(sql, values).fetchone()[0]
        except sqlite3.Error as error:
            raise explained(error, self._address.location) from None

    def _after(self, after: Sequence[str] | None) -> tuple[str, list[Any]]:
        if after is None:
            return f"{self._by} IS NOT NULL", []
        values = [_value(text) for text in after]
        if len(self._order) == 1:
            return f"{self._by} > ?", values
        # The first half finds the place in an index of the column alone.
        return f"{self._by} >= ? AND ({', '.join(self._order)}) > (?, ?)", [values[0], *values]

    def _lower(self) -> set[str]:
        return {name.lower() for name in self._table.columns()}


def _text(value: Any, column: str) -> str:
    if type(value) not in _MARKS:
        raise DataError(f"The column {column} holds bytes, which have no order.", "Name another: &rising=.")
    return _MARKS[type(value)] + (repr(value) if isinstance(value, float) else str(value))


def _value(text: str) -> Any:
    return {"i": int, "f": float, "s": str}[text[:1]](text[1:])


def _column(connection: sqlite3.Connection, address: Address, asked: str, names: tuple[str, ...]) -> str:
    """Find the rising column: the one that is asked for, else a primary key of one whole number."""
    if asked:
        found = [name for name in (*names, "rowid") if name.lower() == asked.lower()]
        if not found:
            raise UsageError(f'{address.shown} has no column "{asked}".', did_you_mean(asked, names))
        return found[0]
    keys = [
        (name, kind)
        for _, name, kind, _, _, key in connection.execute(f"PRAGMA table_info({quoted(address.name)})")
        if key
    ]
    if len(keys) == 1 and "INT" in (keys[0][1] or "").upper():
        return str(keys[0][0])
    raise UsageError(
        f"{address.shown} has no primary key of one whole number to read new rows by.",
        f"Name a column that rises: &rising=COLUMN. Its columns: {', '.join(names)}.",
    )


def _indexes(connection: sqlite3.Connection, address: Address, column: str) -> tuple[bool, bool]:
    """Return whether a column's values all differ, and whether they can be looked up."""
    if column == "rowid":
        return True, True
    unique = indexed = False
    info = connection.execute(f"PRAGMA table_info({quoted(address.name)})").fetchall()
    keys = [row for row in info if row[5]]
    if len(keys) == 1 and keys[0][1] == column and (keys[0][2] or "").upper() == "INTEGER":
        return True, True
    for _, index, is_unique, _, partial in connection.execute(f"PRAGMA index_list({quoted(address.name)})"):
        parts = [row[2] for row in connection.execute(f"PRAGMA index_info({quoted(index)})")]
        if parts[:1] == [column] and not partial:
            indexed = True
            unique = unique or (bool(is_unique) and len(parts) == 1)
    return unique, indexed
