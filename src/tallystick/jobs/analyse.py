"""analyse: tables and figures of what happened, each analysis whose columns are there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any, Unpack
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.types as kinds

from tallystick import registry
from tallystick.connectors import TablePlace, inside, open_sink, place
from tallystick.contracts import Report
from tallystick.contracts.zones import LATEST
from tallystick.errors import DataError, UsageError, did_you_mean
from tallystick.evaluation import day_numbers
from tallystick.feature_extraction import ValueReader
from tallystick.inputs.context import RunContext
from tallystick.jobs.options import Reading, refuse_same_path, refuse_unused_maps, run_context
from tallystick.jobs.pages import check_page, write_analyses
from tallystick.jobs.records_input import columns_of, read_records, refuse_unused
from tallystick.learning.records import Records, held_columns, with_windows
from tallystick.tasks import Analysis, Solution
from tallystick.windows import Windows

__all__ = ["Analysed", "AnalysisTable", "analyse"]


@dataclass(frozen=True)
class AnalysisTable:
    """One analysis: its table as plain values, times in the setting zone; kinds: what each column holds."""

    name: str
    title: str
    note: str
    columns: tuple[str, ...]
    rows: list[dict[str, Any]]
    kinds: tuple[str, ...] = ()

    @property
    def align(self) -> str:
        """A letter for each column: l for words, r for numbers."""
        return "".join("l" if kind in ("text", "time") else "r" for kind in self.kinds)

    def cells(self) -> list[list[str]]:
        """Return the rows as people read them."""
        return [
            [_said(row[name], kind) for name, kind in zip(self.columns, self.kinds, strict=True)]
            for row in self.rows
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {"title": self.title, "columns": list(self.columns), "rows": self.rows}


@dataclass(frozen=True)
class Analysed:
    """All analyses that could run, and what the others lack."""

    input_report: Report
    analyses: tuple[AnalysisTable, ...]
    left_out: dict[str, list[str]] = field(default_factory=dict)
    output: Path | TablePlace | None = None
    report: str | Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON; no engine is named in it, so that engines can be compared."""
        return {
            **self.input_report.to_dict(),
            "analyses": {one.name: one.to_dict() for one in self.analyses},
            "left_out": self.left_out,
            "output": str(self.output) if self.output else None,
            "report": str(self.report) if self.report else None,
        }


def analyse(
    solution: str,
    source: Any,
    analysis: Sequence[str] = (),
    *,
    output: str | Path | TablePlace | None = None,
    labels: Any = None,
    report: str | Path | None = None,
    **options: Unpack[Reading],
) -> Analysed:
    """Run the analyses of a solution on a path or a frame; all whose columns are there, or those named.

    output: a folder for one CSV for each; labels: labels of their own; report: an HTML file. Raises DataError
    when none can run, UsageError for a name that is none.
    """
    found = registry.solution(solution)
    context = run_context("analyse", **options)
    refuse_unused_maps(context)
    names = [one.name for one in found.analyses]
    if not names:
        raise UsageError(f"{found.name} has no analyses.")
    for name in analysis:
        if name not in names:
            raise UsageError(f'{found.name} has no analysis "{name}".', did_you_mean(name, names))
    if report is not None:
        check_page(report, source)
    refuse_same_path(
        {"labels": labels}, {"report": report, "output": output, "quarantine": context.quarantine}
    )
    asked = [one for one in found.analyses if not analysis or one.name in analysis]
    refuse_unused(found, labels=labels)
    more = (name for one in asked for name in one.columns)
    events = read_records(found, source, context, columns_of(found, found.tasks, *more), labels=labels)
    held = held_columns(events)
    left_out = {one.name: missing for one in asked if (missing := [c for c in one.columns if c not in held])}
    runnable = [one for one in asked if one.name not in left_out]
    if not runnable:
        wanted = "; ".join(f"{name} needs {', '.join(columns)}" for name, columns in left_out.items())
        raise DataError(f"No analysis can run: {wanted}.", "Say which column is which: --map THEIRS=OURS.")
    done = {}
    for one, table in _tables(found, runnable, events, context):
        if output is not None:
            _write(inside(output, one.name), table)
        done[one.name] = _plain(one, table, ZoneInfo(context.settings.zone))
    result = tuple(done[one.name] for one in runnable)
    if report is not None:
        charts = {one.name: one.figure for one in runnable if one.figure is not None}
        write_analyses(report, found, result, charts)
    return Analysed(events.report, result, left_out, place(output, "") if output else None, report)


def _tables(
    solution: Solution, analyses: Sequence[Analysis], events: Records, context: RunContext
) -> Iterator[tuple[Analysis, pa.Table]]:
    """Run analyses; those that declare the same behaviour share one replay, which is let go of after them."""
    base = _records(solution, events, context)
    declared = [None if one.windows is None else dict(one.windows) for one in analyses]
    for i, windows in enumerate(declared):
        if windows in declared[:i]:
            continue
        table = base if windows is None else _with_windows(solution, base, windows, events, context)
        frame = context.engine.table(table)
        mine = [one for one, other in zip(analyses, declared, strict=True) if other == windows]
        context.progress.stage("Analysing", len(mine))
        for one in mine:
            yield one, context.engine.collect(one.run(frame, context.settings))
            context.progress.step()


def _records(solution: Solution, events: Records, context: RunContext) -> pa.Table:
    """The records as a table: money in major units, labels where any is known, what a time says locally."""
    rows, zone = events.rows, context.settings.zone
    reader = ValueReader.of(solution.contract, zone, context.settings.currency)
    values = reader.read(rows)
    columns: dict[str, Any] = {name: rows.column(name) for name in rows.schema.names}
    for name, currency in reader.money.items():
        if name in columns:
            columns[name] = pa.array(values.number(name), from_pandas=True)
            codes = columns.get(currency, pa.nulls(len(rows), pa.string()))
            columns[currency or f"{name}_currency"] = codes.cast(pa.string()).fill_null(
                context.settings.currency
            )
    for label in solution.contract.labels:
        column = columns.pop(label, None)
        if column is not None and column.null_count < len(column):
            columns[label] = column.cast(pa.int64()) if pa.types.is_boolean(column.type) else column
    for name, kind in (
        ("hour", pa.int64()),
        ("weekday", pa.int64()),
        ("night", pa.bool_()),
        ("weekend", pa.bool_()),
    ):
        columns[name] = pa.array(values.number(name), from_pandas=True).cast(kind)
    dated = events.time < LATEST
    day = day_numbers(np.where(dated, events.time, 0), zone).astype(np.int32)
    columns["date"] = pa.array(day, mask=~dated).cast(pa.date32())
    return pa.table(columns)


def _with_windows(
    solution: Solution, base: pa.Table, windows: dict[str, Any], events: Records, context: RunContext
) -> pa.Table:
    """The records with declared window features beside them, what is not known yet as null."""
    declared = Windows.of(windows, solution.window_roles).restrict(held_columns(events))
    dataset = with_windows(events, declared, events.given, context.settings, progress=context.progress)
    values = dataset.reader.read(dataset.rows)
    for name in declared.names:
        base = base.append_column(name, pa.array(np.ascontiguousarray(values[name]), from_pandas=True))
    return base


def _plain(one: Analysis, table: pa.Table, zone: tzinfo) -> AnalysisTable:
    """Turn a result into plain values: times local, as text; what is no number as none."""
    names = tuple(table.column_names)
    rows = [{name: _value(value, zone) for name, value in row.items()} for row in table.to_pylist()]
    found = tuple(_kind(field.name, field.type) for field in table.schema)
    return AnalysisTable(one.name, one.title, one.note, names, rows, found)


def _value(value: Any, zone: tzinfo) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _kind(name: str, kind: pa.DataType) -> str:
    """Say what a column holds: text, time, whole, share (by its name) or number."""
    if kinds.is_timestamp(kind):
        return "time"
    if kinds.is_integer(kind):
        return "whole"
    if kinds.is_floating(kind):
        return "share" if name.endswith("share") else "number"
    return "text"


def _said(value: Any, kind: str) -> str:
    if value is None:
        return "–"
    if kind == "time":
        return str(value)[:16].replace("T", " ")
    if kind == "whole":
        return f"{value:,}"
    if kind == "share":
        digits = 1 if value >= 0.01 or not value else 2
        return f"{100 * value:.{digits}f}\N{NO-BREAK SPACE}%"
    if kind == "number":
        return f"{value:,.2f}"
    return str(value)


def _write(path: Path | TablePlace, table: pa.Table) -> None:
    with open_sink(path, table.schema) as sink:
        for batch in table.to_batches():
            sink.write(batch)
