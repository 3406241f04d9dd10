"""The metrics as Prometheus fetches them: over HTTP, read by its own parser."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed

from tallystick.errors import UsageError
from tallystick.streams.metrics import Server, start
from tallystick.streams.stats import Stats

NOW = 1_735_689_600_000_000
SECRET = "T-4242"


@pytest.fixture
def stats() -> Stats:
    stats = Stats("fraud", harmless=["accept"], clock=lambda: NOW)
    batch = pa.record_batch(
        {
            "id": [SECRET, "b", "c"],
            "task": ["fraud"] * 3,
            "label": ["yes", "no", 'a "b"\\\n'],
            "action": ["review", "accept", "accept"],
        }
    )
    stats.committed(batch, NOW - np.array([4_096, 4_097, 3_000_000]), NOW, bad=4, duplicates=5, late=2)
    stats.set_backlog(7, 3, {"out.jsonl": 6}, notices={"desk": {"sent": 8, "dead": 1}})
    return stats


@pytest.fixture
def server(stats: Stats) -> Iterator[Server]:
    server = start(stats)
    yield server
    server.close()


def fetched(server: Server) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    with urllib.request.urlopen(server.url, timeout=10) as answer:
        text = answer.read().decode()
    assert SECRET not in text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parsed(text)
        for sample in family.samples
    }


def test_everything_is_there(server: Server) -> None:
    seen = fetched(server)

    def value(name: str, **labels: str) -> float:
        return seen[f"tallystick_{name}", frozenset({"solution": "fraud", **labels}.items())]

    assert value("events_total") == 3
    assert value("decisions_total", task="fraud", action="accept") == 2
    assert value("decisions_total", task="fraud", action="review") == 1
    assert value("labels_total", task="fraud", label='a "b"\\\n') == 1
    assert value("alerts_total") == 1
    assert value("quarantined_total") == 4
    assert value("duplicates_total") == 5
    assert value("late_total") == 2
    assert value("commits_total") == 1
    assert value("lag_records") == 7
    assert value("queued_records") == 3
    assert value("sink_behind_entries", sink="out.jsonl") == 6
    assert value("notices_total", channel="desk", state="sent") == 8
    assert value("notices_total", channel="desk", state="dead") == 1
    assert value("started_timestamp_seconds") == NOW / 1e6
    assert value("latency_seconds_count") == 3
    assert value("latency_seconds_sum") == pytest.approx(3.008193)
    assert value("latency_seconds_bucket", le="0.004096") == 1
    assert value("latency_seconds_bucket", le="0.006144") == 2
    assert value("latency_seconds_bucket", le="+Inf") == 3


def test_each_metric_says_what_it_is(server: Server) -> None:
    with urllib.request.urlopen(server.url, timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        families = list(parsed(answer.read().decode()))
    ours = [family for family in families if family.name.startswith("tallystick_")]
    assert len(ours) == 14
    assert all(
        len(family.documentation.split()) >= 1 and family.documentation.endswith(".") for family in ours
    )
    assert {family.type for family in ours} == {"counter", "gauge", "histogram"}


def test_it_follows_the_stream(stats: Stats, server: Server) -> None:
    stats.committed(
        pa.record_batch({"id": ["d"], "task": ["fraud"], "label": ["no"], "action": ["accept"]}),
        np.array([NOW]), NOW, bad=0, duplicates=0, late=0,
    )  # fmt: skip
    stats.set_backlog(None, 0, {})
    seen = fetched(server)
    assert seen["tallystick_events_total", frozenset({("solution", "fraud")})] == 4
    assert not [name for name, _ in seen if name == "tallystick_lag_records"]  # not known is not nought


def test_two_streams_of_a_process_do_not_mix(stats: Stats, server: Server) -> None:
    other = start(Stats("complaints", harmless=["auto"]))
    try:
        assert other.port != server.port
        assert {dict(labels).get("solution") for _, labels in fetched(other)} - {None} == {"complaints"}
    finally:
        other.close()


def test_it_listens_on_loopback_alone_and_ends(stats: Stats) -> None:
    server = start(stats)
    assert server.host == "127.0.0.1"
    server.close()
    server.close()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(server.url, timeout=2)
    again = start(stats, port=server.port)  # the port is free at once
    again.close()


@pytest.mark.parametrize("taken", [True, False])
def test_an_address_that_cannot_be_had(stats: Stats, taken: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1] if taken else 70_000
        with pytest.raises(UsageError, match=f"cannot be served at 127.0.0.1:{port}"):
            start(stats, port=port)


def test_nothing_here_is_loaded_before_it_is_asked_for() -> None:
    code = "import sys, json, tallystick.streams, tallystick.cli; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"prometheus_client", "pyarrow", "rich.live"} & set(json.loads(done.stdout))
