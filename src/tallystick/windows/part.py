"""One part of a window state: a kernel's arrays, and the entities that it has met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tallystick.windows import layout as at
from tallystick.windows.kernel import apply
from tallystick.windows.keys import Keys, join_codes
from tallystick.windows.plan import Plan
from tallystick.windows.rows import Batch

__all__ = ["Applied", "Part"]

#: Words that a state begins with.
_ROOM: Final = 4096
#: By how much an array grows: what is not used yet is no memory, and each time all of it is copied.
_GROWTH: Final = 4
#: Rows that are worked on together.
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


class Part:
    """The state of features that do not look at each other; see `WindowState` for what it means."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
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

    @property
    def left_early(self) -> int:
        """How often an event left an `exact` window before its time, because the cap was reached."""
        return int(self._meta[at.M_EARLY])

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays in use, without the entities' names."""
        return 8 * (self._used + int(self._meta[at.M_TOP]) + len(self._meta))

    def apply(self, batch: Batch, lateness: int, applied: Applied) -> None:
        """Apply a batch in its order, and write what this part knows."""
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
            self._keys[e].locate(codes, make, words, order[e], places[e])
        cells, position = batch.cells(plan), np.zeros(3, np.int64)
        while not apply(
            cells, order, places, self._heads, self._pool, self._meta, plan.program,
            batch.reader.scales, self._scratch, self._block, self._told,
            lateness, position, applied.features, applied.sequence, applied.late,
        ):  # fmt: skip
            self._pool = _grown(self._pool, int(self._meta[at.M_TOP]), _GROWTH * len(self._pool))

    def _make(self, entity: int, count: int) -> int:
        """Make headers for new entities of a kind; return where the first lies."""
        header = self._headers[entity]
        first = self._used
        self._used += count * len(header)
        if self._used > len(self._heads):
            self._heads = _grown(self._heads, first, max(_GROWTH * len(self._heads), self._used))
        self._heads[first : self._used].reshape(count, len(header))[:] = header
        return first

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the part as plain arrays, from which `fill` makes it anew."""
        found: dict[str, NDArray[Any]] = {
            "heads": self._heads[: self._used].copy(),
            "pool": self._pool[: int(self._meta[at.M_TOP])].copy(),
            "meta": self._meta.copy(),
        }
        for entity, keys in enumerate(self._keys):
            found.update({f"{name}_{entity}": array for name, array in keys.arrays().items()})
        return found

    def fill(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over the arrays of a part of the same plan."""
        heads, pool = arrays["heads"], arrays["pool"]
        self._used = len(heads)
        self._heads = _grown(heads, self._used, max(_ROOM, self._used))
        self._pool = _grown(pool, len(pool), max(_ROOM, len(pool)))
        self._meta = np.array(arrays["meta"], np.int64)
        self._keys = [
            Keys.load(*(arrays[f"{name}_{entity}"] for name in ("texts", "ends", "places")))
            for entity in range(len(self._keys))
        ]


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
