"""score, where behaviour counts: the input replayed in its order in time, decisions in the order of rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.connectors import TablePlace, open_sink
from tallystick.contracts import Report
from tallystick.jobs.options import Work
from tallystick.jobs.past import Events, columns_of, gather_events, replay
from tallystick.scorer import Behaved, EventTask, Scorer

__all__ = ["decide_events", "score_events", "write_decisions"]

Part = tuple[NDArray[np.int64], Behaved]


def score_events(
    scorer: Scorer,
    source: Any,
    job: Work,
    output: Path | TablePlace | None,
    *,
    history: Any = None,
    labels: Any = None,
) -> tuple[pa.Table, Report]:
    """Read, replay and decide an input; the decisions, and the account of it."""
    tasks = [model.task for model in scorer.models if isinstance(model.task, EventTask)]
    events = gather_events(
        scorer.solution,
        source,
        job,
        columns_of(scorer.solution, tasks),
        history=history,
        labels=labels,
        output=output,
    )
    decisions, report = decide_events(scorer, events, job), events.report
    early = 0 if scorer.state is None else scorer.state.left_early
    if early:
        report += Report(
            notes=(f"Events that left an exact window early, its cap being reached: {early:,}.",)
        )
    return decisions, report


def decide_events(scorer: Scorer, events: Events, job: Work) -> pa.Table:
    """Replay events through the scorer's windows and decide those of the input, in the order of its rows."""
    job.progress.stage("Scoring", int(events.given.sum()))
    places: list[NDArray[np.int64]] = []
    parts: list[pa.RecordBatch] = []

    def decide(part: Part) -> tuple[NDArray[np.int64], pa.RecordBatch]:
        at, behaved = part
        return at, scorer.decide(behaved, events.ids.take(pa.array(at)))

    for at, decisions in job.engine.map(decide, _given(scorer, events), job.settings.cores()):
        places.append(at)
        parts.append(decisions)
        job.progress.step(len(at))
    table = pa.Table.from_batches(parts, scorer.schema)
    index = np.argsort(
        np.repeat(np.concatenate([np.zeros(0, np.int64), *places]), len(scorer.models)), kind="stable"
    )
    in_order = bool((index[1:] > index[:-1]).all())
    return table if in_order else table.take(pa.array(index))


def _given(scorer: Scorer, events: Events) -> Iterator[Part]:
    """Replay, and pass on what belongs to the input; what came before it only warms the windows."""
    for at, behaved in replay(events, scorer.behave):
        mine = events.given[at]
        if mine.all():
            yield at, behaved
        elif mine.any():
            yield at[mine], behaved.take(np.flatnonzero(mine))


def write_decisions(table: pa.Table, output: Path | TablePlace, rows: int) -> None:
    """Write decisions, whole or not at all."""
    with open_sink(output, table.schema) as sink:
        for batch in table.to_batches(max_chunksize=rows):
            sink.write(batch)
