"""When it became known what an event was: a label is an event of its own, later than the one it is of."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.contracts import Contract
from tallystick.contracts.zones import LATEST
from tallystick.scorer.scorer import times

__all__ = ["after_event", "later", "own_labels"]

Micros = NDArray[np.int64]


def own_labels(
    rows: pa.RecordBatch, time: Micros, contract: Contract, after: int
) -> tuple[NDArray[np.float64], Micros]:
    """Return what the label column of clean rows says, and when that became known.

    time: event times, microseconds; after: how long after its event a label becomes known where nothing says
    when, microseconds. The truth is 1 and 0, NaN where unknown; what is not known has the latest time.
    """
    label = contract.labels[0] if contract.labels else None
    if label is None or label not in rows.schema.names:
        return np.full(len(rows), np.nan), np.full(len(rows), LATEST)
    truth = rows.column(label).cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
    said = times(rows, contract.known_at)
    # A label cannot have been known before its event: such a time says nothing.
    known = np.where((said < LATEST) & (said > time), said, later(time, after))
    return truth, after_event(known, time, np.isnan(truth))


def later(time: Micros, after: int) -> Micros:
    """Return times some microseconds on; the latest of all stays.

    >>> later(np.array([5, LATEST]), 2).tolist() == [7, LATEST]
    True
    """
    return np.where(time > LATEST - after, LATEST, np.minimum(time, LATEST - after) + after)


def after_event(known: Micros, time: Micros, none: NDArray[np.bool_]) -> Micros:
    """Return when labels were known, never at their event's own moment or before it.

    Nothing is known of an event then: that would be the answer itself. none: where there is no label.
    """
    soonest = np.where(time < LATEST, np.minimum(time, LATEST - 1) + 1, LATEST)
    return np.where(none, LATEST, np.maximum(known, soonest))
