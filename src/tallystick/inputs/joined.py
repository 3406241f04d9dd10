"""Columns that rows of the main table gain from another table, found by the column that both have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tallystick.config import Settings
from tallystick.connectors import Chunk
from tallystick.contracts import ColumnMapping, Contract

__all__ = ["JoinedColumns"]


@dataclass(frozen=True)
class JoinedColumns:
    """Aggregates of another table by key.

    name: of that table; on: the column of the main table that holds the key; contract: the main table's,
    which says how keys are written; table: `key` and the columns; without: what columns say of a key that has
    no row, null where nothing is said.
    """

    name: str
    on: str
    contract: Contract
    settings: Settings
    table: pa.Table
    without: Mapping[str, int]

    @cached_property
    def _keys(self) -> Contract:
        return Contract(self.contract.name, self.contract.version, (self.contract.column(self.on),))

    def add(self, chunk: Chunk, column_mapping: ColumnMapping) -> Chunk:
        """Return a chunk with the columns, and a note of how many of its rows have none of the other's."""
        column_mapping.require({self.on: f"which rows of {self.name} belong to a row"})
        theirs = column_mapping.theirs[self.on]
        rows = chunk.rows
        checked = self._keys.check(
            rows.select([theirs]), self._keys.resolve([theirs], {theirs: self.on}), self.settings
        )
        at = np.full(len(rows), -1)
        found = pc.index_in(checked.rows.column(self.on).cast(pa.string()), self.table.column("key"))
        at[checked.kept] = found.fill_null(-1).to_numpy(zero_copy_only=False)
        index, none = pa.array(at, mask=at < 0), int((at < 0).sum())
        for name in self.table.column_names[1:]:
            values = self.table.column(name).combine_chunks().take(index)
            if name in self.without:
                values = values.fill_null(self.without[name])
            place = rows.schema.get_field_index(column_mapping.theirs.get(name, name))
            rows = rows.append_column(name, values) if place < 0 else rows.set_column(place, name, values)
        said = ((f"{self.name}: {{n}} rows have none of its rows.", none),) if none else ()
        return Chunk(rows, chunk.name, chunk.records, chunk.broken, (*chunk.notes, *said))
