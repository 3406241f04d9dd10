"""The metrics of a stream over HTTP, for Prometheus; on loopback unless another host is named."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from tallystick.errors import UsageError
from tallystick.streams.stats import Stats

__all__ = ["Server", "start"]

HOST = "127.0.0.1"


class _StreamCollector(Collector):
    """All metrics of a stream, of one moment."""

    def __init__(self, stats: Stats) -> None:
        self._stats = stats

    def describe(self) -> Iterable[Metric]:
        """Return nothing: the registry holds this collector alone, and that of the process."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Return the metrics."""
        return self._stats.collect()


class Server:
    """A running endpoint: `port` says where, `close` ends it."""

    def __init__(self, server: WSGIServer, thread: threading.Thread) -> None:
        self._server, self._thread = server, thread
        self.host, self.port = str(server.server_address[0]), int(server.server_port)

    @property
    def url(self) -> str:
        """The address of the metrics."""
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
    registry.register(_StreamCollector(stats))
    ProcessCollector(registry=registry)
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"Metrics cannot be served at {host}:{port}: {getattr(error, 'strerror', None) or error}.",
            "Give another port, or 0 for any that is free.",
        ) from error
    return Server(server, thread)
