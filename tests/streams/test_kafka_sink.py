"""Decisions into a real broker, exactly once for who reads what is committed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from tests.servers.kafka import Kafka
from tests.servers.registry import Registry

from tallystick.config import Settings
from tallystick.connectors.render import json_lines
from tallystick.errors import TallystickError, UsageError
from tallystick.scorer.decision import decision_schema
from tallystick.streams.kafka import transactions
from tallystick.streams.sinks.kafka import KafkaSink, open_moving

pytestmark = pytest.mark.kafka

SCHEMA = decision_schema(routes=False)
Open = Callable[..., KafkaSink]


@pytest.fixture
def opened(kafka: Kafka) -> Iterator[Open]:
    sinks: list[KafkaSink] = []

    def one(topic: str, stream: str = "fraud", **options: str) -> KafkaSink:
        sinks.append(open_moving(kafka.uri(topic, **options), SCHEMA, Settings(), stream=stream))
        return sinks[-1]

    yield one
    for sink in sinks:
        sink.close()


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
    source = sources.open_moving(kafka.uri(topic, format="avro", registry=registry.url), Settings())
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


WRITER = """
import sys, time
sys.path.insert(0, {root!r})
from tests.streams.test_kafka_sink import SCHEMA, decisions
from tallystick.config import Settings
from tallystick.streams.sinks.kafka import open_moving
sink = open_moving({uri!r}, SCHEMA, Settings(), stream="killed")
number = sink.resume({number}, None)
print("resumed", number, flush=True)
while True:
    number += 1
    if {hang} and number == {hang}:
        # In the middle: the messages are at the broker, the transaction is open.
        producer = sink._transactions.producer
        producer.begin_transaction()
        sink._produce(producer, decisions(*range(number * 10, number * 10 + 10)), time.monotonic() + 20)
        producer.flush(20)
        print("hanging", flush=True)
        time.sleep(60)
    sink.deliver(number, [decisions(*range(number * 10, number * 10 + 10))])
    print("delivered", number, flush=True)
"""


def writer(kafka: Kafka, topic: str, hang: int = 0) -> subprocess.Popen[str]:
    root = str(Path(__file__).parents[2])
    code = WRITER.format(root=root, uri=kafka.uri(topic), number=0, hang=hang)
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def killed_after(process: subprocess.Popen[str], word: str, lines: int) -> list[str]:
    """Read so many lines that begin with a word, kill the process, and give all that it said."""
    said: list[str] = []
    assert process.stdout is not None
    try:
        while sum(line.startswith(word) for line in said) < lines:
            line = process.stdout.readline()
            assert line, "it ended by itself"
            said.append(line)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        said += process.stdout.readlines()
        process.wait(20)
        process.stdout.close()
    return said


def test_killed_in_the_middle_leaves_nothing_to_be_seen(kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic("out-middle", 2)
    killed_after(writer(kafka, topic, hang=3), "hanging", 1)
    assert len(read(kafka, topic, "read_uncommitted")) == 30
    # The next one under the name ends what was open at once, long before it would time out.
    sink = opened(topic, stream="killed")
    assert sink.resume(1, None) == 2
    assert ids(kafka, topic) == names(range(10, 30))
    sink.deliver(3, [decisions(*range(30, 40))])
    assert ids(kafka, topic) == names(range(10, 40))


def test_killed_at_any_moment_nothing_is_lost_or_doubled(kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic("out-killed", 2)
    for _ in range(3):
        said = killed_after(writer(kafka, topic), "delivered", 4)
    last = int(said[-1].split()[1]) if said[-1].startswith("delivered") else 0
    number = opened(topic, stream="killed").resume(0, None)
    assert last <= number <= last + 1
    assert ids(kafka, topic) == names(range(10, (number + 1) * 10))


def test_a_broker_that_is_killed_while_it_is_written_to(kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic("out-broker", 2)
    sink = opened(topic)
    sink.resume(0, None)
    killer = threading.Timer(0.5, lambda: (kafka.kill(), time.sleep(1.0), kafka.start()))
    killer.start()
    number = 0
    while killer.is_alive() or number < 20:
        number += 1
        sink.deliver(number, [decisions(*range(number * 10, number * 10 + 10))])
        time.sleep(0.02)
    killer.join()
    assert opened(topic).resume(0, None) == number
    counts = Counter(ids(kafka, topic))
    assert set(counts.values()) == {1}
    assert sorted(counts, key=lambda i: int(i[1:])) == names(range(10, number * 10 + 10))


def test_a_broker_that_stays_away_is_given_up_in_time(kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic("out-away")
    sink = opened(topic, **{"delivery.timeout.ms": "2000"})
    sink.resume(0, None)
    sink.deliver(1, [decisions(1)])
    kafka.kill()
    try:
        began = time.monotonic()
        with pytest.raises(TallystickError) as error:
            sink.deliver(2, [decisions(2)])
        assert time.monotonic() - began < 15
        assert "start the stream again" in str(error.value)
        sink.close()
        del error, sink  # they hold a producer, which goes on trying to shut out those before it
    finally:
        kafka.start()
    sink = opened(topic)
    number = sink.resume(1, None)
    assert ids(kafka, topic) == names(range(1, number + 1))


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_broker_that_is_killed_right_after_a_delivery(goes_on: bool, kafka: Kafka, opened: Open) -> None:
    """It comes back with a transaction that was committed and has no end, more often than not."""
    topic = kafka.topic(f"out-at-once-{goes_on}", 2)
    sink = opened(topic)
    number, mark = sink.resume(0, None), None
    for _ in range(3):
        number += 1
        mark = sink.deliver(number, [decisions(number * 2 - 1, number * 2)])
        kafka.kill()
        kafka.start()
        if not goes_on:
            sink.close()
            sink = opened(topic)
            number = sink.resume(number, mark)
    sink.deliver(number + 1, [decisions(number * 2 + 1, number * 2 + 2)])
    assert ids(kafka, topic) == names(range(1, number * 2 + 3))


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
