"""Labels that arrive by themselves, such as chargebacks: which event, what it was, since when known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.contracts import Report
from tallystick.errors import DataError, UsageError
from tallystick.inputs.context import RunContext
from tallystick.jobs.open_input import open_input
from tallystick.learning.sequences import SEQUENCE
from tallystick.tasks import Solution

__all__ = ["Labels", "read_labels"]


@dataclass(frozen=True)
class Labels:
    """Labels in memory: key of the event, truth 1 or 0 (float64), known in microseconds (-1: unsaid).

    sequence: the recorded order as JSON text, null where there is none.
    """

    key: pa.Array
    truth: NDArray[np.float64]
    known: NDArray[np.int64]
    sequence: pa.Array
    report: Report


def read_labels(solution: Solution, source: Any, context: RunContext) -> Labels:
    """Read a file or a frame of labels; of several for one key the first in the file wins."""
    contract = solution.labels
    if contract is None:
        raise UsageError(f"{solution.name} takes no labels of their own.", "Leave --labels out.")
    assert contract.key is not None
    assert contract.known_at is not None
    needs = {contract.key: "which event a label is for", contract.labels[0]: "what it was"}
    # Options about the rows of the input are not about this file, nor is its quarantine.
    apart = replace(context, quarantine=None, mapping={}, max_quarantine=None)
    own = replace(solution, contract=contract)
    try:
        intake = open_input(own, source, apart, labels_wanted=True, needs=needs)
        table, report = intake.gather([*needs, contract.known_at, SEQUENCE])
    except DataError as error:
        raise DataError(f"The labels are refused: {error.message}", error.hint) from None
    truth = table.column(contract.labels[0]).combine_chunks().cast(pa.float64())
    known = table.column(contract.known_at).combine_chunks().cast(pa.int64())
    none = pa.nulls(len(table), pa.string())
    sequence = table.column(SEQUENCE).combine_chunks() if SEQUENCE in table.column_names else none
    usable = truth.is_valid().to_numpy(zero_copy_only=False)
    note = (
        f"Labels: {int(usable.sum()):,} read, {report.rows_quarantined:,} bad, "
        f"{report.rows_duplicate:,} duplicate."
    )
    return Labels(
        table.column(contract.key).combine_chunks().filter(pa.array(usable)),
        truth.to_numpy(zero_copy_only=False)[usable],
        known.fill_null(-1).to_numpy()[usable],
        sequence.filter(pa.array(usable)),
        Report(notes=(note,)),
    )
