"""Databases by scheme: a table is a place like any file.

A module of this package with a `DATABASES` tuple brings one, as does an entry point of the group
`tallystick.connectors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tallystick.connectors.databases import found_databases

if TYPE_CHECKING:
    import pyarrow as pa

    from tallystick.config import Settings
    from tallystick.connectors.location import Location
    from tallystick.connectors.sink import Sink
    from tallystick.connectors.source import Source

__all__ = ["Database", "is_state"]

#: The table that only a database that holds the state of streams has.
STATE = "ts_head"


class Database(Protocol):
    """What a scheme of databases has to offer."""

    scheme: str

    def tables(self, location: Location) -> list[str]:
        """List the tables and views that can be read; UsageError where there is no such database."""

    def open_source(self, location: Location, settings: Settings) -> Source:
        """Open a table or a query; UsageError, with near names, where it is not there."""

    def open_sink(self, location: Location, schema: pa.Schema | None, source: Source | None) -> Sink:
        """Prepare a table that takes the place of an old one when it is whole."""

    def remove(self, location: Location) -> None:
        """Take a table away, if it is there."""


def is_state(uri: str) -> bool:
    """Say whether a URI without table and query names a database that holds the state of streams.

    Raises UsageError where such a database is named and not there, or cannot be reached.
    """
    from tallystick.connectors.location import Location

    location = Location.parse(str(uri))
    database = found_databases().get(location.scheme)
    if database is None or {"table", "query"} & set(location.options):
        return False
    return STATE in database.tables(location)
