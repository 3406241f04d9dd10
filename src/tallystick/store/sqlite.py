"""SQLite store: one file in WAL mode."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, QueuePool, Table, create_engine, event

from tallystick.errors import TallystickError, UsageError
from tallystick.store.database import Database

__all__ = ["SQLite"]

WAIT = 30.0  # seconds for another process to finish its transaction
BLOCK = 64  # rows to a statement: measured 3.2 µs a row, with one to a statement 5, with 1,000 to it 4.8
MAGIC = b"SQLite format 3\0"


class SQLite(Database):
    """SQLite database. durability: `power` syncs every commit, `process` leaves that to the system."""

    clock: ClassVar[str] = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"
    errors: ClassVar[tuple[type[Exception], ...]] = (*Database.errors, sqlite3.Error)

    def __init__(self, path: Path, shown: str, *, durability: str = "power", create: bool = True) -> None:
        _usable(path, shown, create=create)
        level = "FULL" if durability == "power" else "NORMAL"

        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(path, timeout=WAIT, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA page_size = 8192")  # of a new file; blobs and decisions are long
            _into_wal(connection)
            connection.execute(f"PRAGMA synchronous = {level}")
            connection.execute("PRAGMA fullfsync = ON")  # otherwise macOS does not sync to disk
            connection.execute("PRAGMA cache_size = -16384")
            connection.execute("PRAGMA journal_size_limit = 67108864")  # shrink it after a long reader
            return connection

        engine = create_engine(
            "sqlite://",
            creator=connect,
            poolclass=QueuePool,
            pool_size=4,
            max_overflow=-1,
            hide_parameters=True,
        )

        # The driver opens no transaction: a writer takes its lock at once, so that it never has to give up
        # halfway because another one was first.
        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            writes = connection.get_execution_options().get("writes")
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

        super().__init__(engine, shown)
        try:
            engine.connect().close()
        except self.errors as error:
            raise self.readable_error(getattr(error, "orig", None) or error) from error

    def readable_error(self, error: BaseException) -> TallystickError:
        """Return a readable error, with the common causes named."""
        message = str(error)
        if "not a database" in message or "malformed" in message:
            return UsageError(
                f"The file of the store {self.shown} is no SQLite database, or is damaged.",
                "Give another file, or restore this one from a backup.",
            )
        if "readonly" in message or "unable to open" in message:
            return UsageError(
                f"The store {self.shown} cannot be written: {message}.",
                "Give the process the right to write to the file and to its folder, or give another file.",
            )
        if "locked" in message:
            return TallystickError(
                f"The store {self.shown} has been locked by another process for more than {WAIT:.0f} s.",
                "Find what holds a transaction open in that file (a backup, a database browser) and end it.",
            )
        return super().readable_error(error)

    def put(
        self,
        connection: Connection,
        table: Table,
        shared: Mapping[str, Any],
        columns: Mapping[str, pa.Array],
        day: int | None = None,  # noqa: ARG002 (one table, whatever the day)
    ) -> None:
        """Insert rows with few statements that bind shared values once."""
        raw = _driver(connection)
        # Columns with one value are bound once as well: task, model, often the action.
        constants = {name: column[0].as_py() for name, column in columns.items() if _is_repeated(column)}
        lists = {name: _listed(column) for name, column in columns.items() if name not in constants}
        bound = (*shared.values(), *constants.values())
        rows, width = len(next(iter(columns.values()))), len(lists)
        values = chain.from_iterable(zip(*lists.values(), strict=True))
        names = (*shared, *constants, *lists)
        for _ in range(rows // BLOCK):
            raw.execute(
                _insert(table.name, names, len(bound), BLOCK), (*bound, *islice(values, BLOCK * width))
            )
        statement = _insert(table.name, names, len(bound), 1)
        for _ in range(rows % BLOCK):
            raw.execute(statement, (*bound, *islice(values, width)))

    def rows(self, connection: Connection, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Read through the driver."""
        return _driver(connection).execute(sql, tuple(values)).fetchall()

    def micros(self, column: str) -> str:
        """Return the column: times are numbers here."""
        return column


def _usable(path: Path, shown: str, *, create: bool) -> None:
    """Refuse an unusable path before SQLite creates a file."""
    if not path.exists():
        if not create:
            raise UsageError(f"There is no store {shown}.", f"Looked for {path}.")
        if not path.parent.is_dir():
            raise UsageError(
                f"The store {shown} cannot be made: there is no folder {path.parent}.",
                "Make the folder first.",
            )
        return
    if not path.is_file():
        raise UsageError(f"The store {shown} is no file.", "Give the name of a file in that folder.")
    with path.open("rb") as file:
        header = file.read(len(MAGIC))
    if header and header != MAGIC:
        raise UsageError(
            f"The file of the store {shown} is no SQLite database.",
            "Give another file; this one was not changed.",
        )
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        raise UsageError(
            f"The store {shown} cannot be written.",
            "Give the process the right to write to the file and to its folder, or give another file.",
        )


def _into_wal(connection: sqlite3.Connection) -> None:
    """Enable WAL mode; SQLite does not wait for another process that does the same."""
    until = time.monotonic() + WAIT
    while True:
        try:
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                connection.close()
                raise
            time.sleep(0.01)
            continue
        except sqlite3.Error:
            connection.close()
            raise
        if mode == "wal":
            return
        connection.close()
        raise sqlite3.OperationalError("unable to open in WAL mode (a network folder, perhaps)")


def _driver(connection: Connection) -> sqlite3.Connection:
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw


def _is_repeated(array: pa.Array) -> bool:
    """Return whether a column of strings or booleans is constant over at least two rows."""
    data_type = array.type
    if not (pa.types.is_string(data_type) or pa.types.is_boolean(data_type)) or len(array) < BLOCK:
        return False
    if array.null_count:
        return bool(array.null_count == len(array))
    return array[0] == array[-1] and pc.all(pc.equal(array, array[0])).as_py() is True


@lru_cache(maxsize=256)
def _insert(table: str, names: tuple[str, ...], shared: int, rows: int) -> str:
    """Build the INSERT statement; shared values are its first parameters."""
    width = len(names) - shared
    parameters = [f"?{i + 1}" for i in range(shared)]
    lines = (
        ",".join([*parameters, *(f"?{shared + row * width + i + 1}" for i in range(width))])
        for row in range(rows)
    )
    columns = ",".join(f'"{name}"' for name in names)
    return f'INSERT INTO "{table}" ({columns}) VALUES ' + ",".join(f"({line})" for line in lines)  # noqa: S608


def _listed(array: pa.Array) -> list[Any]:
    """Convert to Python values; times to microseconds."""
    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.timestamp("us", array.type.tz)).view(pa.int64())
    if array.null_count == len(array):
        return [None] * len(array)
    if not array.null_count and (pa.types.is_integer(array.type) or pa.types.is_floating(array.type)):
        values = np.asarray(array)
        return values.tolist()  # type: ignore[no-any-return]
    return array.to_pylist()  # type: ignore[no-any-return]
