"""Snapshots: arrays of the state after an entry, saved in parts so that commits never wait long."""

from __future__ import annotations

import json
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlalchemy import Connection, Table, delete, func, insert, select, update

from tallystick.errors import TallystickError
from tallystick.store.database import Database
from tallystick.store.head import as_json
from tallystick.store.tables import PARTS, SNAPSHOTS

__all__ = ["SNAPSHOTS_KEPT", "Arrays", "Packed", "load", "pack", "save"]

SNAPSHOTS_KEPT = 2
PART = 4 << 20  # bytes before compression: a transaction of a few milliseconds
CODEC = "zstd"
Arrays = Mapping[str, NDArray[Any]]


class Part(NamedTuple):
    """Part of a snapshot: size, checksum and compressed bytes.

    data: in Arrow's memory, which fragments less than glibc's.
    """

    size: int
    sum: int
    data: pa.Buffer


@dataclass(frozen=True)
class Packed:
    """Compressed arrays of a snapshot, at most about a third of their size.

    layout: name, type and shape of each, as JSON; parts: in order, removed as they are written.
    """

    layout: str
    parts: deque[Part]


def pack(arrays: Arrays, threads: int = 1) -> Packed:
    """Compress arrays; the caller may modify them afterwards. Raises TallystickError for object arrays.

    >>> packed = pack({"a": np.zeros(1000)})
    >>> packed.layout, [part.size for part in packed.parts]
    ('[["a","<f8",[1000]]]', [8000])
    """
    layout = as_json([[name, array.dtype.str, list(array.shape)] for name, array in _checked(arrays)])
    parts: deque[Part] = deque()
    pieces = _pieces(arrays)
    with ThreadPoolExecutor(threads) as pool:
        while batch := list(islice(pieces, threads)):  # a few at a time: a piece may be a copy
            parts.extend(pool.map(_part, batch))
    return Packed(layout, parts)


def save(
    database: Database,
    tenant: str,
    stream: str,
    number: int,
    packed: Packed,
    check_lease: Callable[[Connection], None],
) -> None:
    """Save arrays; `check_lease` raises if this process may no longer write.

    Incomplete snapshots are removed first, those older than the last two at the end.
    """
    complete = database.read(lambda c: _complete(c, tenant, stream))
    if number in complete:
        if number:
            return
        complete = []  # nothing is committed yet: the new initial state replaces the old one
    _remove(database, tenant, stream, keep=complete, check_lease=check_lease)
    key = {"tenant": tenant, "stream": stream, "number": number}

    def begin(connection: Connection) -> None:
        check_lease(connection)
        connection.execute(insert(SNAPSHOTS).values(**key, complete=0, parts=0, arrays=packed.layout))

    database.write(begin)
    parts = 0
    while packed.parts:
        size, checksum, data = packed.parts.popleft()
        row = {**key, "part": parts, "size": size, "sum": checksum, "data": data.to_pybytes()}

        def add(connection: Connection, row: dict[str, Any] = row) -> None:
            check_lease(connection)
            connection.execute(insert(PARTS), row)

        database.write(add)
        parts += 1

    def end(connection: Connection) -> None:
        check_lease(connection)
        connection.execute(update(SNAPSHOTS).where(*_at(SNAPSHOTS, key)).values(complete=1, parts=parts))

    database.write(end)
    _remove(
        database, tenant, stream, keep=sorted([*complete, number])[-SNAPSHOTS_KEPT:], check_lease=check_lease
    )


def load(database: Database, tenant: str, stream: str) -> tuple[int, dict[str, NDArray[Any]]] | None:
    """Read the newest snapshot that is complete and undamaged."""
    for number in reversed(database.read(lambda c: _complete(c, tenant, stream))):
        arrays = _load(database, {"tenant": tenant, "stream": stream, "number": number})
        if arrays is not None:
            return number, arrays
    return None


def _load(database: Database, key: dict[str, Any]) -> dict[str, NDArray[Any]] | None:
    header = database.read(
        lambda c: c.execute(select(SNAPSHOTS.c.parts, SNAPSHOTS.c.arrays).where(*_at(SNAPSHOTS, key))).first()
    )
    if header is None:
        return None
    arrays = {name: np.empty(shape, np.dtype(dtype)) for name, dtype, shape in json.loads(header.arrays)}
    targets = [view for array in arrays.values() if len(view := _bytes_of(array))]
    for part in range(header.parts):
        row = database.read(
            lambda c, part=part: c.execute(  # type: ignore[misc]
                select(PARTS.c.size, PARTS.c.sum, PARTS.c.data).where(*_at(PARTS, {**key, "part": part}))
            ).first()
        )
        raw = None if row is None else _unpacked(row.data, row.size)
        if row is None or raw is None or zlib.crc32(raw) != row.sum:
            return None
        rest = memoryview(raw)
        while rest and targets:
            count = min(len(rest), len(targets[0]))
            targets[0][:count] = rest[:count]
            rest, targets[0] = rest[count:], targets[0][count:]
            if not targets[0]:
                del targets[0]
    return None if targets else arrays


def _unpacked(data: bytes, size: int) -> bytes | None:
    try:
        return pa.decompress(data, size, codec=CODEC, asbytes=True)  # type: ignore[no-any-return]
    except (pa.ArrowException, OSError):
        return None


def _complete(connection: Connection, tenant: str, stream: str) -> list[int]:
    """Return the entry numbers of complete snapshots, oldest first."""
    wanted = select(SNAPSHOTS.c.number).where(
        SNAPSHOTS.c.tenant == tenant, SNAPSHOTS.c.stream == stream, SNAPSHOTS.c.complete == 1
    )
    return list(connection.execute(wanted.order_by(SNAPSHOTS.c.number)).scalars())


def _remove(
    database: Database, tenant: str, stream: str, keep: list[int], check_lease: Callable[[Connection], None]
) -> None:
    """Delete all other snapshots: first the complete flag, then part by part."""
    others = (SNAPSHOTS.c.tenant == tenant, SNAPSHOTS.c.stream == stream, SNAPSHOTS.c.number.not_in(keep))
    for number in database.read(
        lambda c: list(c.execute(select(SNAPSHOTS.c.number).where(*others)).scalars())
    ):
        key = {"tenant": tenant, "stream": stream, "number": number}

        def mark_incomplete(connection: Connection, key: dict[str, Any] = key) -> None:
            check_lease(connection)
            connection.execute(update(SNAPSHOTS).where(*_at(SNAPSHOTS, key)).values(complete=0))

        def delete_last_part(connection: Connection, key: dict[str, Any] = key) -> bool:
            check_lease(connection)
            last = connection.execute(select(func.max(PARTS.c.part)).where(*_at(PARTS, key))).scalar()
            if last is None:
                connection.execute(delete(SNAPSHOTS).where(*_at(SNAPSHOTS, key)))
                return False
            connection.execute(delete(PARTS).where(*_at(PARTS, {**key, "part": last})))
            return True

        database.write(mark_incomplete)
        while database.write(delete_last_part):
            pass


def _at(table: Table, key: Mapping[str, Any]) -> list[Any]:
    return [table.c[name] == value for name, value in key.items()]


def _checked(arrays: Arrays) -> Iterator[tuple[str, NDArray[Any]]]:
    for name, array in arrays.items():
        if array.dtype.hasobject or array.dtype.names is not None:
            raise TallystickError(
                f'The array "{name}" of a snapshot is of type {array.dtype}.',
                "A snapshot holds arrays of numbers.",
            )
        yield name, array


def _bytes_of(array: NDArray[Any]) -> memoryview:
    """View a contiguous array as bytes."""
    return memoryview(array.reshape(-1).view(np.uint8).data) if array.size else memoryview(b"")


def _pieces(arrays: Arrays) -> Iterator[memoryview | bytes]:
    """Split the concatenated arrays into pieces; small arrays share a piece."""
    buffer = bytearray()
    for array in arrays.values():
        content = _bytes_of(np.ascontiguousarray(array))
        if len(buffer) + len(content) <= PART:
            buffer += content
            continue
        if buffer:
            yield bytes(buffer)
            buffer.clear()
        for start in range(0, len(content), PART):
            yield content[start : start + PART]
    if buffer:
        yield bytes(buffer)


def _part(raw: memoryview | bytes) -> Part:
    return Part(len(raw), zlib.crc32(raw), pa.compress(raw, codec=CODEC))
