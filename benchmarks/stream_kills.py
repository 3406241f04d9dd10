"""Streams that are killed at random moments: what is lost, what is doubled, what differs from the replay.

A stream of payments with duplicates, disorder, lateness and broken lines is ended by SIGKILL, in its
start-up, its recovery and its work, and started again with the same command. At the end each sink is held
against the keys that were sent and, byte by byte, against the batch replay of the log.

file: a file that grows meanwhile, to a file of JSON lines and a table of SQLite; kafka: topic to topic, the
broker killed as well; postgres: a file to state and table in one PostgreSQL (fsync on), the server killed.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from _claims import claim, say
from _streams import (
    Mixed,
    Process,
    Verdict,
    Writer,
    head,
    mixed,
    model,
    rows_of_postgres,
    rows_of_sqlite,
    until,
    verify,
)  # fmt: skip

ROOT = Path(__file__).parents[1]
Run = tuple["Killer", Verdict, dict[str, Any]]
STARTING = 0.3  # share of kills before the first commit of a process
WORKING = 1.5  # seconds after the first commit, at most, at which the others come


class Killer:
    """Kills a stream again and again, and keeps account of where it was."""

    def __init__(self, stream: Process, state: str, seed: int) -> None:
        self.stream, self.state = stream, state
        self._draw = random.Random(seed)
        self.kills = self.starting = self.working = self.snapshots = self.stops = 0
        self._start_up = 3.0

    def kill(
        self, times: int, share: Callable[[float], None], *, each: Callable[[int], None] = lambda _: None
    ) -> None:
        """Kill as often as said; share: told how far the source may be, from 0 to 1; each: before each."""
        while self.kills < times:
            each(self.kills)
            share((self.kills + 0.5) / times)
            before = head(self.state)
            self.stream.start()
            begun = time.monotonic()
            if self._draw.random() < STARTING:
                time.sleep(self._draw.uniform(0, self._start_up))
            else:
                until(lambda before=before: head(self.state) > before or not self.stream.running(), 120)
                self._start_up = 0.7 * self._start_up + 0.3 * (time.monotonic() - begun)
                share((self.kills + 1) / times)
                time.sleep(self._draw.uniform(0, WORKING))
            committed, half = head(self.state) > before, _half_a_snapshot(self.state)
            if self._draw.random() < 0.1:
                self._end_well()
                continue
            if not self.stream.kill():
                self.stream.alive_or_done()
                continue
            self.kills += 1
            self.working += committed
            self.starting += not committed
            self.snapshots += half
            say(f"kill {self.kills}: at entry {head(self.state)}, after {time.monotonic() - begun:.1f} s")

    def _end_well(self) -> None:
        """Stop it gracefully for once."""
        if code := self.stream.stop(signal.SIGTERM, 120):
            # Before it begins, and once it is done, it ends as any command does.
            if code not in (-signal.SIGTERM, -signal.SIGINT, 130):
                raise RuntimeError(f"stopped with {code}:\n{self.stream.said()}")
            return
        self.stops += 1


def _half_a_snapshot(state: str) -> bool:
    """Say whether a snapshot is being written right now."""
    if not state.startswith("sqlite"):
        return False
    try:
        with closing(sqlite3.connect(f"file:{state.removeprefix('sqlite:///')}?mode=ro", uri=True)) as one:
            return bool(one.execute("SELECT count(*) FROM ts_snapshots WHERE complete = 0").fetchone()[0])
    except sqlite3.Error:
        return False


def command(source: str, sinks: Sequence[str], state: str, place: Path, events: int) -> list[str]:
    """The stream's arguments."""
    every = str(min(50_000, max(2_000, events // 10)))
    told = [part for sink in sinks for part in ("--sink", sink)]
    return [
        "stream", "fraud", "--source", source, *told, "--state", state, "--model", str(place),
        "--set", f"snapshot_every={every}", "--until-idle", "--quiet",
    ]  # fmt: skip


def over_file(given: Mixed, kills: int, seed: int, folder: Path, place: Path) -> Run:
    source, out, table = folder / "in.jsonl", folder / "out.jsonl", folder / "out.db"
    state = f"sqlite:///{folder / 'state.db'}"
    writer = Writer(source, given.lines, seed)
    writer.start()
    sinks = [str(out), f"sqlite:///{table}?table=decisions"]
    stream = Process(command(str(source), sinks, state, place, len(given.lines)), folder / "log")
    killer = Killer(stream, state, seed)

    def share(part: float) -> None:
        writer.share = max(writer.share, part * 0.95)

    try:
        killer.kill(kills, share)
        share(2.0)
        writer.join()
        stream.start()
        stream.finish()
    finally:
        writer.stop()
        stream.end()
    lines = out.read_bytes().splitlines()
    return killer, verify(given, state, folder, place, lines, rows_of_sqlite(table)), {}


def over_kafka(
    given: Mixed, kills: int, seed: int, folder: Path, place: Path, kafka: Any, brokers: int
) -> Run:
    """kafka: a broker that runs, which is killed `brokers` times under a stream that outlives it."""
    draw = random.Random(seed + 1)
    source, sink = (kafka.topic(f"{name}-{folder.name}", 2) for name in ("payments", "decisions"))
    state = f"sqlite:///{folder / 'state.db'}"
    producer = Producing(kafka.bootstrap, source, given.lines)
    producer.start()
    sinks = [kafka.uri(sink)]
    stream = Process(command(kafka.uri(source), sinks, state, place, len(given.lines)), folder / "log")
    killer = Killer(stream, state, seed)

    def share(part: float) -> None:
        producer.share = max(producer.share, part * 0.95)

    fallen = 0

    def each(kill: int) -> None:
        nonlocal fallen
        if fallen == brokers or kill < (fallen + 1) * kills // (brokers + 1):
            return
        fallen += 1
        before = head(state)
        stream.start()
        share((kill + 0.5) / kills)
        until(lambda: head(state) > before or not stream.running(), 120)
        time.sleep(draw.uniform(0, WORKING))
        there = stream.running()
        kafka.kill()
        say(f"broker killed at entry {head(state)}; the stream was at work: {there}")
        time.sleep(draw.uniform(0.2, 3.0))
        kafka.start()
        share((kill + 1) / kills)
        time.sleep(draw.uniform(0.5, 3.0))
        stream.alive_or_done()
        if stream.running():
            stream.stop(signal.SIGKILL)

    try:
        killer.kill(kills, share, each=each)
        producer.share = 1.0
        producer.join()
        stream.start()
        stream.finish()
        lines = list(_committed(kafka.bootstrap, sink))
    finally:
        producer.stop()
        stream.end()
    return killer, verify(given, state, folder, place, lines, ordered=False), {"broker_killed": fallen}


class Producing(threading.Thread):
    """Sends lines to a topic, what one card pays in its order, up to a share that is raised from outside."""

    def __init__(self, bootstrap: str, topic: str, lines: Sequence[bytes]) -> None:
        from confluent_kafka import Producer

        super().__init__(daemon=True)
        told = {"bootstrap.servers": bootstrap, "enable.idempotence": True, "log_level": 0}
        self._producer, self._topic, self._lines = Producer(told), topic, lines
        self._stopping = threading.Event()
        self.share = 0.0

    def stop(self) -> None:
        """Send no more."""
        self._stopping.set()
        self.join(30)

    def run(self) -> None:
        """Send, a few thousand at a time, and wait for them to be there."""
        sent = 0
        while sent < len(self._lines) and not self._stopping.is_set():
            end = max(sent, min(int(self.share * len(self._lines)), sent + 2_000))
            for line in self._lines[sent:end]:
                self._producer.produce(self._topic, line, _customer(line))
            sent = end
            self._producer.flush(60)
            time.sleep(0.02)


def _customer(line: bytes) -> bytes | None:
    mark = b'"customer_id":"'
    at = line.find(mark)
    return None if at < 0 else line[at + len(mark) :].partition(b'"')[0]


def _committed(bootstrap: str, topic: str) -> Iterator[bytes]:
    """Read what a reader of committed messages sees."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap, "group.id": "look", "isolation.level": "read_committed",
            "auto.offset.reset": "earliest", "enable.partition.eof": True, "enable.auto.commit": False,
        }
    )  # fmt: skip
    partitions = list(consumer.list_topics(topic, timeout=20).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, one, 0) for one in partitions])
    left = set(partitions)
    while left:
        for message in consumer.consume(5_000, 1.0):
            if message.error() is None:
                yield message.value()
            elif message.error().name() == "_PARTITION_EOF":
                # The word of the last commit may come a moment later.
                place = TopicPartition(topic, message.partition())
                if message.offset() >= consumer.get_watermark_offsets(place, cached=True)[1]:
                    left.discard(message.partition())
            else:
                raise RuntimeError(str(message.error()))
    consumer.close()


def over_postgres(
    given: Mixed, kills: int, seed: int, folder: Path, place: Path, server: Any, servers: int
) -> Run:
    """server: a PostgreSQL that runs, and is killed under a stream that outlives it, `servers` times."""
    draw = random.Random(seed + 1)
    state, source, out = server.uri(), folder / "in.jsonl", folder / "out.jsonl"
    writer = Writer(source, given.lines, seed)
    writer.start()
    sinks = [str(out), f"{state}?table=decisions"]
    stream = Process(command(str(source), sinks, state, place, len(given.lines)), folder / "log")
    killer = Killer(stream, state, seed)
    parts = kills + servers

    def share(part: float) -> None:
        writer.share = max(writer.share, part * 0.95)

    try:
        killer.kill(kills, lambda part: share(part * kills / parts))
        fallen = 0
        while fallen < servers:
            before = head(state)
            share((kills + fallen + 0.5) / parts)
            if not stream.running():
                stream.alive_or_done()
                stream.start()
            until(lambda before=before: head(state) > before or not stream.running(), 120)
            share((kills + fallen + 1) / parts)
            time.sleep(draw.uniform(0, WORKING))
            if not stream.running():
                continue  # it had come to the end of what is there
            fallen += 1
            server.stop(signal.SIGKILL)
            time.sleep(draw.uniform(0.1, 3.0))
            server.start()
            say(f"server killed {fallen} times, at entry {head(state)}; the stream runs: {stream.running()}")
        share(2.0)
        writer.join()
        until(lambda: not stream.running(), 600)
        stream.alive_or_done()
        stream.start()
        stream.finish()
    finally:
        writer.stop()
        stream.end()
    lines = out.read_bytes().splitlines()
    return (
        killer,
        verify(given, state, folder, place, lines, rows_of_postgres(state)),
        {"server_killed": fallen},
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--kills", type=int, help="of the stream; 50, over Kafka 20, over PostgreSQL 10")
    parser.add_argument("--servers", type=int, default=5, help="kills of the broker, or of the database")
    parser.add_argument("--over", choices=("file", "kafka", "postgres"), help="one of them alone")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="leave the folder where it is")
    asked = parser.parse_args(arguments)
    wrong = False
    for over in (asked.over,) if asked.over else ("file", "kafka", "postgres"):
        wrong |= not _measured(over, asked)
    sys.exit(int(wrong))


@contextmanager
def _server(over: str, folder: Path) -> Iterator[Any]:
    """Start what a run stands on."""
    sys.path.insert(0, str(ROOT))
    if over == "kafka":
        from tests.servers.kafka import Kafka

        broker = Kafka(folder)
        try:
            broker.start()
            yield broker
        finally:
            broker.stop()
    elif over == "postgres":
        from tests.servers.postgres import Server, _programs

        programs = _programs()
        if programs is None:
            raise SystemExit("no PostgreSQL here: sh scripts/postgres.sh")
        server = Server(programs, fsync=True)
        try:
            server.start()
            yield server
        finally:
            server.close()
    else:
        yield None


def _measured(over: str, asked: argparse.Namespace) -> bool:
    """Run one of them, and print what came of it."""
    kills = asked.kills if asked.kills is not None else {"file": 50, "kafka": 20, "postgres": 10}[over]
    say(f"{over}: {asked.events:,} lines, {kills} kills")
    given, place = mixed(asked.events, asked.seed), model()
    folder = Path(tempfile.mkdtemp(prefix="tallystick-bench-kills-"))
    begun = time.monotonic()
    try:
        with _server(over, folder) as server:
            if over == "file":
                killer, verdict, more = over_file(given, kills, asked.seed, folder, place)
            elif over == "kafka":
                killer, verdict, more = over_kafka(
                    given, kills, asked.seed, folder, place, server, asked.servers
                )
            else:
                killer, verdict, more = over_postgres(
                    given, kills, asked.seed, folder, place, server, asked.servers
                )
    except BaseException:
        say(f"left as it is: {folder}")
        raise
    claim(
        f"a stream killed at random moments, over {over}", verdict.lost + verdict.doubled + verdict.differ,
        unit="wrong", what="lost, doubled and different from the batch replay of the log, together",
        wanted="0", met=verdict.right, events=len(given.lines), kills=killer.kills,
        kills_while_starting=killer.starting, kills_while_working=killer.working,
        kills_in_a_snapshot=killer.snapshots, graceful_stops=killer.stops, **more, **verdict.to_dict(),
        seconds=round(time.monotonic() - begun), seed=asked.seed,
    )  # fmt: skip
    if asked.keep or not verdict.right:
        say(f"left as it is: {folder}")
    else:
        shutil.rmtree(folder)
    return verdict.right


if __name__ == "__main__":
    main()
