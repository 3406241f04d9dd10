"""features: the behaviour of each row in its windows, as it was known at its own moment."""

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
from tallystick.jobs.event_rows import declared, with_behaviour
from tallystick.jobs.frames import like
from tallystick.jobs.options import Reading, apart, work
from tallystick.jobs.past import columns_of, gather_events
from tallystick.scorer import BEHAVIOUR, EventTask
from tallystick.windows import Windows

__all__ = ["Featured", "features"]


@dataclass(frozen=True)
class Featured:
    """What was written: the account of the input, and the features by name."""

    intake: Report
    rows: int
    output: Path | TablePlace
    features: tuple[str, ...]
    fingerprint: str

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            **self.intake.to_dict(),
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
    Raises UsageError where the solution looks at no windows.
    """
    found = registry.solution(solution)
    job = work("features", **options)
    if found.windows is None:
        raise UsageError(f"{found.name} looks at no windows, so there are no features to write.")
    if output is None and isinstance(source, (str, Path)):
        raise UsageError("The features of a path need an output.", 'Give one: output="features.parquet".')
    target = None if output is None else place(output, "features")
    apart(
        {"history": history, "labels": labels, "windows": windows},
        {"output": output, "quarantine": job.quarantine},
    )
    tasks = [task for task in found.tasks if isinstance(task, EventTask)]
    events = gather_events(
        found, source, job, columns_of(found, tasks), history=history, labels=labels, output=target
    )
    declaration = declared(found, windows, events.held())
    if declaration is None:
        whole = Windows.read(windows or found.windows, found.window_roles)
        raise UsageError(
            "None of the columns that the windows look at holds anything.",
            f"They look at such columns as {', '.join(whole.columns)}.",
        )
    rows = with_behaviour(found, events, declaration, events.given, job)
    values = rows.table.column(BEHAVIOUR).values.to_numpy(zero_copy_only=False).reshape(len(rows), -1)
    columns = {"id": events.ids.filter(pa.array(events.given))}
    time = found.contract.event_time
    if time is not None and time in rows.table.schema.names:
        columns["event_time"] = rows.table.column(time)
    for i, name in enumerate(declaration.names):
        column = np.ascontiguousarray(values[:, i])
        columns[name] = pa.array(column, mask=np.isnan(column))
    table = pa.table(columns)
    if target is None:
        return like(table, source)
    with open_sink(target, table.schema) as sink:
        for batch in table.to_batches(max_chunksize=job.settings.batch_rows):
            sink.write(batch)
    return Featured(events.report, len(table), target, declaration.names, declaration.fingerprint)
