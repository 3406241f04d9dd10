"""Decisions appended to a table, exactly once: the rows and how far they reach change in one transaction.

`sqlite:///FILE?table=decisions`, `postgresql://HOST/DB?table=decisions`; the table is made where it is not
there. What is nested is JSON text in SQLite, `jsonb` in PostgreSQL. How far each stream has delivered stands
in the table `ts_delivered` of the same database.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pyarrow as pa

from tallystick.config import Settings
from tallystick.connectors import Location
from tallystick.connectors.database_address import Address
from tallystick.connectors.database_postgresql_connection import OPTIONS
from tallystick.errors import TallystickError
from tallystick.streams.sink import Mark

__all__ = ["SCHEMES", "TableAppender", "TableSink", "open_stream"]

SCHEMES = ("postgresql", "sqlite")


class TableAppender(Protocol):
    """One database's way to append, and to remember how far."""

    def begin(self, schema: pa.Schema, stream: str) -> int:
        """Make what is missing, and say up to which entry the table holds what a stream delivered."""

    def append(self, batches: Sequence[pa.RecordBatch], stream: str, before: int, number: int) -> bool:
        """Append rows and move from one number to the next, in one transaction, for good.

        False, and nothing done, where the table does not stand at `before`.
        """

    def close(self) -> None:
        """Close the connection; may be called twice."""


class TableSink:
    """A table that grows; see `streams.sink.MovingSink`."""

    def __init__(self, appending: TableAppender, address: Address, schema: pa.Schema, stream: str) -> None:
        self.name = address.key
        self._appending, self._address = appending, address
        self._schema, self._stream = schema, stream
        self._number: int | None = None

    def resume(self, number: int, mark: Mark | None) -> int:  # noqa: ARG002 - the table knows better
        """Begin, and say up to which entry the table holds all; may be called again after an error."""
        self._number = self._appending.begin(self._schema, self._stream)
        return self._number

    def deliver(self, number: int, batches: Sequence[pa.RecordBatch]) -> Mark | None:
        """Append what was decided up to an entry."""
        if self._number is None:
            raise RuntimeError("resume a sink before it is delivered to")
        if number <= self._number:
            return {"number": self._number}
        before = self._number
        self._number = None  # until it is known that all went well
        if not self._appending.append(batches, self._stream, before, number):
            raise TallystickError(
                f'{self._address.shown}: somebody else delivers the stream "{self._stream}" to it.',
                "Stop the other one; then start this one again, and it goes on from what is there.",
            )
        self._number = number
        return {"number": number}

    def close(self) -> None:
        """Close the connection."""
        self._appending.close()


def open_stream(
    uri: str,
    schema: pa.Schema,
    settings: Settings,  # noqa: ARG001 - nothing of it counts here
    *,
    stream: str = "default",
) -> TableSink:
    """Open a table that decisions are appended to; it is made, where it is missing, by `resume`.

    Raises UsageError for a table of another kind, or a database that cannot be reached.
    """
    location = Location.parse(uri)
    address = Address.of(location, OPTIONS if location.scheme == "postgresql" else (), default="decisions")
    address = address.for_output()
    appending: TableAppender
    if location.scheme == "sqlite":
        from tallystick.streams.sinks.database_sqlite import SQLiteAppending

        appending = SQLiteAppending(address)
    else:
        from tallystick.streams.sinks.database_postgresql import PostgreSQLAppending

        appending = PostgreSQLAppending(address)
    return TableSink(appending, address, schema, stream)
