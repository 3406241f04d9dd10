"""A folder or a glob as a source: files that grow are followed, others are read once, new ones join."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from tallystick.connectors import Chunk, LocalFileSystem
from tallystick.connectors.formats import Reading
from tallystick.connectors.location import split_suffix
from tallystick.errors import DataError, UsageError
from tallystick.streams.source import Position, SourceBase, SourceBatch
from tallystick.streams.sources.folder_part import FolderPart
from tallystick.streams.sources.growing_file import Standing, standing
from tallystick.streams.sources.poll import Poll

__all__ = ["FollowedFolder"]

# Looking through a folder may take this share of the time, a twentieth.
_SHARE = 20
_LEAST = 0.02
# Files that are held open; those that have been quiet longest are closed, and opened again when they grow.
_OPEN = 64
_MANY = 10_000


class FollowedFolder(SourceBase):
    """Gives the records of all files of a folder or a glob, file after file by name, then as they come.

    Files of text grow; others (Parquet parts, compressed text, documents) are read once when they are whole.
    A file is known again by its number in the file system, so one that is renamed goes on under its first
    name. Names that begin with `.` or `_` are passed over, as are unknown endings. The position speaks of
    each file that is there: move files away that are read, before there are thousands.
    """

    def __init__(self, path: str, base: Reading) -> None:
        self._pattern = path
        self._folder = Path(os.path.abspath(path))  # noqa: PTH100 - a link stays a link
        self.name = self._folder.as_uri()
        self._base, self._notes = base, base.notes
        self._parts: dict[int, FolderPart] = {}
        self._active: dict[int, FolderPart] = {}
        self._states: dict[str, dict[str, Any]] = {}
        self._poll = Poll()
        self._next_look = 0.0

    def seek(self, position: Position | None) -> None:
        """Begin after a position; DataError where that is of another kind."""
        if position is not None and "files" not in position:
            raise DataError(
                f"{self._pattern} was read in another way before: as one file, or at a pace.",
                "Read it that way again, or begin with a state of its own.",
            )
        self._states = dict(position["files"]) if position else {}
        self._look()
        for inode in [one for one in self._states if int(one) not in self._parts]:
            state = self._states.pop(inode)
            if not state.get("done"):
                self._notes.say(f"{state['name']}: not in the folder any more, nor what was not read of it")

    def take(self, most: int, wait: float) -> Sequence[SourceBatch]:
        """Return what has come, at most about `most` records."""
        return self._poll.take(self._take, most, wait)

    def lag(self) -> int | None:
        """Return about how many records wait."""
        return sum(part.left() for part in self._parts.values())

    def close(self) -> None:
        """Close all files."""
        for part in self._parts.values():
            part.close()

    def _take(self, most: int) -> list[SourceBatch]:
        """Return chunks until there are enough, or nothing is left."""
        found: list[SourceBatch] = []
        rows = 0
        if time.monotonic() >= self._next_look:
            self._look()
        for inode, part in list(self._active.items()):
            while rows < most and (chunk := self._chunk(inode, part, most - rows)) is not None:
                rows += chunk.rows.num_rows + len(chunk.broken)
                now = time.time_ns() // 1000
                arrived = np.full(chunk.rows.num_rows, now, np.int64)
                found.append(SourceBatch(chunk, arrived, {"files": dict(self._states)}))
            if rows >= most:
                break
            if not part.wants:
                self._active.pop(inode, None)
        return found

    def _chunk(self, inode: int, part: FolderPart, most: int) -> Chunk | None:
        """Return the next records of a file; of one that took another's name, after all of that one."""
        try:
            while part.before is not None:
                chunk, state = part.before[1].successor(most)
                if chunk is not None:
                    self._states[str(part.before[0])] = part.before[1].state()
                    return chunk
                old, former = part.before
                part.before = None
                part.begin(state)
                former.retire()
                self._active.pop(old, None)
                if str(old) in self._states:
                    self._states[str(old)] = former.state()
            chunk = part.take(most)
        except DataError as error:
            # As in a batch run over a folder: one file that cannot be read is one broken record.
            chunk = part.refuse(error.message)
        if chunk is not None:
            self._states[str(inode)] = part.state()
        return chunk

    def _look(self) -> None:
        """Look for files that are new, have grown, or are gone."""
        started = time.monotonic()
        here: set[int] = set()
        for name, path in sorted(self._found(), key=lambda one: os.fsencode(one[0])):
            if (where := standing(path)) is None:
                continue
            here.add(where.inode)
            if (part := self._parts.get(where.inode)) is None:
                part = self._parts[where.inode] = self._begin(name, path, where)
            else:
                part.see(path, where)
            if part.wants:
                self._active[where.inode] = part
        for inode in [one for one in self._parts if one not in here]:
            part = self._parts[inode]
            if not part.leave():
                if part.left():
                    self._notes.say(f"{part.name} was removed before it was read to its end")
                self._forget(inode)
        opened = sorted((part for part in self._parts.values() if part.is_open), key=lambda one: one.moved)
        for part in opened[: max(0, len(opened) - _OPEN)]:
            part.rest()
        if len(here) > _MANY:
            self._notes.say(f"{self._pattern} holds more than {_MANY:,} files: move away what was read")
        self._next_look = time.monotonic() + max(_LEAST, _SHARE * (time.monotonic() - started))

    def _begin(self, name: str, path: str, where: Standing) -> FolderPart:
        """Begin with a file, or go on with one that was read before."""
        state = self._states.get(str(where.inode))
        if state is not None:
            part = FolderPart(state["name"], path, self._base, where, state)
            if part.fits():
                return part
            part.close()
            self._states.pop(str(where.inode))
            self._notes.say(f"{state['name']}: another file stands there, or it was written anew")
        before = next(((inode, one) for inode, one in self._parts.items() if one.name == name), None)
        return FolderPart(name, path, self._base, where, before=before)

    def _forget(self, inode: int) -> None:
        part = self._parts.pop(inode, None)
        self._active.pop(inode, None)
        self._states.pop(str(inode), None)
        if part is not None:
            part.close()

    def _found(self) -> Iterator[tuple[str, str]]:
        """Yield the names and paths of files of a known format."""
        if self._folder.is_dir():
            yield from _walk(str(self._folder), "")
            return
        with suppress(UsageError):
            for one in LocalFileSystem().list(self._pattern):
                if split_suffix(one.path) and not one.name.startswith((".", "_")):
                    yield one.name, one.path


def _walk(folder: str, before: str) -> Iterator[tuple[str, str]]:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith((".", "_")):
                continue
            if entry.is_dir():
                yield from _walk(entry.path, f"{before}{entry.name}/")
            elif split_suffix(entry.name):
                yield before + entry.name, entry.path
