"""Splits: parts of an input that can be read apart from each other, here or on another machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pyarrow as pa

from tallystick.connectors.chunk import Broken, Chunk
from tallystick.connectors.formats import Block, Reading, Span, found_formats
from tallystick.connectors.notes import Notes
from tallystick.errors import DataError

__all__ = ["FileSplit", "Split", "splits_of"]


class Split(Protocol):
    """A part of an input that is read by itself."""

    @property
    def small(self) -> bool:
        """Whether it is so small that all that comes of it may be held in memory."""

    def chunks(self) -> Iterator[Chunk]:
        """Give its rows in order."""


@dataclass(frozen=True, slots=True)
class FileSplit:
    """A file, or a span of it. It pickles, and reads the same wherever the file can be opened.

    alone: whether it is of the only file. That one ends the run where it cannot be read; among others it is
    one broken record.
    """

    form: str
    reading: Reading
    alone: bool

    @property
    def name(self) -> str:
        """The place name of the file."""
        return self.reading.name

    @property
    def small(self) -> bool:
        """Whether it is at most one block."""
        return self.reading.span is not None and self.reading.span.small

    def chunks(self) -> Iterator[Chunk]:
        """Give its rows in order; what was noted while a chunk was read goes with that chunk."""
        for block in self._blocks():
            for number, chunk in enumerate(block):
                lines = () if number else self.reading.notes.drain()
                yield replace(chunk, notes=lines) if lines else chunk

    def _blocks(self) -> Iterator[Block]:
        try:
            yield from found_formats()[self.form].read(self.reading)
        except DataError as error:
            if self.alone:
                raise
            empty = pa.RecordBatch.from_arrays([], names=[])
            broken = Broken(1, "broken_file", None, None, error.message)
            yield [Chunk(empty, self.name, np.empty(0, np.int64), (broken,))]


def splits_of(form: str, reading: Reading, *, alone: bool) -> Iterator[FileSplit]:
    """Cut a file where its format says it can be cut; else it is one split."""
    whole = FileSplit(form, replace(reading, notes=Notes()), alone)
    find = found_formats()[form].spans
    if find is None or reading.look is not None:  # standard input is read once, from its start
        yield whole
        return
    try:
        spans: Iterator[Span] = iter(find(whole.reading))
        first = next(spans)
    except (DataError, StopIteration):
        yield whole  # its reader says what is wrong with it
        return
    yield replace(whole, reading=replace(whole.reading, span=first))
    for span in spans:
        yield replace(whole, reading=replace(whole.reading, span=span, notes=Notes()))
