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
from contextlib import closing
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
                while self.stream.running() and head(self.state) <= before and time.monotonic() < begun + 120:
                    time.sleep(0.01)
                self._start_up = 0.7 * self._start_up + 0.3 * (time.monotonic() - begun)
                share((self.kills + 1) / times)
                time.sleep(self._draw.uniform(0, WORKING))
            committed, half = head(self.state) > before, _half_a_snapshot(self.state)
            if self._draw.random() < 0.1:
                self._end_well()
                continue
            if not self.stream.kill():
                self._look()
                continue
            self.kills += 1
            self.working += committed
            self.starting += not committed
            self.snapshots += half
            say(f"kill {self.kills}: at entry {head(self.state)}, after {time.monotonic() - begun:.1f} s")

    def _end_well(self) -> None:
        """Stop it gracefully for once."""
        if code := self.stream.stop(signal.SIGTERM, 120):
            if code != -signal.SIGTERM:  # it had not come to hear of signals yet
                raise RuntimeError(f"stopped with {code}:\n{self.stream.said()}")
            return
        self.stops += 1

    def _look(self) -> None:
        assert self.stream.process is not None
        if self.stream.process.returncode:
            raise RuntimeError(f"ended with {self.stream.process.returncode}:\n{self.stream.said()}")


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

    killer.kill(kills, share)
    writer.share = 1.0
    writer.join()
    stream.start()
    stream.finish()
    verdict = verify(given, state, folder, place, out.read_bytes().splitlines(), rows_of_sqlite(table))
    return killer, verdict, {}


def over_kafka(given: Mixed, kills: int, seed: int, folder: Path, place: Path, brokers: int) -> Run:
    sys.path.insert(0, str(ROOT))
    from confluent_kafka import Producer
    from tests.servers.kafka import Kafka

    kafka = Kafka(folder)
    kafka.start()
    draw = random.Random(seed + 1)
    try:
        kafka.topic("payments", 2)
        kafka.topic("decisions", 2)
        producer = Producer({"bootstrap.servers": kafka.bootstrap, "enable.idempotence": True})
        state = f"sqlite:///{folder / 'state.db'}"
        upto, stopping = [0.0], threading.Event()

        def produce() -> None:
            sent = 0
            while sent < len(given.lines) and not stopping.is_set():
                end = min(int(upto[0] * len(given.lines)), sent + 2_000)
                for line in given.lines[sent:end]:
                    # What one customer pays comes in one order; a broken line has nobody.
                    producer.produce("payments", line, _customer(line))
                sent = end
                producer.flush()
                time.sleep(0.02)

        thread = threading.Thread(target=produce, daemon=True)
        thread.start()
        stream = Process(
            command(kafka.uri("payments"), [kafka.uri("decisions")], state, place, len(given.lines)),
            folder / "log",
        )
        killer = Killer(stream, state, seed)

        def share(part: float) -> None:
            upto[0] = max(upto[0], part * 0.95)

        fallen = 0

        def each(kill: int) -> None:
            """Kill the broker now and then, while the stream runs."""
            nonlocal fallen
            if fallen < brokers and kill >= (fallen + 1) * kills // (brokers + 1):
                fallen += 1
                before = head(state)
                stream.start()
                share((kill + 0.5) / kills)
                while stream.running() and head(state) <= before:
                    time.sleep(0.02)
                time.sleep(draw.uniform(0, WORKING))
                kafka.kill()
                say(f"broker killed at entry {head(state)}")
                time.sleep(draw.uniform(0.2, 3.0))
                kafka.start()
                share((kill + 1) / kills)
                if not stream.running() and stream.process is not None and stream.process.returncode:
                    raise RuntimeError(f"the stream did not outlive the broker:\n{stream.said()}")
                time.sleep(draw.uniform(0.5, 3.0))
                if stream.running():
                    stream.stop(signal.SIGKILL)

        killer.kill(kills, share, each=each)
        upto[0] = 1.0
        thread.join()
        stream.start()
        stream.finish()
        lines = list(_committed(kafka.bootstrap, "decisions"))
        verdict = verify(given, state, folder, place, lines, ordered=False)
        return killer, verdict, {"broker_killed": fallen}
    finally:
        stopping.set()
        kafka.stop()


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
                left.discard(message.partition())
            else:
                raise RuntimeError(str(message.error()))
    consumer.close()


def over_postgres(given: Mixed, kills: int, seed: int, folder: Path, place: Path, servers: int) -> Run:
    sys.path.insert(0, str(ROOT))
    from tests.servers.postgres import Server, _programs

    programs = _programs()
    if programs is None:
        say("no PostgreSQL here: sh scripts/postgres.sh")
        sys.exit(0)
    server = Server(programs, fsync=True)
    server.start()
    draw = random.Random(seed + 1)
    try:
        state = server.uri()
        source = folder / "in.jsonl"
        writer = Writer(source, given.lines, seed)
        writer.start()
        out = folder / "out.jsonl"
        sinks = [str(out), f"{state}?table=decisions"]
        stream = Process(command(str(source), sinks, state, place, len(given.lines)), folder / "log")
        killer = Killer(stream, state, seed)
        parts = kills + servers

        def share(part: float) -> None:
            writer.share = max(writer.share, part * kills / parts * 0.95)

        killer.kill(kills, share)
        # Now the server, under a stream that has to live through it by itself.
        stream.start()
        before, fallen = head(state), 0
        while fallen < servers:
            writer.share = max(writer.share, (kills + fallen + 1) / parts * 0.95)
            while stream.running() and head(state) <= before:
                time.sleep(0.02)
            time.sleep(draw.uniform(0, WORKING))
            if not stream.running():
                if stream.process is not None and stream.process.returncode:
                    raise RuntimeError(f"the stream did not outlive the server:\n{stream.said()}")
                stream.start()  # it had come to the end of the file
                writer.share = max(writer.share, (kills + fallen + 1.5) / parts * 0.95)
                continue
            server.stop(signal.SIGKILL)
            time.sleep(draw.uniform(0.1, 3.0))
            server.start()
            fallen += 1
            before = head(state)
            say(f"server killed {fallen} times, at entry {before}; the stream runs: {stream.running()}")
        writer.share = 1.0
        writer.join()
        if stream.running():
            stream.finish()
        stream.start()
        stream.finish()
        verdict = verify(given, state, folder, place, out.read_bytes().splitlines(), rows_of_postgres(state))
        return killer, verdict, {"server_killed": fallen}
    finally:
        server.close()


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


def _measured(over: str, asked: argparse.Namespace) -> bool:
    """Run one of them, and print what came of it."""
    kills = asked.kills if asked.kills is not None else {"file": 50, "kafka": 20, "postgres": 10}[over]
    say(f"{over}: {asked.events:,} lines, {kills} kills")
    given, place = mixed(asked.events, asked.seed), model()
    folder = Path(tempfile.mkdtemp(prefix="tallystick-bench-kills-"))
    begun = time.monotonic()
    try:
        if over == "file":
            killer, verdict, more = over_file(given, kills, asked.seed, folder, place)
        elif over == "kafka":
            killer, verdict, more = over_kafka(given, kills, asked.seed, folder, place, asked.servers)
        else:
            killer, verdict, more = over_postgres(given, kills, asked.seed, folder, place, asked.servers)
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
