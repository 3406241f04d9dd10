"""validate: what a contract says of an input, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Unpack

import pyarrow as pa

from tallystick import registry
from tallystick.connectors import Chunk, TablePlace, place
from tallystick.contracts import Checked, Column, ColumnMapping, Report, written, written_schema
from tallystick.errors import DataError
from tallystick.inputs.nested import members
from tallystick.inputs.reader import InputReader
from tallystick.inputs.work import ContractCheck
from tallystick.jobs.open_input import open_input, with_unnamed_columns
from tallystick.jobs.options import Reading, refuse_same_path, refuse_unused_maps, run_context
from tallystick.tasks import Solution

__all__ = ["Validated", "validate"]


@dataclass(frozen=True)
class Validated:
    """The account of an input, and where its clean rows are."""

    input_report: Report
    output: Path | TablePlace | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {**self.input_report.to_dict(), "output": str(self.output) if self.output else None}


@dataclass(frozen=True)
class _Clean:
    """Checks a chunk and gives its clean rows as they are written."""

    check: ContractCheck
    columns: list[Column]
    typed: bool

    def __call__(self, chunk: Chunk, column_mapping: ColumnMapping) -> tuple[Checked, pa.RecordBatch]:
        checked = self.check.check(chunk, column_mapping)
        return checked, written(checked.rows, self.columns, self.check.settings, typed=self.typed)


def validate(
    solution: str, source: Any, *, output: str | Path | TablePlace | None = None, **options: Unpack[Reading]
) -> Validated:
    """Check a path or a frame; output: where the clean rows go, under our names and types.

    Raises DataError when no row is usable, more are bad than allowed, or no column is known but the key.
    """
    context = run_context("validate", **options)
    refuse_unused_maps(context)
    found, _ = with_unnamed_columns(registry.solution(solution), source, context)
    reader = open_input(found, source, context, labels_wanted=True)
    refuse_same_path({}, {"output": output, "quarantine": context.quarantine})
    if output is None:
        report = reader.count()
        return Validated(report + _needed(found, report))
    there = _there(reader)
    _needed(found, Report(columns=tuple(there)))  # nothing is written of what is of no use
    # A label that no file has is left out: written blank, it would be read as a record's fault.
    columns = [c for c in found.contract.columns if c.name in there or c.name not in found.contract.labels]
    target = place(output)
    typed = isinstance(target, TablePlace) or str(output).endswith(".parquet")

    report = reader.flow(
        _Clean(reader.check, columns, typed),
        output,
        written_schema(columns, typed=typed),
        rows=lambda rows: rows,
    )
    return Validated(report + _needed(found, report), target)


def _needed(solution: Solution, report: Report) -> Report:
    """Say what the tasks cannot do without and no file has: rows are clean one by one, and of no use."""
    contract, there = solution.contract, set(report.columns)
    if there <= {contract.key} and not contract.open:
        wanted = ", ".join(column.name for column in contract.columns if column.name != contract.key)
        raise DataError(
            f"Nothing that {contract.name} needs was found: of its columns only {contract.key} is there.",
            f'Say which column is which: --map "THEIRS=OURS". Ours: {wanted}.',
        )
    required = {name: None for task in solution.tasks for name in task.required}
    missing = ", ".join(name for name in required if name not in there)
    if not missing:
        return Report()
    verb = "was" if "," not in missing else "were"
    return Report(
        notes=(
            f"{missing} {verb} not found: without it no row can be trained on or scored. "
            f'Say which column it is: --map "THEIRS={missing.split(",")[0]}".',
        )
    )


def _there(reader: InputReader) -> set[str]:
    """The columns of ours that an input has; of standard input, which is read once, all that there are."""
    contract = reader.contract
    if reader.source is None:
        headers = [tuple(chunk.rows.schema.names) for chunk in islice(reader.stream.chunks(), 1)]
    elif reader.source.location.scheme == "stdin":
        return {column.name for column in contract.columns}
    else:
        headers = list(reader.source.headers().values())
    mapping, paths = reader.context.mapping, reader.context.columns.paths
    headers = [(*one, *(path for path, *_ in members(one, paths))) for one in headers]
    return {name for one in headers for name in contract.resolve(one, mapping).ours}
