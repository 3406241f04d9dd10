"""Payments for benchmarks, and a model of 300 trees of depth 6 learned from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from tallystick.jobs.event_rows import declared, with_behaviour
from tallystick.jobs.event_train import Wanted, train_events
from tallystick.jobs.past import columns_of, gather_events

from _claims import public_data, say
from tallystick import registry
from tallystick.jobs.options import work
from tallystick.scorer import EventTask, Solution

TREES: dict[str, Any] = {"n_estimators": 300, "max_depth": 6, "negatives": 50_000}
COLUMNS = ("TRANSACTION_ID", "TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT", "TX_FRAUD")


def payments(rows: int) -> tuple[pa.Table, str]:
    """The first payments of the Fraud Detection Handbook where they are there, else simulated ones."""
    import pyarrow.parquet as pq

    folder = public_data()
    if folder is not None:
        table = pq.read_table(folder / "fraud" / "handbook.parquet", columns=list(COLUMNS))
        return table.slice(0, rows), "the Handbook's payments"
    say("no public data: simulated payments take its place")
    drawn = registry.solution("fraud").simulate(rows, seed=1, preset="handbook")
    return pa.Table.from_batches(drawn), "simulated payments"


def trained(table: pa.Table, folder: Path) -> tuple[Solution, Any]:
    """Train on payments, with all windows; the solution, and xgboost's own model of the same size."""
    import xgboost

    solution = registry.solution("fraud")
    task = replace(solution.task("fraud"), settings={"gradient_boosting": TREES})
    assert isinstance(task, EventTask)
    solution = replace(solution, tasks=(task,))
    job = work("train")
    events = gather_events(solution, table, job, columns_of(solution, [task]))
    train_events(solution, [task], events, folder, Wanted(), job)
    windows = declared(solution, None, events.held())
    some = replace(events, given=np.arange(len(events.time)) < 50_000)
    rows = with_behaviour(solution, some, windows, some.given, job)
    features = task.features.fit(rows.table, job.settings, windows.names if windows else ())
    data = xgboost.DMatrix(features.matrix(rows.table), rows.fraud)
    parameters = {"max_depth": 6, "eta": 0.1, "objective": "binary:logistic", "nthread": 1}
    return solution, xgboost.train(parameters, data, 300)
