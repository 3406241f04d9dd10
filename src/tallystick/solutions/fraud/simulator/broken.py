"""What goes wrong in real files, put into simulated rows: for tests of checks and quarantine."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tallystick.solutions.fraud.simulator.chance import Draws
from tallystick.solutions.fraud.simulator.preset import MILLION

__all__ = ["spoil"]

#: Column → what is put in its place; {} is what was there. Each is a row that cannot be used as it is, or one
#: that looks so and can.
_SPOILT: Final[dict[str, tuple[str | None, ...]]] = {
    "transaction_id": ("", None),
    "event_time": ("31/02/2025", "yesterday", "", None, "2999-12-31T00:00:00Z", "0000-00-00", "1e400"),
    "customer_id": ("", "  ", None),
    "terminal_id": ("", " {} "),
    "amount": ("12,3x", "{}{}", "", None, "NaN", "1e309", "57.1234567", "99999999999999999999", "twelve"),
    "currency": ("US$", "?", "usd"),
    "is_fraud": ("maybe", "2"),
    "label_known_at": ("never", "1999-13-01"),
}


def spoil(batch: pa.RecordBatch, share: float, draws: Draws) -> pa.RecordBatch:
    """Turn all columns into text and break one cell in a share of the rows.

    >>> batch = pa.RecordBatch.from_pydict({"amount": ["57.16"] * 2})
    >>> spoil(batch, 1.0, Draws(5))["amount"].to_pylist()
    ['12,3x', None]
    """
    columns = [_text(column) for column in batch.columns]
    names = batch.schema.names
    some = [name for name in names if name in _SPOILT]
    hit = np.flatnonzero(draws.happens(round(share * MILLION), batch.num_rows))
    which = draws.below(len(some), len(hit)) if some else hit
    for number, name in enumerate(some):
        rows = hit[which == number]
        at = names.index(name)
        chosen = draws.below(len(_SPOILT[name]), len(rows))
        was = columns[at].take(pa.array(rows)).to_pylist()
        put = [_SPOILT[name][one] for one in chosen]
        new = [value and value.replace("{}", old or "") for value, old in zip(put, was, strict=True)]
        mask = np.zeros(batch.num_rows, np.bool_)
        mask[rows] = True
        columns[at] = pc.replace_with_mask(columns[at], pa.array(mask), pa.array(new, pa.string()))
    return pa.RecordBatch.from_arrays(columns, names=names)


def _text(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        return pc.strftime(column.cast(pa.timestamp("s", "UTC")), "%Y-%m-%dT%H:%M:%SZ")
    return column.cast(pa.string())
