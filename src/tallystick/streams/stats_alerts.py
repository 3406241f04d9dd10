"""The newest alerts: kept as rows, and formatted when they are shown."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.streams.stats_names import NONE, short
from tallystick.streams.stats_snapshot import Alert

__all__ = ["NEWEST", "Alerts", "as_alerts"]

NEWEST = 20
SHOWN = ("id", "task", "label", "score", "action", "route", "reasons")
HELD = 20_480  # rows of commits that may be held for the sake of alerts in them


class CommitAlerts:
    """The alerts of one commit; its rows are extracted later, which costs more than counting them."""

    __slots__ = ("at", "held", "latency", "words")

    def __init__(
        self, at: int, decisions: pa.RecordBatch, rows: NDArray[np.int64], latency: list[int]
    ) -> None:
        self.at, self.latency = at, latency
        self.held: tuple[pa.RecordBatch, NDArray[np.int64] | None] = (decisions, rows)
        self.words: tuple[Alert, ...] | None = None

    def let_go(self) -> None:
        """Hold nothing but the rows themselves."""
        decisions, rows = self.held
        if rows is not None:
            names = [name for name in SHOWN if name in decisions.schema.names]
            self.held = (decisions.select(names).take(pa.array(rows)), None)

    def worded(self) -> tuple[Alert, ...]:
        """Return the alerts with their texts, made once."""
        if self.words is None:
            self.let_go()
            rows = self.held[0].to_pylist()
            self.words = tuple(_alert(self.at, *one) for one in zip(rows, self.latency, strict=True))
        return self.words


class Alerts:
    """The newest alerts of a stream. Not thread-safe, but what `newest` gives may be worded by anyone.

    >>> batch = pa.record_batch({"id": ["T1"], "task": ["risk"], "label": ["yes"], "action": ["review"]})
    >>> alerts = Alerts()
    >>> alerts.add(0, batch, np.array([0]), np.array([1_500]))
    >>> [(one.id, one.latency) for one in as_alerts(alerts.newest())]
    [('T1', 1.5)]
    """

    def __init__(self) -> None:
        self._kept: deque[CommitAlerts] = deque()

    def add(
        self, at: int, decisions: pa.RecordBatch, rows: NDArray[np.int64], latency: NDArray[np.int64]
    ) -> None:
        """Keep the alerts of a commit: which of its rows they are, and how long all of its rows took."""
        last = rows[-NEWEST:]
        self._kept.append(CommitAlerts(at, decisions, last, latency[last].tolist()))
        there = sum(len(one.latency) for one in self._kept)
        while there - len(self._kept[0].latency) >= NEWEST:
            there -= len(self._kept.popleft().latency)
        for one in list(self._kept)[:-1]:
            # A whole commit is held: many small ones may be, a large one only while it is the newest.
            if one.held[1] is not None and one.held[0].num_rows * NEWEST > HELD:
                one.let_go()

    def newest(self) -> list[CommitAlerts]:
        """Return what is kept, the newest last."""
        return list(self._kept)


def as_alerts(kept: list[CommitAlerts]) -> tuple[Alert, ...]:
    """Return alerts with their texts, the newest last, at most as many as are shown."""
    return tuple(alert for one in kept for alert in one.worded())[-NEWEST:]


def _alert(at: int, row: Mapping[str, Any], latency: int) -> Alert:
    reasons = tuple(filter(None, map(_reason, row.get("reasons") or ())))[:2]
    return Alert(
        at,
        short(str(row.get("id"))),
        row["task"],
        NONE if row["label"] is None else short(row["label"]),
        row.get("score"),
        row["action"],
        (row.get("route") or {}).get("department"),
        reasons,
        latency / 1000,
    )


def _reason(reason: Mapping[str, Any]) -> str:
    """Say a reason; nothing for one that has no words, which may be a word of the record's own text."""
    if reason.get("words"):
        return short(reason["words"])
    feature = str(reason["feature"])
    if feature.startswith("rule:"):
        return short(feature.replace(":", " ", 1))
    return "no text" if feature == "no_text" and reason["effect"] is None else ""
