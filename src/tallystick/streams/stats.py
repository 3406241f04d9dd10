"""Statistics of a running stream: cheap to update, bounded over days, readable at any moment."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from prometheus_client.metrics_core import Metric

from tallystick.streams.stats_alerts import NEWEST, Alerts, as_alerts
from tallystick.streams.stats_latency import chart_bars, count_latencies, summarise
from tallystick.streams.stats_metrics import StreamMetrics, TaskCounts
from tallystick.streams.stats_names import NONE, EncodedNames, encode_names, short
from tallystick.streams.stats_series import Recent, Series
from tallystick.streams.stats_snapshot import Note, StreamSnapshot

__all__ = ["Stats"]

NOWHERE = np.empty(0, np.int64)


def _now() -> int:
    return time.time_ns() // 1000


class Stats:
    """Counts what a stream commits. Thread-safe.

    solution: its name; harmless: actions that ask for nobody, all others are alerts; clock: microseconds UTC.

    >>> stats = Stats("orders", harmless=["accept"], clock=lambda: 2_000_000)
    >>> batch = pa.record_batch({"task": ["risk"], "label": ["yes"], "action": ["review"], "id": ["T1"]})
    >>> stats.committed(batch, np.array([1_990_000]), 2_000_000, bad=1, duplicates=0, late=0)
    >>> seen = stats.snapshot()
    >>> seen.events, seen.bad, seen.actions, round(seen.latency.p50)
    (1, 1, {'risk': {'review': 1}}, 10)
    """

    def __init__(self, solution: str, *, harmless: Collection[str], clock: Callable[[], int] = _now) -> None:
        self._solution, self._harmless, self._clock = solution, frozenset([*harmless, NONE]), clock
        self._lock = threading.Lock()
        self._started = self._last = clock()
        self._first: int | None = None
        self._metrics = StreamMetrics(solution, self._started)
        self._series, self._recent = Series(self._started), Recent(self._started)
        self._alerts = Alerts()
        self._notes: deque[Note] = deque(maxlen=NEWEST)

    def committed(
        self,
        decisions: pa.RecordBatch,
        arrived: NDArray[np.int64],
        at: int,
        *,
        bad: int,
        duplicates: int,
        late: int,
        events: int | None = None,
    ) -> None:
        """Count one commit: its decisions, and what became of the other records.

        arrived: int64 (rows,), one for each decision, and at: when they were committed, microseconds UTC;
        events: records that the decisions are of, by default the decisions of one task.
        """
        if len(arrived) != decisions.num_rows:
            raise ValueError(f"{decisions.num_rows} decisions, but {len(arrived)} times of arrival")
        tasks, actions = encode_names(decisions.column("task")), encode_names(decisions.column("action"))
        labels = encode_names(decisions.column("label"))
        departments = None
        if "route" in decisions.schema.names:
            departments = encode_names(decisions.column("route").flatten()[0])
        if events is None:
            events = max(tasks.counts().tolist(), default=0)
        latency = np.maximum(at - arrived, 0)
        counts = count_latencies(latency)
        total, longest = int(latency.sum()), int(latency.max(initial=0))
        alerting = np.array([name not in self._harmless for name in actions.names], np.bool_)
        rows = actions.where(alerting) if alerting.any() else NOWHERE
        metrics = self._metrics
        with self._lock:
            metrics.commits += 1
            metrics.quarantined += bad
            metrics.duplicates += duplicates
            metrics.late += late
            if not len(arrived):
                return
            metrics.events += events
            metrics.decisions += len(arrived)
            if self._first is None:
                self._first = max(int(arrived.min()), self._started)
            self._last = max(self._last, at)
            metrics.latency.add(counts, total, longest)
            self._recent.add(at, events, counts, total, longest)
            self._series.add(at, events, counts, len(rows))
            _count(metrics.actions, tasks, actions)
            _count(metrics.labels, tasks, labels)
            if departments is not None:
                metrics.departments.add(departments.names, departments.counts())
            if len(rows):
                metrics.alerts += len(rows)
                self._alerts.add(at, decisions, rows, latency)

    def set_backlog(
        self,
        lag: int | None,
        queued: int,
        marks: Mapping[str, int],
        *,
        notices: Mapping[str, Mapping[str, int]] | None = None,
    ) -> None:
        """Set what waits at sources, sinks and channels; called regularly, also when nothing arrives.

        lag: records that wait to be taken, None where that is not known; queued: taken and not yet
        committed; marks: sink → entries of the log that it has yet to get; notices: channel → state → how
        many in all.
        """
        now = self._clock()
        with self._lock:
            self._metrics.lag, self._metrics.queued, self._metrics.behind = lag, queued, dict(marks)
            if notices is not None:
                self._metrics.notices = {channel: dict(states) for channel, states in notices.items()}
            if lag is not None:
                self._series.waits(now, lag)

    def add_note(self, note: str, before: str | None = None) -> None:
        """Keep a note: a source began anew, a model took over. The same one again is counted.

        before: the note in whose place it comes, of which it says a newer number.
        """
        words, now = _words(note), self._clock()
        with self._lock:
            if before is not None:
                for i, one in enumerate(self._notes):
                    if one.words == _words(before):
                        self._notes[i] = Note(one.at, words, one.times)
                        return
            if self._notes and self._notes[-1].words == words:
                self._notes[-1] = Note(now, words, self._notes[-1].times + 1)
            else:
                self._notes.append(Note(now, words))

    def collect(self) -> list[Metric]:
        """Return the metrics, all of one moment."""
        with self._lock:
            return self._metrics.collect()

    def snapshot(self) -> StreamSnapshot:
        """Return the figures of this moment."""
        more = True
        while more:
            with self._lock:  # let go of in between: a commit never waits for all of it
                more = self._series.work()
        metrics = self._metrics
        with self._lock:
            now = max(self._clock(), self._last)
            busy = (self._last - self._first) / 1e6 if self._first is not None else 0.0
            counts = metrics.latency.counts.copy()
            total, longest = metrics.latency.total, metrics.latency.longest
            alerts = self._alerts.newest()
            figures: dict[str, Any] = {
                "events": metrics.events,
                "decisions": metrics.decisions,
                "bad": metrics.quarantined,
                "duplicates": metrics.duplicates,
                "late": metrics.late,
                "commits": metrics.commits,
                "rate": metrics.events / max(busy, 0.001) if metrics.events else 0.0,
                "rate_now": self._recent.rate(now),
                "latency_now": self._recent.tails(now),
                "labels": metrics.labels.plain(),
                "actions": metrics.actions.plain(),
                "departments": dict(metrics.departments),
                "alerted": metrics.alerts,
                "lag": metrics.lag,
                "queued": metrics.queued,
                "behind": metrics.behind,
                "notices": metrics.notices,
                "notes": tuple(self._notes),
                "series": self._series.columns(now),
                "seconds": self._series.seconds,
            }
        return StreamSnapshot(
            self._solution,
            started=self._started,
            now=now,
            latency=summarise(counts, total, longest),
            alerts=as_alerts(alerts),
            distribution=chart_bars(counts),
            **figures,
        )


def _count(counters: TaskCounts, tasks: EncodedNames, seen: EncodedNames) -> None:
    """Add the counts of names, for each task."""
    if len(tasks.names) == 1:
        counts = seen.counts()[None]
    else:
        codes = tasks.full() * len(seen.names) + seen.full()
        counts = np.bincount(codes, minlength=len(tasks.names) * len(seen.names))
        counts = counts.reshape(len(tasks.names), len(seen.names))
    for task, row in zip(tasks.names, counts, strict=True):
        counters.add(task, seen.names, row)


def _words(note: str) -> str:
    return short(" ".join(note.split()))
