# ruff: noqa: S608 - the names are constants
"""Connections to SQLite files, and what goes wrong with them in words."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote, unquote

from tallystick.connectors.filesystem import file_system
from tallystick.connectors.location import Location
from tallystick.errors import DataError, TallystickError, UsageError

__all__ = ["PATIENCE", "connect", "explained", "file_of", "table_names"]

#: Seconds to wait while another process writes.
PATIENCE = 30.0
_PREFIX = "sqlite:///"
_KINDS = "('table', 'view')"


def file_of(location: Location) -> Path:
    """Give the file of a URI: after three slashes a path from here, after four one from the root.

    >>> file_of(Location.parse("sqlite:////data/my%20bank.db?table=payments")).as_posix()
    '/data/my bank.db'
    """
    path = unquote(location.path.removeprefix(_PREFIX))
    if not location.path.startswith(_PREFIX) or not path or path == ":memory:" or "\0" in path:
        raise UsageError(
            f"{location.path} names no file.",
            "Write sqlite:///FILE.db for a path from here, sqlite:////DIR/FILE.db for one from the root.",
        )
    return Path(path)


def connect(location: Location, *, write: bool = False) -> sqlite3.Connection:
    """Open the file of a URI; `write`: make it, and its folder, where they are not there.

    Transactions are begun and ended by hand. Raises UsageError where there is no such database.
    """
    path = file_of(location)
    if path.is_dir():
        raise UsageError(f"{path} is a folder.", "Name a file in it.")
    if not write and not path.exists():
        file_system("file").list(str(path))  # says what is near
    try:
        if write:
            path.parent.mkdir(parents=True, exist_ok=True)
            return _opened(path, "rwc")
        try:
            return _opened(path, "ro")
        except sqlite3.OperationalError as error:
            if "readonly" not in str(error):
                raise
            # A process was killed while it wrote: what it left half-done is undone by whoever opens next.
            return _opened(path, "rw")
    except (sqlite3.Error, OSError) as error:
        raise explained(error, location) from None


def _opened(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"file:{quote(str(path))}?mode={mode}"
    connection = sqlite3.connect(
        uri, uri=True, timeout=PATIENCE, isolation_level=None, check_same_thread=False
    )
    try:
        if mode != "rwc":
            connection.execute("PRAGMA query_only = ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def explained(error: Exception, location: Location) -> TallystickError:
    """Turn what SQLite, or the system, says into an error for people."""
    text = str(error).strip().rstrip(".")
    place, words = location.shown, text.lower()
    if "locked" in words or "busy" in words:
        return TallystickError(
            f"{place}: the database is locked: another process has been writing to it for {PATIENCE:.0f} s.",
            "Wait until it is done, or write to another file.",
        )
    if "not a database" in words:
        return UsageError(f"{file_of(location)} is no SQLite database.", "Name another file.")
    if "disk is full" in words or "disk i/o" in words:
        why = "the disk is full" if "full" in words else "the disk does not take, or give, what it should"
        return TallystickError(
            f"{place} could not be read or written: {why}.",
            "Nothing half-written was left; what stood there is untouched. Make room, or name another place.",
        )
    if "malformed" in words or "corrupt" in words:
        return DataError(
            f"{file_of(location)} is damaged: {text}.", "Restore it, or recover it with the sqlite3 tool."
        )
    if "readonly" in words or "unable to open" in words or isinstance(error, OSError):
        return UsageError(
            f"{file_of(location)} cannot be opened: {text}.",
            "Check the permissions of the file and its folder, or name another place.",
        )
    return TallystickError(f"{place}: SQLite says: {text}.")


def table_names(connection: sqlite3.Connection) -> list[str]:
    """List tables and views."""
    found = connection.execute(
        f"SELECT name FROM sqlite_master WHERE type IN {_KINDS} AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        " ORDER BY name"
    )
    return [name for (name,) in found]
