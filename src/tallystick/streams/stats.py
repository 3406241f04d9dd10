"""What a stream counts of itself while it runs: cheap to feed, bounded over days, read at any moment."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.streams.stats_alerts import NEWEST, Alerts, in_words
from tallystick.streams.stats_coded import NONE, Coded, coded, short
from tallystick.streams.stats_latency import BUCKETS, counted, cumulated, drawn, tails
from tallystick.streams.stats_series import Recent, Series
from tallystick.streams.stats_snapshot import Note, StreamSnapshot

__all__ = ["OTHERS", "QUIET", "Stats"]

#: Actions that ask for nobody.
QUIET = ("accept", "auto", "control", "skip")
#: What stands for all names beyond the most that are told apart.
OTHERS = "(others)"
MOST = 500  # names that one count tells apart
NOWHERE = np.empty(0, np.int64)


def _now() -> int:
    return time.time_ns() // 1000


class Stats:
    """Counts what a stream commits. Thread-safe.

    solution: its name; quiet: actions that are no alert; clock: microseconds UTC.

    >>> stats = Stats("fraud", clock=lambda: 2_000_000)
    >>> batch = pa.record_batch({"task": ["fraud"], "label": ["yes"], "action": ["review"], "id": ["T1"]})
    >>> stats.committed(batch, np.array([1_990_000]), 2_000_000, bad=1, duplicates=0, late=0)
    >>> seen = stats.snapshot()
    >>> seen.events, seen.bad, seen.actions, round(seen.latency.p50)
    (1, 1, {'fraud': {'review': 1}}, 10)
    """

    def __init__(
        self, solution: str, *, quiet: Collection[str] = QUIET, clock: Callable[[], int] = _now
    ) -> None:
        self._solution, self._quiet, self._clock = solution, frozenset([*quiet, NONE]), clock
        self._lock = threading.Lock()
        self._started = self._last = clock()
        self._first: int | None = None
        self._events = self._decisions = self._commits = 0
        self._bad = self._duplicates = self._late = 0
        self._counts = np.zeros(BUCKETS, np.int64)
        self._total = self._longest = 0
        self._series, self._recent = Series(self._started), Recent(self._started)
        self._labels: dict[str, dict[str, int]] = {}
        self._actions: dict[str, dict[str, int]] = {}
        self._departments: dict[str, int] = {}
        self._alerts = Alerts()
        self._notes: deque[Note] = deque(maxlen=NEWEST)
        self._lag: int | None = None
        self._queued = 0
        self._behind: dict[str, int] = {}
        self._notices: dict[str, dict[str, int]] = {}

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
        tasks, actions = coded(decisions.column("task")), coded(decisions.column("action"))
        labels = coded(decisions.column("label"))
        departments = None
        if "route" in decisions.schema.names:
            departments = coded(decisions.column("route").flatten()[0])
        if events is None:
            events = int(tasks.counts().max(initial=0))
        latency = np.maximum(at - arrived, 0)
        counts = counted(latency)
        total, longest = int(latency.sum()), int(latency.max(initial=0))
        loud = np.array([name not in self._quiet for name in actions.names], np.bool_)
        rows = actions.where(loud) if loud.any() else NOWHERE
        with self._lock:
            self._commits += 1
            self._bad += bad
            self._duplicates += duplicates
            self._late += late
            if not len(arrived):
                return
            self._events += events
            self._decisions += len(arrived)
            if self._first is None:
                self._first = max(int(arrived.min()), self._started)
            self._last = max(self._last, at)
            self._counts += counts
            self._total += total
            self._longest = max(self._longest, longest)
            self._recent.add(at, events, counts, total, longest)
            self._series.add(at, events, counts, len(rows))
            _count(self._actions, tasks, actions)
            _count(self._labels, tasks, labels)
            if departments is not None:
                _add(self._departments, departments.names, departments.counts())
            if len(rows):
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
            self._lag, self._queued, self._behind = lag, queued, dict(marks)
            if notices is not None:
                self._notices = {channel: dict(states) for channel, states in notices.items()}
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

    def snapshot(self) -> StreamSnapshot:
        """Say how things stand."""
        more = True
        while more:
            with self._lock:  # let go of in between: a commit never waits for all of it
                more = self._series.work()
        with self._lock:
            now = max(self._clock(), self._last)
            alerts = self._alerts.newest()
            busy = (self._last - self._first) / 1e6 if self._first is not None else 0.0
            counts = self._counts.copy()
            total, longest = self._total, self._longest
            shown: dict[str, Any] = {
                "started": self._started,
                "now": now,
                "events": self._events,
                "decisions": self._decisions,
                "bad": self._bad,
                "duplicates": self._duplicates,
                "late": self._late,
                "commits": self._commits,
                "rate": self._events / max(busy, 0.001) if self._events else 0.0,
                "rate_now": self._recent.rate(now),
                "latency_now": self._recent.tails(now),
                "labels": {task: dict(names) for task, names in self._labels.items()},
                "actions": {task: dict(names) for task, names in self._actions.items()},
                "departments": dict(self._departments),
                "alerted": self._alerts.total,
                "lag": self._lag,
                "queued": self._queued,
                "behind": self._behind,
                "notices": self._notices,
                "notes": tuple(self._notes),
                "series": self._series.columns(now),
                "seconds": self._series.seconds,
            }
        return StreamSnapshot(
            self._solution,
            latency=tails(counts, total, longest),
            alerts=in_words(alerts),
            distribution=drawn(counts),
            cumulated=cumulated(counts),
            **shown,
        )


def _count(kept: dict[str, dict[str, int]], tasks: Coded, seen: Coded) -> None:
    """Add the counts of names, for each task."""
    if len(tasks.names) == 1:
        counts = seen.counts()[None]
    else:
        codes = tasks.full() * len(seen.names) + seen.full()
        counts = np.bincount(codes, minlength=len(tasks.names) * len(seen.names))
        counts = counts.reshape(len(tasks.names), len(seen.names))
    for i, task in enumerate(tasks.names):
        name = task if task in kept or len(kept) < MOST else OTHERS
        _add(kept.setdefault(name, {}), seen.names, counts[i])


def _add(kept: dict[str, int], names: list[str], counts: NDArray[np.int64]) -> None:
    for name, count in zip(names, counts.tolist(), strict=True):
        if count:
            known = name if name in kept or len(kept) < MOST else OTHERS
            kept[known] = kept.get(known, 0) + count


def _words(note: str) -> str:
    return short(" ".join(note.split()))
