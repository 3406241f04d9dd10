# ruff: noqa: S608 - every name is quoted
"""A table of PostgreSQL that takes the place of an old one when it is whole."""

from __future__ import annotations

import secrets
from contextlib import closing, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tallystick.connectors.database_address import Address, quoted
from tallystick.connectors.database_columns import check_names, columns_sql, copy_text, postgresql_type
from tallystick.connectors.database_postgresql_connection import connect, explained
from tallystick.connectors.sink import Sink
from tallystick.errors import TallystickError, UsageError, did_you_mean

if TYPE_CHECKING:
    import psycopg

__all__ = ["LONGEST", "PostgreSQLSink"]

#: Bytes of a name that PostgreSQL keeps.
LONGEST = 63
_DELIVERED = "ts_delivered"


class PostgreSQLSink(Sink):
    """Rows go by COPY into a new table, which is renamed in the same transaction.

    Readers see the old table until then, and are waited for, for at most half a minute, when it is dropped.
    """

    def __init__(self, address: Address, schema: pa.Schema | None) -> None:
        super().__init__(address.location, schema)
        self._address = address
        self._connection: psycopg.Connection[Any] | None = None
        self._made = ""
        with closing(connect(address.location, read_only=False)) as connection:
            self._target = _target(connection, address)
        check_names([address.name], address.shown, longest=LONGEST)
        if schema is not None:
            check_names(schema.names, address.shown, longest=LONGEST)

    def __enter__(self) -> PostgreSQLSink:
        import psycopg

        self._connection = connect(self.location, read_only=False)
        try:
            self._connection.execute("BEGIN")
            self._connection.execute("SET LOCAL lock_timeout = '30s'")
            if self._schema is not None:
                self._make(self._schema)
        except psycopg.Error as error:
            self._abort()
            raise explained(error, self.location) from None
        return self

    def write(self, batch: pa.RecordBatch) -> None:
        """Append the rows of a batch; the first, or the schema given before, says the columns."""
        import psycopg

        if self._connection is None:
            raise RuntimeError("write to a Sink within its `with` block")
        if self._schema is None:
            check_names(batch.schema.names, self._address.shown, longest=LONGEST)
            self._schema = batch.schema
        try:
            if not self._made:
                self._make(self._schema)
            data = copy_text(batch if batch.schema == self._schema else batch.cast(self._schema))
            with (
                self._connection.cursor() as cursor,
                cursor.copy(f"COPY {self._made} FROM STDIN (FORMAT csv)") as copy,
            ):
                copy.write(data)
        except psycopg.Error as error:
            raise explained(error, self.location) from None
        self.rows += batch.num_rows

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import psycopg

        try:
            if kind is None and self._connection is not None:
                if not self._made:
                    raise TallystickError(
                        f"{self._address.shown}: there was no row, so the table has no columns."
                    )
                self._connection.execute(f"DROP TABLE IF EXISTS {self._target}")
                self._connection.execute(f"ALTER TABLE {self._made} RENAME TO {quoted(self._address.name)}")
                self._connection.execute("COMMIT")
        except psycopg.Error as broken:
            raise explained(broken, self.location) from None
        finally:
            self._abort()

    def _make(self, schema: pa.Schema) -> None:
        assert self._connection is not None
        home = self._target.rpartition(".")[0]
        self._made = f"{home}.{quoted('ts_new_' + secrets.token_hex(6))}"
        self._connection.execute(f"CREATE TABLE {self._made} ({columns_sql(schema, postgresql_type)})")

    def _abort(self) -> None:
        """Let the connection go; what was not committed goes with it."""
        if self._connection is not None:
            with suppress(Exception):  # a broken connection needs no goodbye
                self._connection.close()
            self._connection = None


def _target(connection: psycopg.Connection[Any], address: Address) -> str:
    """Give the full name of the table to be replaced, or made; UsageError where it may not be."""
    found = connection.execute(
        "SELECT n.nspname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.oid = to_regclass(%s)",
        (address.sql,),
    ).fetchone()
    if found and found[1] not in ("r", "p"):
        raise UsageError(f"{address.shown} is no table but a view or the like.", "Name another table.")
    if found:
        schema = str(found[0])
    elif address.schema:
        schemas = [one for (one,) in connection.execute("SELECT nspname FROM pg_namespace")]
        schema = address.schema
        if schema not in schemas:
            own = [one for one in schemas if not one.startswith("pg_")]
            raise UsageError(f'{address.place} has no schema "{schema}".', did_you_mean(schema, own))
    else:
        row = connection.execute("SELECT current_schema()").fetchone()
        if row is None or row[0] is None:
            raise UsageError(f"{address.place} has no schema to write to.", "Name one: ?table=SCHEMA.NAME.")
        schema = str(row[0])
    if found and delivers(connection, address.name):
        raise UsageError(
            f"{address.shown} is what a stream delivers to, and would be replaced.", "Name another table."
        )
    return f"{quoted(schema)}.{quoted(address.name)}"


def delivers(connection: psycopg.Connection[Any], table: str) -> bool:
    """Say whether a stream keeps what it delivered to a table."""
    there = connection.execute("SELECT to_regclass(%s)", (_DELIVERED,)).fetchone()
    if there is None or there[0] is None:
        return False
    found = connection.execute(
        f"SELECT 1 FROM {_DELIVERED} WHERE target IN (%s, %s)", (table, f"public.{table}")
    )
    return found.fetchone() is not None
