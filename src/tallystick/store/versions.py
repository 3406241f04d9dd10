"""Schema version: upgraded when a store is opened; a newer one is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from tallystick.errors import TallystickError
from tallystick.store.database import Database

__all__ = ["SCHEMA_VERSIONS", "upgrade_tables"]

#: All versions of the tables, the oldest first; the last is the one that this package writes.
SCHEMA_VERSIONS: Final = ("0001",)


def upgrade_tables(database: Database) -> None:
    """Create or upgrade the tables, once even when several processes open the store.

    Raises TallystickError when a newer package has written them.
    """
    if database.read(_version) == SCHEMA_VERSIONS[-1]:  # loads no Alembic
        return
    database.write(lambda connection: _upgrade(database, connection))


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("ts_version"):
        return None
    version = connection.execute(text("SELECT version_num FROM ts_version")).scalar()
    return None if version is None else str(version)


def _upgrade(database: Database, connection: Connection) -> None:
    """Run missing migrations in the caller's transaction."""
    database.lock_schema(connection)
    version = _version(connection)  # another process may have done it while this one waited
    if version == SCHEMA_VERSIONS[-1]:
        return
    if version is not None and version not in SCHEMA_VERSIONS:
        raise TallystickError(
            f"The store {database.shown} was written by a newer Tallystick: its tables are of version "
            f"{version}, and this one knows up to {SCHEMA_VERSIONS[-1]}.",
            "Upgrade Tallystick (`pip install --upgrade tallystick`), or give another store.",
        )
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
