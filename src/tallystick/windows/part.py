"""One part of a window state: features that do not look at each other, kind of entity by kind of entity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tallystick.windows import layout as at
from tallystick.windows.batch import Batch
from tallystick.windows.kernel import apply
from tallystick.windows.keys import Keys, Located, join_codes
from tallystick.windows.plan import Plan
from tallystick.windows.prefetch import LINE

__all__ = ["Part", "WindowResult"]

#: Words that a state begins with.
_ROOM: Final = 4096
#: By how much an array grows: what is not used yet is no memory, and each time all of it is copied.
_GROWTH: Final = 4
#: Rows that are worked on together.
_BLOCK: Final = 64
#: Fewer rows than this are not worth a second thread.
_ROWS_A_THREAD: Final = 2048


@dataclass(frozen=True, slots=True)
class WindowResult:
    """The result of applying rows, row by row.

    features: float64 (rows, features), NaN where nothing is known, and for label events; sequence: int64
    (rows, entities), the number that each entity gave to the row, 0 where the row has no such entity; late:
    bool (rows,), an entity had already applied a later event time (never said of a label event);
    condition_inputs: float64 (rows, `Windows.condition_inputs`), features that conditions read, label events
    included.
    """

    features: NDArray[np.float64]
    sequence: NDArray[np.int64]
    late: NDArray[np.bool_]
    condition_inputs: NDArray[np.float64]


class Part:
    """The state of features that do not look at each other; see `WindowState` for what it means."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._kinds = [_Kind(plan, number) for number in range(len(plan.entities))]

    @property
    def left_early(self) -> int:
        """How often an event left an `exact` window before its time, because the cap was reached."""
        return sum(int(kind.meta[at.M_EARLY]) for kind in self._kinds)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays in use, without the entities' names."""
        return sum(8 * (kind.used + int(kind.meta[at.M_TOP]) + len(kind.meta)) for kind in self._kinds)

    def apply(self, batch: Batch, lateness: int, applied: WindowResult, threads: int) -> None:
        """Apply a batch in its order, and write what this part knows: kinds of entities side by side."""
        work, located = self._work(batch, lateness, applied, self.plan.program)
        if threads < 2 or len(located) < 2 or batch.n < _ROWS_A_THREAD:
            for kind, where in zip(self._kinds, located, strict=True):
                work(kind, where)
            return
        with ThreadPoolExecutor(min(threads, len(located))) as pool:
            list(pool.map(work, self._kinds, located))

    def take_in(
        self, batch: Batch, lateness: int, applied: WindowResult, pool: ThreadPoolExecutor
    ) -> list[Future[None]]:
        """Let a pool apply a batch without computing features, so that no other part waits for this one."""
        work, located = self._work(batch, lateness, applied, self.plan.silent)
        return [pool.submit(work, *one) for one in zip(self._kinds, located, strict=True)]

    def _work(
        self, batch: Batch, lateness: int, applied: WindowResult, program: NDArray[np.int64]
    ) -> tuple[Callable[[_Kind, Located], None], list[Located]]:
        """Return what is to be done for each kind of entity, and where each finds its entities."""
        cells, scales = batch.cells(self.plan), batch.reader.scales

        def work(kind: _Kind, where: Located) -> None:
            kind.apply(program, cells, *where, scales, lateness, applied)

        return work, [kind.locate(batch) for kind in self._kinds]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the part as plain arrays as they lie in memory, from which `fill` makes it anew."""
        return {
            f"{number}.{name}": array
            for number, kind in enumerate(self._kinds)
            for name, array in kind.arrays().items()
        }

    def fill(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over the arrays of a part of the same plan."""
        for number, kind in enumerate(self._kinds):
            begin = f"{number}."
            kind.fill({name[len(begin) :]: a for name, a in arrays.items() if name.startswith(begin)})


class _Kind:
    """One kind of entity, such as cards: who there is, and what the kernel keeps of them."""

    def __init__(self, plan: Plan, number: int) -> None:
        self.plan, self.columns, self.row = plan, plan.entities[number], number * at.E_WIDTH
        self.keys = Keys()
        self.header = _header(plan.entity[number], plan.tracks)
        self.used = int(plan.tracks[:, at.T_ADDITIVE].max(initial=0)) + 1  # for sums of late reads
        self.heads = np.zeros(max(_ROOM, self.used), np.int64)
        self.pool = np.zeros(_ROOM, np.int64)
        self.meta = np.full(at.M_FREE + at.CLASSES * len(plan.tracks), -1, np.int64)
        self.meta[: at.M_FREE] = 0
        self._scratch = np.empty(2 * plan.scratch, np.int64)
        lines = plan.features // LINE + 4
        self._block = np.empty(_BLOCK * (plan.cells + 6 + lines + len(plan.tracks)), np.int64)

    def locate(self, batch: Batch) -> Located:
        """Return the rows grouped by entity, and for each, in that order, where its header lies."""
        codes = [batch.codes(name) for name in self.columns]
        joined = codes[0] if len(codes) == 1 else join_codes(codes)
        return self.keys.locate(joined, self._make, len(self.header))

    def apply(
        self,
        program: NDArray[np.int64],
        cells: NDArray[np.int64],
        order: NDArray[np.int64],
        places: NDArray[np.int64],
        scales: NDArray[np.float64],
        lateness: int,
        applied: WindowResult,
    ) -> None:
        """Take rows through the kernel."""
        done = 0
        while True:
            done = apply(
                self.row, cells, order, places, self.heads, self.pool, self.meta, program, scales,
                self._scratch, self._block, lateness, done,
                applied.features, applied.sequence, applied.late,
            )  # fmt: skip
            if done == len(order):
                return
            self.pool = _grown(self.pool, int(self.meta[at.M_TOP]), _GROWTH * len(self.pool))

    def _make(self, count: int) -> int:
        """Make headers for new entities; return where the first lies."""
        header, first = self.header, self.used
        self.used += count * len(header)
        if self.used > len(self.heads):
            self.heads = _grown(self.heads, first, max(_GROWTH * len(self.heads), self.used))
        self.heads[first : self.used].reshape(count, len(header))[:] = header
        return first

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {
            "heads": self.heads[: self.used],
            "pool": self.pool[: int(self.meta[at.M_TOP])],
            "meta": self.meta,
            **self.keys.arrays(),
        }

    def fill(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        heads, pool = arrays["heads"], arrays["pool"]
        self.used = len(heads)
        self.heads = _grown(heads, self.used, max(_ROOM, self.used))
        self.pool = _grown(pool, len(pool), max(_ROOM, len(pool)))
        self.meta = np.array(arrays["meta"], np.int64)
        self.keys = Keys.load(*(arrays[name] for name in ("texts", "ends", "places")))


def _header(entity: NDArray[np.int64], tracks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the header of an entity that nothing is known of."""
    header = np.zeros(entity[at.E_WORDS], np.int64)
    header[[at.FRONTIER, at.FIRST]] = at.NEVER
    for k in range(entity[at.E_TRACK], entity[at.E_TRACKS_END]):
        header[tracks[k, at.T_AT] + at.REACH] = at.NEVER
        header[tracks[k, at.T_AT] + at.CURRENCY] = -1
    return header


def _grown(array: NDArray[np.int64], used: int, size: int) -> NDArray[np.int64]:
    larger = np.zeros(size, np.int64)  # what is not used is the same whenever it is looked at
    larger[:used] = array[:used]
    return larger
