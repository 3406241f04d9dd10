"""When answers became known: a label is an event of its own, later than the one it is of."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.contracts import Contract
from tallystick.contracts.zones import LATEST

__all__ = ["after_event", "event_times", "flag_labels", "label_times", "later"]

Micros = NDArray[np.int64]


def event_times(clean: pa.RecordBatch, event_time: str | None) -> Micros:
    """Return the event times as microseconds, the latest of all where there is none."""
    if event_time is None or event_time not in clean.schema.names:
        return np.full(len(clean), LATEST)
    found: Micros = clean.column(event_time).cast(pa.int64()).fill_null(LATEST).to_numpy()
    return found


def label_times(
    rows: pa.RecordBatch, time: Micros, contract: Contract, delay: int, unlabelled: NDArray[np.bool_]
) -> Micros:
    """Return when the labels of rows became known, microseconds, the latest of all where there is none.

    time: event times, microseconds; delay: how long after its event a label becomes known where nothing says
    when. Where a contract says neither when nor how late labels are known, they came with their rows.
    """
    if contract.known_at is None and not delay:
        return np.where(unlabelled, LATEST, np.where(time < LATEST, time, np.iinfo(np.int64).min))
    said = event_times(rows, contract.known_at)
    # A label cannot have been known before its event: such a time says nothing.
    known = np.where((said < LATEST) & (said > time), said, later(time, delay))
    return after_event(known, time, unlabelled)


def flag_labels(
    rows: pa.RecordBatch, time: Micros, contract: Contract, delay: int
) -> tuple[NDArray[np.float64], Micros]:
    """Return what the main label of clean rows says (1, 0, NaN: unknown), and when that became known."""
    label = contract.labels[0] if contract.labels else None
    if (
        label is None
        or label not in rows.schema.names
        or not pa.types.is_boolean(rows.schema.field(label).type)
    ):
        return np.full(len(rows), np.nan), np.full(len(rows), LATEST)
    truth = rows.column(label).cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
    return truth, label_times(rows, time, contract, delay, np.isnan(truth))


def later(time: Micros, delay: int) -> Micros:
    """Return times some microseconds on; the latest of all stays.

    >>> later(np.array([5, LATEST]), 2).tolist() == [7, LATEST]
    True
    """
    return np.where(time > LATEST - delay, LATEST, np.minimum(time, LATEST - delay) + delay)


def after_event(known: Micros, time: Micros, unlabelled: NDArray[np.bool_]) -> Micros:
    """Return when labels were known, never at their event's own moment or before it.

    Nothing is known of an event then: that would be the answer itself.
    """
    soonest = np.where(time < LATEST, np.minimum(time, LATEST - 1) + 1, LATEST)
    return np.where(unlabelled, LATEST, np.maximum(known, soonest))
