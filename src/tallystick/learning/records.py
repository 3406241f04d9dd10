"""Records in the order in which they became known: an input, what came before it, labels that came later."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.contracts import Contract, Report
from tallystick.contracts.zones import LATEST, micros
from tallystick.errors import DataError, UsageError
from tallystick.feature_extraction import WINDOW_FEATURES, window_column
from tallystick.inputs.context import Progress, Quiet
from tallystick.learning.sequences import Recorded
from tallystick.scorer import WindowedBatch
from tallystick.tasks import Dataset
from tallystick.windows import Windows, WindowState, order

__all__ = ["BATCH", "Records", "Span", "held_columns", "replay", "with_windows"]

BATCH = 65_536  # records that are applied together: rows of one entity are then worked on in one go

Apply = Callable[[pa.RecordBatch, NDArray[np.bool_]], WindowedBatch]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Records:
    """Records in memory, what came before the input first.

    rows: clean columns, labels among them; ids: what decisions call them; given: which belong to the input;
    time: microseconds, the latest of all where missing; known: label column → when each label became known,
    microseconds, the latest of all where there is none; counts: label column → from when on each row counts
    in learning and figures, where that is later (`learning.settling`); recorded: the order that was recorded;
    numbered_last: all that has no recorded number was applied before all that has one.
    """

    contract: Contract
    rows: pa.RecordBatch
    ids: pa.Array
    given: Flags
    time: Ints
    known: Mapping[str, Ints] = field(default_factory=dict)
    report: Report = field(default_factory=Report)
    recorded: Recorded | None = None
    numbered_last: bool = False
    counts: Mapping[str, Ints] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.time)

    @property
    def flag(self) -> str | None:
        """The label whose yes is an event that windows see: the main label, where it is a flag."""
        label = self.contract.labels[0] if self.contract.labels else None
        if label is None or label not in self.rows.schema.names:
            return None
        return label if pa.types.is_boolean(self.rows.schema.field(label).type) else None

    @property
    def answers(self) -> NDArray[np.float64]:
        """What that label says of each row: 1, 0, NaN where unknown."""
        if self.flag is None:
            return np.full(len(self), np.nan)
        values = self.rows.column(self.flag).cast(pa.float64()).to_numpy(zero_copy_only=False)
        return np.array(values, np.float64)

    @property
    def label_events(self) -> tuple[Ints, Ints]:
        """The rows whose label says yes, and when that became known, microseconds."""
        if self.flag is None:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        known = self.known[self.flag]
        rows = np.flatnonzero((self.answers == 1) & (known < LATEST))
        return rows, known[rows]

    def dataset(self, settings: Settings, inside: Flags | None = None) -> Dataset:
        """Return rows to learn from or to measure, those of the input or some of them, without windows."""
        index = np.flatnonzero(self.given if inside is None else inside)
        every = len(index) == len(self.time)
        at = pa.array(index)
        return Dataset(
            self.contract,
            self.rows if every else self.rows.take(at),
            self.ids if every else self.ids.take(at),
            self.time[index],
            settings,
            known={name: moments[index] for name, moments in self.known.items()},
            counts={name: moments[index] for name, moments in self.counts.items()},
            index=index,
        )


def held_columns(records: Records) -> set[str]:
    """Return the columns that hold anything."""
    names = records.rows.schema.names
    return {name for name in names if records.rows.column(name).null_count < len(records.rows)}


@dataclass(frozen=True)
class Span:
    """The rows of the input that lie in a span of time: bool (rows,), how many others there are, by why.

    end: the moment from which on nothing needs to be replayed, microseconds.
    """

    inside: Flags
    left_out: dict[str, int]
    end: int | None = None

    @classmethod
    def of(
        cls,
        records: Records,
        from_: datetime | None = None,
        until: datetime | None = None,
        as_of: datetime | None = None,
    ) -> Span:
        """Take from_ ≤ event time < until, and what is not later than `as_of`; UsageError for no span."""
        inside = records.given.copy()
        dated = records.time < LATEST
        start, end, now = (None if one is None else micros(one) for one in (from_, until, as_of))
        bounded = any(one is not None for one in (start, end, now))
        if bounded and records.contract.event_time is None:
            raise UsageError(
                f"{records.contract.name} has no event time, so no time can be named.",
                "Leave --from, --until and --as-of out.",
            )
        if start is not None and end is not None and start >= end:
            raise UsageError(
                f"from {from_:%Y-%m-%d} until {until:%Y-%m-%d} is no time span.", "The first must be earlier."
            )
        left_out: dict[str, int] = {}
        for why, out in (
            ("no time", ~dated if bounded else None),
            ("before the time span", None if start is None else dated & (records.time < start)),
            ("after the time span", None if end is None else dated & (records.time >= end)),
            ("not known yet", None if now is None else dated & (records.time > now)),
        ):
            if out is not None:
                left_out[why] = int((inside & out).sum())
                inside &= ~out
        ends = [one for one in (end, None if now is None else now + 1) if one is not None]
        return cls(inside, {why: n for why, n in left_out.items() if n}, min(ends, default=None))


def replay(records: Records, apply: Apply, until: int | None = None) -> Iterator[tuple[Ints, WindowedBatch]]:
    """Apply records and the labels that say yes in their order; yield where rows stand, and the rows.

    until: microseconds; nothing from then on is applied.
    """
    yes, known = records.label_events
    row = np.concatenate([np.arange(len(records)), yes])
    moment = np.concatenate([records.time, known])
    is_label = np.zeros(len(row), bool)
    is_label[len(records) :] = True
    keys = records.ids.take(pa.array(row))
    numbers = records.recorded.numbers(records.rows, row, yes) if records.recorded is not None else ()
    index = order(moment, is_label, keys, row, *numbers)
    if records.numbered_last and numbers:
        numbered = np.asarray(numbers[0].any(axis=1))[index]
        index = np.concatenate([index[~numbered], index[numbered]])
    if until is not None:
        index = index[moment[index] < until]
    for start in range(0, len(index), BATCH):
        part = index[start : start + BATCH]
        rows, label = row[part], is_label[part]
        yield rows[~label], apply(_taken(records.rows, rows), label)


def _taken(rows: pa.RecordBatch, index: Ints) -> pa.RecordBatch:
    """Take some rows; of a column that holds nothing any stretch will do, which costs nothing."""
    n, at = len(index), pa.array(index)
    columns = [
        column.slice(0, n) if column.null_count == len(column) >= n else column.take(at)
        for column in rows.columns
    ]
    return pa.RecordBatch.from_arrays(columns, schema=rows.schema)


def with_windows(
    records: Records,
    windows: Windows | None,
    inside: Flags,
    settings: Settings,
    until: int | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Replay the windows over all records; return some rows with their window features at their moment."""
    if not inside.any():
        raise DataError("No row of the input lies in the time span.", "Widen it: --from, --until.")
    dataset = records.dataset(settings, inside)
    if windows is None:
        return dataset
    progress = progress or Quiet()
    state = WindowState(windows, settings.zone, settings.currency)
    features = np.full((len(dataset), len(windows.names)), np.nan)
    place = np.cumsum(inside) - 1
    progress.stage("Replaying windows", -(-len(records) // BATCH))

    def apply(rows: pa.RecordBatch, labels: Flags) -> WindowedBatch:
        applied = state.apply(rows, labels, settings.cores())
        return WindowedBatch(rows.slice(0, 0), features=applied.features[~labels])

    for at, windowed in replay(records, apply, until):
        mine = inside[at]
        assert windowed.features is not None
        features[place[at[mine]]] = windowed.features[mine]
        progress.step()
    rows = dataset.rows.append_column(WINDOW_FEATURES, window_column(features))
    return replace(
        dataset, rows=rows, windows=tuple(windows.names),
        warmth=_warmth(records, dataset.time, windows.horizon_us), window=windows.horizon_us,
    )  # fmt: skip


def _warmth(records: Records, time: Ints, window: int) -> Ints:
    """Say how much history lay before each row, microseconds: from the first record on, at most `window`."""
    dated = records.time < LATEST
    start = int(records.time[dated].min()) if dated.any() else LATEST
    found: Ints = np.where(time < LATEST, np.clip(time - start, 0, window), 0)
    return found
