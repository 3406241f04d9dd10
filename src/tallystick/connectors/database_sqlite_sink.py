# ruff: noqa: S608 - every name is quoted
"""A table of SQLite that takes the place of an old one when it is whole."""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import pyarrow as pa

from tallystick.connectors.database_address import Address
from tallystick.connectors.database_columns import check_names, columns_sql, inserts, sqlite_type
from tallystick.connectors.database_sqlite_connection import connect, explained, file_of, table_names
from tallystick.connectors.sink import Sink
from tallystick.errors import TallystickError, UsageError

__all__ = ["DELIVERED", "SQLiteSink"]

#: Where streams keep what they delivered to which table.
DELIVERED = "ts_delivered"


class SQLiteSink(Sink):
    """Rows wait in a hidden file beside the database, and move into it in one transaction at the end.

    So the database is locked for that moment only: other outputs of the same run, and other processes, write
    to it meanwhile.
    """

    def __init__(self, address: Address, schema: pa.Schema | None) -> None:
        super().__init__(address.location, schema)
        self._address = address
        self._waiting: Path | None = None
        self._file: IO[bytes] | None = None
        self._arrow: Any = None
        check_target(address)
        if schema is not None:
            check_names(schema.names, address.shown)

    def __enter__(self) -> SQLiteSink:
        path = file_of(self.location)
        self._waiting = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._waiting.open("xb")
        except OSError as error:
            raise UsageError(
                f"{path} cannot be written: {error.strerror or error}.", "Name another place."
            ) from None
        return self

    def write(self, batch: pa.RecordBatch) -> None:
        """Append the rows of a batch; the first, or the schema given before, says the columns."""
        if self._file is None:
            raise RuntimeError("write to a Sink within its `with` block")
        if self._schema is None:
            check_names(batch.schema.names, self._address.shown)
            self._schema = batch.schema
        try:
            if self._arrow is None:
                options = pa.ipc.IpcWriteOptions(compression="lz4", unify_dictionaries=False)
                self._arrow = pa.ipc.new_stream(self._file, self._schema, options=options)
            self._arrow.write_batch(batch if batch.schema == self._schema else batch.cast(self._schema))
        except OSError as error:
            self._explain(error)
            raise
        self.rows += batch.num_rows

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        except OSError as broken:
            self._explain(broken)
            raise
        finally:
            if self._file is not None:
                with suppress(OSError):  # what is held is not wanted any more
                    self._file.close()
                self._file = None
            if self._waiting is not None:
                self._waiting.unlink(missing_ok=True)

    def _finish(self) -> None:
        if self._file is None or self._waiting is None:
            return
        if self._schema is None:
            raise TallystickError(f"{self._address.shown}: there was no row, so the table has no columns.")
        if self._arrow is not None:
            self._arrow.close()
        self._file.close()
        new = not file_of(self.location).exists()
        try:
            with closing(connect(self.location, write=True)) as connection:
                self._replace(connection, self._schema)
        except BaseException:
            path = file_of(self.location)
            if new and path.exists() and not path.stat().st_size:
                path.unlink()
            raise

    def _replace(self, connection: sqlite3.Connection, schema: pa.Schema) -> None:
        table = self._address.sql
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(f"DROP TABLE IF EXISTS {table}")
            connection.execute(f"CREATE TABLE {table} ({columns_sql(schema, sqlite_type)})")
            if self._arrow is not None and self._waiting is not None:
                with pa.memory_map(str(self._waiting)) as mapped, pa.ipc.open_stream(mapped) as batches:
                    for batch in batches:
                        for sql, values in inserts(batch, table):
                            connection.executemany(sql, values)
            connection.execute("COMMIT")
        except (sqlite3.Error, OverflowError) as error:
            raise explained(error, self.location) from None


def check_target(address: Address) -> None:
    """Raise UsageError where a table cannot be replaced: a view, or what a stream delivers to."""
    path = file_of(address.location)
    if path.is_dir():
        raise UsageError(f"{path} is a folder.", "Name a file in it.")
    if not path.exists() or not path.stat().st_size:
        return
    with closing(connect(address.location)) as connection:
        found = connection.execute(
            "SELECT type FROM sqlite_master WHERE lower(name) = lower(?) AND type <> 'table'", (address.name,)
        ).fetchone()
        if found:
            raise UsageError(f"{address.shown} is no table but: {found[0]}.", "Name another table.")
        if (
            DELIVERED in table_names(connection)
            and connection.execute(
                f"SELECT 1 FROM {DELIVERED} WHERE lower(target) = lower(?)",
                (address.name,),
            ).fetchone()
        ):
            raise UsageError(
                f"{address.shown} is what a stream delivers to, and would be replaced.", "Name another table."
            )
