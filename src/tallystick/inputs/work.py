"""What is done to each chunk of an input, wherever it is read: checked, worked on, and accounted for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Generic, Protocol, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.connectors import Chunk
from tallystick.contracts import REASONS, Checked, ColumnMapping, Contract, Report
from tallystick.inputs.context import ColumnNames
from tallystick.inputs.frequent import frequent_values
from tallystick.inputs.joined import JoinedColumns
from tallystick.inputs.nested import with_members
from tallystick.inputs.quarantine import quarantined_chunk

__all__ = ["FILE_BITS", "CheckedWork", "ChunkResult", "ChunkWork", "ContractCheck", "SkippedRecords"]

#: Records to leave out: the file's place name → record numbers.
SkippedRecords = dict[str, NDArray[np.int64]]

#: A place is the number of the file shifted by this, and the number of the record in it.
FILE_BITS = 40

LONGEST = 40  # characters of a value that is shown
UNREAD = "{}: {{n}} values cannot be read; they count as unknown."

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class CheckedWork(Protocol[R_co]):
    """What a verb does to a chunk: it checks the records and makes something of them. It pickles."""

    def __call__(self, chunk: Chunk, column_mapping: ColumnMapping, /) -> tuple[Checked, R_co]:
        """Do it to one chunk."""


@dataclass(frozen=True)
class ContractCheck:
    """Checks records against a contract; labels_wanted: as in `Contract.check`."""

    contract: Contract
    settings: Settings
    as_of: datetime | None
    labels_wanted: bool | tuple[str, ...]

    def __call__(self, chunk: Chunk, column_mapping: ColumnMapping) -> tuple[Checked, None]:
        """Check a chunk, and make nothing of it."""
        return self.check(chunk, column_mapping), None

    def check(self, chunk: Chunk, column_mapping: ColumnMapping) -> Checked:
        """Check a chunk."""
        return self.contract.check(
            chunk.rows, column_mapping, self.settings, as_of=self.as_of, labels_wanted=self.labels_wanted
        )


@dataclass(frozen=True)
class ChunkResult(Generic[R]):
    """What became of a chunk.

    records: how many it held; bad: its rows for the quarantine, None where there are none or none are asked
    for; keys: `key`, `time` (int64 microseconds, null: none), `place` and `row` (the number among the clean
    rows of this chunk), None without a key; value: what the verb made.
    """

    records: int
    report: Report
    bad: pa.Table | None
    keys: pa.Table | None
    notes: tuple[tuple[str, int], ...]
    value: R


@dataclass
class ChunkWork(Generic[R]):
    """Names the columns of a chunk, leaves out known duplicates, does the work and accounts for each record.

    needs: the columns that the verb cannot do without, and what each is wanted for; files: the number of each
    file in the order of their names; joined: columns that rows gain before they are checked; quarantine:
    whether bad rows are wanted. Raises DataError where a needed column is missing.
    """

    contract: Contract
    mapping: ColumnNames
    needs: Mapping[str, str]
    files: Mapping[str, int]
    skip: SkippedRecords
    quarantine: bool
    work: CheckedWork[R]
    joined: tuple[JoinedColumns, ...] = ()
    column_mappings: dict[tuple[str, ...], ColumnMapping] = field(default_factory=dict, repr=False)

    def __call__(self, chunk: Chunk) -> ChunkResult[R]:
        """Do it."""
        chunk = self._without_skipped(chunk)
        if self.mapping.paths and chunk.rows.num_columns:
            chunk = replace(chunk, rows=with_members(chunk.rows, self.mapping.paths))
        for one in self.joined:
            chunk = one.add(chunk, self._resolved(tuple(chunk.rows.schema.names), {}))
        column_mapping = self.column_mapping(chunk.rows)
        checked, value = self.work(chunk, column_mapping)
        codes = [*(broken.code for broken in chunk.broken), *checked.bad.code]
        report = Report.of(codes, len(checked.rows), column_mapping=column_mapping)
        if codes:
            report = replace(report, examples=_examples(chunk, checked, self.contract))
        bad = quarantined_chunk(chunk, checked.bad) if codes and self.quarantine else None
        notes = (*chunk.notes, *((UNREAD.format(column), n) for column, n in checked.unread.items()))
        entities = {name for name in (self.contract.key, self.contract.person) if name}
        notes += tuple(frequent_values(checked.rows, sorted(entities)))
        return ChunkResult(len(chunk.records), report, bad, self._keys(chunk, checked), notes, value)

    def column_mapping(self, rows: pa.RecordBatch) -> ColumnMapping:
        """Say which columns of a batch are which of ours; DataError where a needed one is missing."""
        names = tuple(rows.schema.names)
        if names not in self.column_mappings:
            self.column_mappings[names] = self._resolved(names, self.needs)
        return self.column_mappings[names]

    def _resolved(self, names: tuple[str, ...], needs: Mapping[str, str]) -> ColumnMapping:
        if not names:
            return ColumnMapping(())  # all that stands there is broken
        column_mapping = self.contract.resolve(names, self.mapping.of(names))
        column_mapping.require(needs)
        return column_mapping

    def _without_skipped(self, chunk: Chunk) -> Chunk:
        """Leave out the duplicates that an earlier pass found."""
        skipped = self.skip.get(chunk.name)
        if skipped is None:
            return chunk
        stays = ~np.isin(chunk.records, skipped)
        rows = chunk.rows.filter(pa.array(stays))
        return Chunk(rows, chunk.name, chunk.records[stays], chunk.broken, chunk.notes)

    def _keys(self, chunk: Chunk, checked: Checked) -> pa.Table | None:
        contract, rows = self.contract, checked.rows
        if contract.key is None or contract.key not in rows.schema.names:
            return None
        time = pa.nulls(len(rows), pa.int64())
        if contract.event_time is not None and contract.event_time in rows.schema.names:
            time = rows.column(contract.event_time).cast(pa.int64())
        numbers = chunk.records[checked.kept]
        keys = pa.table(
            {
                "key": rows.column(contract.key),
                "time": time,
                "place": pa.array((np.int64(self.files[chunk.name]) << FILE_BITS) | numbers),
                "row": pa.array(np.arange(len(numbers))),
            }
        )
        return keys.filter(keys["key"].is_valid())


def _examples(chunk: Chunk, checked: Checked, contract: Contract) -> dict[str, str]:
    """Return of each reason the first value that has it, and how it could be read; no value of prose."""
    prose = {
        column.name for column in contract.columns if column.type == "text" and column.name != contract.key
    }
    found: dict[str, str] = {}
    for one in chunk.broken:
        found.setdefault(one.code, one.message)
    bad = checked.bad
    for code, column, value, message in zip(bad.code, bad.column, bad.value, bad.message, strict=True):
        if code in found or column is None:
            continue
        what = column if value is None or column in prose else f'{column} "{value[:LONGEST]}"'
        more = message.removeprefix(f"{column}: {REASONS[code]}").strip()
        found[code] = f"{what}. {more}".strip(". ") + "." if more else f"{what}"
    return found
