"""Rows of an event task: clean columns with their behaviour, what they turned out to be, and since when."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.contracts.zones import micros
from tallystick.errors import DataError, UsageError, did_you_mean
from tallystick.jobs.options import Moment, Work, moment
from tallystick.jobs.past import BATCH, LATEST, Events, replay
from tallystick.scorer import BEHAVIOUR, Behaved, Solution, Values, behaviour_column
from tallystick.windows import Windows, WindowState

__all__ = ["EventRows", "coded", "declared", "span", "with_behaviour"]


@dataclass(frozen=True)
class EventRows:
    """Rows with their behaviour, in the order of the input.

    table: clean columns and the column of window features; truth: 1 and 0, NaN where unknown; known and
    time: microseconds; index: where the rows stand among all events, -1 nowhere.
    """

    solution: Solution
    table: pa.RecordBatch
    truth: NDArray[np.float64]
    known: NDArray[np.int64]
    time: NDArray[np.int64]
    settings: Settings
    index: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, index: NDArray[np.int64]) -> EventRows:
        """Return some of the rows."""
        return EventRows(
            self.solution,
            self.table.take(pa.array(index)),
            self.truth[index],
            self.known[index],
            self.time[index],
            self.settings,
            self.index[index] if len(self.index) else self.index,
        )

    @cached_property
    def fraud(self) -> NDArray[np.bool_]:
        """Which rows are known to be the event; what is unknown is not."""
        return np.asarray(self.truth == 1)

    @cached_property
    def entity(self) -> NDArray[np.int64] | None:
        """The person or card of each row as a code, a row without one standing alone; None without any."""
        name = self.solution.contract.person
        if name is None or name not in self.table.schema.names:
            return None
        return coded(self.table.column(name))

    @cached_property
    def currencies(self) -> NDArray[Any] | str:
        """The currency of each row, or the setting where the rows say none."""
        column = self.text("currency")
        if column is None:
            return self.settings.currency
        return np.where(column == None, self.settings.currency, column)  # noqa: E711 - elementwise

    @cached_property
    def amount(self) -> NDArray[np.float64] | None:
        """What was at stake, in major units, 0 where unknown; None without such a column."""
        name = self.solution.amount
        if name is None or name not in self.table.schema.names:
            return None
        values = Values(self.table, self.settings.zone, self.settings.currency).number(name)
        return None if np.isnan(values).all() else np.nan_to_num(values)

    @cached_property
    def stake(self) -> NDArray[np.float64] | None:
        """The amounts where all are of one currency, else None: money is never added over currencies."""
        one = isinstance(self.currencies, str) or len(set(self.currencies.tolist())) == 1
        return self.amount if one else None

    @cached_property
    def scenario(self) -> NDArray[Any] | None:
        """The kind of event, None where a row has none; None without such a column."""
        name = self.solution.scenario
        if name is None or name not in self.table.schema.names:
            return None
        column = self.table.column(name)
        return None if column.null_count == len(column) else np.array(column.to_pylist(), dtype=object)

    def text(self, name: str) -> NDArray[Any] | None:
        """Return a column of texts; None where it is not there."""
        if name not in self.table.schema.names or self.table.column(name).null_count == len(self):
            return None
        return np.array(self.table.column(name).to_pylist(), dtype=object)


def coded(column: pa.Array) -> NDArray[np.int64] | None:
    """Return texts as codes, rows without one each by itself; None where no row has any."""
    if column.null_count == len(column):
        return None
    codes: NDArray[np.int64] = (
        column.dictionary_encode()
        .indices.cast(pa.int64())
        .fill_null(-1)
        .to_numpy(zero_copy_only=False)
        .copy()
    )
    alone = codes < 0
    codes[alone] = codes.max(initial=0) + 1 + np.arange(int(alone.sum()))
    return codes


def declared(solution: Solution, path: str | Path | None, held: Collection[str]) -> Windows | None:
    """Read the windows of a solution, or of a file, as far as their columns are there; None without any."""
    chosen = path or solution.windows
    if path is not None and solution.windows is None:
        raise UsageError(f"{solution.name} looks at no windows.", "Leave --windows out.")
    if chosen is None:
        return None
    whole = Windows.read(chosen, solution.window_roles)
    ours = solution.contract.known_at_event
    for name in whole.columns:
        if name not in ours:
            if name in {column.name for column in solution.contract.columns}:
                raise UsageError(
                    f"{chosen}: {name} is known only after the event: windows may not look at it.",
                    f"Labels enter by `{whole.roles.main_label}`, once they are known.",
                )
            raise UsageError(f'{chosen}: there is no column "{name}".', did_you_mean(name, ours))
    windows = whole.restrict(held)
    return windows if windows.names else None


def span(
    events: Events, from_: Moment | None, until: Moment | None, as_of: datetime | None, job: Work
) -> tuple[NDArray[np.bool_], dict[str, int], int | None]:
    """Say which rows of the input lie in from_ ≤ event time < until and before `as_of`; count the others.

    The third value is the moment from which on nothing needs to be replayed.
    """
    inside = events.given.copy()
    passed: dict[str, int] = {}
    dated = events.time < LATEST
    bounded = from_ is not None or until is not None or as_of is not None
    start = None if from_ is None else micros(moment(from_, job.settings.zone, "from"))
    end = None if until is None else micros(moment(until, job.settings.zone, "until"))
    if start is not None and end is not None and start >= end:
        raise UsageError(f"from {from_} until {until} is no time span.", "The first must be the earlier one.")
    now = None if as_of is None else micros(as_of)
    for why, out in (
        ("no time", ~dated if bounded else np.zeros(len(dated), bool)),
        ("before the time span", dated & (events.time < start) if start is not None else None),
        ("after the time span", dated & (events.time >= end) if end is not None else None),
        ("not known yet", dated & (events.time > now) if now is not None else None),
    ):
        if out is not None:
            passed[why] = int((inside & out).sum())
            inside &= ~out
    ends = [one for one in (end, None if now is None else now + 1) if one is not None]
    return inside, {why: count for why, count in passed.items() if count}, min(ends, default=None)


def with_behaviour(
    solution: Solution,
    events: Events,
    windows: Windows | None,
    inside: NDArray[np.bool_],
    job: Work,
    until: int | None = None,
) -> EventRows:
    """Replay the windows over all events, and return the rows wanted with their behaviour at their moment."""
    index = np.flatnonzero(inside)
    if not len(index):
        raise DataError("No row of the input lies in the time span.", "Widen it: --from, --until.")
    table = events.rows.take(pa.array(index)) if len(index) < len(inside) else events.rows
    if windows is not None:
        state = WindowState(windows, job.settings.zone, job.settings.currency)
        features = np.full((len(index), len(windows.names)), np.nan)
        place = np.cumsum(inside) - 1
        job.progress.stage("Replaying", -(-len(events.time) // BATCH))

        def apply(rows: pa.RecordBatch, labels: NDArray[np.bool_]) -> Behaved:
            applied = state.apply(rows, labels, job.settings.cores())
            kept = np.flatnonzero(~labels)
            return Behaved(
                pa.RecordBatch.from_arrays([behaviour_column(applied.features[kept])], names=[BEHAVIOUR])
            )

        for at, behaved in replay(events, apply, until):
            mine = inside[at]
            column = behaved.rows.column(BEHAVIOUR)
            # A part may hold labels alone, and no row.
            values = column.values.to_numpy(zero_copy_only=False).reshape(-1, len(windows.names))
            features[place[at[mine]]] = values[mine]
            job.progress.step()
        table = table.append_column(BEHAVIOUR, behaviour_column(features))
    return EventRows(
        solution, table, events.truth[index], events.known[index], events.time[index], job.settings, index
    )
