"""A topic of a real broker as a source: nothing lost, nothing twice, whatever lies in it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions
from tests.servers.kafka import Kafka
from tests.servers.registry import Registry

from tallystick.config import Settings
from tallystick.errors import DataError, TallystickError, UsageError
from tallystick.streams.kafka.client import BrokerErrors
from tallystick.streams.source import SourceBatch
from tallystick.streams.sources import kafka as module
from tallystick.streams.sources.kafka import KafkaSource, open_stream

pytestmark = pytest.mark.kafka

Open = Callable[..., KafkaSource]


@pytest.fixture
def opened(kafka: Kafka) -> Iterator[Open]:
    sources: list[KafkaSource] = []

    def one(topic: str, position: Any = None, **options: str) -> KafkaSource:
        source = open_stream(kafka.uri(topic, **options), Settings())
        sources.append(source)
        source.seek(position)
        return source

    yield one
    for source in sources:
        source.close()


def send(kafka: Kafka, topic: str, *values: bytes | None, partition: int = 0, **more: Any) -> None:
    # Idempotent: else a batch that a broker just started refuses once is written after those behind it.
    settings = {"linger.ms": 0, "batch.num.messages": 10, "enable.idempotence": True}
    producer = Producer({"bootstrap.servers": kafka.bootstrap, **settings})
    for value in values:
        producer.produce(topic, value, partition=partition, **more)
    assert producer.flush(20) == 0


def take(source: KafkaSource, count: int, most: int = 1000, wait: float = 20) -> list[SourceBatch]:
    """Take until so many rows and broken records are together."""
    taken: list[SourceBatch] = []
    end = time.monotonic() + wait
    while sum(len(one.chunk.records) + len(one.chunk.broken) for one in taken) < count:
        assert time.monotonic() < end, f"only {taken} came"
        taken += source.take(most, 0.5)
    return taken


def places(taken: list[SourceBatch]) -> list[str]:
    return [f"{one.chunk.name}:{record}" for one in taken for record in one.chunk.records]


def values(taken: list[SourceBatch], name: str = "a") -> list[Any]:
    return [value for one in taken for value in one.chunk.rows.column(name).to_pylist()]


def numbered(*numbers: int) -> list[bytes]:
    return [b'{"a":%d}' % number for number in numbers]


def test_every_partition_is_read_in_its_order(kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic("ordered", 3)
    for partition in range(3):
        send(kafka, topic, *numbered(*range(50)), partition=partition)
    taken = take(opened(topic), 150, most=40)
    assert all(len(one.chunk.records) <= 40 for one in taken)
    for partition in range(3):
        mine = [one for one in taken if one.chunk.name == f"{topic}:{partition}"]
        assert places(mine) == [f"{topic}:{partition}:{offset}" for offset in range(50)]
        assert values(mine) == [str(offset) for offset in range(50)]
    assert taken[-1].position == {topic: {"0": 50, "1": 50, "2": 50}}


def test_it_goes_on_where_it_was_committed(kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic("resumed", 2)
    for partition in range(2):
        send(kafka, topic, *numbered(*range(30)), partition=partition)
    seen: list[str] = []
    position = None
    while len(seen) < 60:
        source = opened(topic, position)
        # What is taken after the last commit is lost with the process, and comes again.
        taken = take(source, min(7, 60 - len(seen)), most=7)
        seen += places(taken[:1])
        position = json.loads(json.dumps(taken[0].position))
        source.close()
    assert sorted(seen) == sorted(f"{topic}:{p}:{offset}" for p in range(2) for offset in range(30))


def test_a_first_run_begins_where_it_is_told(kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic("latest", 2)
    send(kafka, topic, *numbered(1, 2))
    late = opened(topic, start="latest")
    early = opened(topic)
    send(kafka, topic, *numbered(3))
    assert values(take(late, 1)) == ["3"]
    assert values(take(early, 3)) == ["1", "2", "3"]
    # A position that is there says more; of a partition that it does not name all is new.
    send(kafka, topic, *numbered(9), partition=1)
    assert sorted(values(take(opened(topic, {topic: {"0": 2}}, start="latest"), 2))) == ["3", "9"]


def test_bad_messages_stand_alone(kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic("bad")
    send(
        kafka, topic, b'{"a":1}', b"{", b'{\n"a":2\n}', b"", None, b"[1]", b'{"a":"x\ny"}', b'{"a":3,"b":{}}'
    )
    source = opened(topic)
    taken = take(source, 7)
    assert places(taken) == [f"{topic}:0:{offset}" for offset in (0, 2, 7)]
    assert values(taken) == ["1", "2", "3"]
    broken = [(one.record, one.code) for part in taken for one in part.chunk.broken]
    assert broken == [(1, "bad_json"), (3, "bad_json"), (5, "not_an_object"), (6, "bad_json")]
    assert source.notes == (f"{topic}: messages without a value (tombstones) that were passed over: 1",)
    assert taken[-1].position == {topic: {"0": 8}}


def test_keys_and_headers_become_columns(kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic("keyed")
    send(kafka, topic, b'{"a":1,"who":"x"}', key="c1", headers=[("from", b"first"), ("from", b"north")])
    send(kafka, topic, b'{"a":2}')
    send(kafka, topic, b'{"a":3}', key=b"\xff\xfe")
    send(kafka, topic, b'{"a":4}', key=b"c4", headers=[("from", None)])
    taken = take(opened(topic, key="who", **{"header.from": "origin"}), 4)
    assert values(taken, "who") == ["c1", None, "c4"]
    assert values(taken, "origin") == ["north", None, None]
    (broken,) = [one for part in taken for one in part.chunk.broken]
    assert (broken.record, broken.code, broken.column) == (2, "bad_encoding", "who")
    assert places(taken) == [f"{topic}:0:{offset}" for offset in (0, 1, 3)]


def test_arrival_is_the_brokers_moment(kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic("stamped")
    send(kafka, topic, b'{"a":1}', timestamp=1_700_000_000_123)
    send(kafka, topic, b'{"a":2}', timestamp=int(time.time() * 1000) + 3_600_000)
    before = time.time_ns() // 1000
    send(kafka, topic, b'{"a":3}')
    arrived = [int(at) for one in take(opened(topic), 3) for at in one.arrived]
    assert arrived[0] == 1_700_000_000_123_999
    assert before - 1000 <= arrived[1] <= time.time_ns() // 1000
    assert before - 1000 <= arrived[2] <= time.time_ns() // 1000


def test_only_what_was_committed_is_read(kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic("transactions")
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": "t"})
    producer.init_transactions(20)
    for number, commits in ((1, True), (2, False), (3, True)):
        producer.begin_transaction()
        producer.produce(topic, b'{"a":%d}' % number)
        producer.flush(20)
        producer.commit_transaction(20) if commits else producer.abort_transaction(20)
    producer.begin_transaction()
    producer.produce(topic, b'{"a":4}')
    assert producer.flush(20) == 0
    source = opened(topic)
    assert values(take(source, 2)) == ["1", "3"]
    end = time.monotonic() + 20
    while source.lag() and time.monotonic() < end:
        assert list(source.take(10, 0.2)) == []
    assert source.lag() == 0  # what is left can not be read, or is no message
    producer.abort_transaction(20)
    send(kafka, topic, b'{"a":5}')
    assert values(take(source, 1)) == ["5"]


def test_lag_counts_what_waits(kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic("lagging", 2)
    for partition in range(2):
        send(kafka, topic, *numbered(*range(20)), partition=partition)
    source = opened(topic)
    taken = take(source, 1, most=1)
    left = 40 - len(places(taken))
    end = time.monotonic() + 10
    while source.lag() != left and time.monotonic() < end:
        more = source.take(1, 0.2)
        left -= len(places(list(more)))
    assert source.lag() == left
    take(source, left)
    while source.lag() and time.monotonic() < end:
        source.take(1, 0.2)
    assert source.lag() == 0


def test_new_partitions_are_found(kafka: Kafka, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    topic = kafka.topic("growing", 1)
    send(kafka, topic, *numbered(1))
    source = opened(topic, start="latest")
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.create_partitions([NewPartitions(topic, 2)])[topic].result(20)
    send(kafka, topic, *numbered(2), partition=1)
    monkeypatch.setattr(module, "LOOK", 0.1)
    taken = take(source, 1)
    assert places(taken) == [f"{topic}:1:0"]
    assert taken[-1].position == {topic: {"0": 1, "1": 1}}
    send(kafka, topic, *numbered(3), partition=0)
    assert values(take(source, 1)) == ["3"]


def cut(kafka: Kafka, topic: str, before: int) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    place = TopicPartition(topic, 0, before)
    admin.delete_records([place])[place].result(20)


def test_what_retention_removed_is_said(kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic("retained")
    send(kafka, topic, *numbered(*range(10)))
    cut(kafka, topic, 6)
    with pytest.raises(DataError, match=rf"{topic}:0 .* Offsets 4 to 5 were removed unread: up to 2"):
        opened(topic, {topic: {"0": 4}})
    assert values(take(opened(topic, {topic: {"0": 6}}), 4)) == ["6", "7", "8", "9"]
    source = opened(topic, {topic: {"0": 4}}, on_lost="earliest")
    assert values(take(source, 4)) == ["6", "7", "8", "9"]
    assert "Offsets 4 to 5" in source.notes[0]
    with pytest.raises(DataError, match="made anew"):
        opened(topic, {topic: {"0": 99}})
    with pytest.raises(DataError, match="no partition 3"):
        opened(topic, {topic: {"0": 6, "3": 1}})


@pytest.mark.parametrize("on_lost", ["fail", "earliest"])
def test_retention_may_overtake_a_reader(on_lost: str, kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic(f"overtaken-{on_lost}")
    send(kafka, topic, *numbered(*range(2000)))
    # Small fetches of small batches, so that most is still at the broker when it is removed.
    small = {
        "max.partition.fetch.bytes": "1000",
        "queued.min.messages": "1",
        "fetch.message.max.bytes": "1000",
    }
    source = opened(topic, on_lost=on_lost, **small)
    taken = take(source, 1, most=1)
    cut(kafka, topic, 1990)
    if on_lost == "fail":
        with pytest.raises(DataError, match="were removed unread"):
            take(source, 2000)
        with pytest.raises(DataError):
            source.take(1, 0.1)
        return
    end = time.monotonic() + 20
    while taken[-1].position != {topic: {"0": 2000}} and time.monotonic() < end:
        taken += source.take(1000, 0.5)
    assert values(taken)[-10:] == [str(number) for number in range(1990, 2000)]
    assert any("were removed unread" in note for note in source.notes)


def test_the_group_hears_of_positions(kafka: Kafka, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TELL", 0.0)
    topic = kafka.topic("told", 2)
    send(kafka, topic, *numbered(1, 2, 3))
    source = opened(topic, group="watchers")
    source.committed(take(source, 3)[-1].position)
    from confluent_kafka import Consumer

    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "watchers"})
    try:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            source.take(1, 0.05)
            if consumer.committed([TopicPartition(topic, 0)], timeout=10)[0].offset == 3:
                return
        pytest.fail("the group has no offset")
    finally:
        consumer.close()


def test_a_topic_that_is_not_there(kafka: Kafka) -> None:
    kafka.topic("payments")
    source = open_stream(kafka.uri("paymets"), Settings())
    try:
        with pytest.raises(UsageError, match='Did you mean "payments"'):
            source.seek(None)
        assert (
            "paymets"
            not in AdminClient({"bootstrap.servers": kafka.bootstrap}).list_topics(timeout=10).topics
        )
    finally:
        source.close()


@pytest.mark.parametrize("level", ["WARNING", "INFO"])
def test_nobody_answers(
    level: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tallystick.streams.kafka.client.PATIENCE", 0.5)
    from tallystick.streams.kafka import client
    from tallystick.streams.kafka.address import Address

    address = Address.parse("kafka://127.0.0.1:1/t", ())
    import confluent_kafka

    caplog.set_level(level, client.LOG.name)
    monkeypatch.setattr(client.LOG, "handlers", [caplog.handler])  # the root may hear nothing of it
    trouble = BrokerErrors()
    handle = client.client(confluent_kafka.Consumer, address, trouble, {"group.id": "g"})
    try:
        with pytest.raises(TallystickError, match=r"127\.0\.0\.1:1 does not answer"):
            client.topics(handle, address, trouble, wait=0.5)
    finally:
        handle.close()
    assert bool(caplog.records) == (level == "INFO")  # the library says it again and again


def test_a_listener_with_tls_and_a_password(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    topic = kafka.topic("closed")
    send(kafka, topic, b'{"a":1}')
    uri = f"kafka://{kafka.closed}/{topic}?security.protocol=SASL_SSL&sasl.mechanism=PLAIN"
    uri += f"&sasl.username={kafka.user}&ssl.ca.location={kafka.certificate}"
    monkeypatch.setenv("TALLYSTICK_KAFKA_PASSWORD", kafka.password)
    source = open_stream(uri, Settings())
    try:
        source.seek(None)
        assert values(take(source, 1)) == ["1"]
    finally:
        source.close()
    monkeypatch.setenv("TALLYSTICK_KAFKA_PASSWORD", "wrong-secret")
    source = open_stream(uri + "&socket.connection.setup.timeout.ms=2000", Settings())
    try:
        with pytest.raises(TallystickError, match="does not let us in") as error:
            source.seek(None)
        assert "wrong-secret" not in str(error.value)
    finally:
        source.close()


def test_avro_through_the_broker(kafka: Kafka, registry: Registry, opened: Open) -> None:
    from tests.streams.test_kafka_avro import PAYMENT, ROW, written

    topic = kafka.topic("avro")
    number = registry.add("avro-value", PAYMENT)
    send(kafka, topic, written(number, PAYMENT, ROW), b"{}", None)
    taken = take(opened(topic, format="avro", registry=registry.url), 2)
    assert values(taken, "amount") == [ROW["amount"]]
    assert [one.code for part in taken for one in part.chunk.broken] == ["bad_avro"]


def test_a_broker_that_is_killed_comes_back(kafka: Kafka, opened: Open) -> None:
    topic = kafka.topic("killed-source", 2)
    send(kafka, topic, *numbered(*range(100)))
    source = opened(topic)
    taken = take(source, 100)
    kafka.kill()
    try:
        assert list(source.take(10, 0.3)) == []
    finally:
        kafka.start()
    send(kafka, topic, *numbered(*range(100, 200)))
    taken += take(source, 100, wait=60)
    assert values(taken) == [str(number) for number in range(200)]
