"""Claim: the exclusive right to write one stream, valid until another process takes it over."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import pyarrow as pa
from sqlalchemy import Connection, text, update

from tallystick.errors import TallystickError
from tallystick.store import notices, snapshots
from tallystick.store.database import Database
from tallystick.store.entry import Entry, serialize
from tallystick.store.head import as_json, head_row
from tallystick.store.lease import Lease
from tallystick.store.rows import bad_columns, decision_columns
from tallystick.store.snapshots import Arrays, Packed, pack
from tallystick.store.tables import DAY, DECISIONS, HEAD, QUARANTINE

__all__ = ["Claim"]

T = TypeVar("T")
SET_MARK = text(
    "INSERT INTO ts_marks (tenant, stream, sink, number, mark) "
    "VALUES (:tenant, :stream, :sink, :number, :mark) "
    "ON CONFLICT (tenant, stream, sink) DO UPDATE SET number = excluded.number, mark = excluded.mark"
)
INSERT_ENTRY = text(
    "INSERT INTO ts_log (tenant, stream, number, day, at, rows, decided, bad, size, events) "
    "VALUES (:tenant, :stream, :number, :day, :at, :rows, :decided, :bad, :size, :events)"
)

DELETE_ENTRY = text("DELETE FROM ts_log WHERE tenant = :tenant AND stream = :stream AND number = :number")


class Claim:
    """One process's right to write a stream; made by `Store.claim`.

    Thread-safe: one thread commits, others mark, renew and save snapshots. Every method raises LeaseLostError
    once another process has taken over the stream.
    """

    def __init__(self, database: Database, lease: Lease) -> None:
        self._database, self._lease = database, lease
        self._key: dict[str, Any] = {"tenant": lease.tenant, "stream": lease.stream}
        self._extended = time.monotonic()
        self._renewing = threading.Lock()
        row = database.write(self._take)
        self._number, self._day = int(row.number), int(row.day)
        self._positions: dict[str, Any] = json.loads(row.positions)
        self._advance = text(
            "UPDATE ts_head SET number = :number, at = :at, day = :day, rows = rows + :rows, "  # noqa: S608
            "duplicates = duplicates + :duplicates, quarantined = quarantined + :bad, "
            "positions = :positions, "
            f"until = {database.clock} + :micros WHERE tenant = :tenant AND stream = :stream "
            "AND fence = :fence AND token = :token AND number = :number - 1"
        )

    def __repr__(self) -> str:
        return f"Claim({self._lease.stream!r}, fence={self.fence})"

    @property
    def fence(self) -> int:
        """Number of times that the stream has been claimed, this time included."""
        return self._lease.fence

    def commit(self, entry: Entry) -> None:
        """Commit an entry with its decisions, bad rows, notices and positions in one transaction.

        On return the entry has the durability that the store was opened with; after an error nothing of it
        is stored. Raises TallystickError for a number that is not the next one.
        """
        if entry.number != self._number + 1:
            raise TallystickError(
                f'Entry {entry.number} cannot follow entry {self._number} of "{self._lease.stream}".'
            )
        if len(entry.arrived) != len(entry.decisions):
            raise TallystickError(
                f"{len(entry.decisions)} decisions have {len(entry.arrived)} arrival times."
            )
        day = max(self._day, entry.at // DAY)  # days must not decrease, even if the clock is set back
        positions = {**self._positions, **entry.positions}
        events = serialize(entry.events)
        decision_values = decision_columns(entry.decisions, entry.arrived)
        bad = bad_columns(entry.bad) if len(entry.bad) else {}
        head_values = {
            **self._key, "number": entry.number, "at": entry.at, "day": day, "rows": entry.rows,
            "decided": len(entry.decisions), "bad": len(entry.bad), "duplicates": entry.duplicates,
        }  # fmt: skip
        lease_values = {"fence": self.fence, "token": self._lease.token, "micros": self._lease.micros}
        tries = 0

        def work(connection: Connection) -> None:
            nonlocal tries
            tries += 1
            head = {**head_values, **lease_values, "positions": as_json(positions)}
            if not connection.execute(self._advance, head).rowcount:
                if tries > 1 and self._is_committed(connection, entry.number):
                    return  # committed already: only the server's answer was lost
                raise self._lease.lost(connection, self._database)
            connection.execute(INSERT_ENTRY, {**head_values, "size": len(events), "events": events})
            shared = {**self._key, "entry": entry.number}
            if len(entry.decisions):
                at = self._database.to_timestamp(entry.at)
                self._database.put(connection, DECISIONS, {**shared, "decided_at": at}, decision_values, day)
            if bad:
                self._database.put(connection, QUARANTINE, {**shared, "at": entry.at}, bad)
            notices.add(connection, **self._key, entry=entry.number, at=entry.at, notices=entry.notices)
            self._mark(connection, entry.marks)

        self._database.write_day(day, work)
        self._number, self._day, self._positions = entry.number, day, positions
        self._extended = time.monotonic()

    def keep_history(self, parts: Iterable[pa.RecordBatch]) -> int:
        """Store records before the first entry as entries 0, −1, −2 …; return the number of entries.

        They are read by number only, and replace any that were stored before.
        """
        at = time.time_ns() // 1000
        day = max(self._day, at // DAY)
        number = 0
        for part in parts:
            events = serialize(part)
            row = {
                **self._key, "number": -number, "day": day, "at": at, "rows": 0, "decided": 0, "bad": 0,
                "size": len(events), "events": events,
            }  # fmt: skip

            def work(connection: Connection, row: dict[str, Any] = row) -> None:
                self._lease.extend(connection, self._database)
                connection.execute(DELETE_ENTRY, row)
                connection.execute(INSERT_ENTRY, row)

            self._database.write_day(day, work)
            number += 1
        self._extended = time.monotonic()
        return number

    def mark(self, marks: Mapping[str, tuple[int, dict[str, Any] | None]]) -> None:
        """Store the position of each sink: the last delivered entry and the sink's own state."""
        self._write(lambda connection: self._mark(connection, marks))

    def forget(self, *sinks: str) -> None:
        """Delete the positions of sinks that are no longer used, so that retention ignores them."""
        query = text("DELETE FROM ts_marks WHERE tenant = :tenant AND stream = :stream AND sink = :sink")

        def work(connection: Connection) -> None:
            for sink in sinks:
                connection.execute(query, {**self._key, "sink": sink})

        self._write(work)

    def save_snapshot(self, number: int, state: Arrays | Packed) -> None:
        """Save the state after an entry as a snapshot, part by part; it is valid once all parts are stored.

        state: arrays, or the result of `pack`, which this empties. The last two snapshots are kept.
        Other threads commit between the parts.
        """
        if number > self._number:
            raise TallystickError(f"There is no entry {number} yet: the last one is {self._number}.")
        packed = state if isinstance(state, Packed) else pack(state)
        snapshots.save(
            self._database, **self._key, number=number, packed=packed, check_lease=self._check_lease
        )

    def renew(self) -> None:
        """Renew the lease when nothing is committed; does nothing shortly after a write."""
        with self._renewing:
            if time.monotonic() - self._extended > self._lease.micros / 4e6:
                self._write(lambda _: None)

    def remember(self, **facts: Any) -> None:
        """Store facts with the head, as JSON; existing facts of the same name are replaced."""

        def work(connection: Connection) -> None:
            row = head_row(connection, **self._key)
            assert row is not None  # its lease was extended a moment ago
            connection.execute(
                update(HEAD)
                .where(HEAD.c.tenant == self._key["tenant"], HEAD.c.stream == self._key["stream"])
                .values(facts=as_json({**json.loads(row.facts), **facts}))
            )

        self._write(work)

    def release(self) -> None:
        """Release the lease, so that another process can claim at once; may be called twice."""
        self._database.write(self._lease.release)

    def _take(self, connection: Connection) -> Any:
        self._lease.take(connection, self._database)
        return head_row(connection, **self._key)

    def _write(self, work: Callable[[Connection], T]) -> T:
        def guarded(connection: Connection) -> T:
            self._lease.extend(connection, self._database)
            return work(connection)

        result = self._database.write(guarded)
        self._extended = time.monotonic()
        return result

    def _check_lease(self, connection: Connection) -> None:
        self._lease.extend(connection, self._database)

    def _is_committed(self, connection: Connection, number: int) -> bool:
        row = head_row(connection, **self._key)
        return row is not None and (row.token, row.number) == (self._lease.token, number)

    def _mark(self, connection: Connection, marks: Mapping[str, tuple[int, dict[str, Any] | None]]) -> None:
        for sink, (number, mark) in marks.items():
            state = None if mark is None else as_json(mark)
            connection.execute(SET_MARK, {**self._key, "sink": sink, "number": number, "mark": state})
