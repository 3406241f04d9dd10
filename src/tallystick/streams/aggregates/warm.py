"""Compile every kernel ahead of its first use; Numba keeps the machine code on disk."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from tallystick.contracts import Column, Contract
from tallystick.kernels import Kernels
from tallystick.streams.aggregates import distinct, kernels, series
from tallystick.streams.aggregates.aggregates import Aggregates

__all__ = ["KERNELS", "compile_kernels"]

# The kernels that Python calls; each holds the code of those that it calls.
ENTRIES: tuple[Any, ...] = (
    *(kernels.add_extremes, kernels.add_floats, kernels.add_rows, kernels.add_spread, kernels.add_whole),
    *(kernels.join_floats, kernels.join_spread),
    *(distinct.add_values, distinct.join_values, distinct.rebuild),
    *(series.judge, series.slopes),
)
KERNELS = Kernels(ENTRIES)
FILE = """
aggregates:
  - {name: all, every: 1s, over: 2s, anomaly: count,
     of: [count, sum whole, sum number, max number, std number, distinct whole, share number > 0]}
"""


def compile_kernels() -> None:
    """Compile all kernels of this package, unless that was done since it was last changed."""
    KERNELS.clear()
    columns = (
        Column("at", "time", "When"),
        Column("whole", "integer", "A whole number"),
        Column("number", "number", "A number"),
    )
    contract = Contract("kernels", 1, columns, event_time="at")
    state = Aggregates.read(FILE, contract).state("UTC", "USD")
    at = pa.array([0, 5_000_000], pa.timestamp("us", "UTC"))
    rows = pa.record_batch({"at": at, "whole": [1, 2], "number": [0.5, 1.5]})
    state.apply(rows, pa.record_batch({"task": ["", ""]}))
