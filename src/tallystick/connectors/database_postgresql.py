# ruff: noqa: S608 - every name is quoted, and a query is run as its user may run it
"""PostgreSQL: `postgresql://USER@HOST:PORT/DB?table=NAME`; read by ADBC into Arrow, written by COPY."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tallystick.config import Settings
from tallystick.connectors.database_address import Address, no_table, quoted
from tallystick.connectors.database_postgresql_connection import OPTIONS, ArrowReader, connect, explained
from tallystick.connectors.database_source import DatabaseSource
from tallystick.connectors.location import Location
from tallystick.connectors.notes import Notes
from tallystick.connectors.sink import Sink
from tallystick.connectors.source import Source
from tallystick.errors import UsageError

if TYPE_CHECKING:
    import psycopg

__all__ = ["DATABASES", "PostgreSQLTable", "select_list"]

# Which server and which database, whatever name each was reached by.
_HERE = "SELECT current_database(), inet_server_port(), pg_postmaster_start_time()"
# As they are; all else comes as text, numeric too, which a float would spoil.
_NATIVE = {"int2", "int4", "int8", "float4", "float8", "bool"}
# Python has no year beyond these, and PostgreSQL an "infinity"; the contract refuses what lies so far off.
_TIMES = {
    "date": ("'0001-01-01'::date", "'9999-12-31'::date"),
    "timestamp": ("'0001-01-01'::timestamp", "'9999-12-31 23:59:59.999999'::timestamp"),
    "timestamptz": ("'0001-01-01 00:00+00'::timestamptz", "'9999-12-31 23:59:59.999999+00'::timestamptz"),
}


def select_list(columns: list[tuple[str, str, str]]) -> str:
    """Write what is asked of each column so that nothing is lost on the way to Arrow.

    columns: for each its expression, the name of its type, and its kind: `A` for arrays, `C` for rows.
    """
    parts = []
    for what, kind, category in columns:
        if kind in _NATIVE:
            parts.append(what)
        elif kind in _TIMES:
            least, most = _TIMES[kind]
            parts.append(
                f"CASE WHEN {what} > {most} THEN {most} WHEN {what} < {least} THEN {least} ELSE {what} END"
            )
        elif kind == "bytea":
            parts.append(f"encode({what}, 'hex')")
        elif kind == "money":
            parts.append(f"{what}::numeric::text")
        else:
            parts.append(f"to_json({what})::text" if category in ("A", "C") else f"{what}::text")
    return ", ".join(parts)


class PostgreSQLTable:
    """A table, a view or a query of a database."""

    def __init__(self, address: Address) -> None:
        self.address = address
        with closing(connect(address.location)) as connection:
            if not address.query and not _is_there(connection, address):
                raise no_table(address, table_names(connection))
            self._names, self._select = self._described(connection)
            self._order = "" if address.query else _order(connection, address)

    def columns(self) -> tuple[str, ...]:
        """Give the names of its columns."""
        return self._names

    def batches(self, rows: int, notes: Notes) -> Iterator[pa.RecordBatch]:  # noqa: ARG002 - nothing to say
        """Give its rows, in the order of its key where it has one."""
        with closing(ArrowReader(self.address.location)) as reader:
            yield from reader.batches(self.sql(order=self._order), self._names, rows)

    def sql(self, *, where: str = "", order: str = "", more: str = "") -> str:
        """Write the statement that reads it; more: what is wanted besides its columns."""
        return f"SELECT {self._select}{more} FROM {self._from}{where}{order}"

    def reads(self, other: Location) -> bool:
        """Say whether a location is a table that is read, also through a view."""
        with closing(connect(self.address.location)) as mine, closing(connect(other)) as theirs:
            if mine.execute(_HERE).fetchone() != theirs.execute(_HERE).fetchone():
                return False
            target = Address.of(other, other.options, default="decisions")
            read = mine.execute(f"EXPLAIN (VERBOSE, FORMAT JSON) SELECT * FROM {self._from}").fetchone()
            names = set(_relations(read[0] if read else []))
            if self.address.name:
                names.add(_full_name(mine, self.address))
            return _full_name(theirs, target) in names

    @property
    def _from(self) -> str:
        if not self.address.query:
            return f"{self.address.sql} AS t"
        # Columns of a query may share a name: here they are numbered.
        numbered = ", ".join(f"c{i}" for i in range(len(self._names)))
        return f"({self.address.query}\n) AS t" + (f"({numbered})" if numbered else "")

    def _described(self, connection: psycopg.Connection[Any]) -> tuple[tuple[str, ...], str]:
        import psycopg

        self._names = ()
        try:
            found = connection.execute(f"SELECT * FROM {self._from} LIMIT 0").description or []
        except psycopg.Error as error:
            if self.address.query:
                text = (error.diag.message_primary or str(error)).rstrip(".")
                raise UsageError(
                    f"{self.address.shown} cannot be run: {text}.", "One SELECT is wanted."
                ) from None
            raise explained(error, self.address.location) from None
        kinds = {
            oid: (name, "C" if group == "c" else category)
            for oid, name, category, group in connection.execute(
                "SELECT oid, typname, typcategory, typtype FROM pg_type WHERE oid = ANY(%s)",
                ([column.type_code for column in found],),
            )
        }
        names = tuple(column.name for column in found)
        columns = [
            (f"t.c{i}" if self.address.query else f"t.{quoted(one.name)}", *kinds[one.type_code])
            for i, one in enumerate(found)
        ]
        self._names = names
        return names, select_list(columns)


def table_names(connection: psycopg.Connection[Any]) -> list[str]:
    """List tables and views that are not the server's own; with their schema where it is not searched."""
    found = connection.execute(
        "SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname ELSE n.nspname || '.' || c.relname END"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT LIKE 'pg\\_%'"
        " AND n.nspname <> 'information_schema' AND NOT c.relispartition ORDER BY 1"
    )
    return [name for (name,) in found]


def _is_there(connection: psycopg.Connection[Any], address: Address) -> bool:
    found = connection.execute("SELECT to_regclass(%s)", (address.sql,)).fetchone() if address.name else None
    return found is not None and found[0] is not None


def _full_name(connection: psycopg.Connection[Any], address: Address) -> tuple[str, str]:
    """Give schema and name, also of a table that is still to be made."""
    found = connection.execute(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.oid = to_regclass(%s)",
        (address.sql,),
    ).fetchone()
    return (str(found[0]), str(found[1])) if found else (address.schema or "public", address.name)


def _relations(plan: Any) -> Iterator[tuple[str, str]]:
    """Find the tables that a plan reads."""
    if isinstance(plan, list):
        for part in plan:
            yield from _relations(part)
    elif isinstance(plan, dict):
        if "Relation Name" in plan:
            yield plan.get("Schema", ""), plan["Relation Name"]
        for part in plan.values():
            yield from _relations(part)


def _order(connection: psycopg.Connection[Any], address: Address) -> str:
    """Ask for the order of the primary key; a table without one is read as it lies."""
    found = connection.execute(
        "SELECT a.attname FROM pg_index i"
        " CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)"
        " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum"
        " WHERE i.indrelid = to_regclass(%s) AND i.indisprimary ORDER BY k.place",
        (address.sql,),
    ).fetchall()
    return " ORDER BY " + ", ".join(f"t.{quoted(name)}" for (name,) in found) if found else ""


class PostgreSQL:
    """Databases of PostgreSQL."""

    scheme = "postgresql"

    def tables(self, location: Location) -> list[str]:
        """List the tables and views of a database."""
        with closing(connect(location)) as connection:
            return table_names(connection)

    def open_source(self, location: Location, settings: Settings) -> Source:
        """Open a table or a query."""
        address = Address.of(location, OPTIONS)
        return DatabaseSource(address, PostgreSQLTable(address), settings.batch_rows)

    def open_sink(self, location: Location, schema: pa.Schema | None, source: Source | None) -> Sink:
        """Prepare a table."""
        from tallystick.connectors.database_postgresql_sink import PostgreSQLSink

        address = Address.of(location, OPTIONS, default="decisions").for_output()
        if source is not None and source.is_read_by(location):
            raise UsageError(f"{address.shown} is read by the input itself.", "Name another table.")
        return PostgreSQLSink(address, schema)

    def remove(self, location: Location) -> None:
        """Drop a table, if it is there."""
        import psycopg

        address = Address.of(location, OPTIONS, default="decisions").for_output()
        with closing(connect(location, read_only=False)) as connection:
            try:
                connection.execute(f"DROP TABLE IF EXISTS {address.sql}")
            except psycopg.Error as error:
                raise explained(error, location) from None


DATABASES = (PostgreSQL(),)
