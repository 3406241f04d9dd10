"""The figures of one stream as Prometheus metrics: the only place where they are kept.

Labels are names of solutions, tasks, classes, actions, departments, sinks and channels: few, and never what
belongs to a record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from tallystick.streams.stats_latency import BUCKETS, cumulative_counts

__all__ = ["MOST", "OTHERS", "LatencyHistogram", "StreamMetrics"]

#: What stands for all names beyond the most that are told apart.
OTHERS = "(others)"
MOST = 500  # names that one count tells apart
PREFIX = "tallystick_"


class LatencyHistogram(Collector):
    """Latencies by the fine buckets of `stats_latency`, of which Prometheus is shown a few.

    A `prometheus_client.Histogram` takes one value at a time: 1.4 µs for each record, and 1,440 buckets.
    counts: int64 (BUCKETS,); total, longest: microseconds.
    """

    def __init__(self, solution: str) -> None:
        self._solution = solution
        self.counts = np.zeros(BUCKETS, np.int64)
        self.total = self.longest = 0

    def add(self, counts: NDArray[np.int64], total: int, longest: int) -> None:
        """Add the latencies of one commit."""
        self.counts += counts
        self.total += total
        self.longest = max(self.longest, longest)

    def collect(self) -> Iterator[Metric]:
        """Yield the histogram."""
        metric = HistogramMetricFamily(
            f"{PREFIX}latency_seconds",
            "Seconds from the arrival of a record to its committed decision.",
            labels=["solution"],
        )
        buckets = [(repr(bound), float(count)) for bound, count in cumulative_counts(self.counts)]
        buckets.append(("+Inf", float(self.counts.sum())))
        metric.add_metric([self._solution], buckets, sum_value=self.total / 1e6)
        yield metric


class NamedCounts:
    """Counters by name, for a bounded number of names."""

    def __init__(self, family: Counter, *before: str) -> None:
        self._family, self._before = family, before
        self._counters: dict[str, Counter] = {}

    def add(self, names: Iterable[str], counts: NDArray[np.int64]) -> None:
        """Add the counts of names."""
        for name, count in zip(names, counts.tolist(), strict=True):
            if count:
                known = name if name in self._counters or len(self._counters) < MOST else OTHERS
                counter = self._counters.get(known)
                if counter is None:
                    counter = self._counters[known] = self._family.labels(*self._before, known)
                counter.inc(count)


class TaskCounts:
    """Counters by task and name, both bounded."""

    def __init__(self, family: Counter, solution: str) -> None:
        self._family, self._solution = family, solution
        self._tasks: dict[str, NamedCounts] = {}

    def add(self, task: str, names: Iterable[str], counts: NDArray[np.int64]) -> None:
        """Add the counts of names within a task."""
        known = task if task in self._tasks or len(self._tasks) < MOST else OTHERS
        if known not in self._tasks:
            self._tasks[known] = NamedCounts(self._family, self._solution, known)
        self._tasks[known].add(names, counts)


class StreamMetrics:
    """A registry with the counters, gauges and the histogram of one stream.

    started: microseconds UTC. Not thread-safe as a whole: whoever reads several together holds a lock.

    >>> metrics = StreamMetrics("orders", 0)
    >>> metrics.events.inc(3)
    >>> metrics.values()["events_total"]
    {(): 3.0}
    """

    def __init__(self, solution: str, started: int) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self._solution = solution
        self.events = self._counter("events", "Records that were scored.").labels(solution)
        self.actions = TaskCounts(
            self._counter("decisions", "Decisions by task and action.", "task", "action"), solution
        )
        self.labels = TaskCounts(
            self._counter("labels", "Decisions by task and label.", "task", "label"), solution
        )
        self.departments = NamedCounts(
            self._counter("routed", "Decisions by department.", "department"), solution
        )
        self.alerts = self._counter("alerts", "Decisions that ask for somebody to look.").labels(solution)
        self.quarantined = self._counter(
            "quarantined", "Records that broke the contract and lie in quarantine."
        ).labels(solution)
        self.duplicates = self._counter(
            "duplicates", "Records that had come before and got no second decision."
        ).labels(solution)
        self.late = self._counter("late", "Records scored after a later one.").labels(solution)
        self.commits = self._counter("commits", "Transactions.").labels(solution)
        self.latency = LatencyHistogram(solution)
        self.registry.register(self.latency)
        self._lag = self._gauge("lag_records", "Records that wait in the source.")
        self.queued = self._gauge("queued_records", "Records taken and not yet committed.").labels(solution)
        self._behind = self._gauge(
            "sink_behind_entries", "Entries of the log that a sink has yet to get.", "sink"
        )
        self._notices = self._counter(
            "notices", "Notifications by channel and what became of them.", "channel", "state"
        )
        self._gauge(
            "started_timestamp_seconds", "When the stream was started, in seconds since 1970."
        ).labels(solution).set(started / 1e6)

    def set_lag(self, lag: int | None) -> None:
        """Set the records that wait in the source; None, not known, shows no value rather than 0."""
        self._lag.clear()
        if lag is not None:
            self._lag.labels(self._solution).set(lag)

    def set_behind(self, behind: Mapping[str, int]) -> None:
        """Set how many entries each sink has yet to get."""
        self._behind.clear()
        for sink, entries in behind.items():
            self._behind.labels(self._solution, sink).set(entries)

    def set_notices(self, totals: Mapping[str, Mapping[str, int]]) -> None:
        """Set how many notifications of each channel came to each state in all."""
        self._notices.clear()
        for channel, states in totals.items():
            for state, total in states.items():
                self._notices.labels(self._solution, channel, state).inc(total)

    def collect(self) -> list[Metric]:
        """Return all metrics that have a value, without the times at which counters were made."""
        metrics = []
        for metric in self.registry.collect():
            metric.samples = [one for one in metric.samples if not one.name.endswith("_created")]
            if metric.samples:
                metrics.append(metric)
        return metrics

    def values(self) -> dict[str, dict[tuple[str, ...], float]]:
        """Return counters and gauges: name without prefix → labels after the solution → value."""
        found: dict[str, dict[tuple[str, ...], float]] = {}
        for metric in self.collect():
            if metric.type != "histogram":
                for sample in metric.samples:
                    labels = tuple(sample.labels.values())[1:]
                    found.setdefault(sample.name.removeprefix(PREFIX), {})[labels] = sample.value
        return found

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(PREFIX + name, words, ["solution", *labels], registry=self.registry)

    def _gauge(self, name: str, words: str, *labels: str) -> Gauge:
        return Gauge(PREFIX + name, words, ["solution", *labels], registry=self.registry)
