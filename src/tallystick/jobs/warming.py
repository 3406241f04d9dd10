"""History for a stream: what came before it, so that its windows start warm and its duplicates are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.contracts.conforming import conformed
from tallystick.contracts.zones import LATEST
from tallystick.inputs.context import RunContext
from tallystick.jobs.open_input import open_input
from tallystick.jobs.records_input import columns_of, history_errors, read_records
from tallystick.learning.records import replay
from tallystick.scorer import WindowedBatch
from tallystick.streams.records import HISTORY, History, partition_by_key
from tallystick.streams.state import StreamState
from tallystick.tasks import Solution

__all__ = ["warm"]


def warm(
    state: StreamState, solution: Solution, history: Any, context: RunContext, add_note: Callable[[str], None]
) -> History | None:
    """Apply a history to a new state; return the history."""
    if history is None:
        return None
    if state.window_state is None:
        return History(_keys(state, solution, history, context))
    columns = columns_of(solution, [one.task for one in state.scorer.predictors])
    with history_errors():
        events = read_records(
            solution, history, context.beside("history"), columns, needs=dict(state.scorer.needs)
        )
    dated = events.time[events.time < LATEST]
    end = int(dated.max()) + 1 if len(dated) else LATEST

    def apply(rows: pa.RecordBatch, labels: NDArray[np.bool_]) -> WindowedBatch:
        return state.scorer.apply_windows(rows, state.window_state, labels)

    for _ in replay(events, apply, end):
        pass
    rows = conformed(events.rows, state.schema)
    state.check_keys(rows, HISTORY)
    # What becomes known only later waits, as it would have if the stream had taken the history in.
    labelled, moments = events.label_events
    yes, known = np.zeros(len(events), bool), np.full(len(events), LATEST)
    yes[labelled], known[labelled] = True, moments
    waiting = np.where(yes & (known >= end), known, LATEST)
    state.pending.replay(rows, events.ids, events.time, waiting)
    state.mark_labelled(rows, events.ids, yes & (known < end))
    add_note(f"Warmed by {len(events.rows):,} earlier records.")
    return History(len(rows), partition_by_key(rows, events.ids) if solution.labels is not None else ())


def _keys(state: StreamState, solution: Solution, history: Any, context: RunContext) -> int:
    """Add the keys of a history, all that a solution without windows needs of it; return how many."""
    key, time = solution.contract.key, solution.contract.event_time
    wanted = [name for name in (key, time) if name]
    with history_errors():
        reader = open_input(solution, history, context.beside("history"), labels_wanted=False)
        table, _ = reader.gather(wanted)
    for batch in table.to_batches():
        state.check_keys(batch, HISTORY)
    return len(table)
