"""All aggregates of a stream: a function of the rows that were applied."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.streams.aggregates.columns import Columns
from tallystick.streams.aggregates.declaration import Declaration
from tallystick.streams.aggregates.output import ClosedWindow, as_batch
from tallystick.streams.aggregates.panes import Panes

__all__ = ["AggregateState"]


class AggregateState:
    """State of all aggregates; one thread uses it.

    The same rows in the same order give the same rows out, with the same numbers, however they are cut into
    batches and wherever a snapshot lies between. Memory is bounded: see `most` and `distinct` of the file.
    """

    def __init__(self, declared: Declaration, zone: str, currency: str) -> None:
        self.declared = declared
        self._zone, self._currency = zone, currency
        self._each = [Panes(one, currency) for one in declared.aggregates]
        self._number = self._untimed = 0

    def apply(self, rows: pa.RecordBatch, decisions: pa.RecordBatch) -> pa.RecordBatch | None:
        """Add clean rows and their decisions; return the windows that they closed (`SCHEMA`), None for none.

        decisions: one for each row, of the main task. A row without a time joins no window and is counted.
        """
        columns = Columns(rows, decisions, self.declared, self._zone, self._currency)
        times, known = columns.times
        timed = None
        if known is not None:
            timed = np.flatnonzero(known)
            self._untimed += len(times) - len(timed)
            times = times[timed]
        if not len(times):
            return None
        found: list[tuple[int, int, ClosedWindow]] = []
        for i, one in enumerate(self._each):
            found += [(row, i, closed) for row, closed in one.apply(columns, times, timed)]
        if not found:
            return None
        found.sort(key=lambda one: one[:2])  # stable: windows of one aggregate stay in order
        batch = as_batch([closed for _, _, closed in found], self._number + 1)
        self._number += len(batch)
        return batch

    def notes(self) -> list[str]:
        """Return notes on what the returned rows lack, and why."""
        found = [note for one in self._each for note in one.notes()]
        if self._untimed:
            found.append(f"Aggregates: records without a time, in no window: {self._untimed:,}.")
        return found

    @property
    def number(self) -> int:
        """How many rows were given out."""
        return self._number

    def counts(self) -> dict[str, dict[str, int]]:
        """Count rows by aggregate: `rows` that joined, `late`, `others` beyond the bound, and `untimed`.

        late: came after at least one of their windows was closed, so what was given out lacks them.
        """
        return {one.declared.name: {**one.counts, "untimed": self._untimed} for one in self._each}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return copies of all that is kept, as plain arrays; names hold what they depend on."""
        found = {"all": np.array([self._number, self._untimed], np.int64)}
        for one in self._each:
            prefix = self._prefix(one)
            found |= {prefix + name: array for name, array in one.arrays().items()}
        return found

    @classmethod
    def load(
        cls, declared: Declaration, arrays: Mapping[str, NDArray[Any]], zone: str, currency: str
    ) -> AggregateState:
        """Restore what `arrays` returned.

        An aggregate that is new, or was declared in another way then, begins without any row.
        """
        state = cls(declared, zone, currency)
        if "all" in arrays:
            state._number, state._untimed = arrays["all"].tolist()
        for one in state._each:
            prefix = state._prefix(one)
            kept = {
                name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)
            }
            if kept:
                one.restore(kept)
        return state

    def _prefix(self, one: Panes) -> str:
        said = f"{one.declared.fingerprint} {self._zone} {self._currency}"
        return hashlib.sha256(said.encode()).hexdigest()[:16] + "."
