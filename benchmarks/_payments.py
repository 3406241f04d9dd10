"""Payments for benchmarks, and a model of 300 trees of depth 6 learned from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import tallystick
from _claims import public_data, say
from _labelled import labelled
from tallystick import registry

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


def trained(table: pa.Table, folder: Path) -> Any:
    """Train on payments, with all windows, a bundle in a folder; return xgboost's model of the same size."""
    import xgboost

    tallystick.train("fraud", table, model=folder, task=["fraud"], learner_set=TREES)
    rows = labelled("fraud", "fraud", table.slice(0, 50_000))
    fitted = rows.spec(params={"n_estimators": 1}).fit(rows.dataset, rows.truth.values, rows.truth.names)
    data = xgboost.DMatrix(fitted.features.matrix(rows.dataset.rows), np.nan_to_num(rows.truth.values))
    parameters = {"max_depth": 6, "eta": 0.1, "objective": "binary:logistic", "nthread": 1}
    return xgboost.train(parameters, data, 300)
