# ruff: noqa: S608 - every name is quoted, every value a literal
"""New rows of a table of PostgreSQL, none passed over.

Transactions become visible in another order than that of the values they wrote: row 10 may be there while row
9 is still to be committed, and who reads on after 10 never sees it. So a value is trusted only when every
transaction that could still bring a lower one has ended: first the newest visible value is taken, then the
transactions that are running; when none of those is left, nothing below that value can come any more.

Where the column is fed by a sequence of its own (serial, identity), those that count hold a lock on the table
or the sequence: a long report elsewhere keeps nobody waiting, and one that writes is waited for however long
it takes. For other columns, such as a time by `now()`, which is the time at which a transaction began, all
running transactions of the database count; those that have written nothing to the table within `lag` (at
least ten seconds) are not waited for any longer. What is still not covered: values that an application takes
in one transaction and writes in a later one, and sequences with a cache. For these `lag` holds each value
back for so many seconds. A replica does not tell of running transactions: there `lag` has to be given.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tallystick.connectors.database_address import Address, quoted
from tallystick.connectors.database_postgresql import PostgreSQLTable
from tallystick.connectors.database_postgresql_connection import ArrowReader, connect, explained
from tallystick.connectors.notes import Notes
from tallystick.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    import psycopg

__all__ = ["PostgreSQLRising"]

_MOST_COUNTED = 100_000
_PATIENCE = 10.0
_WHOLE = {"int2", "int4", "int8"}
# Who holds a lock that a row's writer has; the table's partitions and the column's sequence count too.
_WRITERS = (
    "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND mode = 'RowExclusiveLock'"
    " AND relation = ANY(%s) AND granted AND pid IS DISTINCT FROM pg_backend_pid()"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_RUNNING = (
    "SELECT l.virtualtransaction FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
    " WHERE l.locktype = 'virtualxid' AND l.granted AND a.datname = current_database()"
    " AND a.backend_type = 'client backend'"
    " AND l.pid <> pg_backend_pid()"
)
_RELATIONS = (
    "SELECT c.oid::int8, c.relkind FROM pg_class c WHERE c.oid = to_regclass(%(table)s)"
    " UNION SELECT relid::int8, 'r' FROM pg_partition_tree(to_regclass(%(table)s))"
    " UNION SELECT inhrelid::int8, 'r' FROM pg_inherits WHERE inhparent = to_regclass(%(table)s)"
)


class PostgreSQLRising:
    """See `table.Rising`; values are kept as PostgreSQL writes them. lag: NaN where none was given."""

    def __init__(self, address: Address, column: str, lag: float) -> None:
        self._address = address
        self._table = PostgreSQLTable(address)
        self.name = address.key
        self._arrow: ArrowReader | None = None
        self._meta: psycopg.Connection[Any] | None = None
        with closing(connect(address.location)) as connection:
            replica = connection.execute("SELECT pg_is_in_recovery()").fetchone()
            if replica and replica[0] and math.isnan(lag):
                raise UsageError(
                    f"{address.shown} is on a replica, which does not tell of running transactions.",
                    "Read from the primary, or say for how long rows are held back: &lag=SECONDS.",
                )
            self._kinds = _kinds(connection, address)
            keys = _key(connection, address)
            self.column = self._column(column, keys)
            unique, self._indexed = _indexes(connection, address, self.column)
            whole_key = len(keys) == 1 and self._kinds[keys[0]] in _WHOLE
            if not unique and not whole_key:
                raise UsageError(
                    f"{address.shown}: the values of {self.column} need not differ, and the primary key is "
                    "not one whole number that tells equal ones apart.",
                    "Name a column that is unique: &rising=COLUMN.",
                )
            self._order = [self.column] if unique else [self.column, keys[0]]
            rows = connection.execute(_RELATIONS, {"table": address.sql}).fetchall()
            self._relations = [oid for oid, _ in rows]
            sequence = _sequence(connection, address, self.column) if rows[0][1] in ("r", "p") else None
            self._fed = sequence is not None
            self._relations += [sequence] if sequence is not None else []
        self._lag = 0.0 if math.isnan(lag) else lag
        self._safe: str | None = None  # up to here nothing can come any more
        self._bound: tuple[str, float, set[str], set[str]] | None = None

    @property
    def held(self) -> bool:
        """Whether a bound waits for transactions to end."""
        return self._bound is not None

    def check(self, after: Sequence[str] | None, notes: Notes) -> None:
        """Add notes on problems with starting after a value."""
        table, by = self._address.sql, quoted(self.column)
        if not self._indexed:
            notes.say(
                f"{self._address.table}: {self.column} has no index, so every look reads the whole table"
            )
        if self._one(f"SELECT EXISTS(SELECT 1 FROM {table} WHERE {by} IS NULL)"):
            notes.say(f"{self._address.table}: rows without a value in {self.column} are not read")
        if after is not None:
            last = f"SELECT {by} AS v FROM {table} WHERE {by} IS NOT NULL ORDER BY {by} DESC LIMIT 1"
            newest = self._one(f"SELECT v::text FROM ({last}) AS q WHERE v < {self._value(0, after)}")
            if newest is not None:
                notes.say(
                    f"{self._address.table}: its newest {self.column} is {newest}, below {after[0]}, "
                    "where it was left: was the table made anew?"
                )

    def read(
        self,
        after: Sequence[str] | None,
        most: int,
        wait: float,  # noqa: ARG002 - a look takes no longer than its statement
    ) -> tuple[pa.RecordBatch, list[str]]:
        """Return rows after a value, up to one that is safe."""
        self._move(after)
        if self._safe is None:
            return pa.RecordBatch.from_arrays([], names=[]), []
        by = quoted(self.column)
        where = f" WHERE {self._after(after)} AND t.{by} <= {self._literal(self._safe, self.column)}"
        order = ", ".join(f"t.{quoted(name)}" for name in self._order)
        values = tuple(f"{i}" for i in range(len(self._order)))
        more = "".join(f", t.{quoted(name)}::text" for name in self._order)
        sql = self._table.sql(where=where, order=f" ORDER BY {order} LIMIT {int(most)}", more=more)
        names = (*self._table.columns(), *values)
        if self._arrow is None:
            self._arrow = ArrowReader(self._address.location)
        batches = list(self._arrow.batches(sql, names, most))
        found = pa.Table.from_batches(batches).combine_chunks().to_batches() if batches else []
        if sum(len(batch) for batch in found) < most:
            self._safe = None  # all of it is read
        if not found:
            return pa.RecordBatch.from_arrays([], names=[]), []
        rows, width = found[0], len(self._order)
        last = [rows.column(rows.num_columns - width + i)[len(rows) - 1].as_py() for i in range(width)]
        return rows.select(list(range(rows.num_columns - width))), last

    def waiting(self, after: Sequence[str] | None) -> int:
        """Count rows after a value."""
        inner = f"SELECT 1 FROM {self._address.sql} AS t WHERE {self._after(after)} LIMIT {_MOST_COUNTED}"
        return int(self._one(f"SELECT count(*) FROM ({inner}) AS q"))

    def close(self) -> None:
        """Close the connection; what was safe stays so."""
        if self._arrow is not None:
            self._arrow.close()
            self._arrow = None
        if self._meta is not None:
            with suppress(Exception):  # a broken connection needs no goodbye
                self._meta.close()
            self._meta = None

    def _move(self, after: Sequence[str] | None) -> None:
        """Find up to where it is safe to read, if something new is there."""
        if self._safe is not None:
            return
        if self._bound is None:
            by = f"t.{quoted(self.column)}"
            newest = self._one(
                f"SELECT {by}::text FROM {self._address.sql} AS t WHERE {self._after(after)}"
                f" ORDER BY {by} DESC LIMIT 1"
            )
            if newest is None:
                return
            # Only now: whoever has a lower value, and is not seen by now, is among these.
            self._bound = (newest, time.monotonic(), *self._transactions())
        bound, since, writers, others = self._bound
        passed = time.monotonic() - since
        if passed < self._lag:
            return
        if writers or others:
            still_writing, still_running = self._transactions()
            if writers & still_writing or others & still_writing:
                return
            if others & still_running and passed < max(self._lag, _PATIENCE):
                return
        self._safe, self._bound = bound, None

    def _transactions(self) -> tuple[set[str], set[str]]:
        """Return the transactions that write to the table, and where those do not suffice, all."""
        writers = {str(row[0]) for row in self._all(_WRITERS, (self._relations,))}
        return writers, set() if self._fed else {str(row[0]) for row in self._all(_RUNNING)}

    def _all(self, sql: str, values: Sequence[Any] | None = None) -> list[Any]:
        import psycopg

        try:
            if self._meta is None:
                self._meta = connect(self._address.location)
            return self._meta.execute(sql, values).fetchall()
        except psycopg.Error as error:
            raise explained(error, self._address.location) from None

    def _one(self, sql: str) -> Any:
        rows = self._all(sql)
        return rows[0][0] if rows else None

    def _after(self, after: Sequence[str] | None) -> str:
        first = f"t.{quoted(self._order[0])}"
        if after is None:
            return f"{first} IS NOT NULL"
        if len(self._order) == 1:
            return f"{first} > {self._value(0, after)}"
        both = f"({first}, t.{quoted(self._order[1])}) > ({self._value(0, after)}, {self._value(1, after)})"
        return f"{first} >= {self._value(0, after)} AND {both}"

    def _value(self, i: int, after: Sequence[str]) -> str:
        return self._literal(after[i], self._order[i])

    def _literal(self, value: str, column: str) -> str:
        return "'" + value.replace("'", "''") + f"'::{quoted(self._kinds[column])}"

    def _column(self, asked: str, keys: Sequence[str]) -> str:
        if asked:
            if asked not in self._kinds:
                raise UsageError(
                    f'{self._address.shown} has no column "{asked}".', did_you_mean(asked, self._kinds)
                )
            return asked
        if len(keys) == 1 and self._kinds[keys[0]] in _WHOLE:
            return keys[0]
        raise UsageError(
            f"{self._address.shown} has no primary key of one whole number to read new rows by.",
            f"Name a column that rises: &rising=COLUMN. Its columns: {', '.join(self._kinds)}.",
        )


def _kinds(connection: psycopg.Connection[Any], address: Address) -> dict[str, str]:
    """Return the type of each column."""
    found = connection.execute(
        "SELECT a.attname, coalesce(b.typname, t.typname) FROM pg_attribute a"
        " JOIN pg_type t ON t.oid = a.atttypid"
        " LEFT JOIN pg_type b ON b.oid = nullif(t.typbasetype, 0)"
        " WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        (address.sql,),
    )
    return {str(name): str(kind) for name, kind in found}


def _key(connection: psycopg.Connection[Any], address: Address) -> list[str]:
    """Return the columns of the primary key."""
    found = connection.execute(
        "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid"
        " AND a.attnum = ANY(i.indkey) WHERE i.indrelid = to_regclass(%s) AND i.indisprimary",
        (address.sql,),
    )
    return [str(name) for (name,) in found]


def _indexes(connection: psycopg.Connection[Any], address: Address, column: str) -> tuple[bool, bool]:
    """Return whether a column's values all differ, and whether they can be looked up."""
    found = connection.execute(
        "SELECT i.indisunique AND i.indnkeyatts = 1 FROM pg_index i"
        " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
        " WHERE i.indrelid = to_regclass(%s) AND a.attname = %s AND i.indpred IS NULL AND i.indisvalid",
        (address.sql, column),
    ).fetchall()
    return any(unique for (unique,) in found), bool(found)


def _sequence(connection: psycopg.Connection[Any], address: Address, column: str) -> int | None:
    """Find the sequence that feeds a column."""
    found = connection.execute(
        "SELECT pg_get_serial_sequence(%s, %s)::regclass::oid::int8", (address.sql, column)
    ).fetchone()
    return None if found is None or found[0] is None else int(found[0])
