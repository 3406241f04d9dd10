"""Reads an input, its history and its labels as records."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
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
from tallystick.inputs.context import RunContext
from tallystick.inputs.frames import single_batch
from tallystick.inputs.places import RowPlaces
from tallystick.jobs.labels import Labels, read_labels
from tallystick.jobs.open_input import open_input
from tallystick.jobs.options import refuse_unused_maps
from tallystick.learning.records import Records
from tallystick.learning.sequences import SEQUENCE, Recorded
from tallystick.learning.settling import settled
from tallystick.tasks import Solution, Task
from tallystick.tasks.labels import after_event, event_times, label_times, later
from tallystick.windows import Windows

__all__ = ["columns_of", "history_errors", "label_delay", "read_records", "refuse_unused"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def columns_of(solution: Solution, tasks: Iterable[Task], *more: str) -> set[str]:
    """Return the columns of the contract that tasks, windows, rules and reports may read."""
    named = {name for task in tasks for name in (*task.columns, *task.target.judged_by, *task.target.columns)}
    if solution.windows is None and solution.rules is None:
        return named | set(more)
    return named | {*more, *(c.name for c in solution.contract.columns if not c.after_event)}


def refuse_unused(solution: Solution, **given: Any) -> None:
    """Raise UsageError for options that this solution has no use for."""
    unused = {
        "windows": solution.windows is None,
        "history": solution.windows is None,
        "labels": solution.labels is None,
    }
    for name, value in given.items():
        if value is not None and unused[name]:
            raise UsageError(f"{solution.name} has no use for --{name}.", "Leave it out.")


def label_delay(solution: Solution, context: RunContext) -> int:
    """Return how long after its event a label becomes known where nothing says when, in microseconds."""
    if not context.settings.label_delay:
        return solution.label_delay // timedelta(microseconds=1)
    return durations.parse(context.settings.label_delay)


def read_records(
    solution: Solution,
    source: Any,
    context: RunContext,
    columns: Collection[str],
    *,
    history: Any = None,
    labels: Any = None,
    output: Path | TablePlace | None = None,
    needs: dict[str, str] | None = None,
    labels_wanted: bool = False,
    known_by: datetime | None = None,
) -> Records:
    """Read an input, its history and its labels; bad rows go to quarantine, a key counts once.

    columns: of the contract, besides key, times and labels. output: what will be written from it: bad rows
    and duplicates, if there are any, go beside it. labels_wanted: whether a blank main label is a fault;
    known_by: the moment from which one looks back at what is known, that of the last event when None.
    """
    contract = solution.contract
    refuse_unused_maps(context, history=history, labels=labels)
    # A label that only INPUT must hold is no need of what came before it.
    history_needs = {name: why for name, why in (needs or {}).items() if name not in contract.labels}
    if isinstance(source, str) and is_state(source) and solution.windows is not None:
        logged = _of_stream(solution, source, context, columns, history=history, labels=labels)
        return settled(logged, context.settings, known_by)
    roles = {contract.key, contract.event_time, contract.known_at, contract.person, "sequence"}
    roles |= {*contract.labels[:1]} if contract.known_at or solution.labels else set()
    wanted = sorted({*columns, *(role for role in roles if role)} & {c.name for c in contract.columns})
    reader = open_input(solution, source, context, labels_wanted=labels_wanted, needs=needs or {})
    bad = duplicates = None
    if output is not None:
        bad, duplicates = beside(output, "quarantine"), beside(output, "duplicates")
        for path in (output, bad, duplicates):
            open_sink(path, source=reader.source)  # none may be the input
    earlier = None
    if history is not None:
        before, before_places, note, seen = _before(solution, history, context, wanted, history_needs)
        earlier = _earlier(before, before_places, contract)
    table, places, report = reader.gather_placed(wanted, quarantine=bad, aside=duplicates, earlier=earlier)
    given = np.ones(len(table), bool)
    if history is not None:
        _refuse_narrow(solution, report.columns, seen)
        report += note
        given = np.concatenate([np.zeros(len(before), bool), given])
        table, places = pa.concat_tables([before, table]), RowPlaces.joined([before_places, places])
    rows = single_batch(table, wide=table.nbytes > 2**31)
    time = event_times(rows, contract.event_time)
    delay = label_delay(solution, context)
    known = {
        name: label_times(
            rows, time, contract, delay, rows.column(name).is_null().to_numpy(zero_copy_only=False)
        )
        for name in contract.labels
        if name in rows.schema.names
    }
    arrived = None
    if labels is not None:
        arrived = read_labels(solution, labels, context)
        rows, known = _merged(rows, known, arrived, time, contract, delay)
        report += arrived.report + _strangers(arrived, rows, contract, learning=labels_wanted)
    recorded = _recorded(rows, arrived, contract)
    records = Records(
        contract, rows, _ids(rows, contract, places), given, time, known, report=report, recorded=recorded
    )
    return settled(records, context.settings, known_by)


def _of_stream(
    solution: Solution, uri: str, context: RunContext, columns: Collection[str], *, history: Any, labels: Any
) -> Records:
    """Read the log of a stream, which holds its labels and its order itself, after what had warmed it."""
    from tallystick.streams.log_input import log_records

    if labels is not None:
        raise UsageError("The log of a stream holds its labels.", "Leave --labels out.")
    contract = solution.contract
    roles = {contract.key, contract.event_time, contract.known_at, contract.person, *contract.labels[:1]}
    wanted = {*columns, *(role for role in roles if role)}
    before = None
    if history is not None:
        with history_errors():
            before = read_records(solution, history, context.beside("history"), columns)
    return log_records(uri, solution, wanted, label_delay(solution, context), before)


def _flag(rows: pa.RecordBatch, label: str) -> Floats:
    """Return a flag as 1, 0 and NaN."""
    values = rows.column(label).cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.array(values, np.float64)


def _with_flag(rows: pa.RecordBatch, label: str, truth: Floats) -> pa.RecordBatch:
    """Put 1, 0 and NaN back as a flag."""
    column = pa.array(truth == 1, mask=np.isnan(truth))
    return rows.set_column(rows.schema.get_field_index(label), rows.schema.field(label), column)


def _recorded(rows: pa.RecordBatch, arrived: Labels | None, contract: Contract) -> Recorded | None:
    """Return the recorded order of each row, and of its label where that came by itself; None without any."""
    none = pa.nulls(len(rows), pa.string())
    own = rows.column(SEQUENCE).cast(pa.string()) if SEQUENCE in rows.schema.names else none
    of_label = none
    if arrived is not None and contract.key is not None:
        place = pc.index_in(rows.column(contract.key).cast(pa.string()), arrived.key)
        of_label = arrived.sequence.take(place).cast(pa.string())
    return Recorded.of(own, of_label)


def _merged(
    rows: pa.RecordBatch,
    known: dict[str, Ints],
    arrived: Labels,
    time: Ints,
    contract: Contract,
    delay: int,
) -> tuple[pa.RecordBatch, dict[str, Ints]]:
    """Let labels that arrived by themselves go before those of the input's own column."""
    if contract.key is None:
        raise DataError(f"{contract.name} has no key, so labels cannot find their rows.")
    label = contract.labels[0]
    truth = _flag(rows, label)
    moments = np.where(known[label] < LATEST, known[label], later(time, delay))
    at = pc.index_in(rows.column(contract.key).cast(pa.string()), arrived.key).fill_null(-1).to_numpy()
    hit = np.flatnonzero(at >= 0)
    truth[hit] = arrived.truth[at[hit]]
    said = arrived.known[at[hit]]
    moments[hit] = np.where(said > time[hit], said, moments[hit])
    return _with_flag(rows, label, truth), known | {label: after_event(moments, time, np.isnan(truth))}


def _strangers(arrived: Labels, rows: pa.RecordBatch, contract: Contract, *, learning: bool) -> Report:
    """Say how many labels are for records that are not here: often a sign of keys written in another way.

    learning: whether the labels are what matters; DataError then where none is for a record here.
    """
    keys = rows.column(contract.key).cast(pa.string())
    known = pc.is_in(arrived.key, keys)
    count = len(known) - int(known.true_count)
    if not count:
        return Report()
    if count < len(known):
        verb = "is" if count == 1 else "are"
        return Report(notes=(f"{count:,} of the labels {verb} for no row here; they change nothing.",))
    some = (one.drop_null()[:3].to_pylist() for one in (arrived.key, keys))
    theirs, ours = (", ".join(f'"{key}"' for key in few) or "none" for few in some)
    words = f"None of {count:,} labels is for a row here. Keys of labels: {theirs}; of rows: {ours}."
    if not learning:
        return Report(notes=(words,))
    raise DataError(
        words,
        f"Say which columns hold the key that both have: --map THEIRS={contract.key} for the input, "
        f'--map "labels:THEIRS={contract.key}" for the labels.',
    )


@contextmanager
def history_errors() -> Iterator[None]:
    """Say of what is wrong with a history that it is of the history, with the --map that is its own."""
    try:
        yield
    except DataError as error:
        hint = error.hint.replace('--map "', '--map "history:')
        raise DataError(f"The history is refused: {error.message}", hint) from None


def _before(
    solution: Solution, history: Any, context: RunContext, columns: Collection[str], needs: dict[str, str]
) -> tuple[pa.Table, RowPlaces, Report, tuple[str, ...]]:
    """Read what came before, and say which columns it has; what is wrong with it is said as a note."""
    with history_errors():
        reader = open_input(solution, history, context.beside("history"), labels_wanted=False, needs=needs)
        table, places, report = reader.gather_placed(sorted(columns))
    if not report.rows_quarantined and not report.rows_duplicate:
        return table, places, Report(), report.columns
    note = (
        f"History: {report.rows_clean:,} rows read, {report.rows_quarantined:,} bad, "
        f"{report.rows_duplicate:,} duplicate."
    )
    return table, places, Report(notes=(note,)), report.columns


def _refuse_narrow(solution: Solution, there: Collection[str], before: Collection[str]) -> None:
    """Raise DataError where windows read columns of the input that its history lacks."""
    if solution.windows is None:
        return
    read = Windows.read(solution.windows, solution.window_roles)
    amounts = set(solution.contract.money)
    wanted = {*read.entities, *read.columns}.intersection(there) - {read.currency}
    missing = sorted(wanted.difference(before))
    if missing and set(missing) & {*read.entities, str(read.roles.event_time), *amounts}:
        raise DataError(
            f"The history is refused: it lacks {', '.join(missing)}, which the input has and windows read.",
            f'Say which column it is: --map "history:THEIRS={missing[0]}".',
        )


def _earlier(before: pa.Table, places: RowPlaces, contract: Contract) -> pa.Table | None:
    """Return the keys of a history as `InputReader.gather_placed` wants them."""
    if contract.key is None:
        return None
    time = pa.nulls(len(before), pa.int64())
    if contract.event_time is not None:
        time = before.column(contract.event_time).cast(pa.int64())
    keys = pa.table({"key": before.column(contract.key), "time": time, "record": places.record})
    return keys.filter(pc.is_valid(keys["key"]))


def _ids(rows: pa.RecordBatch, contract: Contract, places: RowPlaces) -> pa.Array:
    key = (
        pa.nulls(len(rows), pa.string())
        if contract.key is None
        else rows.column(contract.key).cast(pa.string())
    )
    return key if not key.null_count else pc.coalesce(key, places.names())
