"""Window state: what every entity has done lately, as plain arrays, and the one way through it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.errors import DataError
from tallystick.windows.declaration import Windows
from tallystick.windows.part import Applied, Part

__all__ = ["Applied", "WindowState"]


class WindowState:
    """The behaviour of every entity so far, under one declaration.

    zone: whose clocks say what night and weekend are; currency: of amounts that name none.
    `allowed_lateness_us`: by how much (microseconds) an event may come late without being called so.

    >>> import pyarrow as pa
    >>> windows = Windows.of({"features": [
    ...     {"entity": "customer_id", "windows": "1d", "aggregates": ["count", "sum amount"]}]})
    >>> rows = pa.RecordBatch.from_pydict({
    ...     "event_time": pa.array([0, 60_000_000], pa.timestamp("us", "UTC")),
    ...     "customer_id": ["a", "a"], "amount": [1250, 300]})
    >>> applied = WindowState(windows).apply(rows)
    >>> applied.features.tolist(), applied.sequence.tolist()
    ([[0.0, 0.0], [1.0, 12.5]], [[1], [2]])
    """

    def __init__(
        self, windows: Windows, zone: str = "UTC", currency: str = "USD", currencies: list[str] | None = None
    ) -> None:
        self.windows, self.zone, self.currency = windows, zone, currency
        self.allowed_lateness_us = 0
        self._parts = [Part(plan, zone, currency, currencies) for plan in windows.plans]
        # Where each part's columns stand among all; an entity is numbered by the first part that has it.
        self._places = [np.array(places, np.int64) for places in windows.places]
        seen: set[str] = set()
        self._numbers: list[tuple[list[int], list[int]]] = []
        for plan in windows.plans:
            singles = [columns[0] for columns in plan.entities if len(columns) == 1]
            fresh = [i for i, name in enumerate(singles) if name not in seen]
            seen |= set(singles)
            self._numbers.append((fresh, [windows.entities.index(singles[i]) for i in fresh]))
        told = windows.told
        self._told = [
            (
                name,
                next((p, i) for p, at in enumerate(windows.places) for i, f in enumerate(at) if f == place),
            )
            for name, place in told.items()
        ]

    @property
    def left_early(self) -> int:
        """How often an event left an `exact` window before its time, because the cap was reached."""
        return sum(part.left_early for part in self._parts)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays in use, without the entities' names."""
        return sum(part.nbytes for part in self._parts)

    def apply(self, rows: pa.RecordBatch, labels: NDArray[np.bool_] | None = None) -> Applied:
        """Apply rows in their order and return what each saw of its past.

        labels: bool (rows,), True for a label event: the clean row of a payment that has become known as
        fraud, at its place in the order of knowledge. Only frauds are sent. A row that lacks an entity, or
        its time, has NaN there; without a time it is counted by its entities but joins no window. A condition
        that looks at a feature takes its value as the row, payment or label, is applied.
        """
        late = self.allowed_lateness_us
        if len(self._parts) == 1:
            return self._parts[0].apply(rows, labels, {}, late)
        n, windows = rows.num_rows, self.windows
        features = np.empty((n, len(windows.names)))
        sequence = np.zeros((n, len(windows.entities)), np.int64)
        was_late = np.zeros(n, np.bool_)
        told: dict[str, NDArray[np.float64]] = {}
        for number, part in enumerate(self._parts):
            done = part.apply(rows, labels, told, late)
            told |= {name: done.features[:, i] for name, (p, i) in self._told if p == number}
            features[:, self._places[number]] = done.features
            fresh, places = self._numbers[number]
            sequence[:, places] = done.sequence[:, fresh]
            was_late |= done.late
        if labels is not None and labels.any():
            features[labels] = np.nan
        return Applied(features, sequence, was_late)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the state as plain arrays, from which `load` makes it anew."""
        found: dict[str, NDArray[Any]] = {
            "fingerprint": _bytes(self.windows.fingerprint),
            "zone": _bytes(self.zone),
            "currency": _bytes(self.currency),
            "lateness": np.array([self.allowed_lateness_us], np.int64),
        }
        for number, part in enumerate(self._parts):
            found[f"{number}.currencies"] = _bytes(" ".join(part.reader.currencies))
            found |= {f"{number}.{name}": array for name, array in part.arrays().items()}
        return found

    @classmethod
    def load(cls, windows: Windows, arrays: Mapping[str, NDArray[Any]]) -> WindowState:
        """Make a state from its arrays; those of another declaration are refused with a DataError."""
        missing = [name for name in ("fingerprint", "zone", "currency", "0.heads") if name not in arrays]
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
        state = cls(windows, zone, currency)
        state.allowed_lateness_us = int(arrays["lateness"][0])
        for number, plan in enumerate(windows.plans):
            own = {
                name.partition(".")[2]: array
                for name, array in arrays.items()
                if name.startswith(f"{number}.")
            }
            part = Part(plan, zone, currency, _text(own["currencies"]).split(" "))
            part.fill(own)
            state._parts[number] = part
        return state


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)


def _text(array: NDArray[np.uint8]) -> str:
    return array.tobytes().decode()
