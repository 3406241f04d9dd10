"""Open the INPUT of a verb for a solution; the log of a stream is an input as well."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from tallystick.connectors.database import is_state
from tallystick.contracts import Report
from tallystick.contracts.inference import ColumnTypes
from tallystick.errors import UsageError
from tallystick.inputs.context import RunContext
from tallystick.inputs.joined import JoinedColumns
from tallystick.inputs.reader import InputReader
from tallystick.jobs.joined_tables import find_tables, read_joined
from tallystick.tasks import Solution

__all__ = ["open_input", "with_unnamed_columns"]


def open_input(
    solution: Solution,
    source: Any,
    context: RunContext,
    *,
    labels_wanted: bool | tuple[str, ...],
    needs: dict[str, str] | None = None,
) -> InputReader:
    """Open a path, a frame or the log of a stream, without reading it yet; UsageError when it is not there.

    Joined tables are read with the first row.

    labels_wanted, needs: as in `InputReader`.
    """
    if isinstance(source, (str, Path)) and is_state(str(source)):
        from tallystick.streams.log_input import log_table  # few inputs are logs

        source = log_table(str(source), solution, context.settings)
    source, tables = find_tables(solution, source, context)

    @cache
    def join() -> tuple[tuple[JoinedColumns, ...], Report]:
        joined, notes = [], Report()
        for table in solution.joined_tables:
            if table.name in tables:
                one, said = read_joined(solution, tables[table.name], table, context, open_table)
                joined.append(one)
                notes += said
        return tuple(joined), notes

    return InputReader.open(
        solution.contract,
        source,
        context,
        horizon=solution.horizon_us,
        labels_wanted=labels_wanted,
        needs=needs,
        join=join,
    )


def open_table(table: Solution, source: Any, context: RunContext) -> InputReader:
    """Open the input of a joined table."""
    return open_input(table, source, context, labels_wanted=False)


def with_unnamed_columns(
    solution: Solution, source: Any, context: RunContext
) -> tuple[Solution, ColumnTypes | None]:
    """Return a solution whose open contract has the columns of an input, and their types.

    A solution whose contract is not open comes back as it is. Raises UsageError for standard input, which is
    read once.
    """
    if not solution.contract.open:
        return solution, None
    if str(source) == "-":
        raise UsageError(
            "The types of columns are read before the rows, and standard input is read once.", "Name a file."
        )
    types = open_input(solution, source, context, labels_wanted=False).infer_columns()
    return solution.opened(types), types
