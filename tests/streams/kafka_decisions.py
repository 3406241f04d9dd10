"""Decisions for a topic, and what a reader of committed messages finds there."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa
from confluent_kafka import Consumer, KafkaError, TopicPartition
from tests.servers.kafka import Kafka

from tallystick.scorer.decision import decision_schema
from tallystick.streams.sinks.kafka import KafkaSink

__all__ = ["SCHEMA", "Open", "decisions", "ids", "names", "read"]

SCHEMA = decision_schema()
#: Opens a sink for a topic: the fixture `opened`.
Open = Callable[..., KafkaSink]


def decisions(*numbers: int, model: str = "m1") -> pa.RecordBatch:
    rows = [
        {
            "id": f"p{number}",
            "event_time": 1_700_000_000_000_000 + number,
            "task": "fraud",
            "label": "no",
            "score": number / 7,
            "action": "accept",
            "reasons": [{"feature": "amount", "value": 1.0, "effect": 0.5}] if number % 2 else [],
            "model": model,
            "sequence": [("customer_id", number)],
            "late": False,
        }
        for number in numbers
    ]
    return pa.RecordBatch.from_pylist(rows, schema=SCHEMA)


def read(kafka: Kafka, topic: str, isolation: str = "read_committed") -> list[Any]:
    """Read a topic to its end, once what was committed is there: the word of it comes a moment later."""
    consumer = Consumer(
        {
            "bootstrap.servers": kafka.bootstrap,
            "group.id": "reader",
            "isolation.level": isolation,
            "enable.partition.eof": True,
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 50,
        }
    )
    found = []
    left = set(consumer.list_topics(topic, 10).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, partition, 0) for partition in left])
    until = time.monotonic() + 20
    while left:
        message = consumer.poll(0.5)
        if message is None:
            assert time.monotonic() < until, "the topic has no end"
        elif not message.error():
            found.append(message)
        elif message.error().code() == KafkaError._PARTITION_EOF:
            place = TopicPartition(topic, message.partition())
            if message.offset() >= consumer.get_watermark_offsets(place, cached=True)[1]:
                left.discard(message.partition())
    consumer.close()
    return found


def ids(kafka: Kafka, topic: str) -> list[str]:
    return sorted(
        (json.loads(message.value())["id"] for message in read(kafka, topic)), key=lambda i: int(i[1:])
    )


def names(numbers: range) -> list[str]:
    return [f"p{number}" for number in numbers]
