"""analyse: tables and figures of what happened, each analysis whose columns are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import pyarrow as pa

from tallystick import registry
from tallystick.connectors import open_sink
from tallystick.contracts import Report
from tallystick.errors import DataError, UsageError, did_you_mean
from tallystick.jobs.event_rows import with_behaviour
from tallystick.jobs.options import Reading, Work, work
from tallystick.jobs.pages import check_page, write_analyses
from tallystick.jobs.past import Events, columns_of, gather_events
from tallystick.scorer import BEHAVIOUR, Analysis, EventTask, Solution, Values
from tallystick.windows import Windows

__all__ = ["Analysed", "AnalysisTable", "analyse"]


@dataclass(frozen=True)
class AnalysisTable:
    """One analysis: its table as plain values."""

    name: str
    title: str
    note: str
    columns: tuple[str, ...]
    rows: list[dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {"title": self.title, "columns": list(self.columns), "rows": self.rows}


@dataclass(frozen=True)
class Analysed:
    """All analyses that could run, and what the others lack."""

    intake: Report
    analyses: tuple[AnalysisTable, ...]
    left_out: dict[str, list[str]] = field(default_factory=dict)
    output: Path | None = None
    page: str | Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON; no engine is named in it, so that engines can be compared."""
        return {
            **self.intake.to_dict(),
            "analyses": {one.name: one.to_dict() for one in self.analyses},
            "left_out": self.left_out,
            "output": str(self.output) if self.output else None,
            "report": str(self.page) if self.page else None,
        }


def analyse(
    solution: str,
    source: Any,
    analysis: Sequence[str] = (),
    *,
    output: str | Path | None = None,
    labels: Any = None,
    report: str | Path | None = None,
    **options: Unpack[Reading],
) -> Analysed:
    """Run the analyses of a solution on a path or a frame; all whose columns are there, or those named.

    output: a folder for one CSV for each; labels: labels of their own; report: an HTML file. Raises DataError
    when none can run, UsageError for a name that is none.
    """
    found = registry.solution(solution)
    job = work("analyse", **options)
    names = [one.name for one in found.analyses]
    if not names:
        raise UsageError(f"{found.name} has no analyses.")
    for name in analysis:
        if name not in names:
            raise UsageError(f'{found.name} has no analysis "{name}".', did_you_mean(name, names))
    if report is not None:
        check_page(report, source)
    asked = [one for one in found.analyses if not analysis or one.name in analysis]
    tasks = [task for task in found.tasks if isinstance(task, EventTask)]
    events = gather_events(found, source, job, columns_of(found, tasks), labels=labels)
    held = events.held() | ({tasks[0].label} if tasks and not np.isnan(events.truth).all() else set())
    left_out = {one.name: missing for one in asked if (missing := [c for c in one.columns if c not in held])}
    runnable = [one for one in asked if one.name not in left_out]
    if not runnable:
        wanted = "; ".join(f"{name} needs {', '.join(columns)}" for name, columns in left_out.items())
        raise DataError(f"No analysis can run: {wanted}.", "Say which column is which: --map THEIRS=OURS.")
    job.progress.stage("Analysing", len(runnable))
    done = []
    for one in runnable:
        table = job.engine.collect(one.run(job.engine.table(_frame(found, one, events, job)), job.settings))
        done.append(
            AnalysisTable(one.name, one.title, one.note, tuple(table.column_names), table.to_pylist())
        )
        if output is not None:
            _write(Path(output) / f"{one.name}.csv", table)
        job.progress.step()
    result = tuple(_plain(one) for one in done)
    if report is not None:
        charts = {one.name: one.figure for one in runnable if one.figure is not None}
        write_analyses(report, found, result, charts)
    return Analysed(events.report, result, left_out, Path(output) if output else None, report)


def _frame(solution: Solution, analysis: Analysis, events: Events, job: Work) -> pa.Table:
    """The records as a table: money in major units, what is known of labels, declared behaviour."""
    rows = events.rows
    if analysis.windows is not None:
        windows = Windows.of(dict(analysis.windows)).restrict(events.held())
        rows = with_behaviour(solution, events, windows, events.given, job).table
        names = windows.names
    else:
        names = ()
    values = Values(rows, job.settings.zone, job.settings.currency, names)
    columns = {name: rows.column(name) for name in rows.schema.names if name != BEHAVIOUR}
    if solution.amount is not None and solution.amount in columns:
        columns[solution.amount] = pa.array(values.number(solution.amount), from_pandas=True)
    for label in solution.contract.labels[:1]:
        columns[label] = pa.array(events.truth, from_pandas=True)
    for name in names:
        columns[name] = pa.array(np.ascontiguousarray(values[name]), from_pandas=True)
    return pa.table(columns)


def _plain(one: AnalysisTable) -> AnalysisTable:
    """Turn times into text, so that a result is ready for JSON."""
    rows = [
        {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}
        for row in one.rows
    ]
    return AnalysisTable(one.name, one.title, one.note, one.columns, rows)


def _write(path: Path, table: pa.Table) -> None:
    with open_sink(path, table.schema) as sink:
        for batch in table.to_batches():
            sink.write(batch)
