"""The decision: what is written for one record and one task, column by column."""

from __future__ import annotations

import pyarrow as pa

from tallystick.scorer.routing import ROUTE

__all__ = ["REASON", "TIME", "decision_schema"]

TIME = pa.timestamp("us", tz="UTC")
REASON = pa.struct([("feature", pa.string()), ("value", pa.float64()), ("effect", pa.float64())])


def decision_schema(*, routes: bool, reasons: bool = True, all_scores: bool = False) -> pa.Schema:
    """Return the columns of decisions, in the order in which they are written.

    >>> decision_schema(routes=False).names[:5]
    ['id', 'event_time', 'task', 'label', 'score']
    """
    fields = [
        ("id", pa.string()),
        ("event_time", TIME),
        ("task", pa.string()),
        ("label", pa.string()),
        ("score", pa.float64()),
        ("action", pa.string()),
        *([("route", ROUTE)] if routes else []),
        *([("reasons", pa.list_(REASON))] if reasons else []),
        ("model", pa.string()),
        # Entity column to number; null for a solution that declares no windows.
        ("sequence", pa.map_(pa.string(), pa.int64())),
        ("late", pa.bool_()),
        *([("scores", pa.map_(pa.string(), pa.float64()))] if all_scores else []),
    ]
    return pa.schema(fields)
