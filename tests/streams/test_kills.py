"""Streams that are really killed: nothing is lost, nothing doubled, all equal to the batch replay of the log.

Small versions of what benchmarks/stream_kills.py does at full size, by the same functions.
"""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.servers.kafka import Kafka
from tests.servers.postgres import Server

import tallystick as ts
from tallystick.store import Store

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))  # its modules are scripts, no package
from _streams import Mixed, Process, head, mixed, until, verify
from stream_kills import command, over_file, over_kafka, over_postgres

pytestmark = pytest.mark.kills

ROWS = 8_000


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Mixed:
    """Payments with duplicates, disorder, lateness and broken lines."""
    return mixed(ROWS, 5, tmp_path_factory.mktemp("payments"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of other payments."""
    folder = tmp_path_factory.mktemp("model")
    ts.simulate("fraud", rows=4_000, output=folder / "payments.jsonl", seed=3)
    ts.train("fraud", folder / "payments.jsonl", model=folder / "model", learner="logistic_regression")
    return folder / "model"


def test_what_is_sent_is_as_hostile_as_it_says(given: Mixed) -> None:
    assert len(given.lines) == pytest.approx(ROWS, abs=2)
    assert len(given.keys) == len(given.lines) - given.duplicates - given.broken
    assert given.duplicates > 100
    assert given.broken > 10


def test_killed_between_a_growing_file_and_two_sinks(given: Mixed, place: Path, tmp_path: Path) -> None:
    killer, verdict, _ = over_file(given, 3, 1, tmp_path, place)
    assert killer.kills == 3
    assert verdict.right, verdict


@pytest.mark.kafka
def test_killed_between_two_topics_and_the_broker_too(
    given: Mixed, place: Path, tmp_path: Path, kafka: Kafka
) -> None:
    killer, verdict, more = over_kafka(given, 1, 2, tmp_path, place, kafka, 1)
    assert (killer.kills, more["broker_killed"]) == (1, 1)
    assert verdict.right, verdict


@pytest.mark.postgres
def test_killed_above_a_database_that_is_killed_too(
    given: Mixed, place: Path, tmp_path: Path, postgres_server: Server
) -> None:
    killer, verdict, more = over_postgres(given, 1, 3, tmp_path, place, postgres_server, 1)
    assert (killer.kills, more["server_killed"]) == (1, 1)
    assert verdict.right, verdict


def test_one_process_has_the_state_and_another_takes_over(given: Mixed, place: Path, tmp_path: Path) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    state = f"sqlite:///{tmp_path / 'state.db'}"
    arguments = [*command(str(source), [str(out)], state, place, ROWS), "--set", "lease=2"]
    arguments.remove("--until-idle")
    processes: list[Process] = []

    def begin(*more: str) -> Process:
        processes.append(Process([*arguments, *more], tmp_path / f"log{len(processes)}"))
        processes[-1].start()
        return processes[-1]

    def send(part: list[bytes]) -> None:
        with source.open("ab") as file:
            file.write(b"".join(line + b"\n" for line in part))

    def committed(more_than: int) -> None:
        assert until(lambda: head(state) > more_than, 60), [one.said() for one in processes]

    def all_committed(records: int) -> None:
        assert until(lambda: rows(state) >= records, 60), [one.said() for one in processes]

    try:
        send(given.lines[:2000])
        first = begin()
        committed(0)
        second = begin()
        assert second.process is not None
        assert second.process.wait(60) == 1
        said = second.said().splitlines()
        assert said[0].startswith('Error: The stream "fraud" in ')
        assert f"is held by process {first.pid}" in said[0]
        assert "Traceback" not in second.said()

        # Stopped for longer than its lease: another takes over, and who wakes up then writes nothing more.
        all_committed(len(distinct(given.lines[:2000])))
        time.sleep(1.0)
        first.process.send_signal(signal.SIGSTOP)
        time.sleep(2.5)
        before = head(state)
        third = begin()
        send(given.lines[2000:4000])
        committed(before)
        all_committed(len(distinct(given.lines[:4000])))
        first.process.send_signal(signal.SIGCONT)
        assert first.process.wait(60) == 1
        assert "was taken over by" in first.said()

        # Killed: the next one need not wait until the lease is over.
        assert third.kill()
        before = head(state)
        fourth = begin()
        send(given.lines[4000:6000])
        committed(before)
        assert fourth.stop(signal.SIGTERM) == 0, fourth.said()
        with Store.open(state) as store:
            kept, at = store.snapshot("fraud"), store.head("fraud")
            assert kept is not None
            assert at is not None
            assert kept[0] == at.number  # the next start has nothing to replay
        send(given.lines[6000:])
        begin("--until-idle").finish(60)
    finally:
        for one in processes:
            if one.running():
                one.process.send_signal(signal.SIGCONT)
            one.end()
    verdict = verify(given, state, tmp_path, place, out.read_bytes().splitlines())
    assert verdict.right, verdict


def distinct(lines: list[bytes]) -> set[bytes]:
    """Keys of lines that are whole, though some may be bad otherwise."""
    mark = b'"transaction_id":"'
    bad = (b"12,x", b"the day before")
    return {
        line.partition(mark)[2].partition(b'"')[0]
        for line in lines
        if line.endswith(b"}") and not any(one in line for one in bad)
    }


def rows(state: str) -> int:
    with Store.open(state) as store:
        found: Any = store.head("fraud")
        return 0 if found is None else int(found.rows)
