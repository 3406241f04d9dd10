"""Events in the order in which they became known: an input, what came before it, labels that came later."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick import durations
from tallystick.connectors import TablePlace, beside, open_sink
from tallystick.connectors.database import is_state
from tallystick.contracts import Contract, Report
from tallystick.contracts.zones import LATEST
from tallystick.errors import DataError, UsageError
from tallystick.jobs.frames import whole
from tallystick.jobs.intake import Intake, Place
from tallystick.jobs.labels import Labels, read_labels
from tallystick.jobs.options import Work
from tallystick.jobs.sequences import SEQUENCE, Recorded
from tallystick.scorer import Behaved, EventTask, Solution
from tallystick.scorer.labels import after_event, later, own_labels
from tallystick.scorer.scorer import times
from tallystick.windows import order

__all__ = ["BATCH", "LATEST", "Events", "columns_of", "gather_events", "refuse_event_options", "replay"]

BATCH = 65_536  # events that are applied together: rows of one entity are then worked on in one go

Apply = Callable[[pa.RecordBatch, NDArray[np.bool_]], Behaved]


@dataclass(frozen=True)
class Events:
    """Events in memory, what came before the input first.

    rows: clean columns; ids: what decisions call them; given: which belong to the input; time: microseconds,
    the latest of all where missing; truth: 1 and 0, NaN where no label is; known: when the label became
    known, microseconds, the latest of all where there is none; recorded: the order that was recorded, if any;
    apart: all that has no recorded number was applied before all that has one.
    """

    rows: pa.RecordBatch
    ids: pa.Array
    given: NDArray[np.bool_]
    time: NDArray[np.int64]
    truth: NDArray[np.float64]
    known: NDArray[np.int64]
    report: Report
    recorded: Recorded | None = None
    apart: bool = False

    def held(self) -> set[str]:
        """The columns that hold anything."""
        names = self.rows.schema.names
        return {name for name in names if self.rows.column(name).null_count < len(self.rows)}


def gather_events(
    solution: Solution,
    source: Any,
    job: Work,
    columns: Collection[str],
    *,
    history: Any = None,
    labels: Any = None,
    output: Path | TablePlace | None = None,
    needs: dict[str, str] | None = None,
) -> Events:
    """Read an input, its history and its labels; bad rows go to quarantine, a key counts once.

    columns: of the contract, besides key, times and label. output: what will be written from it: bad rows
    and duplicates, if there are any, go beside it.
    """
    contract = solution.contract
    label = contract.labels[0] if contract.labels else None
    if isinstance(source, str) and is_state(source):
        return _of_stream(solution, source, job, columns, history=history, labels=labels)
    roles = {contract.key, contract.event_time, contract.known_at, contract.person, label, "sequence"}
    wanted = sorted({*columns, *(role for role in roles if role)} & {c.name for c in contract.columns})
    intake = Intake.open(solution, source, job, labels_wanted=False, needs=needs or {})
    bad = aside = None
    if output is not None:
        bad, aside = beside(output, "quarantine"), beside(output, "duplicates")
        for path in (output, bad, aside):
            open_sink(path, source=intake.source)  # none may be the input
    earlier = None
    if history is not None:
        before, before_places, note = _before(solution, history, job, wanted)
        earlier = _earlier(before, before_places, contract)
    table, places, report = intake.gather_placed(wanted, quarantine=bad, aside=aside, earlier=earlier)
    given = np.ones(len(table), bool)
    if history is not None:
        report += note
        given = np.concatenate([np.zeros(len(before), bool), given])
        table, places = pa.concat_tables([before, table]), Place.joined([before_places, places])
    rows = whole(table, wide=table.nbytes > 2**31)
    time = times(rows, contract.event_time)
    found = own_labels(rows, time, contract, delay(solution, job))
    arrived = None
    if labels is not None:
        arrived = read_labels(solution, labels, job)
        found = _merged(found, arrived, rows, time, contract, delay(solution, job))
        report += arrived.report + _strangers(arrived, rows, contract)
    found = _silent(found, time, job)
    order_of = _recorded(rows, arrived, contract)
    return Events(rows, _ids(rows, contract, places), given, time, found[0], found[1], report, order_of)


def _of_stream(
    solution: Solution, uri: str, job: Work, columns: Collection[str], *, history: Any, labels: Any
) -> Events:
    """Read the log of a stream, which holds its labels and its order itself, after what had warmed it."""
    from tallystick.jobs.kept import kept_events  # it stands on the events of this file

    if labels is not None:
        raise UsageError("The log of a stream holds its labels.", "Leave --labels out.")
    contract = solution.contract
    roles = {contract.key, contract.event_time, contract.known_at, contract.person, *contract.labels[:1]}
    wanted = {*columns, *(role for role in roles if role)}
    before = None if history is None else gather_events(solution, history, job, columns)
    return kept_events(uri, solution, wanted, delay(solution, job), before)


def columns_of(solution: Solution, tasks: Iterable[EventTask], *more: str) -> set[str]:
    """Return the columns of the contract that event tasks and their reports may read."""
    looked_at = {name for task in tasks for name in (*task.looks_at, task.label)}
    own = {solution.amount, solution.scenario, *more}
    before = {c.name for c in solution.contract.columns if not c.after_event}
    return looked_at | {name for name in own if name} | before


def refuse_event_options(solution: Solution, **given: Any) -> None:
    """Raise UsageError for options that only a solution with behaviour over time can use."""
    for name, value in given.items():
        if value is not None:
            raise UsageError(f"{solution.name} has no use for --{name}.", "Leave it out.")


def delay(solution: Solution, job: Work) -> int:
    """Return how long after its event a label becomes known where nothing says when, in microseconds."""
    if not job.settings.label_delay:
        return solution.label_delay // timedelta(microseconds=1)
    return durations.parse(job.settings.label_delay)


def replay(
    events: Events, apply: Apply, until: int | None = None
) -> Iterator[tuple[NDArray[np.int64], Behaved]]:
    """Apply events and the labels that say yes in their order; yield where rows stand, and the rows.

    until: microseconds; nothing from then on is applied.
    """
    yes = np.flatnonzero((events.truth == 1) & (events.known < LATEST))
    row = np.concatenate([np.arange(len(events.time)), yes])
    moment = np.concatenate([events.time, events.known[yes]])
    is_label = np.zeros(len(row), bool)
    is_label[len(events.time) :] = True
    keys = events.ids.take(pa.array(row))
    numbers = events.recorded.numbers(events.rows, row, yes) if events.recorded is not None else ()
    index = order(moment, is_label, keys, row, *numbers)
    if events.apart and numbers:
        numbered = np.asarray(numbers[0].any(axis=1))[index]
        index = np.concatenate([index[~numbered], index[numbered]])
    if until is not None:
        index = index[moment[index] < until]
    for start in range(0, len(index), BATCH):
        part = index[start : start + BATCH]
        rows, label = row[part], is_label[part]
        yield rows[~label], apply(_taken(events.rows, rows), label)


def _taken(rows: pa.RecordBatch, index: NDArray[np.int64]) -> pa.RecordBatch:
    """Take some rows; of a column that holds nothing any stretch will do, which costs nothing."""
    n, at = len(index), pa.array(index)
    columns = [
        column.slice(0, n) if column.null_count == len(column) >= n else column.take(at)
        for column in rows.columns
    ]
    return pa.RecordBatch.from_arrays(columns, schema=rows.schema)


def _silent(
    found: tuple[NDArray[np.float64], NDArray[np.int64]], time: NDArray[np.int64], job: Work
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Count what nobody complained of in time as good, where the settings say so."""
    if not job.settings.good_after:
        return found
    known = later(time, durations.parse(job.settings.good_after))
    now = time[time < LATEST].max(initial=0)
    good = np.isnan(found[0]) & (known <= now)
    return np.where(good, 0.0, found[0]), np.where(good, known, found[1])


def _recorded(rows: pa.RecordBatch, arrived: Labels | None, contract: Contract) -> Recorded | None:
    """The recorded order of each row, and of its label where that came by itself; None without any."""
    none = pa.nulls(len(rows), pa.string())
    own = rows.column(SEQUENCE).cast(pa.string()) if SEQUENCE in rows.schema.names else none
    of_label = none
    if arrived is not None and contract.key is not None:
        place = pc.index_in(rows.column(contract.key).cast(pa.string()), arrived.key)
        of_label = arrived.sequence.take(place).cast(pa.string())
    return Recorded.of(own, of_label)


def _merged(
    found: tuple[NDArray[np.float64], NDArray[np.int64]],
    arrived: Labels,
    rows: pa.RecordBatch,
    time: NDArray[np.int64],
    contract: Contract,
    after: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Let labels that arrived by themselves go before those of the input's own column."""
    if contract.key is None:
        raise DataError(f"{contract.name} has no key, so labels cannot find their rows.")
    truth, known = found[0].copy(), np.where(found[1] < LATEST, found[1], later(time, after))
    at = pc.index_in(rows.column(contract.key).cast(pa.string()), arrived.key).fill_null(-1).to_numpy()
    hit = np.flatnonzero(at >= 0)
    truth[hit] = arrived.truth[at[hit]]
    said = arrived.known[at[hit]]
    known[hit] = np.where(said > time[hit], said, known[hit])
    return truth, after_event(known, time, np.isnan(truth))


def _strangers(arrived: Labels, rows: pa.RecordBatch, contract: Contract) -> Report:
    """Say how many labels are for events that are not here: often a sign of keys written in another way."""
    known = pc.is_in(arrived.key, rows.column(contract.key).cast(pa.string()))
    count = len(known) - int(known.true_count)
    verb = "is" if count == 1 else "are"
    return Report(
        notes=(f"{count:,} of the labels {verb} for no row here; they change nothing.",) * bool(count)
    )


def _before(
    solution: Solution, history: Any, job: Work, columns: Collection[str]
) -> tuple[pa.Table, Place, Report]:
    """Read what came before; what is wrong with it is said, and has no place in the input's own account."""
    apart = replace(job, quarantine=None)
    try:
        intake = Intake.open(solution, history, apart, labels_wanted=False)
        table, places, report = intake.gather_placed(sorted(columns))
    except DataError as error:
        raise DataError(f"The history is refused: {error.message}", error.hint) from None
    if not report.rows_quarantined and not report.rows_duplicate:
        return table, places, Report()
    note = (
        f"History: {report.rows_clean:,} rows read, {report.rows_quarantined:,} bad, "
        f"{report.rows_duplicate:,} duplicate."
    )
    return table, places, Report(notes=(note,))


def _earlier(before: pa.Table, places: Place, contract: Contract) -> pa.Table | None:
    """Return the keys of a history as `Intake.gather_placed` wants them."""
    if contract.key is None:
        return None
    time = pa.nulls(len(before), pa.int64())
    if contract.event_time is not None:
        time = before.column(contract.event_time).cast(pa.int64())
    keys = pa.table({"key": before.column(contract.key), "time": time, "record": places.record})
    return keys.filter(pc.is_valid(keys["key"]))


def _ids(rows: pa.RecordBatch, contract: Contract, places: Place) -> pa.Array:
    key = (
        pa.nulls(len(rows), pa.string())
        if contract.key is None
        else rows.column(contract.key).cast(pa.string())
    )
    return key if not key.null_count else pc.coalesce(key, places.names())
