"""Window state: what every entity has done lately, as plain arrays, and the one way through it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.errors import DataError
from tallystick.windows import layout as at
from tallystick.windows.declaration import Windows
from tallystick.windows.kernel import apply
from tallystick.windows.keys import Keys, join_codes
from tallystick.windows.rows import Batch, Reader

__all__ = ["Applied", "WindowState"]

_ROOM: Final = 4096
#: Rows that are fetched together.
_BLOCK: Final = 64


@dataclass(frozen=True, slots=True)
class Applied:
    """What applying rows gave, row by row.

    features: float64 (rows, features), NaN where nothing is known, and for label events; sequence: int64
    (rows, entities), the number that each entity gave to the row, 0 where the row has no such entity; late:
    bool (rows,), an entity had already applied a later event time (never said of a label event).
    """

    features: NDArray[np.float64]
    sequence: NDArray[np.int64]
    late: NDArray[np.bool_]


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

    def __init__(self, windows: Windows, zone: str = "UTC", currency: str = "USD") -> None:
        plan = windows.plan
        self.windows, self.plan = windows, plan
        self.zone, self.currency = zone, currency
        self.allowed_lateness_us = 0
        self._reader = Reader(plan, zone, currency)
        self._keys = [Keys() for _ in plan.entities]
        self._headers = [_header(plan.entity[e], plan.tracks) for e in range(len(plan.entities))]
        spare = int(plan.tracks[:, at.T_ADDITIVE].max(initial=0)) + 1  # for sums of late reads
        self._used = spare
        self._heads = np.zeros(max(_ROOM, spare), np.int64)
        self._pool = np.empty(_ROOM, np.int64)
        self._meta = np.full(at.M_FREE + at.CLASSES * len(plan.tracks), -1, np.int64)
        self._meta[: at.M_FREE] = 0
        self._scratch = np.empty(2 * plan.scratch, np.int64)
        self._block = np.empty(_BLOCK * plan.cells, np.int64)
        self._told = np.empty(_BLOCK * plan.features)
        self._single = np.array([i for i, e in enumerate(plan.entities) if len(e) == 1], np.int64)

    @property
    def left_early(self) -> int:
        """How often an event left an `exact` window before its time, because the cap was reached."""
        return int(self._meta[at.M_EARLY])

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays in use, without the entities' names."""
        return 8 * (self._used + int(self._meta[at.M_TOP]) + len(self._meta))

    def apply(self, rows: pa.RecordBatch, labels: NDArray[np.bool_] | None = None) -> Applied:
        """Apply rows in their order and return what each saw of its past.

        labels: bool (rows,), True for a label event: the clean row of a payment that has become known as
        fraud, at its place in the order of knowledge. Only frauds are sent. A row that lacks an entity, or
        its time, has NaN there; without a time it is counted by its entities but joins no window.
        """
        batch = self._reader.read(rows, labels)
        n, plan = batch.n, self.plan
        places = np.empty((len(plan.entities), n), np.int64)
        order = np.empty((len(plan.entities), n), np.int64)
        for e, columns in enumerate(plan.entities):
            codes = (
                batch.codes(columns[0])
                if len(columns) == 1
                else join_codes([batch.codes(c) for c in columns])
            )
            make, words = partial(self._make, e), len(self._headers[e])
            order[e], places[e] = self._keys[e].locate(codes, make, words)
        return self._run(batch, places, order)

    def _run(self, batch: Batch, places: NDArray[np.int64], order: NDArray[np.int64]) -> Applied:
        n, plan = batch.n, self.plan
        cells = batch.cells()
        features = np.empty((n, plan.features))
        sequence = np.empty((n, len(self._single)), np.int64)
        late = np.zeros(n, np.bool_)
        position = np.zeros(3, np.int64)
        while not apply(
            cells, order, places, self._heads, self._pool, self._meta, plan.program,
            self._reader.scales, self._scratch, self._block, self._told,
            self.allowed_lateness_us, position, features, sequence, late,
        ):  # fmt: skip
            self._pool = _grown(self._pool, int(self._meta[at.M_TOP]), 2 * len(self._pool))
        return Applied(features, sequence, late)

    def _make(self, entity: int, count: int) -> int:
        """Make headers for new entities of a kind; return where the first lies."""
        header = self._headers[entity]
        first = self._used
        self._used += count * len(header)
        if self._used > len(self._heads):
            self._heads = _grown(self._heads, first, max(2 * len(self._heads), self._used))
        self._heads[first : self._used].reshape(count, len(header))[:] = header
        return first

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the state as plain arrays, from which `load` makes it anew."""
        top = int(self._meta[at.M_TOP])
        found: dict[str, NDArray[Any]] = {
            "fingerprint": _bytes(self.windows.fingerprint),
            "zone": _bytes(self.zone),
            "currencies": _bytes(" ".join([self.currency, *self._reader.currencies])),
            "lateness": np.array([self.allowed_lateness_us], np.int64),
            "heads": self._heads[: self._used].copy(),
            "pool": self._pool[:top].copy(),
            "meta": self._meta.copy(),
        }
        for entity, keys in enumerate(self._keys):
            found.update({f"{name}_{entity}": array for name, array in keys.arrays().items()})
        return found

    @classmethod
    def load(cls, windows: Windows, arrays: Mapping[str, NDArray[Any]]) -> WindowState:
        """Make a state from its arrays; those of another declaration are refused with a DataError."""
        missing = [name for name in ("fingerprint", "zone", "currencies", "heads") if name not in arrays]
        if missing:
            raise DataError(f"This is no window state: it lacks {', '.join(missing)}.")
        theirs = _text(arrays["fingerprint"])
        if theirs != windows.fingerprint:
            raise DataError(
                f"This window state was made under another declaration ({theirs[:8]}, not "
                f"{windows.fingerprint[:8]}): its numbers mean something else.",
                "Use the declaration that it was made with, or replay the history to make a new state.",
            )
        currency, *currencies = _text(arrays["currencies"]).split(" ")
        state = cls(windows, _text(arrays["zone"]), currency)
        state._reader = Reader(state.plan, state.zone, currency, currencies)
        state.allowed_lateness_us = int(arrays["lateness"][0])
        state._used = len(arrays["heads"])
        state._heads = _grown(arrays["heads"], state._used, max(_ROOM, state._used))
        pool = arrays["pool"]
        state._pool = _grown(pool, len(pool), max(_ROOM, len(pool)))
        state._meta = np.array(arrays["meta"], np.int64)
        state._keys = [
            Keys.load(*(arrays[f"{name}_{entity}"] for name in ("texts", "ends", "places")))
            for entity in range(len(state._keys))
        ]
        return state


def _header(entity: NDArray[np.int64], tracks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the header of an entity that nothing is known of."""
    header = np.zeros(entity[at.E_WORDS], np.int64)
    header[[at.FRONTIER, at.FIRST]] = at.NEVER
    for k in range(entity[at.E_TRACK], entity[at.E_TRACKS_END]):
        header[tracks[k, at.T_AT] + at.REACH] = at.NEVER
        header[tracks[k, at.T_AT] + at.CURRENCY] = -1
    return header


def _grown(array: NDArray[np.int64], used: int, size: int) -> NDArray[np.int64]:
    larger = np.empty(size, np.int64)
    larger[:used] = array[:used]
    return larger


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)


def _text(array: NDArray[np.uint8]) -> str:
    return array.tobytes().decode()
