"""What a stream counts of itself while it runs: cheap to feed, bounded over days, read at any moment."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from prometheus_client.metrics_core import Metric

from tallystick.streams.stats_alerts import NEWEST, Alerts, as_alerts
from tallystick.streams.stats_coded import NONE, EncodedNames, encode_names, short
from tallystick.streams.stats_latency import chart_bars, count_latencies, summarise
from tallystick.streams.stats_metrics import StreamMetrics, TaskCounts
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
            events = int(tasks.counts().max(initial=0))
        latency = np.maximum(at - arrived, 0)
        counts = count_latencies(latency)
        total, longest = int(latency.sum()), int(latency.max(initial=0))
        alerting = np.array([name not in self._harmless for name in actions.names], np.bool_)
        rows = actions.where(alerting) if alerting.any() else NOWHERE
        metrics = self._metrics
        with self._lock:
            metrics.commits.inc()
            for counter, many in (
                (metrics.quarantined, bad),
                (metrics.duplicates, duplicates),
                (metrics.late, late),
            ):
                if many:
                    counter.inc(many)
            if not len(arrived):
                return
            metrics.events.inc(events)
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
                metrics.alerts.inc(len(rows))
                self._alerts.add(at, decisions, rows, latency)

    def noted(
        self,
        lag: int | None,
        queued: int,
        marks: Mapping[str, int],
        *,
        notices: Mapping[str, Mapping[str, int]] | None = None,
    ) -> None:
        """Hear how things stand; to be called now and then, also when nothing comes.

        lag: records that wait to be taken, None where that is not known; queued: taken and not yet
        committed; marks: sink → entries of the log that it has yet to get; notices: channel → state → how
        many in all.
        """
        now = self._clock()
        with self._lock:
            self._metrics.set_lag(lag)
            self._metrics.queued.set(queued)
            self._metrics.set_behind(marks)
            if notices is not None:
                self._metrics.set_notices(notices)
            if lag is not None:
                self._series.waits(now, lag)

    def said(self, note: str, before: str | None = None) -> None:
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
        with self._lock:
            now = max(self._clock(), self._last)
            values = self._metrics.values()
            latency = self._metrics.latency
            counts, total, longest = latency.counts.copy(), latency.total, latency.longest
            rate_now, latency_now = self._recent.rate(now), self._recent.tails(now)
            series, seconds = self._series.columns(now), self._series.seconds
            alerts, notes = self._alerts.newest(), tuple(self._notes)
            busy = (self._last - self._first) / 1e6 if self._first is not None else 0.0

        def one(name: str) -> int:
            return int(values[name][()])

        events, actions = one("events_total"), _nested(values.get("decisions_total", {}))
        lag = values.get("lag_records")
        return StreamSnapshot(
            self._solution,
            started=self._started,
            now=now,
            events=events,
            decisions=sum(sum(names.values()) for names in actions.values()),
            bad=one("quarantined_total"),
            duplicates=one("duplicates_total"),
            late=one("late_total"),
            commits=one("commits_total"),
            rate=events / max(busy, 0.001) if events else 0.0,
            rate_now=rate_now,
            latency=summarise(counts, total, longest),
            latency_now=latency_now,
            labels=_nested(values.get("labels_total", {})),
            actions=actions,
            departments=_flat(values.get("routed_total", {})),
            alerted=one("alerts_total"),
            alerts=as_alerts(alerts),
            lag=None if lag is None else int(lag[()]),
            queued=one("queued_records"),
            behind=_flat(values.get("sink_behind_entries", {})),
            notices=_nested(values.get("notices_total", {})),
            notes=notes,
            distribution=chart_bars(counts),
            seconds=seconds,
            series=series,
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


def _flat(values: Mapping[tuple[str, ...], float]) -> dict[str, int]:
    return {name: int(value) for (name,), value in values.items()}


def _nested(values: Mapping[tuple[str, ...], float]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (outer, inner), value in values.items():
        found.setdefault(outer, {})[inner] = int(value)
    return found


def _words(note: str) -> str:
    return short(" ".join(note.split()))
