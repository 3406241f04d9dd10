"""Window passes: the features of a declaration, one leading entity at a time, as an engine runs them.

A pass needs all rows of an entity together and in the order in which they are applied, and nothing else; so
rows may be partitioned by the leading entity. All passes in turn give what `WindowState` gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.conditions.condition import DERIVED
from tallystick.windows.batch import Batch, BatchReader, Labels
from tallystick.windows.part import Part, WindowResult
from tallystick.windows.plan import Plan
from tallystick.windows.prefetch import aligned

__all__ = ["PassState", "WindowPass"]

_NONE: Final[Mapping[str, NDArray[np.float64]]] = {}


@dataclass(frozen=True)
class WindowPass:
    """One pass: the features of the entities that begin with one column; `Windows.passes` makes them.

    leader: the column to partition rows by (a row without one belongs to any part); features: what it
    computes; inputs: condition inputs, features of earlier passes that its conditions read; outputs: its
    features that are condition inputs of later passes; numbers: whether it assigns the sequence numbers of
    its leader, and with them marks late rows; event_time and currency: columns. It pickles.

    >>> from tallystick.windows import TableRoles, Windows
    >>> declared = {"conditions": {"busy": "user__count__1d > 3"}, "features": [
    ...     {"entity": "user", "windows": "1d", "aggregates": "count"},
    ...     {"entity": ["shop", "user"], "windows": "1d", "aggregates": "count", "where": "busy"}]}
    >>> for one in Windows.of(declared, TableRoles("at")).passes():
    ...     print(one.leader, one.features, one.inputs, one.outputs, one.numbers)
    user ('user__count__1d',) () ('user__count__1d',) True
    shop ('shop+user__count__1d__busy',) ('user__count__1d',) () True
    """

    leader: str
    features: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    numbers: bool
    event_time: str
    currency: str | None
    plan: Plan = field(repr=False, compare=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that it reads; that of the currency comes beside them where it is there."""
        plan = self.plan
        found = {name for entity in plan.entities for name in entity}
        found |= {*plan.money, *plan.numbers, *plan.hashes, self.event_time}
        found |= set(plan.looked_at) - DERIVED.keys() - set(self.inputs)
        return tuple(sorted(found))

    def open(self, zone: str = "UTC", currency: str = "USD", allowed_lateness_us: int = 0) -> PassState:
        """Begin without any row; see `WindowState`."""
        return PassState(self, zone, currency, allowed_lateness_us)


class PassState:
    """What one pass keeps of the entities of one part of a table; it pickles."""

    def __init__(self, one: WindowPass, zone: str, currency: str, allowed_lateness_us: int) -> None:
        self.one, self._lateness = one, allowed_lateness_us
        self._columns = one.columns
        self._reader = BatchReader(one.event_time, one.currency, zone, currency)
        self._part = Part(one.plan)

    def apply(
        self,
        rows: pa.RecordBatch,
        labels: Labels | None = None,
        condition_inputs: Mapping[str, NDArray[np.float64]] = _NONE,
    ) -> WindowResult:
        """Apply rows in their order, as `WindowState.apply` does.

        condition_inputs: float64 (rows,) for each of `inputs`, label events included. Of what comes back,
        features and condition inputs are those of `features` and `outputs`; sequence has one column where the
        pass `numbers` its leader, else none; a row is late where any pass says so.
        """
        n, one = rows.num_rows, self.one
        batch = Batch(self._reader, rows, labels, {})
        batch.condition_inputs.update(condition_inputs)
        for name in self._columns:  # asked for before anything is applied: a refused batch leaves no trace
            batch.column(name)
        features = aligned(n, len(one.features), np.float64)
        sequence, late = np.zeros((n, int(one.numbers)), np.int64), np.zeros(n, np.bool_)
        self._part.apply(batch, self._lateness, WindowResult(features, sequence, late, features[:, :0]), 1)
        outputs = features[:, [one.features.index(name) for name in one.outputs]]
        if batch.labels is not None:
            features[batch.labels != 0] = np.nan
        return WindowResult(features, sequence, late, outputs)
