"""Connections to PostgreSQL, their errors in words, and their answers as Arrow batches."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from tallystick.connectors.database_address import password
from tallystick.connectors.location import Location
from tallystick.errors import MissingExtraError, TallystickError, UsageError

if TYPE_CHECKING:
    import psycopg

__all__ = ["OPTIONS", "ArrowReader", "UnreachableError", "connect", "explained"]


class UnreachableError(UsageError):
    """Nobody answers, or not any more: later, somebody may."""


#: What is passed through to PostgreSQL's own client library.
OPTIONS = (
    "application_name",
    "channel_binding",
    "connect_timeout",
    "gssencmode",
    "host",
    "keepalives",
    "keepalives_idle",
    "sslcert",
    "sslcrl",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
)
# Times that do not depend on the server; rows in the order of the table, which parallel scans do not keep.
_SESSION = {
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "standard_conforming_strings": "on",
    "IntervalStyle": "iso_8601",
    "synchronize_seqscans": "off",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "max_parallel_workers_per_gather": "0",
}
# How much ADBC reads before it hands a batch on.
_HINT, _BYTES = "adbc.postgresql.batch_size_hint_bytes", 4 << 20


def connection_text(location: Location) -> str:
    """Write what the client library is told, the password included: never to be shown."""
    from psycopg.conninfo import make_conninfo

    try:
        parts = urlsplit(location.path)
        port = parts.port
    except ValueError:
        raise UsageError(
            f"{location.path}: the port is not a number.",
            "Write postgresql://USER@HOST:PORT/DB; signs such as / ? # in a password as %2F %3F %23.",
        ) from None
    given: dict[str, Any] = {
        "user": unquote(parts.username or ""),
        "host": unquote(parts.hostname or ""),
        "port": port,
        "dbname": unquote(parts.path.lstrip("/")),
        "password": password(location),
        "connect_timeout": "10",
        "application_name": "tallystick",
        "client_encoding": "UTF8",
        **{name: value for name, value in location.options.items() if name in OPTIONS},
    }
    return make_conninfo("", **{name: value for name, value in given.items() if value not in ("", None)})


def connect(location: Location, *, read_only: bool = True) -> psycopg.Connection[Any]:
    """Open a connection; each statement is a transaction of its own unless one is begun.

    Raises MissingExtraError without the extra `postgres`, UsageError where nobody answers or lets one in.
    """
    try:
        import psycopg
    except ImportError:
        raise _missing() from None
    try:
        connection = psycopg.connect(connection_text(location), autocommit=True)
        connection.execute(_session(read_only=read_only))
        return connection
    except psycopg.Error as error:
        raise explained(error, location, connecting=True) from None


def _session(*, read_only: bool) -> str:
    """Write the statement that says how a session is to be; poolers refuse that as a connection option."""
    wanted = {**_SESSION, "default_transaction_read_only": "on" if read_only else "off"}
    return "SELECT " + ", ".join(f"set_config('{name}', '{value}', false)" for name, value in wanted.items())


def _missing() -> MissingExtraError:
    return MissingExtraError(
        "PostgreSQL needs packages that are not installed.",
        'Install them: pip install "tallystick[postgres]"',
    )


def explained(error: Exception, location: Location, *, connecting: bool = False) -> TallystickError:
    """Turn what PostgreSQL, its client library or ADBC says into an error for people."""
    state = str(getattr(error, "sqlstate", None) or "")
    text = " ".join(str(error).split("SQLSTATE")[0].split("\nQuery was:")[0].split())
    text = text.split(" Is the server running")[0]
    text = text.removeprefix("IO: ").removeprefix("connection failed: ").rstrip(". ")
    if secret := password(location):
        text = text.replace(secret, "***")
    place = location.shown
    if state.startswith(("28",)) or "password authentication" in text or "no password supplied" in text:
        return UsageError(
            f"{place}: PostgreSQL does not let this user in: {text}.",
            "Give the password by TALLYSTICK_DATABASE_PASSWORD, a file named by "
            "TALLYSTICK_DATABASE_PASSWORD_FILE, PGPASSWORD or ~/.pgpass.",
        )
    if state == "42501":
        return UsageError(
            f"{place}: permission denied: {text}.",
            "Ask for the right to it (GRANT), or name another table or user.",
        )
    if state == "3D000" or ("database" in text and "does not exist" in text and not state):
        return UsageError(f"{place}: {text}.", "Name a database that exists: postgresql://HOST/DB.")
    if state in ("55P03", "40P01"):
        return TallystickError(
            f"{place}: the table is locked by another transaction.", "Try again when that one has ended."
        )
    if state == "53100":
        return TallystickError(f"{place} could not be written: the disk is full.", "Make room on the server.")
    if state == "2BP01":
        return UsageError(
            f"{place}: the old table cannot be replaced: {text}.",
            "Views or keys stand on it: drop them first, or name another table.",
        )
    if state.startswith("42"):
        return UsageError(f"{place}: PostgreSQL says: {text}.", "Check the names in the table or query.")
    if not state or state.startswith(("08", "57P")):
        host = urlsplit(location.path).netloc.rpartition("@")[2] or os.environ.get("PGHOST", "localhost")
        unreachable = UnreachableError(
            f"{place}: PostgreSQL cannot be reached at {host}: {text}.",
            "Check that it runs there, the host and port, a firewall between, and sslmode.",
        )
        if not connecting:
            unreachable.exit_code = TallystickError.exit_code  # it was there before
        return unreachable
    return TallystickError(f"{place}: PostgreSQL says: {text}.")


class ArrowReader:
    """A connection whose answers are Arrow batches; used by one thread."""

    def __init__(self, location: Location) -> None:
        try:
            from adbc_driver_postgresql import dbapi  # type: ignore[import-untyped]
        except ImportError:
            raise _missing() from None
        self._location = location
        self._errors = (dbapi.Error, pa.ArrowException, OSError)
        try:
            self._connection = dbapi.connect(connection_text(location), autocommit=True)
            with self._connection.cursor() as cursor:
                cursor.execute(_session(read_only=True))
                cursor.fetchall()
        except dbapi.Error as error:
            raise explained(error, location, connecting=True) from None

    def batches(self, sql: str, names: tuple[str, ...], rows: int) -> Iterator[pa.RecordBatch]:
        """Run a statement and give what comes, in bounded memory, as batches of at most `rows` rows."""
        try:
            with self._connection.cursor(adbc_stmt_kwargs={_HINT: _BYTES}) as cursor:
                cursor.execute(sql)
                with cursor.fetch_record_batch() as reader:
                    whole = False
                    try:
                        for batch in reader:
                            found = batch.rename_columns(list(names))
                            for start in range(0, found.num_rows, rows):
                                yield found.slice(start, rows)
                        whole = True
                    finally:
                        if not whole:  # else the rest of the table would be fetched in closing
                            with suppress(*self._errors):
                                cursor.adbc_cancel()
        except self._errors as error:
            raise explained(error, self._location) from None

    def close(self) -> None:
        """Let the connection go."""
        with suppress(*self._errors):
            self._connection.close()
