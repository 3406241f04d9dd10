"""Reading the log page by page: short transactions, since a long one makes SQLite's WAL grow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection

from tallystick.errors import TallystickError
from tallystick.store.database import Database
from tallystick.store.entry import Logged, unpacked
from tallystick.store.rows import COLUMNS, decided

__all__ = ["decisions", "entries", "entry"]

PAGE_BYTES = 16 << 20
PAGE_ENTRIES = 1000
_Page = list[tuple[Any, ...]]


def entries(
    database: Database, tenant: str, stream: str, after: int, *, whole: bool = False
) -> Iterator[Logged]:
    """Read the log in order; see `Store.entries`."""
    last, day = after, 0

    def page(connection: Connection) -> _Page:
        upto = _upto(database, connection, (tenant, stream, last, day), "size", PAGE_BYTES)
        if upto is None:
            return []
        return database.rows(
            connection,
            "SELECT number, day, at, events FROM ts_log WHERE tenant = ? AND stream = ? AND number > ? "
            "AND day >= ? AND number <= ? ORDER BY number",
            (tenant, stream, last, day, upto),
        )

    while rows := database.read(page):
        for number, day_, at, events in rows:
            if number != last + 1 and (whole or last != after):
                raise TallystickError(
                    f'The log of "{stream}" in {database.shown} lacks entry {last + 1}: {number} is next.',
                    "Older entries are removed once a snapshot holds what they did: begin with that, or "
                    "bring the store back from a copy.",
                )
            last, day = number, day_
            yield Logged(number, at, unpacked(events))
        rows.clear()


def entry(database: Database, tenant: str, stream: str, number: int) -> pa.RecordBatch | None:
    """Read the batch of one entry; None where it is no longer kept."""
    rows = database.read(
        lambda connection: database.rows(
            connection,
            "SELECT events FROM ts_log WHERE tenant = ? AND stream = ? AND number = ?",
            (tenant, stream, number),
        )
    )
    return unpacked(rows[0][0]) if rows else None


def decisions(
    database: Database, tenant: str, stream: str, after: int, schema: pa.Schema, most: int
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Read decisions in order; see `Store.decisions`."""
    if strange := sorted(set(schema.names) - set(COLUMNS)):
        raise TallystickError(f"The store keeps no {', '.join(strange)} of a decision.")
    times = {field.name for field in schema if pa.types.is_timestamp(field.type)}
    names = ", ".join(database.micros(name) if name in times else f'"{name}"' for name in schema.names)
    pruned = "" if database.lock_row == "" else "AND day >= ? "
    last, day = after, 0

    def page(connection: Connection) -> tuple[_Page, _Page]:
        upto = _upto(database, connection, (tenant, stream, last, day), "decided", most)
        if upto is None:
            return [], []
        found = database.rows(
            connection,
            "SELECT number, day, decided FROM ts_log WHERE tenant = ? AND stream = ? AND number > ? "
            "AND day >= ? AND number <= ? ORDER BY number",
            (tenant, stream, last, day, upto),
        )
        return found, database.rows(
            connection,
            f"SELECT {names} FROM ts_decisions WHERE tenant = ? AND stream = ? AND entry > ? AND entry <= ? "  # noqa: S608
            f'{pruned}ORDER BY entry, "row"',
            (tenant, stream, last, upto, *([day] if pruned else [])),
        )

    while True:
        numbers, rows = database.read(page)
        if not numbers:
            return
        batch, at = decided(rows, schema), 0
        rows.clear()
        for number, day_, count in numbers:
            last, day = number, day_
            yield number, batch.slice(at, count)
            at += count


def _upto(
    database: Database, connection: Connection, place: tuple[str, str, int, int], counted: str, most: int
) -> int | None:
    """Say up to which entry to read for about `most` of what is counted: one at least; None: none is left."""
    found = database.rows(
        connection,
        f"SELECT number, {counted} FROM ts_log WHERE tenant = ? AND stream = ? AND number > ? AND day >= ? "  # noqa: S608
        f"ORDER BY number LIMIT {PAGE_ENTRIES}",
        place,
    )
    upto, total = None, 0
    for number, size in found:
        total += size
        if upto is not None and total > most:
            break
        upto = number
    return upto
