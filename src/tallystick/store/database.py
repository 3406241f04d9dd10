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
from tallystick.store.turns import Turns

__all__ = ["Database"]

T = TypeVar("T")
PAUSE = 0.1  # seconds before the second try, doubled up to two


class Database(ABC):
    """A database with any number of readers and one writer at a time per process.

    clock: microseconds since 1970, in its SQL; patience: for how many seconds a server that has gone away is
    tried again, with the whole transaction.
    """

    clock: ClassVar[str]
    #: What a select adds to keep a row from being changed until the transaction ends.
    lock_row: ClassVar[str] = ""
    patience: float = 30.0
    #: What can go wrong: also what the driver raises where SQLAlchemy is not in between.
    errors: ClassVar[tuple[type[Exception], ...]] = (SQLAlchemyError,)

    def __init__(self, engine: Engine, shown: str) -> None:
        self.shown = shown
        self._engine = engine
        self._writer: Connection | None = None
        self._turns = Turns()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.shown!r})"

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run selects in one read transaction on a separate connection."""

        def once() -> T:
            with self._engine.connect() as connection, connection.begin():
                return work(connection)

        return self._patiently(once)

    def write(self, work: Callable[[Connection], T], *, first: bool = False) -> T:
        """Run a write transaction; `work` is retried when the connection to the server is lost.

        first: before whatever else waits in this process.
        """

        def once() -> T:
            if self._writer is None:
                self._writer = self._engine.connect().execution_options(writes=True)
            try:
                with self._writer.begin():
                    return work(self._writer)
            except self.errors:
                self._let_go()
                raise

        with self._turns.take(first=first):
            return self._patiently(once)

    def close(self) -> None:
        """Close all connections; may be called twice."""
        with self._turns.take():
            self._let_go()
            self._engine.dispose()

    def _let_go(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            try:
                writer.close()
            except self.errors:
                writer.invalidate()

    def _patiently(self, once: Callable[[], T]) -> T:
        began, pause = time.monotonic(), PAUSE
        while True:
            try:
                return once()
            except self.errors as error:
                cause = getattr(error, "orig", None) or error
                if not self.passing(cause) or time.monotonic() - began + pause > self.patience:
                    raise self.explained(cause) from error
            time.sleep(pause)
            pause = min(pause * 2, 2.0)

    def explained(self, error: BaseException) -> TallystickError:
        """Return a readable error for a database error, without the rows concerned."""
        first = str(error).strip().partition("\n")[0].rstrip(".")
        return TallystickError(f"The store {self.shown} failed: {first}.", self.hint(error))

    def hint(self, error: BaseException) -> str:  # noqa: ARG002
        """Return a hint for an error."""
        return "What was committed before is kept; start again when the cause is gone."

    def passing(self, error: BaseException) -> bool:  # noqa: ARG002
        """Return whether an error is transient."""
        return False

    def alone(self, connection: Connection) -> None:  # noqa: B027 (a writer of SQLite is alone)
        """Lock the schema against other processes for the rest of the transaction."""

    def keep(self, day: int, work: Callable[[Connection], None]) -> None:  # noqa: ARG002
        """Write rows of a day (since 1970)."""
        self.write(work, first=True)

    def drop_days(self, key: Mapping[str, str], before_day: int, upto: int) -> int:  # noqa: ARG002
        """Drop the oldest day's partition of a stream, where supported; return the number of rows."""
        return 0

    def moment(self, at: int) -> Any:
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
