"""Aggregates of a stream: a file of them, read for a contract, and the state that they begin with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from tallystick.contracts import Contract
from tallystick.streams.aggregates import file
from tallystick.streams.aggregates.columns import kinds
from tallystick.streams.aggregates.declaration import Declaration
from tallystick.streams.aggregates.state import AggregateState

__all__ = ["Aggregates"]


@dataclass(frozen=True)
class Aggregates(Declaration):
    """What a file of aggregates declares, for rows of one contract.

    Windows are aligned to the epoch in UTC (those of whole weeks to Mondays). One is closed, and its rows are
    given out, by the first row whose time is more than the lateness after its end. A row that comes later
    than that changes nothing that was given out: it is counted (`late`), and joins those of its windows that
    are still open. Nothing is closed by the clock, so what comes out is a function of the rows alone.

    >>> import pyarrow as pa
    >>> from tallystick.contracts import Column
    >>> when, place = Column("at", "time", "When"), Column("place", "category", "Where")
    >>> contract = Contract("visits", 1, (when, place), event_time="at")
    >>> found = Aggregates.read('''
    ... aggregates:
    ...   - {name: visits, every: 1m, by: [place], of: [count]}
    ... ''', contract)
    >>> state = found.state("UTC", "USD")
    >>> minute = 60_000_000
    >>> at = pa.array([5, minute - 1, minute, 2 * minute + 1], pa.timestamp("us", "UTC"))
    >>> rows = pa.record_batch({"at": at, "place": ["Oslo", "Oslo", "Kyiv", "Oslo"]})
    >>> decisions = pa.record_batch({"task": pa.array([None] * 4, pa.string())})
    >>> done = state.apply(rows, decisions)
    >>> done["keys"].to_pylist(), done["value"].to_pylist()
    (['{"place":"Oslo"}', '{"place":"Kyiv"}'], [2.0, 1.0])
    """

    @classmethod
    def read(cls, path: str | Path, contract: Contract) -> Aggregates:
        """Read and check a file, or its text (of several lines); a UsageError names each line that is wrong.

        contract: of the rows that will come; see `file.py` for the form.
        """
        found = file.read(path, contract)
        money = {
            column.name: column.currency or "currency"
            for column in contract.columns
            if column.type == "money"
        }
        return cls(found, contract.event_time or "", money, kinds(contract))

    def state(self, zone: str, currency: str) -> AggregateState:
        """Begin without any row; zone: for `hour`, `night` …; currency: of amounts that come without one."""
        return AggregateState(self, zone, currency)

    def load(self, arrays: Mapping[str, NDArray[Any]], zone: str, currency: str) -> AggregateState:
        """Restore what `AggregateState.arrays` returned."""
        return AggregateState.load(self, arrays, zone, currency)
