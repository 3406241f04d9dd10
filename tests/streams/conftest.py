"""What several tests of streams share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.servers.kafka import Kafka

from tallystick.config import Settings


@pytest.fixture
def opened(kafka: Kafka) -> Iterator[Any]:
    """Open sinks of the broker, closed at the end."""
    from tests.streams.kafka_decisions import SCHEMA

    from tallystick.streams.sinks.kafka import open_stream

    sinks: list[Any] = []

    def one(topic: str, stream: str = "fraud", **options: str) -> Any:
        sinks.append(open_stream(kafka.uri(topic, **options), SCHEMA, Settings(), stream=stream))
        return sinks[-1]

    yield one
    for sink in sinks:
        sink.close()
