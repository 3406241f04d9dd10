"""New rows of a database's table, by a column that rises.

`postgresql://HOST/DB?table=orders&rising=id`, `sqlite:///FILE?table=orders`. Without `rising` it is the
primary key where that is one whole number. Where values of the column may be equal, rows of one value are
told apart, and ordered, by the primary key (PostgreSQL: a whole number) or the row's own number (SQLite).
Rows that are changed later, or whose value is null, are not taken.

Options: `poll`, seconds between looks when it is quiet (default 0.2); `lag`, seconds for which a new value is
held back in any case (default 0). What PostgreSQL needs besides is said in `table_postgresql`.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Protocol

import numpy as np
import pyarrow as pa

from tallystick.config import Settings
from tallystick.connectors import Chunk, Location, open_source
from tallystick.connectors.database_address import Address
from tallystick.connectors.database_postgresql_connection import OPTIONS, UnreachableError
from tallystick.connectors.notes import Notes
from tallystick.errors import DataError, UsageError
from tallystick.streams.source import Position, SourceBase, SourceBatch
from tallystick.streams.sources.replay import Replay

__all__ = ["SCHEMES", "RisingColumnReader", "TableSource", "open_stream"]

SCHEMES = ("postgresql", "sqlite")
_OWN = ("rising", "poll", "lag")
_LEAST, _GROWTH = 0.002, 1.5
_PATIENCE = 60.0  # seconds for which a server may be away
_LOOK = 1.0  # seconds between counts of what waits


class RisingColumnReader(Protocol):
    """Reads the new rows of one kind of database."""

    name: str
    column: str

    @property
    def held(self) -> bool:
        """Whether rows that are there are held back, since others may come before them."""

    def check(self, after: Sequence[str] | None, notes: Notes) -> None:
        """Add notes on problems with starting after a value."""

    def read(self, after: Sequence[str] | None, most: int, wait: float) -> tuple[pa.RecordBatch, list[str]]:
        """Return rows after a value, none that others could still come before, and the value of the last."""

    def waiting(self, after: Sequence[str] | None) -> int:
        """Count the rows that are there after a value, up to a bound."""

    def close(self) -> None:
        """Close the connection; it is made again when needed."""


class TableSource(SourceBase):
    """The rows of a table in the order of a rising column; see `streams.source.StreamSource`.

    Its position is the value, as text, of the last row taken, and the count of rows: that goes on over
    restarts, so the n-th row is called `TABLE:n`.
    """

    def __init__(self, rising: RisingColumnReader, table: str, poll: float) -> None:
        self.name = rising.name
        self._rising, self._table, self._poll = rising, table, poll
        self._notes = Notes()
        self._after: list[str] | None = None
        self._records = 0
        self._pause = _LEAST
        self._lag: int | None = None
        self._counted = 0.0

    def seek(self, position: Position | None) -> None:
        """Begin after a position, or before the first row; DataError for the position of another column."""
        if position is not None:
            if position.get("column") != self._rising.column:
                raise DataError(
                    f"{self.name} was read by the column {position.get('column')} before, and by "
                    f"{self._rising.column} now.",
                    f"Give the old one, &rising={position.get('column')}, or begin with a state of its own.",
                )
            after = position["after"]
            self._after = None if after is None else [str(value) for value in after]
            self._records = int(position["records"])
        self._rising.check(self._after, self._notes)

    def take(self, most: int, wait: float) -> Sequence[SourceBatch]:
        """Return new rows, at most `most`; wait for the first, looking less and less often."""
        ends = time.monotonic() + wait
        while True:
            rows, last = self._read(most, max(0.0, ends - time.monotonic()))
            if rows.num_rows:
                self._pause = _LEAST
                return [self._taken(rows, last)]
            if self._lag or self._rising.held:
                self._lag = None  # what was counted is out of date
            left = ends - time.monotonic()
            if left <= 0:
                return []
            time.sleep(min(self._pause, left))
            self._pause = min(self._pause * _GROWTH, self._poll)

    def lag(self) -> int | None:
        """Return how many rows wait, counted now and then, and not beyond 100,000."""
        now = time.monotonic()
        if self._lag is None or now - self._counted > _LOOK:
            with suppress(UnreachableError):
                self._lag, self._counted = self._rising.waiting(self._after), now
        return self._lag

    def close(self) -> None:
        """Close the connection."""
        self._rising.close()

    def _read(self, most: int, wait: float) -> tuple[pa.RecordBatch, list[str]]:
        """Read, through a server that is away for a while."""
        away = time.monotonic()
        pause = 0.05
        while True:
            try:
                return self._rising.read(self._after, most, wait)
            except UnreachableError:
                self._rising.close()
                if time.monotonic() - away > _PATIENCE:
                    raise
                time.sleep(pause)
                pause = min(pause * 2, 2.0)

    def _taken(self, rows: pa.RecordBatch, last: list[str]) -> SourceBatch:
        count = rows.num_rows
        records = np.arange(self._records + 1, self._records + 1 + count, dtype=np.int64)
        self._records += count
        self._after = last
        if self._lag is not None:
            self._lag = max(0, self._lag - count) or None  # none left by the last count: count again
        arrived = np.full(count, time.time_ns() // 1000, np.int64)
        position = {"column": self._rising.column, "after": last, "records": self._records}
        return SourceBatch(Chunk(rows, self._table, records), arrived, position)


def open_stream(
    uri: str,
    settings: Settings,
    *,
    known: Collection[str] = (),  # noqa: ARG001 - a table names its columns itself
    rate: float | None = None,
) -> TableSource | Replay:
    """Open a table whose new rows are taken; with a rate, the rows that it holds now, at that pace.

    Raises UsageError for a table or column that is not there, or one by which rows cannot be ordered.
    """
    location = Location.parse(uri)
    options = dict(location.options)
    own = {name: options.pop(name) for name in _OWN if name in options}
    bare = Location(location.scheme, location.path, options=options, secret=location.secret)
    address = Address.of(bare, OPTIONS if location.scheme == "postgresql" else ())
    if rate is not None:
        return Replay(open_source(_without(uri), settings), address.shown, rate)
    if address.query:
        raise UsageError(f"{address.shown}: a query has no new rows.", "Name a table or a view: ?table=NAME.")
    poll, lag = (_seconds(own, name, default, address) for name, default in (("poll", 0.2), ("lag", 0.0)))
    rising: RisingColumnReader
    if location.scheme == "sqlite":
        from tallystick.streams.sources.table_sqlite import SQLiteRising

        rising = SQLiteRising(address, own.get("rising", ""))
    else:
        from tallystick.streams.sources.table_postgresql import PostgreSQLRising

        rising = PostgreSQLRising(address, own.get("rising", ""), float("nan") if "lag" not in own else lag)
    return TableSource(rising, address.table, poll)


def _seconds(own: dict[str, str], name: str, default: float, address: Address) -> float:
    text = own.get(name, str(default))
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 3600:
        raise UsageError(f'{address.shown}: {name}="{text}" is no time in seconds.', f"Such as {name}=0.5.")
    return value


def _without(uri: str) -> str:
    """Leave the options of a stream out of a URI."""
    head, _, tail = uri.partition("?")
    parts = [part for part in tail.split("&") if part.partition("=")[0] not in _OWN]
    return f"{head}?{'&'.join(parts)}"
