"""What comes in: an INPUT read through a contract, every record accounted for.

    rows_in = rows_clean + rows_quarantined + rows_duplicate

A verb that writes as it reads takes a second pass where the input holds duplicates, and only there: which of
two records with one key stays is known when all have been seen.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, Protocol, TypeVar

import numpy as np
import pyarrow as pa

from tallystick.config import Settings
from tallystick.connectors import (
    Chunk,
    Sink,
    Source,
    Split,
    TablePlace,
    beside,
    open_sink,
    open_source,
    resolved,
    shown,
)
from tallystick.contracts import Checked, ColumnMapping, Contract, Report
from tallystick.contracts.conforming import conformed
from tallystick.contracts.inference import ColumnTypes
from tallystick.contracts.report import ASK_FOR_QUARANTINE
from tallystick.engines import Work
from tallystick.errors import DataError, UsageError
from tallystick.inputs.accounting import DuplicatesFound, RowAccounting
from tallystick.inputs.context import ColumnNames, RunContext
from tallystick.inputs.frames import BufferedInput, FrameInput
from tallystick.inputs.joined import JoinedColumns
from tallystick.inputs.nested import with_members
from tallystick.inputs.places import RowPlaces
from tallystick.inputs.work import CheckedWork, ChunkWork, ContractCheck, SkippedRecords

__all__ = ["InputReader"]


R = TypeVar("R")
T = TypeVar("T")
#: Reads what is joined to an input, and says how it went.
Join = Callable[[], tuple[tuple[JoinedColumns, ...], Report]]


def nothing_to_join() -> tuple[tuple[JoinedColumns, ...], Report]:
    """Join nothing."""
    return (), Report()


class RecordStream(Protocol):
    """Yields the same records each time it is asked: files, a frame, or standard input that was kept."""

    @property
    def notes(self) -> Sequence[str]:
        """What should be said about the input as a whole."""

    @property
    def names(self) -> Sequence[str]:
        """The place names of its files, sorted."""

    def splits(self) -> Iterator[Split]:
        """Cut it into what can be read by itself."""

    def chunks(self) -> Iterator[Chunk]:
        """Yield the records in order."""

    def refuse_empty(self) -> NoReturn:
        """Raise the DataError for an input without a record."""


@dataclass(frozen=True)
class _Select:
    """Checks a chunk and keeps columns of its clean rows, with the number of each record."""

    check: ContractCheck
    fields: pa.Schema

    def __call__(
        self, chunk: Chunk, column_mapping: ColumnMapping
    ) -> tuple[Checked, tuple[pa.RecordBatch, RowPlaces]]:
        checked = self.check.check(chunk, column_mapping)
        numbers = chunk.records[checked.kept]
        places = RowPlaces((chunk.name,), np.zeros(len(numbers), np.int32), numbers)
        return checked, (conformed(checked.rows, self.fields), places)


@dataclass(frozen=True)
class _InferTypes:
    """Infers the types of the columns of a chunk that a contract does not name."""

    contract: Contract
    mapping: ColumnNames
    settings: Settings

    def __call__(self, chunk: Chunk) -> tuple[ColumnTypes, int]:
        types = ColumnTypes()
        if chunk.rows.num_columns:
            rows = with_members(chunk.rows, self.mapping.paths)
            column_mapping = self.contract.resolve(rows.schema.names, self.mapping.of(rows.schema.names))
            types = ColumnTypes.of(rows.select(list(self.contract.unnamed(column_mapping))), self.settings)
        return types, len(chunk.records)


@dataclass
class InputReader:
    """Reads an INPUT through a contract.

    horizon: how far apart in event time (microseconds) two records of one key are duplicates; None: however
    far. needs: the columns that the verb cannot do without, and what each is wanted for; labels_wanted: as in
    `Contract.check`; join: reads the tables that are joined to it, with what is to be said of them.
    """

    contract: Contract
    stream: RecordStream
    context: RunContext
    labels_wanted: bool | tuple[str, ...]
    horizon: int | None = None
    needs: dict[str, str] = field(default_factory=dict)
    source: Source | None = None
    join: Join = nothing_to_join

    @classmethod
    def open(
        cls,
        contract: Contract,
        given: Any,
        context: RunContext,
        *,
        horizon: int | None,
        labels_wanted: bool | tuple[str, ...],
        needs: dict[str, str] | None = None,
        join: Join = nothing_to_join,
    ) -> InputReader:
        """Open a path, or a frame, without reading it yet; UsageError when it is not there."""
        if not isinstance(given, (str, Path)):
            stream: RecordStream = FrameInput(given, context.settings.batch_rows)
            return cls(contract, stream, context, labels_wanted, horizon, needs or {}, join=join)
        known = [s for column in contract.columns for s in (column.name, *column.aliases)]
        source = open_source(given, context.settings, known=known)
        if context.quarantine is not None:
            open_sink(context.quarantine, source=source)  # a wrong name, or the input itself, is refused here
        stream = BufferedInput(source) if source.location.scheme == "stdin" else source
        return cls(contract, stream, context, labels_wanted, horizon, needs or {}, source, join)

    def infer_columns(self) -> ColumnTypes:
        """Infer the types of the columns that an open contract does not name, in one pass over the input."""
        types, context = ColumnTypes(), self.context
        context.progress.stage("Reading the types of columns")
        for part, records in self._run(_InferTypes(self.contract, context.columns, context.settings)):
            types += part
            context.progress.step(records)
        return types

    @property
    def check(self) -> ContractCheck:
        """Return what checks records against the contract."""
        context = self.context
        return ContractCheck(self.contract, context.settings, context.as_of, self.labels_wanted)

    def gather(self, columns: Sequence[str]) -> tuple[pa.Table, Report]:
        """Read everything into memory: the clean rows that stay, with these of our columns, and the account.

        A column that no file has is null.
        """
        table, _, report = self.gather_placed(columns)
        return table, report

    def gather_placed(
        self,
        columns: Sequence[str],
        *,
        quarantine: Path | TablePlace | None = None,
        aside: Path | TablePlace | None = None,
        earlier: pa.Table | None = None,
    ) -> tuple[pa.Table, RowPlaces, Report]:
        """Do as `gather`, and say where each row was found.

        quarantine: where bad rows go when there are any and no other place was asked for; aside: where
        duplicates are named; earlier: keys that came before, each with its time and record number, which are
        no duplicates and make others so.
        """
        fields = [(c.name, c.arrow) for c in self.contract.columns if c.name in columns]
        parts: list[pa.RecordBatch] = []
        places: list[RowPlaces] = []

        def keep(part: tuple[pa.RecordBatch, RowPlaces]) -> None:
            parts.append(part[0])
            places.append(part[1])

        bad = self.context.quarantine or quarantine
        account = self._pass(_Select(self.check, pa.schema(fields)), keep, bad, {}, earlier=earlier)
        table = pa.Table.from_batches(parts, pa.schema(fields))
        place = RowPlaces.joined(places)
        report = account.report()
        if aside is not None:
            # An older run's duplicates would be taken for this one's.
            aside.unlink(missing_ok=True)
        if len(account.again):
            stays = np.ones(len(table), bool)
            stays[account.again] = False
            table, place = table.filter(pa.array(stays)), place.filter(stays)
            if aside is not None:
                account.write_duplicates(aside)
                report += Report(notes=(f"The duplicates are named in {aside}.",))
        return table, place, report

    def count(self) -> Report:
        """Read everything and keep only the account."""
        return self._pass(self.check, lambda _: None, self.context.quarantine, {}).report()

    def collect(self, work: CheckedWork[R], take: Callable[[R], None], again: Callable[[], None]) -> Report:
        """Work on chunk after chunk and keep what comes of each; `again` begins anew after duplicates."""
        return self._in_passes(
            lambda skip: self._pass(
                work,
                take,
                self.context.quarantine,
                skip,
                must_know=True,
            ),
            lambda _: again(),
        ).report()

    def flow(
        self,
        work: CheckedWork[R],
        output: str | Path | TablePlace,
        schema: pa.Schema | None = None,
        *,
        rows: Callable[[R], pa.RecordBatch],
        take: Callable[[R], None] = lambda _: None,
        again: Callable[[], None] = lambda: None,
    ) -> Report:
        """Work on chunk after chunk and write what comes of each, but nothing of an input that is refused.

        Bad rows go to the quarantine that was asked for, else to `OUTPUT.quarantine.jsonl`, if there are any;
        where duplicates were, `OUTPUT.duplicates.jsonl` names them. `rows` says what of the work is
        written; `take` is called with the work once that was done, `again` before a second pass.
        """
        bad = self.context.quarantine or beside(output, "quarantine")
        aside = beside(output, "duplicates")
        for path in (bad, aside):
            open_sink(path, source=self.source)  # neither may be the input
        if resolved(bad) == resolved(output):
            raise UsageError(
                f"{shown(output)} is named for both the output and the quarantine.", "Name two files."
            )
        apart = False

        def go(skip: SkippedRecords) -> RowAccounting:
            sink = open_sink(output, schema, source=self.source)

            def write(made: R) -> None:
                sink.write(rows(made))
                take(made)

            return self._pass(work, write, bad, skip, sink, must_know=True)

        def once_more(found: DuplicatesFound) -> None:
            nonlocal apart
            apart = True
            found.write(aside)
            again()

        account = self._in_passes(go, once_more)
        if apart:
            return account.report() + Report(notes=(f"The duplicates are named in {aside}.",))
        # An older run's duplicates would be taken for this one's.
        aside.unlink(missing_ok=True)
        return account.report()

    def _in_passes(
        self, go: Callable[[SkippedRecords], RowAccounting], once_more: Callable[[DuplicatesFound], None]
    ) -> RowAccounting:
        """Go through the input, and once more without its duplicates where it has any."""
        try:
            return go({})
        except DuplicatesFound as found:
            once_more(found)
            skip = found.skip
        try:
            return go(skip)
        except DuplicatesFound:
            raise DataError(
                "The input changed while it was read.", "Try again when nothing writes to it."
            ) from None

    def _pass(
        self,
        work: CheckedWork[R],
        take: Callable[[R], None],
        quarantine: Path | TablePlace | None,
        skip: SkippedRecords,
        sink: Sink | None = None,
        *,
        must_know: bool = False,
        earlier: pa.Table | None = None,
    ) -> RowAccounting:
        """Go through the input once; `must_know`: duplicates that are not in `skip` raise DuplicatesFound."""
        asked = self.context.quarantine is not None
        files = self.stream.names
        account = RowAccounting(
            files,
            self.context.engine,
            quarantine,
            skip,
            horizon=self.horizon,
            earlier=earlier,
            asked=asked,
        )
        numbers = {name: number for number, name in enumerate(files)}
        joined, said = self.join()
        on_chunk = ChunkWork(
            self.contract,
            self.context.columns,
            self.needs,
            numbers,
            skip,
            quarantine is not None,
            work,
            joined,
        )
        progress = self.context.progress
        refused: DataError | None = None
        progress.stage("Reading")
        with account:
            try:
                with sink or nullcontext(), closing(self._run(on_chunk)) as results:
                    for result in results:
                        take(result.value)
                        account.add(result)
                        progress.step(result.records)
                    if not account.report().rows_in:
                        self.stream.refuse_empty()
                    account.settle([*said.notes, *self.stream.notes], must_know=must_know)
                    account.report().usable()
                    account.report().refuse(strict=self.context.strict, most=self.context.max_quarantine)
            except DataError as error:
                # The bad rows are what one wants to see now: their file stays, the output does not.
                refused = error
        if refused is not None:
            if account.put_aside:
                mend = "" if refused.hint == ASK_FOR_QUARANTINE else f" {refused.hint}"
                refused.hint = f"The bad rows are in {quarantine}, each with its reason.{mend}"
            raise refused
        return account

    def _run(self, work: Work[T]) -> Generator[T, None, None]:
        """Do work on every chunk, by the engine."""
        # Closing waits for what is being read, and a pipe may keep that waiting for ever.
        ahead = self.source is None or self.source.location.scheme != "stdin"
        yield from self.context.engine.run(
            work, self.stream.splits(), self.context.settings.cores(), ahead=ahead
        )
