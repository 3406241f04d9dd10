"""Reading the log page by page: short transactions, since a long one makes SQLite's WAL grow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection

from tallystick.errors import TallystickError
from tallystick.store.database import Database
from tallystick.store.entry import LogEntry, deserialize
from tallystick.store.rows import COLUMNS, read_decisions

__all__ = ["decisions", "entries", "entry"]

PAGE_BYTES = 16 << 20
PAGE_ENTRIES = 1000
_Page = list[tuple[Any, ...]]


def entries(
    database: Database, tenant: str, stream: str, after: int, *, whole: bool = False
) -> Iterator[LogEntry]:
    """Read the log in order; see `Store.entries`."""
    last, day = after, 0

    def page(connection: Connection) -> _Page:
        until = _upto(database, connection, (tenant, stream, last, day), "size", PAGE_BYTES)
        if until is None:
            return []
        return database.rows(
            connection,
            "SELECT number, day, at, events FROM ts_log WHERE tenant = ? AND stream = ? AND number > ? "
            "AND day >= ? AND number <= ? ORDER BY number",
            (tenant, stream, last, day, until),
        )

    while rows := database.read(page):
        for number, day_, at, events in rows:
            if number != last + 1 and (whole or last != after):
                raise TallystickError(
                    f'The log of "{stream}" in {database.shown} lacks entry {last + 1}: {number} is next.',
                    "Older entries are deleted once a snapshot contains their effect: start from the "
                    "snapshot, or restore the store from a backup.",
                )
            last, day = number, day_
            yield LogEntry(number, at, deserialize(events))
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
    return deserialize(rows[0][0]) if rows else None


def decisions(
    database: Database, tenant: str, stream: str, after: int, schema: pa.Schema, most: int
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Read decisions in order; see `Store.decisions`."""
    if unknown := sorted(set(schema.names) - set(COLUMNS)):
        raise TallystickError(f"The store has no column for {', '.join(unknown)} of a decision.")
    times = {field.name for field in schema if pa.types.is_timestamp(field.type)}
    names = ", ".join(database.micros(name) if name in times else f'"{name}"' for name in schema.names)
    pruned = "" if database.lock_row == "" else "AND day >= ? "
    last, day = after, 0

    def page(connection: Connection) -> tuple[_Page, _Page]:
        upto = _upto(database, connection, (tenant, stream, last, day), "decided", most)
        if upto is None:
            return [], []
        counts = database.rows(
            connection,
            "SELECT number, day, decided FROM ts_log WHERE tenant = ? AND stream = ? AND number > ? "
            "AND day >= ? AND number <= ? ORDER BY number",
            (tenant, stream, last, day, upto),
        )
        return counts, database.rows(
            connection,
            f"SELECT {names} FROM ts_decisions WHERE tenant = ? AND stream = ? AND entry > ? AND entry <= ? "  # noqa: S608
            f'{pruned}ORDER BY entry, "row"',
            (tenant, stream, last, upto, *([day] if pruned else [])),
        )

    while True:
        numbers, rows = database.read(page)
        if not numbers:
            return
        batch, at = read_decisions(rows, schema), 0
        rows.clear()
        for number, day_, count in numbers:
            last, day = number, day_
            yield number, batch.slice(at, count)
            at += count


def _upto(
    database: Database, connection: Connection, key: tuple[str, str, int, int], counted: str, most: int
) -> int | None:
    """Return the last entry of a page with a total of about `most`; None if no entry is left."""
    rows = database.rows(
        connection,
        f"SELECT number, {counted} FROM ts_log WHERE tenant = ? AND stream = ? AND number > ? AND day >= ? "  # noqa: S608
        f"ORDER BY number LIMIT {PAGE_ENTRIES}",
        key,
    )
    until, total = None, 0
    for number, size in rows:
        total += size
        if until is not None and total > most:
            break
        until = number
    return until
