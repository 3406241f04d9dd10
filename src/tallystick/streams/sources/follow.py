"""A growing file as a source: followed by its name, as `tail -F` does, through rotation and truncation."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tallystick.connectors import Chunk
from tallystick.connectors.formats import Reading
from tallystick.errors import DataError
from tallystick.streams.source import Position, SourceBase, SourceBatch
from tallystick.streams.sources.growing_file import CUT, GrowingFile, Standing, begins_as, standing
from tallystick.streams.sources.poll import Poll

__all__ = ["FollowedFile"]

# What is remembered of the files before this one: none of them is read again.
_PAST = 32
_FEW = 256

#: Nanoseconds after which nobody writes to a file any more, as far as one can tell.
STILL = 2_000_000_000


class FollowedFile(SourceBase):
    """Gives the records of a file as it grows.

    Renamed and made anew: what is left in the old one is read first, to its end, once the new one holds
    something (who writes to both at once loses what comes to the old one after that). Cut to nothing
    (copytruncate), deleted and made again: it begins anew. In each case the numbers of records go on, so that
    a place is given once; a header that comes again is no record, and where none comes the old one holds.

    path: followed through links; base: how it is read; wait: whether it may come to be only later. `notes`
    says what was passed over or lost.
    """

    def __init__(self, path: str, form: str, base: Reading, *, wait: bool = False) -> None:
        self._path = Path(os.path.abspath(path))  # noqa: PTH100 - a link stays a link, it may be set anew
        self.name = self._path.as_uri()
        self._form = form
        self._notes = base.notes
        self._base = replace(base, name=self._path.name)
        self._may_wait = wait
        self._file: GrowingFile | None = None
        self._anew: dict[str, Any] | None = None
        self._past: list[int] = []
        self._poll = Poll()

    def seek(self, position: Position | None) -> None:
        """Begin after a position; DataError where the file is shorter than what was read of it."""
        if position is None:
            if not self._may_wait and standing(self._path) is None:
                from tallystick.connectors.filesystem import LocalFileSystem

                LocalFileSystem().list(str(self._path))  # says what is near
            return
        if "records" in position:  # of a replay of the same file
            self._anew = {"given": int(position["records"])}
            return
        state = position["file"]
        self._past = list(position.get("past", ()))
        if "inode" not in state:
            self._anew = state
            return
        for path in self._candidates(int(state["inode"])):
            file = GrowingFile(path, self._form, self._base, state)
            if file.holds(state):
                self._file = file
                return
            file.close()
        here = standing(self._path)
        if here is not None and here.inode == int(state["inode"]) and here.size < int(state["offset"]):
            self._refuse_shorter(state, here)
        self._notes.say(
            f"{self._path.name}: what stood after record {_last(state)} when the stream stopped is not "
            "there any more (rotated away, removed or written anew); reading goes on with the file that is"
        )
        self._past = [*self._past, int(state["inode"])][-_PAST:]
        self._anew = {"records": {**state["records"], "record": _last(state) + 1, "anew": True}}

    def take(self, most: int, wait: float) -> Sequence[SourceBatch]:
        """Return what has come, at most about `most` records."""
        return self._poll.take(self._take, most, wait)

    def take_rest(self, most: int) -> Sequence[SourceBatch]:
        """Return a last line without an end as a record, as a batch does, where nothing more is expected.

        Only a whole one: a line that is being written, or cannot be read, waits for its rest, and is said.
        """
        if self._file is None or not self._file.held:
            return []
        chunk = None
        if time.time_ns() - self._file.where.modified > STILL:
            chunk = self._file.take_rest(most)
        if chunk is None or chunk.broken:
            self._notes.say(f"{self._path.name}: the last line has no end, and waits for its rest")
            return []
        return [self._taken(chunk)]

    def lag(self) -> int | None:
        """Return about how many records wait; half a line does not count."""
        if self._file is None:
            here = standing(self._path)
            return int(here is not None and here.size > 0)
        left = self._file.left()
        if not left and (following := self._following(self._file)) is not None:
            return max(1, int(following.size / 100))
        return left

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _take(self, most: int) -> list[SourceBatch]:
        """Return chunks until there are enough, or few were left: what came meanwhile is taken together."""
        found: list[SourceBatch] = []
        rows, last = 0, most
        while rows < most and last >= min(most, _FEW) and (chunk := self._chunk(most - rows)) is not None:
            last = chunk.rows.num_rows + len(chunk.broken)
            rows += last
            found.append(self._taken(chunk))
        return found

    def _chunk(self, most: int) -> Chunk | None:
        """Return the next records of this file, or of the one that took its place."""
        while True:
            file = self._file
            if file is None:
                if standing(self._path) is None:
                    return None
                file = self._open(self._path)
            if (chunk := file.take_ready(most)) is not None:
                return chunk
            if file.was_cut():
                if (chunk := file.give_up()) is not None:
                    return chunk
                self._begin_anew(file)
                continue
            if (chunk := file.take(most)) is not None:
                return chunk
            following = self._following(file)
            if following is None:
                return None
            # The new one holds something, so nothing more is written to the old one: once more, to its end.
            if (chunk := file.take_rest(most)) is not None:
                return chunk
            self._move_on(file)

    def _taken(self, chunk: Chunk) -> SourceBatch:
        now = time.time_ns() // 1000
        position: Position = {"file": self._file.state() if self._file is not None else {}}
        if self._past:
            position["past"] = list(self._past)
        return SourceBatch(chunk, np.full(chunk.rows.num_rows, now, np.int64), position)

    def _open(self, path: Path) -> GrowingFile:
        self._file = GrowingFile(path, self._form, self._base, self._anew)
        self._anew = None
        return self._file

    def _following(self, file: GrowingFile) -> Standing | None:
        """Return what stands where the file was, if that is another one which holds something."""
        here = standing(self._path)
        if here is None or not here.size or here.is_same(file.where):
            return None
        return here

    def _begin_anew(self, file: GrowingFile) -> None:
        """Read a file that was cut from its start."""
        self._notes.say(CUT.format(name=self._path.name))
        where = file.where
        self._anew = file.begin_anew()
        file.close()
        self._file = None
        if _same(where, standing(file.path)):
            self._open(Path(file.path))

    def _move_on(self, file: GrowingFile) -> None:
        """Go on to the file that came after one that is read to its end."""
        where = file.where
        self._past = [*self._past, where.inode][-_PAST:]
        self._anew = file.begin_anew()
        file.close()
        self._file = None
        between = self._between(where)
        self._open(between or self._path)

    def _between(self, old: Standing) -> Path | None:
        """Find a file that came after the old one and was rotated away before it was read."""
        here = standing(self._path)
        found = []
        for path, where in self._rotated():
            if where.modified > old.modified and where.inode not in self._past and not _same(where, here):
                if path.name.endswith((".gz", ".zst", ".bz2", ".xz")):
                    self._notes.say(
                        f"{path.name} was rotated away and compressed before it was read: it was not"
                    )
                else:
                    found.append((where.modified, path))
        return min(found)[1] if found else None

    def _rotated(self) -> list[tuple[Path, Standing]]:
        """Find the files beside this one that bear its name and a number or a date."""
        stem, suffix = re.escape(self._path.stem), re.escape(self._path.suffix)
        number = r"[.-][0-9][0-9TZ:_.-]*"
        packed = r"(\.gz|\.zst|\.bz2|\.xz)?"
        pattern = re.compile(f"{stem}({suffix}{number}|{number}{suffix}){packed}")
        with os.scandir(self._path.parent) as entries:
            paths = [Path(entry.path) for entry in entries if pattern.fullmatch(entry.name)]
        return [(path, where) for path in paths if (where := standing(path)) is not None]

    def _candidates(self, inode: int) -> list[Path]:
        """Return the paths at which a file that was read may be now: by its number, then by its name."""
        found = []
        if self._path.parent.is_dir():
            with os.scandir(self._path.parent) as entries:
                found = [Path(entry.path) for entry in entries if entry.inode() == inode and entry.is_file()]
        # A copy that was put in its place has the same bytes and another number.
        return [*found, *([self._path] if self._path.is_file() and self._path not in found else [])]

    def _refuse_shorter(self, state: dict[str, Any], here: Standing) -> None:
        """Refuse a file that still begins as it did and has lost its end."""
        with self._path.open("rb") as file:
            begins = begins_as(file.fileno(), state)
        if begins:
            raise DataError(
                f"{self._path} has {here.size:,} bytes; {int(state['offset']):,} were read of it before.",
                "Its end was cut off: put the file back, or begin with a state of its own.",
            )


def _last(state: dict[str, Any]) -> int:
    return max(int(state.get("given", 0)), int(state["records"]["record"]) - 1)


def _same(one: Standing, other: Standing | None) -> bool:
    return other is not None and one.is_same(other)
