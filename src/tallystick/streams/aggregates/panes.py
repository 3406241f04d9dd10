"""One aggregate of a stream: rows are added to periods of groups, and windows close with time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tallystick.streams.aggregates.accumulators import Accumulator, accumulator
from tallystick.streams.aggregates.columns import Columns
from tallystick.streams.aggregates.declaration import Aggregate
from tallystick.streams.aggregates.groups import NEVER, Groups
from tallystick.streams.aggregates.kernels import add_rows
from tallystick.streams.aggregates.output import ClosedWindow
from tallystick.streams.aggregates.series import Series

__all__ = ["Panes"]

#: What is counted, in the order in which a snapshot keeps it.
COUNTED: Final = ("rows", "late", "others")

SECOND: Final = 1_000_000

Micros = NDArray[np.int64]


class Panes:
    """The periods of one aggregate that are still open, in rings of matrices.

    A row joins its period as long as any window that the period is part of is open; a window is the periods
    that it is made of, joined in order. counts: rows that joined, rows that came after a window of theirs was
    closed (`late`; those that found none open did not join), and rows of groups beyond the bound (`others`).
    """

    def __init__(self, declared: Aggregate, currency: str) -> None:
        self.declared = declared
        self.counts = dict.fromkeys(COUNTED, 0)
        self._groups = Groups(declared, currency)
        self._newest = self._closed = NEVER  # time of the newest row; end of the newest closed window
        kept, room = declared.kept, self._groups.room
        self._rows = np.zeros((kept, room), np.int64)
        self._kept: dict[str, Accumulator] = {}
        self._of: list[Accumulator | None] = []
        for value in declared.of:
            made = accumulator(value, kept, room, declared.distinct)
            name = value.text if made is None or value.when else f"{type(made).__name__} {value.column}"
            self._of.append(None if made is None else self._kept.setdefault(name, made))
        self._series = Series(declared.watch, declared.of, room) if declared.watch else None
        self._room = room

    def apply(
        self, columns: Columns, times: Micros, rows: NDArray[np.int64] | None
    ) -> list[tuple[int, ClosedWindow]]:
        """Add rows in their order; return the windows that they closed, each with the row that closed it.

        times: int64 (n,), n at least 1; rows: which rows of the columns these are, None for all.
        """
        declared = self.declared
        panes = (times - declared.origin) // declared.every
        newest = np.maximum(np.maximum.accumulate(times), self._newest)
        ends = (newest - (declared.lateness + declared.origin + 1)) // declared.every  # closed by each row
        if self._newest == NEVER:
            self._closed = int(ends[0])
        self._newest = int(newest[-1])
        joins = panes + declared.panes > ends
        if declared.where is not None:
            wanted = declared.where.holds(columns)
            wanted = wanted if rows is None else wanted[rows]
            self.counts["late"] += int(np.count_nonzero((panes < ends) & wanted))
            joins &= wanted
        else:
            self.counts["late"] += int(np.count_nonzero(panes < ends))
        every = bool(joins.all())
        if not every:
            there = np.flatnonzero(joins)
            rows, panes = (there if rows is None else rows[there]), panes[there]
        self.counts["rows"] += len(panes)
        for one in self._kept.values():
            one.prepare(columns, rows)
        codes, keys = self._groups.codes(columns)
        codes = codes if rows is None else codes[rows]
        slots = np.full(len(keys), -1, np.int64)
        found: list[tuple[int, ClosedWindow]] = []
        start = 0
        if ends[-1] > self._closed:
            closing = np.flatnonzero(np.diff(ends, prepend=self._closed))
            stops = closing if every else np.cumsum(joins)[closing] - joins[closing]
            for row, stop in zip(closing.tolist(), stops.tolist(), strict=True):
                self._add(start, stop, panes, codes, keys, slots)
                found += [(row, one) for one in self._close(int(ends[row]), slots)]
                start = stop
        self._add(start, len(panes), panes, codes, keys, slots)
        return found

    def _add(
        self, start: int, stop: int, panes: Micros, codes: Micros, keys: list[Any], slots: Micros
    ) -> None:
        """Add the rows start … stop to their cells."""
        if start == stop:
            return
        groups = self._groups
        mine = groups.find(codes[start:stop], keys, slots)
        if groups.room > self._room:
            self._grow(groups.room)
        cells = panes[start:stop] % self.declared.kept * self._room + mine
        add_rows(cells, mine, panes[start:stop], self._rows.ravel(), groups.last)
        if groups.others:
            self.counts["others"] += int(np.count_nonzero(groups.other[mine]))
        for one in self._kept.values():
            one.add(start, stop, cells)

    def _grow(self, room: int) -> None:
        self._rows = np.pad(self._rows, ((0, 0), (0, room - self._room)))
        for one in self._kept.values():
            one.grow(room)
        if self._series:
            self._series.grow(room)
        self._room = room

    def _close(self, upto: int, slots: Micros) -> list[ClosedWindow]:
        """Close all windows that end no later; groups that are forgotten leave `slots`."""
        found = []
        groups, forget = self._groups, self.declared.forget
        for end in range(self._closed + 1, upto + 1):
            if groups.empty:  # nothing was kept, so nothing will be said until the next row
                break
            lines = self._lines(end)
            rows = self._rows[lines, : groups.used].sum(axis=0)
            taken, seen, last = (
                groups.taken[: groups.used],
                groups.seen[: groups.used],
                groups.last[: groups.used],
            )
            seen[rows > 0] = end
            closed = self._read(end, lines, rows, taken & ((rows > 0) | (end - seen <= forget)))
            if closed is not None:
                found.append(closed)
            self._clear(int(lines[0]))
            gone = np.flatnonzero(taken & (rows == 0) & (end - seen >= forget))
            if len(gone):
                if self._series:
                    self._series.clear(gone)
                gone = gone[last[gone] < end]  # others have rows in a later period already
                groups.drop(gone)
                slots[:] = -1
        self._closed = upto
        return found

    def _lines(self, end: int) -> Micros:
        """Return where the periods of a window lie, the oldest first."""
        return np.arange(end - self.declared.panes, end, dtype=np.int64) % self.declared.kept

    def _clear(self, line: int) -> None:
        self._rows[line] = 0
        for one in self._kept.values():
            one.clear(line)

    def _read(
        self, end: int, lines: Micros, rows: NDArray[np.int64], there: NDArray[np.bool_]
    ) -> ClosedWindow | None:
        """Return the values of a window for those groups."""
        mine = np.flatnonzero(there)
        if not len(mine):
            return None
        declared, groups, used = self.declared, self._groups, len(rows)
        values, exact = np.empty((len(declared.of), used)), np.ones((len(declared.of), used), np.bool_)
        ones = np.ones(used)
        for i, (value, kept) in enumerate(zip(declared.of, self._of, strict=True)):
            if kept is None:
                values[i] = rows
            else:
                scale = groups.scale[:used] if value.money else ones
                values[i], exact[i] = kept.read(lines, used, value.kind, rows, scale), kept.exact(lines, used)
        if self._series:
            trend, expected, anomaly = (
                part[:, mine] for part in self._series.update(end, values, rows, there)
            )
        else:
            trend = expected = anomaly = np.full((len(values), len(mine)), np.nan)
        stop = end * declared.every + declared.origin
        return ClosedWindow(
            name=declared.name,
            value_names=tuple(value.text for value in declared.of),
            start=stop - declared.over,
            end=stop,
            keys=[groups.keys[slot] for slot in mine.tolist()],
            other=groups.other[mine],
            rows=rows[mine],
            values=values[:, mine],
            exact=exact[:, mine],
            trend=trend,
            expected=expected,
            anomaly=anomaly,
            limit=declared.watch.limit if declared.watch else np.inf,
        )

    def notes(self) -> list[str]:
        """Return notes on what the closed windows lack, and why."""
        declared, counts = self.declared, self.counts
        found = []
        if counts["late"]:
            found.append(f"{declared.name}: records after a window of theirs was closed: {counts['late']:,}.")
        if counts["others"]:
            beyond = f"records of groups beyond {declared.most:,}, together in one"
            found.append(f"{declared.name}: {beyond}: {counts['others']:,}.")
        if self._rows.any():
            closed = datetime.fromtimestamp((self._closed * declared.every + declared.origin) // SECOND, UTC)
            found.append(
                f"{declared.name}: windows that end after {closed:%Y-%m-%d %H:%M:%S} UTC are open; each is "
                "given out when a later record closes it."
            )
        return found

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return copies of what is kept, for a snapshot."""
        used = self._groups.used
        found = {f"groups.{name}": array for name, array in self._groups.arrays().items()}
        found["rows"] = self._rows[:, :used].copy()
        found["times"] = np.array([self._newest, self._closed], np.int64)
        found["counts"] = np.array([self.counts[name] for name in COUNTED], np.int64)
        parts: list[Accumulator | Series] = [*self._kept.values(), *([self._series] if self._series else [])]
        for i, part in enumerate(parts):
            found |= {f"part{i}.{name}": array for name, array in part.arrays(used).items()}
        return found

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Restore what `arrays` returned."""
        self._groups.restore(_under("groups.", arrays))
        self._room = self._groups.room
        self._rows = np.pad(arrays["rows"], ((0, 0), (0, self._room - arrays["rows"].shape[1])))
        self._newest, self._closed = arrays["times"].tolist()
        self.counts = dict(zip(COUNTED, arrays["counts"].tolist(), strict=True))
        parts: list[Accumulator | Series] = [*self._kept.values(), *([self._series] if self._series else [])]
        for i, part in enumerate(parts):
            part.restore(_under(f"part{i}.", arrays), self._room)


def _under(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
