"""When a row counts: from when on either of its answers could have been known, not only the one that came.

Frauds are reported within days, and that a payment was good shows in weeks: whoever takes each label as it
comes learns the newest days from frauds alone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick import durations
from tallystick.config import Settings
from tallystick.contracts.zones import LATEST, micros
from tallystick.learning.records import Records
from tallystick.tasks.labels import later

__all__ = ["settled"]

#: Share of the labels of one answer that has come when that answer counts as one that could be known.
MOST = 0.95
#: Of the test of Kolmogorov and Smirnov at 1 %: waits that differ by less differ by chance.
CRITICAL = 1.63

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


def settled(records: Records, settings: Settings, as_of: datetime | None = None) -> Records:
    """Return records of which silence is an answer where the settings say so, and that say when each counts.

    With `good_after`, a row without a label is good that long after its event. A row counts from when its
    label was known, and not before the other answers could have been: after `good_after`, and, where answers
    do not come alike, after the time within which 95 % of the slowest came. Where rows still wait for their
    answer at `as_of` (None: the time of the last event), those as new as they do not count at all.
    """
    now = int(records.time[records.time < LATEST].max(initial=0)) if as_of is None else micros(as_of)
    last = LATEST - 1 if as_of is None else now  # what came later is unknown, its answer included
    counts: dict[str, Ints] = {}
    for label in records.known:
        codes = _codes(records.rows.column(label))
        if codes is None:
            continue
        codes = np.where(records.known[label] > last, -1, codes)
        unknown = codes < 0
        wait = _wait(codes, records.time, records.known[label])
        silence = durations.parse(settings.good_after) if settings.good_after and label == records.flag else 0
        if silence:
            wait = max(wait, silence)
            records = _silent(records, label, later(records.time, silence), now)
        if not wait:
            continue
        dated = records.time < LATEST
        either = later(records.time, wait)
        waiting = dated & (either > now)
        moments = np.maximum(records.known[label], np.where(dated, either, records.known[label]))
        if (unknown & waiting).any():
            moments[waiting] = LATEST
        counts[label] = moments
    return replace(records, counts=counts)


def _codes(column: pa.Array) -> Ints | None:
    """Return an answer as a code, -1 where there is none; None for amounts, which are no answers of a few."""
    if pa.types.is_boolean(column.type):
        return column.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        indices = column.dictionary_encode().indices.cast(pa.int64())
        return indices.fill_null(-1).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]
    return None


def _wait(codes: Ints, time: Ints, known: Ints) -> int:
    """Return the microseconds within which most labels of each answer came, 0 where answers come alike."""
    came = (codes >= 0) & (time < LATEST)
    waited, codes = (known - np.where(came, time, 0))[came], codes[came]
    answers = np.unique(codes)
    if not any(_differ(waited[codes == answer], waited[codes != answer]) for answer in answers):
        return 0
    return max(int(np.quantile(waited[codes == answer], MOST, method="higher")) for answer in answers)


def _differ(some: Ints, others: Ints) -> bool:
    """Say whether two samples of waits differ: by the Kolmogorov-Smirnov test, and by a tenth at least."""
    if not len(some) or not len(others):
        return False
    every = np.unique(np.concatenate([some, others]))
    shares = [np.searchsorted(np.sort(one), every, side="right") / len(one) for one in (some, others)]
    critical = CRITICAL * np.sqrt(1 / len(some) + 1 / len(others))
    return bool(np.abs(shares[0] - shares[1]).max() > max(critical, 0.1))


def _silent(records: Records, label: str, moment: Ints, now: int) -> Records:
    """Count what nobody complained of in time as good, from `moment` on."""
    column = records.rows.column(label)
    good = column.is_null().to_numpy(zero_copy_only=False) & (moment <= now)
    values = column.fill_null(False).to_numpy(zero_copy_only=False)
    unknown = column.is_null().to_numpy(zero_copy_only=False) & ~good
    rows = records.rows.set_column(
        records.rows.schema.get_field_index(label),
        records.rows.schema.field(label),
        pa.array(values, mask=unknown),
    )
    known = {**records.known, label: np.where(good, moment, records.known[label])}
    return replace(records, rows=rows, known=known)
