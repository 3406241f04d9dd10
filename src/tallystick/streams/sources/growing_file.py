"""One file that grows: what is new in it, where that ends, and whether it is still the file that it was."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tallystick.connectors import Chunk
from tallystick.connectors.formats import Reading
from tallystick.streams.sources.text_records import TAIL, TextRecords

__all__ = ["CUT", "GrowingFile", "Standing", "begins_as", "split", "standing"]

# So much of the start of a file tells it from another that got the same number from the file system.
_HEAD = 1024
# A shorter start may be a header, or the names in a first JSON object: other files have it too.
_KNOWN = 256
_ALIKE = 16
# Read at once; the reader of the format works on as much.
_BLOCK = 4 << 20
#: What is said of a file that was cut while it was followed.
CUT = (
    "{name} was cut short or written anew, {{n}} times: reading began at its start; what was written just "
    "before that may not have been read"
)
# Guessed before a record was seen.
_RECORD = 100


@dataclass(frozen=True, slots=True)
class Standing:
    """What the file system says of a file."""

    inode: int
    device: int
    size: int
    modified: int

    def is_same(self, other: Standing) -> bool:
        """Return whether it is the same file, whatever its name or size."""
        return (self.inode, self.device) == (other.inode, other.device)


def standing(path: str | Path | int) -> Standing | None:
    """Ask for a path or an open file; None where nothing is."""
    try:
        found = os.stat(path)  # noqa: PTH116 - an open file too
    except FileNotFoundError:
        return None
    return Standing(found.st_ino, found.st_dev, found.st_size, found.st_mtime_ns)


def split(chunk: Chunk, rows: int) -> tuple[Chunk, Chunk | None]:
    """Cut a chunk after so many rows; a broken record stays with the rows before it.

    >>> import pyarrow as pa
    >>> chunk = Chunk(pa.RecordBatch.from_pydict({"a": [1, 2]}), "f", np.array([1, 2]))
    >>> [part.records.tolist() for part in split(chunk, 1)]
    [[1], [2]]
    """
    if chunk.rows.num_rows <= rows:
        return chunk, None
    following = int(chunk.records[rows])
    before = tuple(one for one in chunk.broken if one.record < following)
    after = tuple(one for one in chunk.broken if one.record > following)
    return (
        Chunk(chunk.rows.slice(0, rows), chunk.name, chunk.records[:rows], before),
        Chunk(chunk.rows.slice(rows), chunk.name, chunk.records[rows:], after),
    )


class GrowingFile:
    """Reads on in one open file from a state, and says after each chunk what the state is then.

    A state names the file by its number in the file system and by hashes of its first bytes and of those
    before the offset, so that another file at its place, or the same one written anew, is not taken for it.
    """

    def __init__(
        self, path: str | Path, form: str, base: Reading, state: dict[str, Any] | None = None
    ) -> None:
        self.path = str(path)
        self._form, self._base = form, base
        self._file = Path(path).open("rb", buffering=0)  # noqa: SIM115 - it stays open
        self._descriptor = self._file.fileno()
        state = state or {}
        self._start = int(state.get("offset", 0))
        self._given = int(state.get("given", 0))
        self._records = TextRecords(form, base, state.get("records"))
        self._records.tail = os.pread(self._descriptor, TAIL, max(0, self._start - TAIL))[: self._start]
        self._head = os.pread(self._descriptor, min(_HEAD, self._start), 0)
        self._read = self._start
        self._ready: deque[Chunk] = deque()
        self._before: dict[str, Any] = {}
        self._rows = self._bytes = 0

    @property
    def where(self) -> Standing:
        """What the file system says of the open file, wherever its name went."""
        found = standing(self._descriptor)
        if found is None:
            raise RuntimeError("an open file is not there")
        return found

    @property
    def form(self) -> str:
        """The format."""
        return self._form

    @property
    def next_record(self) -> int:
        """The number of the record after those that were given."""
        first = self._ready[0] if self._ready else None
        return self._records.next if first is None else _first(first)

    @property
    def held(self) -> int:
        """Bytes of half a record."""
        return self._records.held

    def state(self) -> dict[str, Any]:
        """Return the state after what was given so far."""
        return {**self._before, "given": self.next_record - 1} if self._ready else self._now()

    def holds(self, state: dict[str, Any]) -> bool:
        """Return whether it is the file that a state speaks of, at least as long as then.

        Another number is that of a copy, which has more in common with it than a header.
        """
        known = len(state["records"].get("header", "")) if "records" in state else 0
        if self.where.inode != state.get("inode") and state["head"][-1][0] <= known + _ALIKE:
            return False
        return _matches(self._descriptor, state)

    def was_cut(self) -> bool:
        """Return whether what was read does not stand in it any more: it was cut short, or written anew."""
        if self.where.size < self._read:
            return True
        return os.pread(self._descriptor, len(self._head), 0) != self._head

    def take(self, most: int) -> Chunk | None:
        """Return the next records, at most about `most`, if there are whole ones."""
        while not self._ready and (self._fill() or self._records.due):
            if self._records.due:
                self._before = self._now()
                self._keep(self._records.read(most))
        return self._next(most)

    def take_ready(self, most: int) -> Chunk | None:
        """Return what was read before, whatever has become of the file."""
        return self._next(most)

    def take_rest(self, most: int) -> Chunk | None:
        """Return what is left as what ends the file: the last record may have no line end."""
        if (chunk := self.take(most)) is not None:
            return chunk
        self._before = self._now()
        self._keep(self._records.rest(most))
        return self._next(most)

    def give_up(self) -> Chunk | None:
        """Return half a record whose rest is lost as a broken one; all before was given."""
        return self._records.give_up(f"{self._base.name} was cut short within the record.")

    def left(self) -> int:
        """Return about how many records wait; half a one does not count."""
        ready = sum(chunk.rows.num_rows + len(chunk.broken) for chunk in self._ready)
        unread = self.where.size - self._read
        each = self._bytes / self._rows if self._rows else _RECORD
        return int(ready) + (max(1, int(unread / each)) if unread > 0 else 0)

    def begin_anew(self) -> dict[str, Any]:
        """Return the state for a file that takes the place of this one."""
        return {"records": self._records.begin_anew()}

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _fill(self) -> bool:
        """Read on; False where nothing is new."""
        data = os.pread(self._descriptor, _BLOCK, self._read)
        if not data:
            return False
        self._read += len(data)
        if len(self._head) < _HEAD:
            self._head = os.pread(self._descriptor, min(_HEAD, self._read), 0)
        self._records.feed(data)
        return True

    def _keep(self, chunks: list[Chunk]) -> None:
        """Hold what was read, without what had been given before the state was made."""
        for chunk in chunks:
            rows = chunk.rows.num_rows + len(chunk.broken)
            self._rows += rows
            if self._given:
                chunk = _after(chunk, self._given)
                if not chunk.rows.num_rows and not chunk.broken:
                    continue
            self._ready.append(chunk)
        if self._records.next > self._given:
            self._given = 0
        self._bytes = self._records.consumed

    def _next(self, most: int) -> Chunk | None:
        if not self._ready:
            return None
        chunk, rest = split(self._ready.popleft(), max(1, most))
        if rest is not None:
            self._ready.appendleft(rest)
        return chunk

    def _now(self) -> dict[str, Any]:
        """Return the state after all that was read."""
        where = self.where
        offset = self._start + self._records.consumed
        head = self._head
        state = {
            "inode": where.inode,
            "device": where.device,
            "head": [[size, _hash(head[:size])] for size in sorted({min(_KNOWN, len(head)), len(head)})],
            "tail": [len(self._records.tail), _hash(self._records.tail)],
            "offset": offset,
            "records": self._records.state(),
        }
        return state | ({"given": self._given} if self._given else {})


def _matches(file: int, state: dict[str, Any]) -> bool:
    """Return whether an open file begins as a state says, and holds before its offset what it says."""
    offset = int(state.get("offset", 0))
    length, tail = state.get("tail", (0, _hash(b"")))
    return _hash(os.pread(file, length, offset - length)) == tail and all(
        _hash(os.pread(file, size, 0)) == head for size, head in state.get("head", ())
    )


def begins_as(file: int, state: dict[str, Any]) -> bool:
    """Return whether an open file that lost its end still begins as a state says."""
    size, known = os.fstat(file).st_size, len(state["records"].get("header", ""))
    fitting = [one for one in state["head"] if max(_KNOWN, known + 1) <= one[0] <= size]
    return bool(fitting) and all(_hash(os.pread(file, length, 0)) == head for length, head in fitting)


def _after(chunk: Chunk, given: int) -> Chunk:
    """Leave out records up to a number."""
    start = int(np.searchsorted(chunk.records, given, "right"))
    broken = tuple(one for one in chunk.broken if one.record > given)
    return replace(chunk, rows=chunk.rows.slice(start), records=chunk.records[start:], broken=broken)


def _first(chunk: Chunk) -> int:
    """Return the number of the first record of a chunk that has one."""
    numbers = [one.record for one in chunk.broken[:1]] + chunk.records[:1].tolist()
    return int(min(numbers))


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()
