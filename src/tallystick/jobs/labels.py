"""Labels that arrive by themselves, such as chargebacks: which event, what it was, since when known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.config import Settings
from tallystick.contracts import Column, Report
from tallystick.contracts.column import fold
from tallystick.contracts.event_values import event_flags
from tallystick.contracts.numbers import FLAGS
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


def _listed(label: Column, settings: Settings) -> bool:
    """Return what the setting `listed` says: yes, no, a name of the label, or a value that `event` names."""
    word = settings.listed.strip().casefold()
    if fold(word) in {fold(name) for name in (label.name, *label.aliases)}:
        return True
    flags = event_flags(pa.array([word]), settings.event) if settings.event else pa.array([word])
    answer = FLAGS.get(flags[0].as_py())
    if answer is None:
        raise UsageError(
            f'listed="{settings.listed}" is no answer of {label.name}.', "Write --set listed=yes, or no."
        )
    return answer


def read_labels(solution: Solution, source: Any, context: RunContext) -> Labels:
    """Read a file or a frame of labels; of several for one key the first in the file wins."""
    contract = solution.labels
    if contract is None:
        raise UsageError(f"{solution.name} takes no labels of their own.", "Leave --labels out.")
    assert contract.key is not None
    assert contract.known_at is not None
    label, listed = contract.labels[0], context.settings.listed
    needs = {contract.key: "which event a label is for"}
    if not listed:
        needs[label] = "what it was"
    # Options about the rows of the input are not about this file, nor is its quarantine.
    apart = replace(context.beside("labels"), max_quarantine=None)
    own = replace(solution, contract=contract)
    try:
        reader = open_input(own, source, apart, labels_wanted=True, needs=needs)
        table, report = reader.gather([contract.key, label, contract.known_at, SEQUENCE])
    except DataError as error:
        hint = error.hint.replace('--map "', '--map "labels:')
        if f"missing: {label}" in error.message:
            hint += " Where all that is listed is of one kind: --set listed=yes."
        raise DataError(f"The labels are refused: {error.message}", hint) from None
    truth = table.column(label).combine_chunks().cast(pa.float64())
    if label not in report.columns:
        truth = pa.array(np.full(len(table), float(_listed(contract.column(label), context.settings))))
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
