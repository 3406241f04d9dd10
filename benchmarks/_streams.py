"""What the measures of streams share: hostile payments, a process to kill, and what must come of it."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import tallystick as ts
from tallystick.store import Store

__all__ = [
    "Mixed", "Process", "Verdict", "Writer", "head", "mixed", "model", "rows_of_postgres", "rows_of_sqlite",
    "simulated", "until", "verify",
]  # fmt: skip

CACHE = Path(tempfile.gettempdir()) / "tallystick-bench-streams"
DUPLICATES, DISORDER, LATENESS, BROKEN = 0.02, 0.10, 0.01, 0.002
MOVED = 5_000  # places at most, of few lines a twentieth
DAY = 86_400
LATER = 45 * DAY  # a duplicate comes so much later at most: well within the horizon of 90 days


@dataclass(frozen=True)
class Mixed:
    """Lines as they arrive, and what is right: valid keys with the card of each one's first line.

    keys: card by key; told: keys of the frauds that become known while the stream runs, in the order in which
    they come; duplicates and broken: how many lines.
    """

    lines: list[bytes]
    keys: dict[str, str]
    told: list[str]
    duplicates: int
    broken: int


def simulated(rows: int, seed: int, folder: Path = CACHE) -> list[bytes]:
    """Simulated payments as JSON lines, in order; made once for each size and seed."""
    path = folder / f"payments-{rows}-{seed}.jsonl"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}.jsonl")
        ts.simulate("fraud", rows=rows, output=beside, seed=seed, preset="default")
        beside.rename(path)
    return path.read_bytes().splitlines()


def model(folder: Path = CACHE, rows: int = 30_000, **options: Any) -> Path:
    """A model of other payments, trained once."""
    place = folder / f"model-{rows}"
    if not (place / "fraud" / "manifest.json").exists():
        simulated(rows, 11, folder)
        ts.train("fraud", folder / f"payments-{rows}-11.jsonl", model=place, **options)
    return place


def mixed(rows: int, seed: int, folder: Path = CACHE) -> Mixed:
    """Simulated payments with duplicates, disorder, lateness and broken lines."""
    draw = np.random.default_rng(seed)
    far_off = min(MOVED, rows // 20)
    count = round(rows / (1 + DUPLICATES + BROKEN))
    lines = simulated(count, seed, folder)
    rows_ = [json.loads(line) for line in lines]
    moment = np.array([row["event_time"].rstrip("Z") for row in rows_], "datetime64[s]").astype(np.int64)
    place = np.arange(count, dtype=np.float64)
    moved = draw.random(count) < DISORDER
    place[moved] += draw.uniform(-far_off, far_off, int(moved.sum()))
    late = draw.random(count) < LATENESS
    place[late] = np.searchsorted(moment, moment[late] + DAY) + draw.random(int(late.sum()))

    wanted, where = list(lines), [place]
    again = draw.choice(count, round(count * DUPLICATES), replace=False)
    kind = draw.integers(0, 3, len(again))  # near; near, under another card; far
    for one, how in zip(again.tolist(), kind.tolist(), strict=True):
        other = rows_[int(draw.integers(count))]["customer_id"]
        wanted.append(lines[one] if how != 1 else _line(rows_[one] | {"customer_id": other}))
    near = place[again] + draw.uniform(-20, far_off, len(again))
    far = np.searchsorted(moment, moment[again] + draw.integers(DAY, LATER, len(again)))
    where.append(np.where(kind == 2, far + draw.random(len(again)), near))

    broken = draw.choice(count, round(count * BROKEN), replace=False)
    for i, one in enumerate(broken.tolist()):
        spoilt: list[bytes] = [
            _line(rows_[one] | {"amount": "12,x"}),
            _line(rows_[one] | {"event_time": "the day before"}),
            lines[one][: len(lines[one]) // 2],
        ]
        wanted.append(spoilt[i % 3])
    where.append(place[broken] + draw.uniform(-far_off, far_off, len(broken)))
    order = np.argsort(np.concatenate(where), kind="stable")
    bad = set(range(len(wanted) - len(broken), len(wanted)))
    keys: dict[str, str] = {}
    frauds: dict[str, str] = {}
    for one in order.tolist():
        if one not in bad:
            row = json.loads(wanted[one]) if one >= count else rows_[one]
            keys.setdefault(row["transaction_id"], row["customer_id"])
            if row["is_fraud"]:
                frauds.setdefault(row["transaction_id"], row["label_known_at"])
    newest = max(row["event_time"] for row in rows_)
    told = [key for key, known in frauds.items() if known <= newest]
    return Mixed([wanted[one] for one in order.tolist()], keys, told, len(again), len(broken))


def _line(row: dict[str, Any]) -> bytes:
    return json.dumps(row, separators=(",", ":")).encode()


class Writer(threading.Thread):
    """Appends lines to a file a few at a time, cut anywhere, up to a share that is raised from outside."""

    def __init__(self, path: Path, lines: Sequence[bytes], seed: int) -> None:
        super().__init__(daemon=True)
        self._data = b"".join(line + b"\n" for line in lines)
        self._path, self._draw = path, random.Random(seed)
        self.share = 0.0
        self._stopping = threading.Event()
        path.write_bytes(b"")

    def stop(self) -> None:
        """Write no more."""
        self._stopping.set()
        self.join()

    def run(self) -> None:
        """Write, in steps of up to 200 kB: most of them end within a line."""
        done = 0
        with self._path.open("ab", buffering=0) as file:
            while done < len(self._data) and not self._stopping.is_set():
                upto = min(int(self.share * len(self._data)), done + self._draw.randint(1, 200_000))
                if upto > done:
                    done += file.write(self._data[done:upto])
                time.sleep(self._draw.uniform(0.005, 0.05))


@dataclass
class Process:
    """`tallystick` as a process that is started, killed and started again with the same arguments."""

    arguments: Sequence[str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it."""
        command = [sys.executable, "-m", "tallystick", *self.arguments]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    @property
    def pid(self) -> int:
        """Its number."""
        assert self.process is not None
        return self.process.pid

    def running(self) -> bool:
        """Say whether it runs."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> bool:
        """End it by SIGKILL; False where it had ended by itself."""
        return self.stop(signal.SIGKILL) == -signal.SIGKILL

    def stop(self, how: int = signal.SIGTERM, wait: float = 60.0) -> int:
        """Send it a signal, and return what it ended with."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(wait)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def alive_or_done(self) -> None:
        """Raise RuntimeError, with its last words, where it ended by itself and not well."""
        code = None if self.process is None else self.process.poll()
        if code not in (None, 0, -signal.SIGKILL):
            raise RuntimeError(f"ended with {code}:\n{self.said()}")

    def end(self) -> None:
        """End it, if it still runs, whatever comes of it."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def finish(self, wait: float = 600.0) -> None:
        """Wait until it ends by itself; RuntimeError with its last words where that is not well."""
        assert self.process is not None
        try:
            code = self.process.wait(wait)
        except subprocess.TimeoutExpired:
            self.stop(signal.SIGKILL)
            raise RuntimeError(f"still running after {wait:.0f} s:\n{self.said()}") from None
        if code:
            raise RuntimeError(f"ended with {code}:\n{self.said()}")

    def said(self, most: int = 3000) -> str:
        """Return the end of what it said."""
        return self.log.read_text(errors="replace")[-most:]


def head(state: str, stream: str = "fraud") -> int:
    """Ask for the last committed entry; 0 where there is none yet, -1 where nobody answers."""
    try:
        if state.startswith("sqlite"):
            path = state.removeprefix("sqlite:///")
            if not Path(path).exists():
                return 0
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as connection:
                row = connection.execute("SELECT number FROM ts_head WHERE stream = ?", (stream,)).fetchone()
        else:
            import psycopg

            with psycopg.connect(state, connect_timeout=2) as connection:
                row = connection.execute("SELECT number FROM ts_head WHERE stream = %s", (stream,)).fetchone()
        return 0 if row is None else int(row[0])
    except Exception as error:
        return 0 if "ts_head" in str(error) else -1


@dataclass
class Verdict:
    """What came of a run, beside what had to; `right` where all is."""

    keys: int
    lost: int
    doubled: int
    strange: int
    differ: int
    quarantined: tuple[int, int]
    duplicates: tuple[int, int]
    cards: int
    rows: int
    labels: tuple[int, int]  # applied, and those of them that are missing or that nobody sent

    @property
    def right(self) -> bool:
        """Whether nothing is wrong."""
        wrong = (self.lost, self.doubled, self.strange, self.differ, self.cards, self.labels[1])
        return (
            not any(wrong)
            and self.quarantined[0] == self.quarantined[1]
            and self.duplicates[0] == self.duplicates[1]
            and self.rows == self.keys
        )

    def to_dict(self) -> dict[str, Any]:
        """For one line of JSON."""
        return {
            "valid_keys": self.keys,
            "lost": self.lost,
            "doubled": self.doubled,
            "values_that_differ": self.differ,
            "ids_that_nobody_sent": self.strange,
            "applied_under_another_card": self.cards,
            "labels": self.labels[0],
            "labels_that_are_wrong": self.labels[1],
            "quarantined_as_expected": self.quarantined[0] == self.quarantined[1],
            "quarantined": self.quarantined[0],
            "duplicates_as_expected": self.duplicates[0] == self.duplicates[1],
            "duplicates": self.duplicates[0],
        }


Values = dict[str, Any]


def verify(
    given: Mixed,
    state: str,
    folder: Path,
    place: Path,
    lines: Iterable[bytes],
    *others: Iterable[tuple[str, Values]],
    ordered: bool = True,
) -> Verdict:
    """Hold what sinks have against what is right, and against the batch replay of the log.

    lines: JSON lines of one sink; others: ids and values of further ones, which must hold the same; ordered:
    the source has one order, so that it is known which of two lines of a key is the first.
    """
    replayed = folder / "replay.jsonl"
    ts.score("fraud", state, model=place, output=replayed)
    right: dict[str, bytes] = {}
    for line in replayed.read_bytes().splitlines():
        right[json.loads(line)["id"]] = line
    count, found = 0, {}
    for line in lines:
        found[json.loads(line)["id"]] = line
        count += 1
    lost, doubled = len(given.keys.keys() - found.keys()), count - len(found)
    strange = len(found.keys() - given.keys.keys()) + len(right.keys() ^ found.keys())
    differ = sum(right.get(key) != line for key, line in found.items())
    for other in others:
        many, seen = 0, set()
        for key, values in other:
            many += 1
            seen.add(key)
            said = json.loads(right.get(key, b"{}"))
            differ += any(said.get(name) != value for name, value in values.items())
        lost += len(given.keys.keys() - seen)
        doubled += many - len(seen)
        strange += len(seen - given.keys.keys())
    cards, rows, labels = 0, 0, []
    with Store.open(state, create=False) as store:
        at = store.head("fraud")
        kept = len(store.quarantine("fraud", most=10**7))
        assert at is not None
        for entry in store.entries("fraud", whole=True):
            events = entry.events
            records = (
                events
                if not events.column("ts_kind").to_numpy().any()
                else events.filter(np.equal(events.column("ts_kind").to_numpy(), 0))
            )
            rows += len(records)
            labels += (
                events.filter(np.not_equal(events.column("ts_kind").to_numpy(), 0))
                .column("ts_id")
                .to_pylist()
            )
            if ordered:
                pairs = zip(
                    records.column("transaction_id").to_pylist(),
                    records.column("customer_id").to_pylist(),
                    strict=True,
                )
                cards += sum(given.keys.get(key) != card for key, card in pairs)
    if kept != at.quarantined:
        raise RuntimeError(f"{kept} rows are in quarantine, {at.quarantined} were counted")
    if at.rows != rows:
        raise RuntimeError(f"{rows} records are in the log, {at.rows} were counted")
    # Which of the last ones are told before the end hangs on how partitions interleave.
    sure = given.told if ordered else given.told[:-50]
    off = len(labels) - len(set(labels)) + len(set(sure) - set(labels)) + len(set(labels) - set(given.told))
    return Verdict(
        len(given.keys), lost, doubled, strange, differ, (at.quarantined, given.broken),
        (at.duplicates, given.duplicates), cards, rows, (len(labels), off),
    )  # fmt: skip


COMPARED = ("event_time", "label", "score", "action", "sequence", "late", "reasons", "model")


def rows_of_sqlite(path: Path) -> Iterator[tuple[str, Values]]:
    """Read a table of decisions as `verify` compares it."""
    names = ", ".join(f'"{name}"' for name in ("id", *COMPARED) if name != "event_time")
    with closing(sqlite3.connect(path)) as connection:
        for key, *values in connection.execute(f"SELECT {names} FROM decisions"):
            row = dict(zip([name for name in COMPARED if name != "event_time"], values, strict=True))
            row["late"] = bool(row["late"])
            yield key, row | {name: json.loads(row[name]) for name in ("sequence", "reasons") if row[name]}


def rows_of_postgres(uri: str) -> Iterator[tuple[str, Values]]:
    """Read a table of decisions as `verify` compares it."""
    import psycopg

    names = [name for name in COMPARED if name != "event_time"]
    with psycopg.connect(uri) as connection, connection.cursor("reading") as cursor:
        cursor.execute(f"SELECT id, {', '.join(names)} FROM decisions")
        for key, *values in cursor:
            yield key, dict(zip(names, values, strict=True))


def until(what: Callable[[], bool], wait: float, every: float = 0.02) -> bool:
    """Wait for something; say whether it came."""
    end = time.monotonic() + wait
    while time.monotonic() < end:
        with suppress(OSError):
            if what():
                return True
        time.sleep(every)
    return False
