"""What the measures of a stream's speed share: a stream that notes its moments, loads that come at a pace.

Run as a program it is the other side of a measure: a stream (`stream`), what writes to a growing file
(`write`), what sends to a topic (`send`) or reads one (`hear`), each a process of its own. Moments are
nanoseconds of the clock that all processes of the machine share (`time.monotonic_ns`).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np

__all__ = [
    "Child", "Noted", "broker", "calibrated", "claimed", "moments", "offered", "scratch", "tails", "waits",
]  # fmt: skip

HERE = Path(__file__).resolve()
SPARE = 1.5  # GB of disk that stay free
KEYS = ("transaction_id", "complaint_id", "id")


# --- the side that measures -------------------------------------------------------------------------------


class Child:
    """A process that this file runs as, told by JSON what to do; it ends with the block."""

    def __init__(self, what: str, log: Path, cores: Sequence[int] | None = None, **told: Any) -> None:
        self._log = log
        self._told = told
        command = [sys.executable, str(HERE), what, json.dumps(told, default=str)]
        with log.open("ab") as file:
            self.process = subprocess.Popen(command, stdout=file, stderr=file, stdin=told.get("stdin"))
        if cores is not None and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(self.process.pid, cores)

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Stop it, by force where it does not go."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def stop(self) -> None:
        """Ask it to come to an end, and wait for that."""
        self.process.terminate()
        self.finish()

    def finish(self, wait: float = 3600.0) -> None:
        """Wait until it ends; RuntimeError with its last words where that is not well."""
        code = self.process.wait(wait)
        if code:
            raise RuntimeError(f"ended with {code}:\n{self._log.read_text(errors='replace')[-3000:]}")

    def settle(self, folder: Path, quiet: float = 1.0, wait: float = 300.0) -> None:
        """Wait until files of a folder change no more for a while."""
        end, last, since = time.monotonic() + wait, 0, time.monotonic()
        while time.monotonic() < end and time.monotonic() - since < quiet:
            now = max(path.stat().st_mtime_ns for path in folder.glob("*.db*"))
            if now != last:
                last, since = now, time.monotonic()
            time.sleep(0.05)

    def ready(self, wait: float = 120.0) -> None:
        """Wait until it says that it is at work."""
        end, there = time.monotonic() + wait, Path(self._told["ready"])
        while not there.exists():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"did not begin:\n{self._log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.01)


class Noted:
    """What a stream noted: moments of commits and deliveries, how many rows each had, all ids in order."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as found:
            self.began, self.first = int(found["began"]), int(found["first"])
            self.committed, self.rows = found["committed"], found["rows"]
            self.delivered, self.upto, self.ids = found["delivered"], found["upto"], found["ids"]
        self.cpu: dict[str, float] = json.loads(path.with_suffix(".json").read_text())

    @property
    def events(self) -> int:
        """How many decisions were committed."""
        return int(self.rows.sum())

    @property
    def seconds(self) -> float:
        """From the first record to the last commit and the last delivery."""
        return float((max(self.committed.max(), self.delivered.max(initial=0)) - self.first) / 1e9)

    @property
    def start_up(self) -> float:
        """From the start of the process to the first record."""
        return (self.first - self.began) / 1e9

    def by_id(self) -> dict[str, int]:
        """When each was committed."""
        return self._moments(self.committed)

    def delivered_by_id(self) -> dict[str, int]:
        """When each was in the sink; entries are numbered from 1."""
        entries = np.arange(1, len(self.rows) + 1)
        return self._moments(self.delivered[np.searchsorted(self.upto, entries)])

    def _moments(self, entries: np.ndarray[Any, Any]) -> dict[str, int]:
        return dict(zip(self.ids.tolist(), np.repeat(entries, self.rows).tolist(), strict=True))


@contextmanager
def scratch(gigabytes: float) -> Iterator[Path]:
    """A folder for the measure, gone after it; ends here where the disk is too small."""
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as name:
        enough(Path(name), gigabytes)
        yield Path(name)


def enough(folder: Path, gigabytes: float) -> None:
    """Raise SystemExit where a disk has not as much left."""
    stat = os.statvfs(folder)
    free = stat.f_bavail * stat.f_frsize / 1e9
    if free < gigabytes + SPARE:
        raise SystemExit(f"{folder} has {free:.1f} GB left; this needs {gigabytes + SPARE:.1f}")


def moments(rate: float, seconds: float, seed: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """When records are meant to arrive, in nanoseconds from the start: by chance, at a rate (Poisson)."""
    draw = np.random.default_rng(seed)
    gaps = draw.exponential(1e9 / rate, round(rate * seconds * 1.05) + 100)
    found = np.cumsum(gaps)
    return found[found < seconds * 1e9].astype(np.int64)


def offered(lines: Sequence[bytes]) -> list[str]:
    """The ids of JSON lines."""
    key = next(name for name in KEYS if f'"{name}":'.encode() in lines[0].replace(b" ", b""))
    found = re.compile(rb'"%s"\s*:\s*"([^"]+)"' % key.encode())
    return [found.search(line).group(1).decode() for line in lines]  # type: ignore[union-attr]


def waits(
    ids: Sequence[str], meant: np.ndarray[Any, Any], done: dict[str, int], warm_up: float
) -> np.ndarray[Any, Any]:
    """Milliseconds from the moment that each record was meant to arrive to the one at which it was done."""
    missing = [one for one in ids if one not in done]
    if missing:
        raise SystemExit(f"{len(missing)} of {len(ids)} have no decision, {missing[0]} is the first")
    there = np.array([done[one] for one in ids])
    counts = meant - meant[0] >= warm_up * 1e9
    return (there - meant)[counts] / 1e6  # type: ignore[no-any-return]


def tails(milliseconds: np.ndarray[Any, Any]) -> dict[str, float]:
    """The usual quantiles."""
    found = np.quantile(milliseconds, [0.5, 0.9, 0.99, 0.999, 1.0])
    return {name: round(float(v), 2) for name, v in zip(("p50", "p90", "p99", "p99.9", "max"), found)}  # noqa: B905


def calibrated(folder: Path) -> dict[str, float]:
    """What this machine takes for fixed work, an fsync among it: milliseconds for 4 kB appended."""
    from _claims import calibration

    took, block = [], b"x" * 4096
    with (folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(300):
            file.write(block)
            start = time.perf_counter()
            os.fsync(file.fileno())
            took.append((time.perf_counter() - start) * 1e3)
    one = np.quantile(took, [0.5, 0.99])
    return {**calibration(), "fsync_ms_p50": round(float(one[0]), 3), "fsync_ms_p99": round(float(one[1]), 3)}


def claimed(name: str, ours: float | None, peer: float | None = None, **more: Any) -> float | None:
    """Print a claim with how busy the machine was."""
    from _claims import claim

    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    return claim(name, ours, peer, **more, load=load)


@contextmanager
def broker() -> Iterator[Any]:
    """A real Kafka broker by the fixture of the tests; ends here where none can be had."""
    sys.path.insert(0, str(HERE.parents[1]))
    import shutil

    from tests.servers.kafka import FOLDER, Kafka

    if not (FOLDER / ".complete").exists() or not shutil.which("java"):
        print("no Kafka broker here: sh scripts/kafka.sh fetches one; nothing is measured", file=sys.stderr)
        raise SystemExit(0)
    with tempfile.TemporaryDirectory(prefix="tallystick-kafka-") as name:
        one = Kafka(Path(name))
        try:
            one.start()
            yield one
        finally:
            one.stop()


# --- the other sides --------------------------------------------------------------------------------------


def stream(*, note: str, ready: str, stdin: Any = None, solution: str, **options: Any) -> None:
    """Run a stream, and note when it began, when each entry was committed and delivered, and what it cost."""
    del stdin
    began = _began()
    import tallystick as ts
    from tallystick.store import Claim
    from tallystick.streams import committing, delivery, loop, reading, snapshots

    cpu: dict[str, float] = {}
    first: list[int] = []
    committed: list[int] = []
    delivered: list[int] = []
    upto: list[int] = []
    rows: list[int] = []
    ids: list[Any] = []

    def timed(kind: Any, name: str) -> None:
        run = kind.run

        @wraps(run)
        def wrapped(self: Any, *args: Any) -> Any:
            start = time.thread_time()
            try:
                return run(self, *args)
            finally:
                cpu[name] = cpu.get(name, 0.0) + time.thread_time() - start

        kind.run = wrapped

    for kind, name in (
        (reading.Reader, "read and check"), (loop.Loop, "apply and decide"), (committing.Committer, "commit"),
        (delivery.Deliverer, "deliver"), (snapshots.Snapshots, "snapshots"),
    ):  # fmt: skip
        timed(kind, name)
    commit, deliver, read = Claim.commit, delivery.Deliverer.deliver, reading.Reader._reads
    run = reading.Reader.run

    def noting_commit(self: Any, entry: Any) -> None:
        commit(self, entry)
        committed.append(time.monotonic_ns())
        rows.append(len(entry.decisions))
        ids.append(entry.decisions.column("id"))

    def noting_delivery(self: Any, number: int, batches: Any) -> None:
        deliver(self, number, batches)
        delivered.append(time.monotonic_ns())
        upto.append(number)

    def noting_read(self: Any, given: Any) -> Any:
        if given and not first:
            first.append(time.monotonic_ns())
        return read(self, given)

    def noting_run(self: Any) -> None:
        Path(ready).write_text("")
        run(self)

    Claim.commit = noting_commit  # type: ignore[method-assign]
    delivery.Deliverer.deliver = noting_delivery  # type: ignore[method-assign]
    reading.Reader._reads = noting_read  # type: ignore[method-assign]
    reading.Reader.run = noting_run  # type: ignore[method-assign]
    ts.stream(solution, **options)
    cpu["all of the process"] = time.process_time()
    every = [str(one) for part in ids for one in part.to_pylist()]
    np.savez(
        note, began=began, first=first[0] if first else began, committed=committed, rows=rows,
        delivered=delivered, upto=upto, ids=np.array(every),
    )  # fmt: skip
    Path(note).with_suffix(".json").write_text(json.dumps(cpu))


def _began() -> int:
    """When this process started."""
    with suppress(OSError, ValueError):
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        return round(ticks / os.sysconf("SC_CLK_TCK") * 1e9)  # since the machine started, as the clock is
    return time.monotonic_ns()


def write(*, lines: str, to: str, rate: float, seconds: float, seed: int, note: str, ready: str) -> None:
    """Append lines to a file, each at its moment, whatever becomes of them."""
    data = Path(lines).read_bytes().splitlines(keepends=True)
    with Path(to).open("ab", buffering=0) as file:
        _paced(lambda start, end: file.write(b"".join(data[start:end])), rate, seconds, seed, note, ready)


def send(
    *, lines: str, bootstrap: str, topic: str, rate: float, seconds: float, seed: int, note: str, ready: str
) -> None:
    """Send lines to a topic, each at its moment; all at once where the rate is 0."""
    from confluent_kafka import Producer

    data = Path(lines).read_bytes().splitlines()
    # 5 ms is what Kafka's own clients, and this library, wait for a batch unless told otherwise.
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5 if rate else 50, "acks": "all",
                         "queue.buffering.max.messages": 1_000_000})  # fmt: skip
    failed: list[Any] = []

    def heard(error: Any, _: Any) -> None:
        if error is not None:
            failed.append(error)

    def sent(start: int, end: int) -> None:
        for line in data[start:end]:
            producer.produce(topic, line, on_delivery=heard)
        producer.poll(0)

    if rate:
        _paced(sent, rate, seconds, seed, note, ready)
    else:
        for start in range(0, len(data), 10_000):
            sent(start, start + 10_000)
            producer.flush()
    producer.flush()
    if failed:
        raise SystemExit(str(failed[0]))


def hear(*, bootstrap: str, topic: str, count: int, note: str, ready: str, wait: float = 60.0) -> None:
    """Read committed messages of a topic, and note when each was seen."""
    from confluent_kafka import Consumer

    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench", "auto.offset.reset": "earliest",
                         "isolation.level": "read_committed", "fetch.wait.max.ms": 10,
                         "enable.auto.commit": False})  # fmt: skip
    consumer.subscribe([topic])
    while not consumer.assignment():
        consumer.poll(0.05)
    Path(ready).write_text("")
    found, seen = [], []
    end = time.monotonic() + wait
    while len(found) < count and time.monotonic() < end:
        messages = consumer.consume(1000, 0.002)
        now = time.monotonic_ns()
        for message in messages:
            if message.error() is None:
                found.append(json.loads(message.value())["id"])
                seen.append(now)
                end = time.monotonic() + wait
    consumer.close()
    np.savez(note, ids=np.array(found), seen=np.array(seen))


def _paced(
    give: Callable[[int, int], Any], rate: float, seconds: float, seed: int, note: str, ready: str
) -> None:
    """Give what is due, again and again; what comes late does not move what comes after it."""
    plan = moments(rate, seconds, seed)
    given = np.zeros(len(plan), np.int64)
    start = time.monotonic_ns() + 200_000_000
    meant = plan + start
    Path(ready).write_text("")
    done = 0
    while done < len(meant):
        left = int(meant[done]) - time.monotonic_ns()
        if left > 0:
            time.sleep(left / 1e9)
            continue
        upto = int(np.searchsorted(meant, time.monotonic_ns(), "right"))
        give(done, upto)
        given[done:upto] = time.monotonic_ns()
        done = upto
    np.savez(note, meant=meant, given=given)


if __name__ == "__main__":
    sides: dict[str, Callable[..., None]] = {"stream": stream, "write": write, "send": send, "hear": hear}
    sides[sys.argv[1]](**json.loads(sys.argv[2]))
