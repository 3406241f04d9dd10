"""A table or a query of a database as chunks of rows, like the records of one file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from tallystick.connectors.chunk import Chunk
from tallystick.connectors.database_address import Address
from tallystick.connectors.location import Location
from tallystick.connectors.notes import Notes
from tallystick.connectors.source import Source
from tallystick.connectors.splits import Split

__all__ = ["DatabaseSource", "Tabled"]


class Tabled(Protocol):
    """What one database does for a table or a query that was found there."""

    def columns(self) -> tuple[str, ...]:
        """Give the names of its columns."""

    def batches(self, rows: int, notes: Notes) -> Iterator[pa.RecordBatch]:
        """Give its rows as they were at one moment, in an order that the next reading has too."""

    def reads(self, other: Location) -> bool:
        """Say whether a location is a table that it reads, also by a view."""


class DatabaseSource(Source):
    """A table, a view or a query; records are counted from 1 in the order of the table's key.

    Every reading sees the table as it was at one moment, and the next may see another.
    """

    def __init__(self, address: Address, tabled: Tabled, batch_rows: int) -> None:
        super().__init__(address.location, [], [], Notes())
        self._name = address.table or "query"
        self._tabled = tabled
        self._rows = batch_rows

    @property
    def names(self) -> tuple[str, ...]:
        """The name of its table; `query` for a query."""
        return (self._name,)

    def headers(self) -> dict[str, tuple[str, ...]]:
        """Give the column names, under the table's name."""
        return {self._name: self._tabled.columns()}

    def is_read_by(self, other: Location) -> bool:
        """Say whether a location is one of the tables that it reads."""
        return other.scheme == self.location.scheme and self._tabled.reads(other)

    def splits(self) -> Iterator[Split]:
        """Give the table as one split: it is read as it is at one moment."""
        yield _TableSplit(self)

    def rows(self) -> Iterator[Chunk]:
        """Give its rows in order."""
        following = 1
        for batch in self._tabled.batches(self._rows, self._notes):
            records = np.arange(following, following + batch.num_rows, dtype=np.int64)
            following += batch.num_rows
            yield Chunk(batch, self._name, records)


@dataclass(frozen=True)
class _TableSplit:
    source: DatabaseSource
    small: bool = False

    def chunks(self) -> Iterator[Chunk]:
        """Give its rows in order."""
        return self.source.rows()
