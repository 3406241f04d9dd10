"""The figures of one stream: the only place where they are kept, and what Prometheus is shown of them.

Labels are names of solutions, tasks, classes, actions, departments, sinks and channels: few, and never what
belongs to a record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from tallystick.streams.stats_latency import BUCKETS, cumulative_counts

__all__ = ["MOST", "OTHERS", "LatencyHistogram", "StreamMetrics"]

#: What stands for all names beyond the bound.
OTHERS = "(others)"
MOST = 500  # names that one count tells apart
PREFIX = "tallystick_"


class LatencyHistogram:
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


class NameCounts(dict[str, int]):
    """Counts by name, for a bounded number of names; those beyond it share one.

    >>> counts = NameCounts()
    >>> counts.add(["call", "skip"], np.array([2, 0]))
    >>> counts
    {'call': 2}
    """

    def add(self, names: Iterable[str], counts: NDArray[np.int64]) -> None:
        """Add a count to each name that has any."""
        for name, count in zip(names, counts.tolist(), strict=True):
            if count:
                known = name if name in self or len(self) < MOST else OTHERS
                self[known] = self.get(known, 0) + count


class TaskCounts(dict[str, NameCounts]):
    """Counts by task and name, both bounded."""

    def add(self, task: str, names: Iterable[str], counts: NDArray[np.int64]) -> None:
        """Add the counts of names within a task."""
        known = task if task in self or len(self) < MOST else OTHERS
        if known not in self:
            self[known] = NameCounts()
        self[known].add(names, counts)

    def plain(self) -> dict[str, dict[str, int]]:
        """Return the counts as plain dictionaries."""
        return {task: dict(names) for task, names in self.items()}


@dataclass
class StreamMetrics:
    """Counters, gauges and latencies of one stream: plain values, and Prometheus metrics on request.

    A `prometheus_client.Counter` takes a lock for each step, and a registry makes all metrics anew to read
    one: together more than counting a small commit costs. started: microseconds UTC; lag: None where it is
    not known; behind: by sink; notices: by channel and state. Not thread-safe: whoever uses it holds a lock.

    >>> metrics = StreamMetrics("orders", 0)
    >>> metrics.events += 3
    >>> metrics.collect()[0].samples[0].value
    3
    """

    solution: str
    started: int
    events: int = 0
    decisions: int = 0
    alerts: int = 0
    quarantined: int = 0
    duplicates: int = 0
    late: int = 0
    commits: int = 0
    queued: int = 0
    lag: int | None = None
    actions: TaskCounts = field(default_factory=TaskCounts)
    labels: TaskCounts = field(default_factory=TaskCounts)
    departments: NameCounts = field(default_factory=NameCounts)
    behind: Mapping[str, int] = field(default_factory=dict)
    notices: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.latency = LatencyHistogram(self.solution)

    def collect(self) -> list[Metric]:
        """Return all metrics that have a value; a lag that is not known has none, rather than 0."""
        counter, gauge = CounterMetricFamily, GaugeMetricFamily
        metrics = [
            self._metric(counter, "events", "Records that were scored.", {(): self.events}),
            self._metric(
                counter, "decisions", "Decisions by task and action.", _nested(self.actions), "task", "action"
            ),
            self._metric(
                counter, "labels", "Decisions by task and label.", _nested(self.labels), "task", "label"
            ),
            self._metric(
                counter, "routed", "Decisions by department.", _flat(self.departments), "department"
            ),
            self._metric(counter, "alerts", "Decisions that ask for somebody to look.", {(): self.alerts}),
            self._metric(
                counter,
                "quarantined",
                "Records that broke the contract and lie in quarantine.",
                {(): self.quarantined},
            ),
            self._metric(
                counter,
                "duplicates",
                "Records that had come before and got no second decision.",
                {(): self.duplicates},
            ),
            self._metric(counter, "late", "Records scored after a later one.", {(): self.late}),
            self._metric(counter, "commits", "Transactions.", {(): self.commits}),
            *self.latency.collect(),
            self._metric(
                gauge,
                "lag_records",
                "Records that wait in the source.",
                {} if self.lag is None else {(): self.lag},
            ),
            self._metric(gauge, "queued_records", "Records taken and not yet committed.", {(): self.queued}),
            self._metric(
                gauge,
                "sink_behind_entries",
                "Entries of the log that a sink has yet to get.",
                _flat(self.behind),
                "sink",
            ),
            self._metric(
                counter,
                "notices",
                "Notifications by channel and what became of them.",
                _nested(self.notices),
                "channel",
                "state",
            ),
            self._metric(
                gauge,
                "started_timestamp_seconds",
                "When the stream was started, in seconds since 1970.",
                {(): self.started / 1e6},
            ),
        ]
        return [metric for metric in metrics if metric.samples]

    def _metric(
        self,
        family: type[CounterMetricFamily | GaugeMetricFamily],
        name: str,
        words: str,
        values: Mapping[tuple[str, ...], float],
        *labels: str,
    ) -> Metric:
        metric = family(PREFIX + name, words, labels=["solution", *labels])
        for names, value in values.items():
            metric.add_metric([self.solution, *names], value)
        return metric


def _flat(values: Mapping[str, int]) -> dict[tuple[str, ...], float]:
    return {(name,): value for name, value in values.items()}


def _nested(values: Mapping[str, Mapping[str, int]]) -> dict[tuple[str, ...], float]:
    return {(outer, name): value for outer, within in values.items() for name, value in within.items()}
