"""Base class of the store's databases: many readers, one writer."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import pyarrow as pa
from sqlalchemy import Connection, Engine, Table
from sqlalchemy.exc import SQLAlchemyError

from tallystick.errors import TallystickError
from tallystick.store.fair_lock import FairLock

__all__ = ["Database"]

T = TypeVar("T")
PAUSE = 0.1  # seconds before the second try, doubled up to two


class Database(ABC):
    """A database with any number of readers and one writer at a time per process.

    clock: SQL expression for microseconds since 1970; patience: seconds for which a transaction is retried
    when the connection to the server is lost.
    """

    clock: ClassVar[str]
    #: Suffix of a SELECT that locks its rows until the transaction ends.
    lock_row: ClassVar[str] = ""
    patience: float = 30.0
    #: Errors of the database, the driver's own included.
    errors: ClassVar[tuple[type[Exception], ...]] = (SQLAlchemyError,)

    def __init__(self, engine: Engine, shown: str) -> None:
        self.shown = shown
        self._engine = engine
        self._writer: Connection | None = None
        self._writer_lock = FairLock()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.shown!r})"

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run selects in one read transaction on a separate connection."""

        def attempt() -> T:
            with self._engine.connect() as connection, connection.begin():
                return work(connection)

        return self._retry(attempt)

    def write(self, work: Callable[[Connection], T], *, first: bool = False) -> T:
        """Run a write transaction; `work` is retried when the connection to the server is lost.

        first: before other transactions that wait in this process.
        """

        def attempt() -> T:
            if self._writer is None:
                self._writer = self._engine.connect().execution_options(writes=True)
            try:
                with self._writer.begin():
                    return work(self._writer)
            except self.errors:
                self._disconnect()
                raise

        with self._writer_lock.acquire(first=first):
            return self._retry(attempt)

    def close(self) -> None:
        """Close all connections; may be called twice."""
        with self._writer_lock.acquire():
            self._disconnect()
            self._engine.dispose()

    def _disconnect(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            try:
                writer.close()
            except self.errors:
                writer.invalidate()

    def _retry(self, attempt: Callable[[], T]) -> T:
        start, pause = time.monotonic(), PAUSE
        while True:
            try:
                return attempt()
            except self.errors as error:
                cause = getattr(error, "orig", None) or error
                if not self.is_transient(cause) or time.monotonic() - start + pause > self.patience:
                    raise self.readable_error(cause) from error
            time.sleep(pause)
            pause = min(pause * 2, 2.0)

    def readable_error(self, error: BaseException) -> TallystickError:
        """Return a readable error for a database error, without the rows concerned."""
        message = str(error).strip().partition("\n")[0].rstrip(".")
        return TallystickError(f"The store {self.shown} failed: {message}.", self.hint(error))

    def hint(self, error: BaseException) -> str:  # noqa: ARG002
        """Return a hint for an error."""
        return "Committed data is kept; start again when the cause is removed."

    def is_transient(self, error: BaseException) -> bool:  # noqa: ARG002
        """Return whether an error is transient."""
        return False

    def lock_schema(self, connection: Connection) -> None:  # noqa: B027 (SQLite has one writer)
        """Lock the schema against other processes for the rest of the transaction."""

    def write_day(self, day: int, work: Callable[[Connection], None]) -> None:  # noqa: ARG002
        """Write rows of a day (since 1970)."""
        self.write(work, first=True)

    def drop_days(self, key: Mapping[str, str], before_day: int, upto: int) -> int:  # noqa: ARG002
        """Drop the oldest day's partition of a stream, where supported; return the number of rows."""
        return 0

    def to_timestamp(self, at: int) -> Any:
        """Return a time (microseconds UTC) as `put` takes it for a column of times."""
        return at

    @abstractmethod
    def put(
        self,
        connection: Connection,
        table: Table,
        shared: Mapping[str, Any],
        columns: Mapping[str, pa.Array],
        day: int | None = None,
    ) -> None:
        """Insert rows in bulk, from shared values and columns.

        Timestamps go in as the table has them; day: of a table that is kept by day.
        """

    @abstractmethod
    def rows(self, connection: Connection, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Read many rows through the driver directly; `?` is a parameter."""

    @abstractmethod
    def micros(self, column: str) -> str:
        """Return the SQL that reads a column of times as microseconds since 1970."""
