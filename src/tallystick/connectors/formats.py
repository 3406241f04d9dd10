"""Formats: what reads and what writes one, found by themselves.

A module of this package with a `FORMATS` tuple brings formats; so does an object with one behind an entry
point of the group `tallystick.connectors`, which is how a stranger's package adds its own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any, Protocol

import pyarrow as pa

from tallystick import plugins
from tallystick.config import Settings
from tallystick.connectors.chunk import Chunk
from tallystick.connectors.notes import Notes

__all__ = ["Block", "Format", "Reading", "Span", "TableWriter", "found", "found_formats"]

# Chunks that were made in one go: the unit of reading ahead.
Block = list[Chunk]


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a file that can be read by itself: bytes of a text file, row groups of Parquet.

    start, stop: in bytes or row groups, stop left out, None to the end; first: the number of its first
    record; small: at most one block; columns, delimiter: what the header says, which lies elsewhere; checked:
    the quotes of its records are known to be well formed.
    """

    start: int
    stop: int | None
    first: int
    small: bool = False
    columns: tuple[str, ...] = ()
    delimiter: str = ""
    checked: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """One file to be read, and all that its reader has to know; span: only this part of it."""

    name: str
    open: Callable[[], IO[bytes]]
    settings: Settings
    compression: str = ""
    known: frozenset[str] = frozenset()
    delimiter: str = ""
    notes: Notes = field(default_factory=Notes)
    look: Callable[[], IO[bytes]] | None = None
    span: Span | None = None

    def open_head(self) -> IO[bytes]:
        """Open the file for a look at its columns; of standard input that is its first bytes alone."""
        return (self.look or self.open)()


class TableWriter(Protocol):
    """Turns batches into the bytes of one file."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Append the rows of a batch."""

    def close(self) -> None:
        """Write what ends the file; the stream beneath stays open."""


@dataclass(frozen=True, slots=True)
class Format:
    """One form of a table in a file: its endings, its reader, its writer.

    spans: where a file can be cut into parts that are read by themselves; None where it cannot.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[Reading], Iterator[Block]]
    columns: Callable[[Reading], tuple[str, ...]]
    write: Callable[[IO[bytes], pa.Schema | None], TableWriter]
    is_text: bool = True
    spans: Callable[[Reading], Iterator[Span]] | None = None


@functools.cache
def found_formats() -> dict[str, Format]:
    """Give every format by name, sorted.

    >>> list(found_formats())
    ['csv', 'json', 'jsonl', 'parquet', 'tsv']
    """
    formats = {form.name: form for form in found("FORMATS")}
    return dict(sorted(formats.items()))


def found(attribute: str) -> list[Any]:
    """Collect what the modules of this package, then entry points, hold under a name."""
    ours, others = plugins.holders(__name__.rpartition(".")[0], "tallystick.connectors")
    return [thing for holder in (*ours, *others) for thing in getattr(holder, attribute, ())]
