"""features: the window features of each row, as they were known at its own moment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import pyarrow as pa

from tallystick import registry
from tallystick.connectors import TablePlace, open_sink, place
from tallystick.contracts import Report
from tallystick.errors import UsageError
from tallystick.feature_extraction.values import WINDOW_FEATURES, window_matrix
from tallystick.inputs.frames import frame_like
from tallystick.jobs.options import Reading, refuse_same_path, run_context
from tallystick.jobs.records_input import columns_of, read_records
from tallystick.jobs.windows_file import declared_windows
from tallystick.learning.records import held_columns, with_windows
from tallystick.windows import Windows

__all__ = ["Featured", "features"]


@dataclass(frozen=True)
class Featured:
    """What was written: the account of the input, and the features by name."""

    input_report: Report
    rows: int
    output: Path | TablePlace
    features: tuple[str, ...]
    fingerprint: str

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            **self.input_report.to_dict(),
            "rows": self.rows,
            "output": str(self.output),
            "features": list(self.features),
            "windows": self.fingerprint,
        }


def features(
    solution: str,
    source: Any,
    *,
    output: str | Path | TablePlace | None = None,
    windows: str | Path | None = None,
    history: Any = None,
    labels: Any = None,
    **options: Unpack[Reading],
) -> Any:
    """Write the window features of each row, point in time: nothing is used that was not known by then.

    windows: a file that declares them, the solution's own without one; history: what came before the input;
    labels: labels of their own. Without an output, for a frame, the same kind of frame comes back.
    Raises UsageError where the solution reads no windows.
    """
    found = registry.solution(solution)
    context = run_context("features", **options)
    if found.windows is None:
        raise UsageError(f"{found.name} reads no windows, so there are no features to write.")
    if output is None and isinstance(source, (str, Path)):
        raise UsageError("The features of a path need an output.", 'Give one: output="features.parquet".')
    target = None if output is None else place(output, "features")
    refuse_same_path(
        {"history": history, "labels": labels, "windows": windows},
        {"output": output, "quarantine": context.quarantine},
    )
    records = read_records(
        found, source, context, columns_of(found, found.tasks), history=history, labels=labels, output=target
    )
    declaration = declared_windows(found, windows, held_columns(records))
    if declaration is None:
        whole = Windows.read(windows or found.windows, found.window_roles)
        raise UsageError(
            "None of the columns that the windows look at holds anything.",
            f"They look at such columns as {', '.join(whole.columns)}.",
        )
    dataset = with_windows(records, declaration, records.given, context.settings, progress=context.progress)
    values = window_matrix(dataset.rows.column(WINDOW_FEATURES))
    columns = {"id": dataset.ids}
    time = found.contract.event_time
    if time is not None and time in dataset.rows.schema.names:
        columns["event_time"] = dataset.rows.column(time)
    for i, name in enumerate(declaration.names):
        column = np.ascontiguousarray(values[:, i])
        columns[name] = pa.array(column, mask=np.isnan(column))
    table = pa.table(columns)
    if target is None:
        return frame_like(table, source, records.report)
    with open_sink(target, table.schema) as sink:
        for batch in table.to_batches(max_chunksize=context.settings.batch_rows):
            sink.write(batch)
    return Featured(records.report, len(table), target, declaration.names, declaration.fingerprint)
