"""What a stream counts, for Prometheus: a small HTTP endpoint of its own, on loopback unless told otherwise.

Labels are names of solutions, tasks, classes, actions, departments, sinks and channels: few, and never what
belongs to a record.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from tallystick.errors import UsageError
from tallystick.streams.stats import Stats
from tallystick.streams.stats_snapshot import StreamSnapshot

__all__ = ["Server", "StreamCollector", "start"]

HOST = "127.0.0.1"
Values: TypeAlias = Mapping[Any, float]  # by the values of the labels


class StreamCollector(Collector):
    """Turns what a stream shows of itself into metrics, whenever it is asked.

    >>> [one.name for one in StreamCollector(lambda: StreamSnapshot("fraud")).collect()][:2]
    ['tallystick_events', 'tallystick_decisions']
    """

    def __init__(self, snapshot: Callable[[], StreamSnapshot]) -> None:
        self._snapshot = snapshot

    def describe(self) -> Iterable[Metric]:
        """Name nothing beforehand: the registry holds this collector alone, and that of the process."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Give the metrics of this moment, all of the same one."""
        seen = self._snapshot()
        name = seen.solution
        yield _counter("events", "Records that were scored.", ["solution"], {(name,): seen.events})
        yield _counter(
            "decisions",
            "Decisions by task and action.",
            ["solution", "task", "action"],
            _flat(name, seen.actions),
        )
        yield _counter(
            "labels", "Decisions by task and label.", ["solution", "task", "label"], _flat(name, seen.labels)
        )
        if seen.departments:
            routed = {(name, department): count for department, count in seen.departments.items()}
            yield _counter("routed", "Decisions by department.", ["solution", "department"], routed)
        yield _counter(
            "alerts", "Decisions that ask for somebody to look.", ["solution"], {(name,): seen.alerted}
        )
        yield _counter(
            "quarantined",
            "Records that broke the contract and lie in quarantine.",
            ["solution"],
            {(name,): seen.bad},
        )
        yield _counter(
            "duplicates",
            "Records that had come before and got no second decision.",
            ["solution"],
            {(name,): seen.duplicates},
        )
        yield _counter("late", "Records scored after a later one.", ["solution"], {(name,): seen.late})
        yield _counter("commits", "Transactions.", ["solution"], {(name,): seen.commits})
        yield _latency(seen)
        if seen.lag is not None:
            yield _gauge("lag_records", "Records that wait in the source.", ["solution"], {(name,): seen.lag})
        yield _gauge(
            "queued_records", "Records taken and not yet committed.", ["solution"], {(name,): seen.queued}
        )
        behind = {(name, sink): count for sink, count in seen.behind.items()}
        yield _gauge(
            "sink_behind_entries",
            "Entries of the log that a sink has yet to get.",
            ["solution", "sink"],
            behind,
        )
        yield _counter(
            "notices",
            "Notifications by channel and what became of them.",
            ["solution", "channel", "state"],
            _flat(name, seen.notices),
        )
        yield _gauge(
            "started_timestamp_seconds",
            "When the stream was started, in seconds since 1970.",
            ["solution"],
            {(name,): seen.started / 1e6},
        )


class Server:
    """A running endpoint: `port` says where, `close` ends it."""

    def __init__(self, server: WSGIServer, thread: threading.Thread) -> None:
        self._server, self._thread = server, thread
        self.host, self.port = str(server.server_address[0]), int(server.server_port)

    @property
    def url(self) -> str:
        """Where the metrics are to be fetched."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/metrics"

    def close(self) -> None:
        """End it; may be called twice."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


def start(stats: Stats, host: str = HOST, port: int = 0) -> Server:
    """Serve the metrics of a stream; port 0 takes a free one.

    Raises UsageError where the address cannot be had.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StreamCollector(stats.snapshot))
    ProcessCollector(registry=registry)
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"Metrics cannot be served at {host}:{port}: {getattr(error, 'strerror', None) or error}.",
            "Give another port, or 0 for any that is free.",
        ) from error
    return Server(server, thread)


def _flat(solution: str, counts: Mapping[str, Mapping[str, int]]) -> dict[tuple[str, ...], int]:
    return {(solution, one, other): count for one, names in counts.items() for other, count in names.items()}


def _counter(name: str, words: str, labels: list[str], values: Values) -> Metric:
    metric = CounterMetricFamily(f"tallystick_{name}", words, labels=labels)
    for key, value in values.items():
        metric.add_metric(key, value)
    return metric


def _gauge(name: str, words: str, labels: list[str], values: Values) -> Metric:
    metric = GaugeMetricFamily(f"tallystick_{name}", words, labels=labels)
    for key, value in values.items():
        metric.add_metric(key, value)
    return metric


def _latency(seen: StreamSnapshot) -> Metric:
    metric = HistogramMetricFamily(
        "tallystick_latency_seconds",
        "Seconds from the arrival of a record to its committed decision.",
        labels=["solution"],
    )
    buckets = [(repr(bound), count) for bound, count in seen.cumulated]
    total = seen.latency.count
    metric.add_metric(
        [seen.solution],
        [*buckets, ("+Inf", total)],
        sum_value=(seen.latency.mean or 0.0) * total / 1000,
    )
    return metric
