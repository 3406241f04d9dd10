"""One file of a folder that is followed: opened when there is something in it, closed when it is quiet."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from tallystick.connectors import Broken, Chunk
from tallystick.connectors.formats import Reading
from tallystick.connectors.location import split_suffix
from tallystick.streams.sources.growing_file import CUT, GrowingFile, Standing
from tallystick.streams.sources.text_records import GROWING
from tallystick.streams.sources.whole_file import WholeFile

__all__ = ["FolderPart"]

# A last line without an end is a record once its file has been quiet so long.
_QUIET = 60.0
_NOTHING = pa.RecordBatch.from_arrays([], names=[])


class FolderPart:
    """A file by its number in the file system; `name` is the one that its places bear, whatever it is called.

    state: where to go on; before: the part, with its number, whose name it bears: its records are counted on.
    """

    def __init__(
        self,
        name: str,
        path: str,
        base: Reading,
        where: Standing,
        state: dict[str, Any] | None = None,
        before: tuple[int, FolderPart] | None = None,
    ) -> None:
        self.name, self.path, self.where = name, path, where
        self.moved = time.monotonic()
        self._form, self._compression = split_suffix(path) or ("", "")
        self._base = replace(base, name=name)
        self._state = dict(state) if state else {}
        self.before = before
        self._file: GrowingFile | WholeFile | None = None
        self._gone = False

    @property
    def grows(self) -> bool:
        """Whether it is text that can be appended to."""
        return self._form in GROWING and not self._compression

    @property
    def is_open(self) -> bool:
        """Whether it holds a file open."""
        return self._file is not None

    @property
    def wants(self) -> bool:
        """Whether something may be in it that was not given."""
        if isinstance(self._file, WholeFile):
            return not self._file.done
        if self._file is not None:
            return True
        if self._state.get("done"):
            return False
        return not self.grows or self.where.size != int(self._state.get("offset", 0))

    def fits(self) -> bool:
        """Return whether the file is the one that its state speaks of."""
        if self._state.get("done") and "modified" in self._state:
            return (self.where.size, self.where.modified) == (self._state["size"], self._state["modified"])
        file = self._file or self._made()
        self._file = None if self._state.get("done") else file
        fitting = file is None or file.holds(self._state)
        if file is not None and self._file is None:
            file.close()
        return fitting

    def see(self, path: str, where: Standing) -> None:
        """Update what the file system says of it."""
        if (where.size, where.modified) != (self.where.size, self.where.modified):
            self.moved = time.monotonic()
            done, whole = self._state.get("done"), "modified" in self._state
            if done and whole:  # another file now, or a mended one
                self._state = {} if self.grows else {"first": self._next() - 1}
            elif done:
                self._base.notes.say(f"{path} grew after another file took its name: that was not read")
        self.path, self.where = path, where

    def leave(self) -> bool:
        """Mark it as gone from the folder; return whether there is still something to read."""
        self._gone = True
        if isinstance(self._file, GrowingFile):
            return self._file.left() > 0 or self._file.held > 0
        return self._file is not None and self._file.is_open and not self._file.done

    def begin(self, state: dict[str, Any]) -> None:
        """Count on from the file of the same name before it."""
        fitting = "records" in state if self.grows else "first" in state
        self._state = state if fitting else {}

    def refuse(self, message: str) -> Chunk:
        """Return a file that cannot be read at all as one broken record."""
        number = self._next()
        self.rest(keep=False)
        where = self.where
        self._state |= {"inode": where.inode, "size": where.size, "modified": where.modified, "done": True}
        broken = Broken(number, "broken_file", None, None, message)
        return Chunk(_NOTHING, self.name, np.empty(0, np.int64), (broken,))

    def close(self) -> None:
        """Close the file."""
        self.rest(keep=False)

    def take(self, most: int) -> Chunk | None:
        """Return the next records, at most about `most`, if there are any."""
        file = self._opened()
        if not isinstance(file, GrowingFile):
            return None if file is None else file.take(most)
        if (chunk := file.take_ready(most)) is not None:
            return chunk
        if file.was_cut():
            if (chunk := file.give_up()) is not None:
                return chunk
            self._base.notes.say(CUT.format(name=self.name))
            self._state = file.begin_anew()
            self.rest(keep=False)
            return None
        if (chunk := file.take(most)) is not None:
            self.moved = time.monotonic()
            return chunk
        if self._gone or time.monotonic() - self.moved > _QUIET:
            return file.take_rest(most)
        return None

    def state(self) -> dict[str, Any]:
        """Return the state after what was given so far."""
        found = self._state if self._file is None else self._file.state()
        return {**found, "name": self.name}

    def left(self) -> int:
        """Return about how many records wait."""
        if self._file is not None:
            return self._file.left()
        return int(self.wants)

    def retire(self) -> None:
        """Read it no more: another file has its name."""
        self.rest()
        self._state["done"] = True

    def rest(self, *, keep: bool = True) -> None:
        """Close the file until there is something in it again."""
        if self._file is not None:
            if keep:
                self._state = self._file.state()
            self._file.close()
            self._file = None

    def successor(self, most: int) -> tuple[Chunk | None, dict[str, Any]]:
        """Return what is left as what ends the file, and the state for the next one of the same name."""
        file = self._opened()
        if isinstance(file, GrowingFile):
            return file.take_rest(most), file.begin_anew()
        return (None if file is None else file.take(most)), {"first": self._next() - 1}

    def _next(self) -> int:
        if self._file is not None:
            return self._file.next_record
        return int(self._state.get("first", 0)) + int(self._state.get("given", 0)) + 1

    def _opened(self) -> GrowingFile | WholeFile | None:
        """Open it, where something is to be read."""
        if self._file is None and self.wants and not self._gone:
            self._file = self._made()
        return self._file

    def _made(self) -> GrowingFile | WholeFile | None:
        try:
            if self.grows:
                return GrowingFile(self.path, self._form, self._base, self._state)
            return WholeFile(self.path, self._form, self._compression, self._base, self._state)
        except FileNotFoundError:
            self._gone = True
            return None
