"""Writers and brokers that are killed: decisions are in the topic once all the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from tests.servers.kafka import Kafka
from tests.streams.kafka_decisions import Open, decisions, ids, names, read

from tallystick.errors import TallystickError

pytestmark = [pytest.mark.kafka, pytest.mark.kills]

WRITER = """
import sys, time
sys.path.insert(0, {root!r})
from tests.streams.kafka_decisions import SCHEMA, decisions
from tallystick.config import Settings
from tallystick.streams.sinks.kafka import open_stream
sink = open_stream({uri!r}, SCHEMA, Settings(), stream="killed")
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
