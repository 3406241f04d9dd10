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

__all__ = ["KEPT", "Arrays", "Packed", "load", "pack", "save"]

KEPT = 2
PART = 4 << 20  # bytes before compression: a transaction of a few milliseconds
CODEC = "zstd"
Arrays = Mapping[str, NDArray[Any]]


class Part(NamedTuple):
    """Part of a snapshot: size, checksum and compressed bytes.

    data: in Arrow's memory, which has more free than glibc's where records come and go.
    """

    size: int
    sum: int
    data: pa.Buffer


@dataclass(frozen=True)
class Packed:
    """Compressed arrays of a snapshot, at most about a third of their size.

    told: name, type and shape of each, as JSON; parts: in order, taken out as they are written.
    """

    told: str
    parts: deque[Part]


def pack(arrays: Arrays, threads: int = 1) -> Packed:
    """Compress arrays; the caller may modify them afterwards. Raises TallystickError for object arrays.

    >>> packed = pack({"a": np.zeros(1000)})
    >>> packed.told, [part.size for part in packed.parts]
    ('[["a","<f8",[1000]]]', [8000])
    """
    told = as_json([[name, array.dtype.str, list(array.shape)] for name, array in _checked(arrays)])
    parts: deque[Part] = deque()
    pieces = _pieces(arrays)
    with ThreadPoolExecutor(threads) as pool:
        while some := list(islice(pieces, threads)):  # no more at once: a piece may be a copy
            parts.extend(pool.map(_part, some))
    return Packed(told, parts)


def save(
    database: Database,
    tenant: str,
    stream: str,
    number: int,
    packed: Packed,
    allowed: Callable[[Connection], None],
) -> None:
    """Save arrays; `allowed` raises, in each transaction, if this process may no longer write.

    What an earlier try left behind is removed first, what is older than the last two at the end.
    """
    state = database.read(lambda c: _complete(c, tenant, stream))
    if number in state:
        if number:
            return
        state = []  # nothing is committed yet: another beginning takes the place of that one
    _remove(database, tenant, stream, keep=state, allowed=allowed)
    key = {"tenant": tenant, "stream": stream, "number": number}

    def begin(connection: Connection) -> None:
        allowed(connection)
        connection.execute(insert(SNAPSHOTS).values(**key, complete=0, parts=0, arrays=packed.told))

    database.write(begin)
    parts = 0
    while packed.parts:
        size, checksum, data = packed.parts.popleft()
        row = {**key, "part": parts, "size": size, "sum": checksum, "data": data.to_pybytes()}

        def add(connection: Connection, row: dict[str, Any] = row) -> None:
            allowed(connection)
            connection.execute(insert(PARTS), row)

        database.write(add)
        parts += 1

    def end(connection: Connection) -> None:
        allowed(connection)
        connection.execute(update(SNAPSHOTS).where(*_at(SNAPSHOTS, key)).values(complete=1, parts=parts))

    database.write(end)
    _remove(database, tenant, stream, keep=sorted([*state, number])[-KEPT:], allowed=allowed)


def load(database: Database, tenant: str, stream: str) -> tuple[int, dict[str, NDArray[Any]]] | None:
    """Read the newest snapshot that is complete and undamaged."""
    for number in reversed(database.read(lambda c: _complete(c, tenant, stream))):
        arrays = _load(database, {"tenant": tenant, "stream": stream, "number": number})
        if arrays is not None:
            return number, arrays
    return None


def _load(database: Database, key: dict[str, Any]) -> dict[str, NDArray[Any]] | None:
    told = database.read(
        lambda c: c.execute(select(SNAPSHOTS.c.parts, SNAPSHOTS.c.arrays).where(*_at(SNAPSHOTS, key))).first()
    )
    if told is None:
        return None
    arrays = {name: np.empty(shape, np.dtype(kind)) for name, kind, shape in json.loads(told.arrays)}
    places = [view for array in arrays.values() if len(view := _bytes_of(array))]
    for part in range(told.parts):
        row = database.read(
            lambda c, part=part: c.execute(  # type: ignore[misc]
                select(PARTS.c.size, PARTS.c.sum, PARTS.c.data).where(*_at(PARTS, {**key, "part": part}))
            ).first()
        )
        raw = None if row is None else _unpacked(row.data, row.size)
        if row is None or raw is None or zlib.crc32(raw) != row.sum:
            return None
        rest = memoryview(raw)
        while rest and places:
            count = min(len(rest), len(places[0]))
            places[0][:count] = rest[:count]
            rest, places[0] = rest[count:], places[0][count:]
            if not places[0]:
                del places[0]
    return None if places else arrays


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
    database: Database, tenant: str, stream: str, keep: list[int], allowed: Callable[[Connection], None]
) -> None:
    """Delete all other snapshots: first the complete flag, then part by part."""
    of = (SNAPSHOTS.c.tenant == tenant, SNAPSHOTS.c.stream == stream, SNAPSHOTS.c.number.not_in(keep))
    for number in database.read(lambda c: list(c.execute(select(SNAPSHOTS.c.number).where(*of)).scalars())):
        key = {"tenant": tenant, "stream": stream, "number": number}

        def spoil(connection: Connection, key: dict[str, Any] = key) -> None:
            allowed(connection)
            connection.execute(update(SNAPSHOTS).where(*_at(SNAPSHOTS, key)).values(complete=0))

        def shrink(connection: Connection, key: dict[str, Any] = key) -> bool:
            allowed(connection)
            last = connection.execute(select(func.max(PARTS.c.part)).where(*_at(PARTS, key))).scalar()
            if last is None:
                connection.execute(delete(SNAPSHOTS).where(*_at(SNAPSHOTS, key)))
                return False
            connection.execute(delete(PARTS).where(*_at(PARTS, {**key, "part": last})))
            return True

        database.write(spoil)
        while database.write(shrink):
            pass


def _at(table: Table, key: Mapping[str, Any]) -> list[Any]:
    return [table.c[name] == value for name, value in key.items()]


def _checked(arrays: Arrays) -> Iterator[tuple[str, NDArray[Any]]]:
    for name, array in arrays.items():
        if array.dtype.hasobject or array.dtype.names is not None:
            raise TallystickError(
                f'The array "{name}" of a snapshot is of type {array.dtype}.',
                "A snapshot holds plain numbers.",
            )
        yield name, array


def _bytes_of(array: NDArray[Any]) -> memoryview:
    """View a contiguous array as bytes."""
    return memoryview(array.reshape(-1).view(np.uint8).data) if array.size else memoryview(b"")


def _pieces(arrays: Arrays) -> Iterator[memoryview | bytes]:
    """Split the concatenated arrays into pieces; small arrays share a piece."""
    held = bytearray()
    for array in arrays.values():
        whole = _bytes_of(np.ascontiguousarray(array))
        if len(held) + len(whole) <= PART:
            held += whole
            continue
        if held:
            yield bytes(held)
            held.clear()
        for start in range(0, len(whole), PART):
            yield whole[start : start + PART]
    if held:
        yield bytes(held)


def _part(raw: memoryview | bytes) -> Part:
    return Part(len(raw), zlib.crc32(raw), pa.compress(raw, codec=CODEC))
