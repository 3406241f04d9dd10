"""Which records come again under the same key: relational work, so that every engine answers the same."""

from __future__ import annotations

from typing import Any

import narwhals as nw

__all__ = ["duplicates"]


def duplicates(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Find the records of an event contract that are not the first with their key.

    frame: columns `key` (text, no nulls), `time` (int64 microseconds, null: none), `place` (int64, rises with
    the place). The first by time stays, a record without a time comes last, then the place decides. Returns
    `place` of each record to set apart and `kept`, the place of the one that stays.
    """
    late = nw.lit(2**63 - 1)
    again = frame.with_columns(time=nw.coalesce(nw.col("time"), late)).filter(nw.len().over("key") > 1)
    first = again.filter(nw.col("time") == nw.col("time").min().over("key"))
    kept = first.group_by("key").agg(kept=nw.col("place").min())
    return (
        again.join(kept, on="key", how="left")
        .filter(nw.col("place") != nw.col("kept"))
        .select("place", "kept")
        .sort("place")
    )
