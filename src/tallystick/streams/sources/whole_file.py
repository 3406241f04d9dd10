"""A file of a folder that does not grow: read once, when it is whole."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from tallystick.connectors import Broken, Chunk, LocalFileSystem, found_formats
from tallystick.connectors.formats import Block, Reading
from tallystick.errors import DataError, UsageError
from tallystick.streams.sources.growing_file import Standing, split, standing

__all__ = ["WholeFile"]

# A file that breaks off and has not changed for so long is taken for what it is: damaged.
_PATIENCE = 60.0
_NOTHING = pa.RecordBatch.from_arrays([], names=[])


class WholeFile:
    """Gives the records of a Parquet file, a compressed one, a document, and then no more.

    A file that breaks off may still be written: what is before the break is given, the rest once the file has
    changed, or after a minute as a broken record. The state counts the records that were given.
    """

    def __init__(
        self, path: str, form: str, compression: str, base: Reading, state: dict[str, Any] | None = None
    ) -> None:
        self.path = path
        self._form = form
        opener = functools.partial(LocalFileSystem().open_read, path)
        self._base = replace(base, open=opener, compression=compression)
        state = state or {}
        self._number = self._first = int(state.get("first", 0))
        self._given = int(state.get("given", 0))
        self.done = bool(state.get("done", False))
        self._blocks: Iterator[Block] | None = None
        self._ready: list[Chunk] = []
        self._torn: tuple[Standing, float] | None = None
        self._after_break: Broken | None = None
        self._where = standing(path)

    @property
    def next_record(self) -> int:
        """The number of the record after those that were given."""
        return self._first + self._given + 1

    def state(self) -> dict[str, Any]:
        """Return the state after what was given so far."""
        where = self._where
        found: dict[str, Any] = {"given": self._given}
        if where is not None:
            found |= {"inode": where.inode, "size": where.size, "modified": where.modified}
        if self._first:
            found["first"] = self._first
        if self.done:
            found["done"] = True
        return found

    def holds(self, state: dict[str, Any]) -> bool:
        """Return whether it is the file that a state speaks of."""
        return self._where is not None and self._where.inode == state.get("inode")

    @property
    def is_open(self) -> bool:
        """Whether it is being read, so that it can be read on even when it is removed."""
        return self._blocks is not None or bool(self._ready)

    def take(self, most: int) -> Chunk | None:
        """Return the next records, at most about `most`, if there are any yet."""
        while not self._ready:
            if self.done or self._waits():
                return None
            if not self._ready:
                self._advance()
        chunk, rest = split(self._ready.pop(0), max(1, most))
        if rest is not None:
            self._ready.insert(0, rest)
        self._given += chunk.rows.num_rows + len(chunk.broken)
        return chunk

    def left(self) -> int:
        """Return about how many records wait: one, as long as it is not read to its end."""
        return int(not self.done and self._torn is None)

    def close(self) -> None:
        """Close the file."""
        self._blocks = None

    def _waits(self) -> bool:
        """Return whether the file broke off and nothing has happened to it since."""
        if self._torn is None:
            return False
        was, at = self._torn
        here = standing(self.path)
        if here is None:
            self.done = True
            return True
        if here == was and time.monotonic() - at < _PATIENCE:
            return True
        if here == was and self._after_break is not None:
            number = self.next_record
            broken = replace(self._after_break, record=number)
            self._ready.append(Chunk(_NOTHING, self._base.name, np.empty(0, np.int64), (broken,)))
            self._after_break = None
            return False
        if here == was:
            self.done = True
            return True
        self._torn, self._after_break, self._blocks = None, None, None
        return False

    def _advance(self) -> None:
        """Read one block."""
        if self._torn is not None:
            self.done = True
            return
        if self._blocks is None:
            self._where = standing(self.path)
            self._blocks = found_formats()[self._form].read(self._base)
            self._number = self._first
        try:
            block = next(self._blocks, None)
        except UsageError:  # it is gone, or may not be read
            self.done = True
            return
        except DataError as error:
            self._break(Broken(1, "broken_file", None, None, error.message))
            return
        if block is None:
            self.done = True
            return
        for chunk in block:
            torn = next((one for one in chunk.broken if one.code == "broken_file"), None)
            if torn is not None:
                chunk = replace(chunk, broken=tuple(one for one in chunk.broken if one is not torn))
            self._keep(chunk)
            if torn is not None:
                self._break(torn)
                return

    def _keep(self, chunk: Chunk) -> None:
        """Hold what was not given before."""
        shift, given = self._first, self._first + self._given
        records = chunk.records + shift
        start = int(np.searchsorted(records, given, "right"))
        broken = tuple(
            replace(one, record=one.record + shift) for one in chunk.broken if one.record + shift > given
        )
        if start < len(records) or broken:
            self._ready.append(Chunk(chunk.rows.slice(start), chunk.name, records[start:], broken))

    def _break(self, broken: Broken) -> None:
        here = standing(self.path)
        self._torn = (here or Standing(0, 0, 0, 0), time.monotonic())
        self._after_break = broken
        self._blocks = None
