"""PostgreSQL store: bulk inserts by COPY, daily partitions of log and decisions."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
import pyarrow.csv as pacsv
from sqlalchemy import URL, Connection, Table, create_engine, event, text

from tallystick.errors import MissingExtraError, TallystickError, UsageError
from tallystick.store import days
from tallystick.store.database import Database

if TYPE_CHECKING:
    import psycopg

__all__ = ["Postgres"]

MIGRATING = 0x7473_0001  # an advisory lock
CSV_OPTIONS = pacsv.WriteOptions(include_header=False)
NUL, REPLACEMENT = b"\0", "\ufffd".encode()


class Postgres(Database):
    """PostgreSQL database. durability: `power` waits for the server's disk, `process` does not."""

    clock: ClassVar[str] = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"
    lock_row: ClassVar[str] = " FOR UPDATE"

    def __init__(self, url: URL, shown: str, *, durability: str = "power") -> None:
        try:
            import psycopg
        except ModuleNotFoundError:
            raise MissingExtraError(
                f"The store {shown} needs psycopg, which is not installed.",
                'Install it: pip install "tallystick[postgres]"',
            ) from None
        Postgres.errors = (*Database.errors, psycopg.Error)
        self._days: set[int] = set()
        defaults = {
            "connect_timeout": "10",
            "application_name": "tallystick",
            "client_encoding": "utf8",
            "tcp_user_timeout": "30000",
        }
        engine = create_engine(
            url.update_query_dict({k: v for k, v in defaults.items() if k not in url.query}),
            pool_size=4,
            max_overflow=-1,
            pool_pre_ping=True,
            hide_parameters=True,
        )
        if durability != "power":

            @event.listens_for(engine, "connect")
            def do_not_wait_for_disk(connection: Any, _record: object) -> None:
                connection.execute("SET synchronous_commit = off")
                connection.commit()

        super().__init__(engine, shown)
        # A server that cannot be reached at the start is most likely a wrong URI: no retries.
        try:
            with engine.connect():
                pass
        except self.errors as error:
            engine.dispose()
            cause = getattr(error, "orig", None) or error
            message = (
                (str(cause).strip() or type(cause).__name__).splitlines()[0].rstrip(".")
            )  # the first line suffices
            raise UsageError(
                f"The store {shown} cannot be reached: {message}.",
                "Check host, port, database and user; a password may come from TALLYSTICK_STORE_PASSWORD, "
                "TALLYSTICK_STORE_PASSWORD_FILE or PGPASSWORD.",
            ) from None

    def is_transient(self, error: BaseException) -> bool:
        """Return whether the connection was lost or the server asks to retry the transaction."""
        import psycopg

        if not isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
            return False
        state = error.sqlstate or ""
        return not state or state[:2] in ("08", "40") or state[:3] == "57P"

    def hint(self, error: BaseException) -> str:
        """Return a hint for an error."""
        if self.is_transient(error):
            return f"Tried for {self.patience:.0f} s. Start again when the server is back; no data is lost."
        return super().hint(error)

    def lock_schema(self, connection: Connection) -> None:
        """Acquire the advisory lock for schema changes."""
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATING})

    def write_day(self, day: int, work: Callable[[Connection], None]) -> None:
        """Write rows of a day, after creating its partitions."""
        import psycopg

        for use_known in (True, False):
            if not (use_known and day in self._days):
                # Also those of the next day, so that no commit waits at midnight.
                self.write(lambda connection: days.make(connection, (day, day + 1)))
                self._days.add(day)
            try:
                return self.write(work, first=True)
            except TallystickError as error:
                cause = getattr(error.__cause__, "orig", None) or error.__cause__
                # Another process has dropped a partition that this one knew.
                if not (use_known and isinstance(cause, psycopg.errors.CheckViolation)):
                    raise
        return None

    def drop_days(self, key: Mapping[str, str], before_day: int, upto: int) -> int:
        """Drop the oldest day of a stream if its lock is free."""
        import psycopg

        try:
            dropped = self.write(lambda connection: days.drop(connection, key, before_day, upto))
        except TallystickError as error:
            cause = getattr(error.__cause__, "orig", None) or error.__cause__
            if isinstance(cause, psycopg.errors.LockNotAvailable):
                return 0
            raise
        if dropped is None:
            return 0
        self._days.discard(dropped[0])
        return dropped[1]

    def to_timestamp(self, at: int) -> pa.Scalar:
        """Convert microseconds to a timestamp."""
        return pa.scalar(at, pa.timestamp("us", "UTC"))

    def put(
        self,
        connection: Connection,
        table: Table,
        shared: Mapping[str, Any],
        columns: Mapping[str, pa.Array],
        day: int | None = None,
    ) -> None:
        """Insert rows by COPY, as CSV written by Arrow."""
        rows = len(next(iter(columns.values())))
        if not rows:
            return
        constants = {**shared, **({} if day is None else {"day": day})}
        all_columns = {
            **{
                name: pa.repeat(value if isinstance(value, pa.Scalar) else pa.scalar(value), rows)
                for name, value in constants.items()
            },
            **columns,
        }
        names = ",".join(f'"{name}"' for name in all_columns)
        table_rows = pa.table(
            [_printable(column) for column in all_columns.values()], names=list(all_columns)
        )
        buffer = io.BytesIO()
        pacsv.write_csv(table_rows, buffer, CSV_OPTIONS)
        # PostgreSQL has no NUL in a text; the log keeps the value unchanged.
        content = buffer.getvalue().replace(NUL, REPLACEMENT)
        with (
            _driver(connection).cursor() as cursor,
            cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN WITH (FORMAT csv)'.encode()) as copy,
        ):
            copy.write(content)

    def rows(self, connection: Connection, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Read through the driver in binary format, which halves the size of blobs."""
        with _driver(connection).cursor(binary=True) as cursor:
            cursor.execute(sql.replace("?", "%s").encode(), values)
            return cursor.fetchall()

    def micros(self, column: str) -> str:
        """Return SQL that converts a timestamp to microseconds."""
        return f"CAST(extract(epoch FROM {column}) * 1000000 AS bigint)"


def _driver(connection: Connection) -> psycopg.Connection[tuple[Any, ...]]:
    return connection.connection.driver_connection  # type: ignore[return-value]


def _printable(array: pa.Array) -> pa.Array:
    """Convert a column to a type that Arrow writes as CSV."""
    if pa.types.is_null(array.type):
        return array.cast(pa.string())
    if pa.types.is_timestamp(array.type) and array.type.tz:
        return array.cast(pa.timestamp("us", "UTC"))
    return array
