"""Decisions into a real broker, exactly once for who reads what is committed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from tests.servers.kafka import Kafka
from tests.servers.registry import Registry
from tests.streams.kafka_decisions import Open, decisions, ids, read

from tallystick.config import Settings
from tallystick.connectors.render import json_lines
from tallystick.errors import TallystickError, UsageError
from tallystick.streams.kafka import transactions

pytestmark = pytest.mark.kafka


def test_a_decision_is_what_a_file_has(kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic("out-json", 3)
    sink = opened(topic)
    assert sink.resume(0, None) == 0
    batches = [decisions(1, 2), decisions(3, model="m2")]
    sink.deliver(4, batches)
    messages = {message.key(): message for message in read(kafka, topic)}
    lines = b"".join(json_lines(batch) for batch in batches).splitlines()
    assert [messages[key].value() for key in (b"p1", b"p2", b"p3")] == lines
    assert messages[b"p3"].headers() == [("tallystick-model", b"m2")]


@pytest.mark.parametrize(("key", "expected"), [("action", b"accept"), ("", None), ("event_time", None)])
def test_the_key_is_what_was_asked_for(key: str, expected: bytes | None, kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic(f"out-key-{key}")
    sink = opened(topic, key=key)
    sink.resume(0, None)
    sink.deliver(1, [decisions(1)])
    if key == "event_time":
        expected = b"2023-11-14T22:13:20.000001Z"
    assert [message.key() for message in read(kafka, topic)] == [expected]


def test_avro_is_read_back(kafka: Kafka, registry: Registry, opened: Open) -> None:
    from tallystick.streams.sources import kafka as sources

    topic = kafka.topic("out-avro")
    sink = opened(topic, format="avro", registry=registry.url)
    sink.resume(0, None)
    sink.deliver(1, [decisions(1, 2)])
    source = sources.open_stream(kafka.uri(topic, format="avro", registry=registry.url), Settings())
    try:
        source.seek(None)
        taken = next(one for _ in range(20) for one in source.take(10, 1.0))
    finally:
        source.close()
    row = taken.chunk.rows.to_pylist()[1]
    assert (row["id"], row["score"], row["sequence"]) == ("p2", 2 / 7, '{"customer_id":2}')


def test_kafka_knows_the_number(kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic("out-number")
    first = opened(topic)
    first.resume(0, None)
    mark = first.deliver(5, [decisions(1)])
    first.deliver(9, [decisions(2)])
    # Killed before the store heard of 9, or of any.
    assert opened(topic).resume(5, mark) == 9
    assert opened(topic).resume(0, None) == 9
    # A delivery without a message is only in the store.
    assert opened(topic).resume(12, mark) == 12
    assert opened(topic, stream="another").resume(3, None) == 3


def test_what_was_taken_back_is_no_number(kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic("out-taken-back")
    sink = opened(topic)
    sink.resume(0, None)
    mark = sink.deliver(5, [decisions(1)])
    producer = sink._transactions.producer
    for number in range(6, 46):  # more of them than are looked at first
        producer.begin_transaction()
        producer.produce(*sink._outbox.message(number))
        producer.flush(20)
        producer.abort_transaction(20)
    assert opened(topic).resume(2, mark) == 5


def test_a_number_that_was_removed_leaves_the_stores_mark(kafka: Kafka, opened: Open) -> None:
    from confluent_kafka.admin import AdminClient

    topic = kafka.topic("out-removed")
    sink = opened(topic, stream="idle")
    sink.resume(0, None)
    mark = sink.deliver(5, [decisions(1)])
    admin, name = AdminClient({"bootstrap.servers": kafka.bootstrap}), f"tallystick-idle-{topic}"
    admin.delete_topics([name])[name].result(20)
    sink = opened(topic, stream="idle")
    assert sink.resume(5, mark) == 5
    sink.deliver(6, [decisions(2)])
    assert ids(kafka, topic) == ["p1", "p2"]


def test_an_entry_without_a_decision_writes_nothing(kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic("out-idle")
    sink = opened(topic)
    sink.resume(0, None)
    assert sink.deliver(5, [decisions(1)]) == sink.deliver(6, [])
    assert opened(topic).resume(0, None) == 5
    assert len(read(kafka, f"tallystick-fraud-{topic}", "read_uncommitted")) == 2  # the first says 0


def test_others_in_the_topic_are_not_waited_for(kafka: Kafka, opened: Open) -> None:
    """Other streams and producers write there as well, one of which leaves its transaction open."""
    topic = kafka.topic("out-others", 3)
    sink, another = opened(topic), opened(topic, stream="another")
    assert (sink.resume(0, None), another.resume(0, None)) == (0, 0)
    sink.deliver(5, [decisions(1)])
    another.deliver(3, [decisions(2)])
    other = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": "other"})
    other.init_transactions(20)
    other.begin_transaction()
    for partition in range(3):
        other.produce(topic, b"x", partition=partition)
    other.flush(20)
    mark = sink.deliver(7, [decisions(3)])
    try:
        began = time.monotonic()
        assert opened(topic).resume(5, mark) == 7
        assert time.monotonic() - began < 20
    finally:
        other.abort_transaction(20)
    assert opened(topic, stream="another").resume(0, None) == 3
    assert ids(kafka, topic) == ["p1", "p2", "p3"]


def test_two_states_of_one_name_are_told_apart(kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic("out-two")
    sink = opened(topic)
    sink.resume(0, None)
    sink.deliver(5, [decisions(1)])
    with pytest.raises(TallystickError, match=r'Another state has written .* "fraud"'):
        opened(topic).resume(3, {"log": "0123456789abcdef"})


def test_a_zombie_is_shut_out(kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic("out-zombie")
    old, new = opened(topic), opened(topic)
    old.resume(0, None)
    old.deliver(1, [decisions(1)])
    assert new.resume(1, None) == 1
    with pytest.raises(TallystickError, match="Another process writes"):
        old.deliver(2, [decisions(2)])
    with pytest.raises(TallystickError, match="Start the stream again"):
        old.deliver(2, [decisions(2)])
    new.deliver(2, [decisions(2)])
    assert ids(kafka, topic) == ["p1", "p2"]


def test_a_transaction_that_has_to_be_taken_back_comes_again(
    kafka: Kafka, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = kafka.topic("out-aborted")
    sink = opened(topic)
    sink.resume(0, None)
    tried = []
    write = sink._values

    def once_late(batch: pa.RecordBatch) -> list[bytes]:
        # A message that a broker does not answer in time makes the whole transaction fail.
        tried.append(batch.num_rows)
        if len(tried) == 1:
            sink._transactions.producer.produce(topic, b"half", partition=99)
        return write(batch)

    monkeypatch.setattr(sink, "_values", once_late)
    monkeypatch.setattr(transactions, "_FOR_GOOD", frozenset())
    sink.deliver(1, [decisions(1, 2)])
    assert len(tried) == 2
    assert ids(kafka, topic) == ["p1", "p2"]
    assert opened(topic).resume(0, None) == 1


class Odd:
    """A producer that does all that it should but for one call, once."""

    def __init__(self, producer: Any, call: str, odd: Callable[..., Any]) -> None:
        self._producer, self._call, self._odd = producer, call, odd

    def __getattr__(self, name: str) -> Any:
        return self._odd if name == self._call else getattr(self._producer, name)


def test_a_commit_whose_answer_was_lost_is_not_made_twice(kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic("out-unsure")
    sink = opened(topic)
    sink.resume(0, None)
    real = sink._transactions.producer

    def commit(left: float) -> None:
        real.commit_transaction(left)
        raise KafkaException(KafkaError(KafkaError._FATAL, "the answer was lost", True))

    sink._transactions.producer = Odd(real, "commit_transaction", commit)
    sink.deliver(1, [decisions(1, 2)])
    sink.deliver(2, [decisions(3)])
    assert ids(kafka, topic) == ["p1", "p2", "p3"]


def test_a_message_that_is_too_large_is_said_at_once(kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic("out-large", 1, **{"max.message.bytes": "2000"})
    sink = opened(topic, **{"compression.type": "none"})
    sink.resume(0, None)
    large = decisions(1)
    large = large.set_column(0, "id", pa.array(["x" * 5000]))
    began = time.monotonic()
    with pytest.raises(TallystickError, match="MSG_SIZE_TOO_LARGE"):
        sink.deliver(1, [large])
    assert time.monotonic() - began < 20
    assert read(kafka, topic) == []


def test_a_topic_is_made_only_when_asked(kafka: Kafka, opened: Open) -> None:
    kafka.topic("decisions-here")
    with pytest.raises(UsageError) as error:
        opened("decisions-her").resume(0, None)
    assert '"decisions-here"' in str(error.value)
    assert "create=true" in str(error.value)
    sink = opened("decisions-made", create="true", partitions="3")
    assert sink.resume(0, None) == 0
    sink.deliver(1, [decisions(1)])
    assert opened("decisions-made", create="true").resume(0, None) == 1
    (message,) = read(kafka, "decisions-made")
    assert message.key() == b"p1"


def test_a_transaction_that_does_not_end_is_said(kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic("out-open")
    opened(topic).resume(0, None)
    other = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": "strange"})
    other.init_transactions(20)
    other.begin_transaction()
    other.produce(f"tallystick-fraud-{topic}", b"x", b"x", partition=0)
    other.flush(20)
    with pytest.raises(TallystickError, match="tallystick-fraud-out-open has a transaction without an end"):
        opened(topic).resume(0, None)
    other.abort_transaction(20)
    assert opened(topic).resume(0, None) == 0
