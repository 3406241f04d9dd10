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
PLAIN = pacsv.WriteOptions(include_header=False)
NUL, UNKNOWN = b"\0", "\ufffd".encode()


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
            def leave_the_disk(raw: Any, _record: object) -> None:
                raw.execute("SET synchronous_commit = off")
                raw.commit()

        super().__init__(engine, shown)
        # A server that is not there at the start is most likely a wrong URI: that is said at once.
        try:
            with engine.connect():
                pass
        except self.errors as error:
            engine.dispose()
            cause = getattr(error, "orig", None) or error
            said = (str(cause).strip() or type(cause).__name__).splitlines()[0].rstrip(".")  # more is no help
            raise UsageError(
                f"The store {shown} cannot be reached: {said}.",
                "Look at host, port, database and user; a password may come from TALLYSTICK_STORE_PASSWORD, "
                "TALLYSTICK_STORE_PASSWORD_FILE or PGPASSWORD.",
            ) from None

    def passing(self, error: BaseException) -> bool:
        """Return whether the connection was lost or the server asks to retry the transaction."""
        import psycopg

        if not isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
            return False
        state = error.sqlstate or ""
        return not state or state[:2] in ("08", "40") or state[:3] == "57P"

    def hint(self, error: BaseException) -> str:
        """Say what can be done about an error."""
        if self.passing(error):
            return f"Tried for {self.patience:.0f} s. Start again when the server is back: nothing is lost."
        return super().hint(error)

    def alone(self, connection: Connection) -> None:
        """Acquire the advisory lock for schema changes."""
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATING})

    def keep(self, day: int, work: Callable[[Connection], None]) -> None:
        """Write rows of a day, after creating its partitions."""
        import psycopg

        for known in (True, False):
            if not (known and day in self._days):
                # And those of the next day, so that nobody waits for them at midnight.
                self.write(lambda connection: days.make(connection, (day, day + 1)))
                self._days.add(day)
            try:
                return self.write(work, first=True)
            except TallystickError as error:
                cause = getattr(error.__cause__, "orig", None) or error.__cause__
                # Another process has dropped a day that this one had seen.
                if not (known and isinstance(cause, psycopg.errors.CheckViolation)):
                    raise
        return None

    def drop_days(self, key: Mapping[str, str], before_day: int, upto: int) -> int:
        """Drop the oldest day of a stream if its lock is free."""
        import psycopg

        try:
            gone = self.write(lambda connection: days.drop(connection, key, before_day, upto))
        except TallystickError as error:
            cause = getattr(error.__cause__, "orig", None) or error.__cause__
            if isinstance(cause, psycopg.errors.LockNotAvailable):
                return 0
            raise
        if gone is None:
            return 0
        self._days.discard(gone[0])
        return gone[1]

    def moment(self, at: int) -> pa.Scalar:
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
        both = {**shared, **({} if day is None else {"day": day})}
        whole = {
            **{
                name: pa.repeat(value if isinstance(value, pa.Scalar) else pa.scalar(value), rows)
                for name, value in both.items()
            },
            **columns,
        }
        names = ",".join(f'"{name}"' for name in whole)
        copied = pa.table([_printable(column) for column in whole.values()], names=list(whole))
        buffer = io.BytesIO()
        pacsv.write_csv(copied, buffer, PLAIN)
        # PostgreSQL has no NUL in a text; in the log the value stays as it was.
        content = buffer.getvalue().replace(NUL, UNKNOWN)
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
