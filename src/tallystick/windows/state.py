"""Window state: the recent events of every entity, in plain arrays, and how rows are applied to it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.errors import DataError
from tallystick.windows.batch import Batch, BatchReader, Labels
from tallystick.windows.declaration import Windows
from tallystick.windows.part import Part, WindowResult
from tallystick.windows.prefetch import aligned

__all__ = ["WindowResult", "WindowState"]

_NONE: Final[Mapping[str, pa.Array]] = {}


class WindowState:
    """The windows of every entity under one declaration.

    zone: whose clocks say what night and weekend are; currency: of amounts that name none.
    `allowed_lateness_us`: by how much (microseconds) an event may come late without being called so. One
    writer at a time: nothing locks it.

    >>> import pyarrow as pa
    >>> from tallystick.windows.roles import TableRoles
    >>> windows = Windows.of({"features": [
    ...     {"entity": "user", "windows": "1d", "aggregates": ["count", "sum price"]}]},
    ...     TableRoles("at", money={"price": "currency"}))
    >>> rows = pa.RecordBatch.from_pydict({
    ...     "at": pa.array([0, 60_000_000], pa.timestamp("us", "UTC")),
    ...     "user": ["a", "a"], "price": [1250, 300]})
    >>> applied = WindowState(windows).apply(rows)
    >>> applied.features.tolist(), applied.sequence.tolist()
    ([[0.0, 0.0], [1.0, 12.5]], [[1], [2]])
    """

    def __init__(
        self, windows: Windows, zone: str = "UTC", currency: str = "USD", currencies: list[str] | None = None
    ) -> None:
        self.windows, self.zone, self.currency = windows, zone, currency
        self.allowed_lateness_us = 0
        event_time = windows.roles.event_time or ""  # without features none is read
        self._reader = BatchReader(event_time, windows.currency, zone, currency, currencies)
        self._parts = [Part(plan) for plan in windows.plans]
        needed = dict.fromkeys((*windows.entities, *windows.columns))
        self._needed = [name for name in needed if name != windows.currency]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what is in use of the arrays."""
        return WindowState.load, (self.windows, self.arrays(copy=False))

    @property
    def left_early(self) -> int:
        """How often an event left an `exact` window before its time, because the cap was reached."""
        return sum(part.left_early for part in self._parts)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays in use, without the entities' names."""
        return sum(part.nbytes for part in self._parts)

    def apply(
        self,
        rows: pa.RecordBatch,
        labels: Labels | None = None,
        threads: int = 1,
        *,
        condition_inputs: NDArray[np.float64] | None = None,
        columns: Mapping[str, pa.Array] = _NONE,
    ) -> WindowResult:
        """Apply rows in their order and return the window features of each.

        labels: bool (rows,), True for a label event: the clean row of an event whose first label has become
        known, at its place in the order of knowledge; or int64, the code of its label, 0 for an event. Only
        labels that are true are sent. A row that lacks an entity, or
        its time, has NaN there; without a time it is counted by its entities but joins no window. A condition
        that looks at a feature takes its value as the row, event or label, is applied. threads: kinds of
        entities of a large batch are worked on side by side; no value depends on it. condition_inputs:
        what `WindowResult.condition_inputs` was when the same rows were applied before: no features are
        computed, which is quicker, and the state becomes the same. columns: those of the rows by name, as
        far as they are at hand.
        """
        n, windows = rows.num_rows, self.windows
        batch = Batch(self._reader, rows, labels, columns)
        for name in self._needed:  # asked for before anything is applied: a refused batch leaves no trace
            batch.column(name)
        wide = len(windows.names) if condition_inputs is None else 0
        applied = WindowResult(
            np.empty((1, wide)) if n == 1 else aligned(n, wide, np.float64),
            np.zeros((n, len(windows.entities)), np.int64),
            np.zeros(n, np.bool_),
            np.empty((n, len(windows.condition_inputs))) if condition_inputs is None else condition_inputs,
        )
        if condition_inputs is not None:
            self._take_in(batch, applied, threads)
            return applied
        for number, part in enumerate(self._parts):
            if number:  # the conditions of the second part look at features of the first
                for i, (name, at) in enumerate(windows.condition_inputs.items()):
                    applied.condition_inputs[:, i] = applied.features[:, at]
                    batch.condition_inputs[name] = applied.condition_inputs[:, i]
            part.apply(batch, self.allowed_lateness_us, applied, threads)
        if batch.labels is not None:
            applied.features[batch.labels != 0] = np.nan
        return applied

    def _take_in(self, batch: Batch, applied: WindowResult, threads: int) -> None:
        """Apply rows once more, all parts side by side: what conditions look at is known."""
        batch.condition_inputs = {
            name: applied.condition_inputs[:, i] for i, name in enumerate(self.windows.condition_inputs)
        }
        with ThreadPoolExecutor(max(threads, 1)) as pool:
            begun = [
                one
                for part in self._parts
                for one in part.take_in(batch, self.allowed_lateness_us, applied, pool)
            ]
            for one in begun:
                one.result()

    def arrays(self, *, copy: bool = True) -> dict[str, NDArray[Any]]:
        """Return the state as plain arrays, from which `load` makes it anew.

        copy: False gives them as they lie in memory, where the next `apply` changes them.
        """
        found: dict[str, NDArray[Any]] = {
            "fingerprint": _bytes(self.windows.fingerprint),
            "zone": _bytes(self.zone),
            "currency": _bytes(self.currency),
            "lateness": np.array([self.allowed_lateness_us], np.int64),
        }
        for number, part in enumerate(self._parts):
            found[f"{number}.currencies"] = _bytes(" ".join(self._reader.currencies))
            found |= {f"{number}.{name}": array for name, array in part.arrays().items()}
        return {name: array.copy() for name, array in found.items()} if copy else found

    @classmethod
    def load(cls, windows: Windows, arrays: Mapping[str, NDArray[Any]]) -> WindowState:
        """Make a state from its arrays; those of another declaration are refused with a DataError."""
        missing = [name for name in ("fingerprint", "zone", "currency", "0.currencies") if name not in arrays]
        if missing:
            raise DataError(f"This is no window state: it lacks {', '.join(missing)}.")
        theirs = _text(arrays["fingerprint"])
        if theirs != windows.fingerprint:
            raise DataError(
                f"This window state was made under another declaration ({theirs[:8]}, not "
                f"{windows.fingerprint[:8]}): its numbers mean something else.",
                "Use the declaration that it was made with, or replay the history to make a new state.",
            )
        zone, currency = _text(arrays["zone"]), _text(arrays["currency"])
        state = cls(windows, zone, currency, _text(arrays["0.currencies"]).split(" "))
        state.allowed_lateness_us = int(arrays["lateness"][0])
        for number, part in enumerate(state._parts):
            part.fill(
                {
                    name.partition(".")[2]: array
                    for name, array in arrays.items()
                    if name.startswith(f"{number}.")
                }
            )
        return state


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)


def _text(array: NDArray[np.uint8]) -> str:
    return array.tobytes().decode()
