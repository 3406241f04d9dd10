"""Reads the joined tables of a solution, and aggregates them for the rows of its main table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tallystick.contracts import Report
from tallystick.contracts.currencies import digits
from tallystick.engines.aggregates import aggregate, finish, words
from tallystick.errors import DataError, UsageError, did_you_mean
from tallystick.inputs.context import RunContext
from tallystick.inputs.joined import JoinedColumns
from tallystick.inputs.reader import InputReader
from tallystick.tasks import Solution, Table

__all__ = ["find_tables", "read_joined"]

#: Numbers are added up in millionths, amounts in minor units: whole numbers of 64 bits.
MILLIONTHS = 1e6
MOST = 9.2e12

Open = Callable[[Solution, Any, RunContext], InputReader]


def find_tables(solution: Solution, source: Any, context: RunContext) -> tuple[Any, dict[str, Any]]:
    """Return the main table's INPUT and the inputs of the joined tables: those of --table, or of a folder.

    A folder holds a file for each table, named as its contract. UsageError where a table is none of the
    solution's.
    """
    tables = {table.name: table for table in solution.joined_tables}
    for name in context.tables:
        if name not in tables:
            has = f'{solution.name} joins no table "{name}".'
            raise UsageError(has, did_you_mean(name, tables) if tables else "Leave --table out.")
    given = dict(context.tables)
    folder = Path(source) if isinstance(source, (str, Path)) else None
    if not tables or folder is None or not folder.is_dir():
        return source, given
    files = {path.name.split(".")[0]: path for path in sorted(folder.iterdir()) if path.is_file()}
    own = {table.name: files.get(table.contract.name, files.get(table.name)) for table in tables.values()}
    if solution.contract.name not in files or not any(own.values()):
        return source, given
    return files[solution.contract.name], {name: one for name, one in own.items() if one is not None} | given


def read_joined(
    solution: Solution, source: Any, table: Table, context: RunContext, open_input: Open
) -> tuple[JoinedColumns, Report]:
    """Read one joined table and aggregate it, with a note that accounts for its rows."""
    contract, beside = table.contract, replace(context.beside(table.name), max_quarantine=None)
    reader = open_input(replace(solution, contract=contract, tables=()), source, beside)
    reader.needs = {table.on: "which row of the main table a row belongs to"}
    wanted = {
        name: (one.function, one.column) for name, one in zip(table.names, table.aggregates, strict=True)
    }
    roles = (contract.key, contract.event_time, table.on)
    currencies = {
        contract.column(c).currency for _, c in wanted.values() if c and contract.column(c).currency
    }
    names = {
        *(name for name in roles if name),
        *(column for _, column in wanted.values() if column),
        *currencies,
    }
    try:
        rows, report = reader.gather(sorted(names))
    except DataError as error:
        hint = error.hint.replace('--map "', f'--map "{table.name}:')
        raise DataError(f"The table {table.name} is refused: {error.message}", hint) from None
    missing = sorted(c for _, c in wanted.values() if c and c not in report.columns)
    if missing:
        raise DataError(
            f"The table {table.name} is refused: it lacks {', '.join(missing)}.",
            f'Say which column it is: --map "{table.name}:THEIRS={missing[0]}".',
        )
    notes = [
        f"Table {table.name}: {report.rows_clean:,} rows read, {report.rows_quarantined:,} bad, "
        f"{report.rows_duplicate:,} duplicate."
    ]
    rows = _in_order(rows.combine_chunks(), contract.event_time, contract.key)
    scales: dict[str, float] = {}
    for name, (function, column) in wanted.items():
        if column:
            rows, scale = _countable(rows, table, function, column, context, notes)
            if scale is not None and function not in ("count", "distinct"):
                scales[name] = scale
    rows = rows.append_column("key", rows.column(table.on).cast(pa.string()))
    rows = rows.append_column("place", pa.array(np.arange(len(rows))))
    engine = context.engine
    partial = engine.collect(aggregate(engine.table(rows.filter(pc.is_valid(rows["key"]))), wanted))
    without = {name: 0 for name, (function, _) in wanted.items() if function in ("count", "distinct", "sum")}
    done = finish(partial, rows, wanted, scales)
    return (
        JoinedColumns(table.name, table.on, solution.contract, context.settings, done, without),
        Report(notes=tuple(notes)),
    )


def _in_order(rows: pa.Table, *by: str | None) -> pa.Table:
    """Sort rows by columns, those without a time last; rows that are equal in them keep their order."""
    keys = [(name, "ascending") for name in by if name and name in rows.column_names]
    if not keys:
        return rows
    index = pc.sort_indices(
        rows.append_column("place", pa.array(np.arange(len(rows)))), [*keys, ("place", "ascending")]
    )
    return rows.take(index)


def _countable(
    rows: pa.Table, table: Table, function: str, column: str, context: RunContext, notes: list[str]
) -> tuple[pa.Table, float | None]:
    """Make whole numbers of a column that is added up; return what its aggregate is divided by, if it is."""
    kind, adds = table.contract.column(column).type, function in ("sum", "mean")
    if kind == "money":
        values = _in_currency(rows, table, column, context, notes)
        rows = rows.set_column(rows.schema.get_field_index(column), column, values)
    if adds and f"{column}.high" not in rows.column_names:
        values = rows.column(column).combine_chunks()
        if kind == "number":
            values = _millionths(values, f"{table.name}: {column}")
        high, low = words(values)
        rows = rows.append_column(f"{column}.high", high).append_column(f"{column}.low", low)
    if function in ("count", "distinct"):
        return rows, None
    if kind == "money":
        return rows, 10.0 ** digits(context.settings.currency)
    return rows, MILLIONTHS if kind == "number" and adds else None


def _millionths(values: pa.Array, name: str) -> pa.Array:
    """Return numbers as whole millionths; DataError where one is too large for that."""
    largest = pc.max(pc.abs(values)).as_py()
    if largest is not None and not largest < MOST:
        raise DataError(
            f"{name} holds {largest:g}, which is too large to be added up exactly.",
            f"At most {MOST:g} can be: give it in a larger unit.",
        )
    return pc.round(pc.multiply(values, MILLIONTHS)).cast(pa.int64())


def _in_currency(
    rows: pa.Table, table: Table, column: str, context: RunContext, notes: list[str]
) -> pa.Array:
    """Return amounts in the setting `currency`; others are unknown, and said."""
    values, wanted = rows.column(column).combine_chunks(), context.settings.currency
    name = table.contract.column(column).currency
    if not name or name not in rows.column_names:
        return values
    others = pc.fill_null(pc.not_equal(rows.column(name), wanted), False).combine_chunks()
    count = int(others.true_count)
    if not count:
        return values
    if count == len(values):
        first = rows.column(name)[0].as_py()
        raise DataError(
            f"{table.name}: no {column} is in {wanted}.",
            f"Say which currency counts: --set currency={first}.",
        )
    note = f"Table {table.name}: {count:,} rows are not in {wanted}; their {column} is not counted."
    if note not in notes:
        notes.append(note)
    return pc.if_else(others, pa.scalar(None, values.type), values)
