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
from typing import Any, Protocol, TypeVar

import numpy as np
import pyarrow as pa

from tallystick.connectors import (
    Chunk,
    Sink,
    Source,
    TablePlace,
    beside,
    open_sink,
    open_source,
    resolved,
    shown,
)
from tallystick.contracts import Checked, Contract, Naming, Report
from tallystick.contracts.conforming import conformed
from tallystick.contracts.inference import ColumnTypes
from tallystick.errors import DataError, UsageError
from tallystick.inputs.accounting import DuplicatesFound, RowAccounting, SkippedRecords
from tallystick.inputs.context import RunContext
from tallystick.inputs.frames import BufferedInput, FrameInput
from tallystick.inputs.places import RowPlaces

__all__ = ["InputReader"]


class RecordStream(Protocol):
    """Yields the same chunks each time it is asked: files, a frame, or standard input that was kept."""

    @property
    def notes(self) -> Sequence[str]:
        """What should be said about the input."""

    def chunks(self) -> Iterator[Chunk]:
        """Yield the records in order."""


class Outcome(Protocol):
    """What work on a chunk must tell, so that its records are accounted for."""

    @property
    def checked(self) -> Checked:
        """What the contract said of each record."""


R = TypeVar("R", bound=Outcome)


@dataclass
class _OnlyChecked:
    checked: Checked


@dataclass
class InputReader:
    """Reads an INPUT through a contract.

    horizon: how far apart in event time (microseconds) two records of one key are duplicates; None: however
    far. needs: the columns that the verb cannot do without, and what each is wanted for; labels_wanted: as in
    `Contract.check`.
    """

    contract: Contract
    stream: RecordStream
    context: RunContext
    labels_wanted: bool | tuple[str, ...]
    horizon: int | None = None
    needs: dict[str, str] = field(default_factory=dict)
    source: Source | None = None
    namings: dict[tuple[str, ...], Naming] = field(default_factory=dict)

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
    ) -> InputReader:
        """Open a path, or a frame, without reading it yet; UsageError when it is not there."""
        if not isinstance(given, (str, Path)):
            stream: RecordStream = FrameInput(given, context.settings.batch_rows)
            return cls(contract, stream, context, labels_wanted, horizon, needs or {})
        known = [s for column in contract.columns for s in (column.name, *column.aliases)]
        source = open_source(given, context.settings, known=known)
        if context.quarantine is not None:
            open_sink(context.quarantine, source=source)  # a wrong name, or the input itself, is refused here
        stream = BufferedInput(source) if source.location.scheme == "stdin" else source
        return cls(contract, stream, context, labels_wanted, horizon, needs or {}, source)

    def naming(self, rows: pa.RecordBatch) -> Naming:
        """Say which columns of a batch are which of ours; DataError where a needed one is missing."""
        names = tuple(rows.schema.names)
        if names not in self.namings:
            naming = self.contract.resolve(names, self.context.mapping)
            missing = [column for column in self.needs if column not in naming.ours]
            if missing:
                wanted = "; ".join(f"{column}, {self.needs[column]}" for column in missing)
                raise DataError(
                    f"What is needed is missing: {wanted}. Found: {', '.join(names) or 'no columns'}.",
                    " ".join(naming.notes) or f'Say which column it is: --map "THEIRS={missing[0]}".',
                )
            self.namings[names] = naming
        return self.namings[names]

    def infer_columns(self) -> ColumnTypes:
        """Infer the types of the columns that an open contract does not name, in one pass over the input."""
        types = ColumnTypes()
        self.context.progress.stage("Reading the types of columns")
        for chunk in self.stream.chunks():
            if chunk.rows.num_columns:
                naming = self.contract.resolve(chunk.rows.schema.names, self.context.mapping)
                types += ColumnTypes.of(
                    chunk.rows.select(list(self.contract.unnamed(naming))), self.context.settings
                )
            self.context.progress.step(len(chunk.records))
        return types

    def check(self, chunk: Chunk) -> Checked:
        """Put a chunk through the contract."""
        return self.contract.check(
            chunk.rows,
            self.naming(chunk.rows),
            self.context.settings,
            as_of=self.context.as_of,
            labels_wanted=self.labels_wanted,
        )

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

        def keep(chunk: Chunk, done: _OnlyChecked) -> None:
            parts.append(conformed(done.checked.rows, pa.schema(fields)))
            numbers = chunk.records[done.checked.kept]
            places.append(RowPlaces((chunk.name,), np.zeros(len(numbers), np.int32), numbers))

        bad = self.context.quarantine or quarantine
        account = self._pass(lambda chunk: _OnlyChecked(self.check(chunk)), keep, bad, {}, earlier=earlier)
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
        account = self._pass(
            lambda chunk: _OnlyChecked(self.check(chunk)), lambda *_: None, self.context.quarantine, {}
        )
        return account.report()

    def collect(
        self, work: Callable[[Chunk, Naming], R], take: Callable[[R], None], again: Callable[[], None]
    ) -> Report:
        """Work on chunk after chunk and keep what comes of each; `again` begins anew after duplicates."""
        return self._in_passes(
            lambda skip: self._pass(
                lambda chunk: work(chunk, self.naming(chunk.rows)),
                lambda _, done: take(done),
                self.context.quarantine,
                skip,
                must_know=True,
            ),
            lambda _: again(),
        ).report()

    def flow(
        self,
        work: Callable[[Chunk, Naming], R],
        rows: Callable[[R], pa.RecordBatch],
        output: str | Path | TablePlace,
        schema: pa.Schema | None = None,
        again: Callable[[], None] = lambda: None,
    ) -> Report:
        """Work on chunk after chunk and write what comes of each, but nothing of an input that is refused.

        Bad rows go to the quarantine that was asked for, else to `OUTPUT.quarantine.jsonl`, if there are any;
        where duplicates were, `OUTPUT.duplicates.jsonl` names them. `again` is called before a second pass.
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
            return self._pass(
                lambda chunk: work(chunk, self.naming(chunk.rows)),
                lambda _, done: sink.write(rows(done)),
                bad,
                skip,
                sink,
                must_know=True,
            )

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
        work: Callable[[Chunk], R],
        take: Callable[[Chunk, R], None],
        quarantine: Path | TablePlace | None,
        skip: SkippedRecords,
        sink: Sink | None = None,
        *,
        must_know: bool = False,
        earlier: pa.Table | None = None,
    ) -> RowAccounting:
        """Go through the input once; `must_know`: duplicates that are not in `skip` raise DuplicatesFound."""
        asked = self.context.quarantine is not None
        account = RowAccounting(
            self.contract,
            self.context.engine,
            quarantine,
            skip,
            horizon=self.horizon,
            earlier=earlier,
            asked=asked,
        )
        progress, threads = self.context.progress, self.context.settings.cores()
        refused: DataError | None = None

        def do(chunk: Chunk) -> tuple[Chunk, R]:
            chunk = account.without_skipped(chunk)
            return chunk, work(chunk)

        progress.stage("Reading")
        with account:
            try:
                with sink or nullcontext(), closing(self._ready()) as chunks:
                    for chunk, done in self.context.engine.map(do, chunks, threads):
                        take(chunk, done)
                        account.add(chunk, self.namings[tuple(chunk.rows.schema.names)], done.checked)
                        progress.step(len(chunk.records))
                    account.settle(self.stream.notes, must_know=must_know)
                    account.report().usable()
                    account.report().refuse(strict=self.context.strict, most=self.context.max_quarantine)
            except DataError as error:
                # The bad rows are what one wants to see now: their file stays, the output does not.
                refused = error
        if refused is not None:
            if account.put_aside:
                refused.hint = f"The bad rows are in {quarantine}. {refused.hint}"
            raise refused
        return account

    def _ready(self) -> Generator[Chunk, None, None]:
        """Name each chunk's columns before threads get it; a chunk without columns is all broken."""
        for chunk in self.stream.chunks():
            if chunk.rows.num_columns:
                self.naming(chunk.rows)
            else:
                self.namings.setdefault((), Naming(()))
            yield chunk
