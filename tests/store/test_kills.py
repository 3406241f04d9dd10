"""A process or a server killed at any moment leaves whole entries, and the next one goes on."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tallystick.store import Entry, LeaseLostError, Store

pytestmark = pytest.mark.kills

WRITER = """
import sys, time
import numpy as np
sys.path.insert(0, sys.argv[3])
from conftest import decisions, AT, bad_rows
from tallystick.store import Entry, Store
import pyarrow as pa

store = Store.open(sys.argv[1])
claim = store.claim("fraud")
number = store.head("fraud").number
rows = int(sys.argv[2])
while True:
    number += 1
    names = [f"e{number}-{i}" for i in range(rows)]
    claim.commit(Entry(
        number=number, at=AT + number, events=pa.record_batch({"id": names}), rows=rows, duplicates=1,
        decisions=decisions(names), arrived=np.full(rows, AT), bad=bad_rows(1),
        positions={"a": {"at": number}}, marks={"out": (number - 1, None)},
        notices=[("desk", {"n": number})]))
    print(number, flush=True)
    if number % 3 == 0:
        claim.save_snapshot(number, {"a": np.full(300_000, number)})
"""


def whole_entries(store: Store, schema: pa.Schema, rows: int) -> int:
    """Check that all parts of each entry are there, and of no other; say how many there are."""
    head = store.head("fraud")
    if head is None:
        return 0
    n = head.number
    assert [one.number for one in store.entries("fraud")] == list(range(1, n + 1))
    decisions = list(store.decisions("fraud", 0, schema))
    assert [(number, len(batch)) for number, batch in decisions] == [(i, rows) for i in range(1, n + 1)]
    assert (head.rows, head.duplicates, head.quarantined) == (n * rows, n, n)
    assert len(store.quarantine("fraud", most=10**6)) == n
    assert [notice.payload["n"] for notice in store.due("fraud", 2**60, most=10**6)] == list(range(1, n + 1))
    if n:
        assert (head.positions, head.marks) == ({"a": {"at": n}}, {"out": (n - 1, None)})
    found = store.snapshot("fraud")
    if found is not None:
        assert found[0] <= n
        assert (found[1]["a"] == found[0]).all()
        assert len(found[1]["a"]) == 300_000
    return n


def test_a_killed_writer_leaves_whole_entries(uri: str, schema: pa.Schema) -> None:
    rows, said = 200, 0
    chance = random.Random(7)
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, uri, str(rows), str(Path(__file__).parent)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        with process:
            assert process.stdout is not None
            line = process.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.3))
            process.kill()
            rest = process.stdout.read().splitlines()
        last = [text for text in [line.strip(), *rest] if text.isdigit()][-1]
        said = max(said, int(last))
        with Store.open(uri) as store:
            there = whole_entries(store, schema, rows)
            assert said <= there <= said + 1  # what was answered is there; one more may be, unanswered
            said = there
            # The next process does not wait for the lease of one that is gone; here it is given back.
            store.claim("fraud").release()
    assert said >= 2


def test_a_living_but_stopped_writer_is_fenced(uri: str) -> None:
    code = (
        "import sys\n"
        "from tallystick.store import Store, LeaseLostError\n"
        "claim = Store.open(sys.argv[1]).claim('fraud', lease=0.3)\n"
        "print('held', flush=True); sys.stdin.readline()\n"
        "try:\n    claim.mark({'a': (1, None)})\n"
        "except LeaseLostError as error:\n    print('fenced', flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, uri], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        process.send_signal(signal.SIGSTOP)
        with Store.open(uri) as store:
            head = store.head("fraud")
            assert head is not None
            assert head.holder is not None
            assert head.holder.pid == process.pid
            time.sleep(0.4)
            store.claim("fraud")
            process.send_signal(signal.SIGCONT)
            assert process.communicate("\n", timeout=30)[0] == "fenced\n"
    finally:
        process.kill()
        process.wait()


@pytest.mark.postgres
def test_a_killed_server_loses_and_doubles_nothing(
    postgres_server: Any, entry: Callable[..., Entry], schema: pa.Schema
) -> None:
    """Commits go on when it is back: none that was answered is lost, and none is there twice."""
    with Store.open(postgres_server.uri()) as store:
        claim = store.claim("fraud")
        wanted, errors, over = 0, [], threading.Event()

        def write() -> None:
            nonlocal wanted
            while not over.is_set():
                try:
                    claim.commit(entry(wanted + 1, rows=20))
                except Exception as error:
                    errors.append(error)
                    return
                wanted += 1

        thread = threading.Thread(target=write)
        thread.start()
        for _ in range(2):
            time.sleep(0.4)
            postgres_server.stop(signal.SIGKILL)
            before = wanted
            postgres_server.start()
            until = time.monotonic() + 20
            while wanted < before + 3 and not errors and time.monotonic() < until:
                time.sleep(0.02)
        over.set()
        thread.join(60)
        assert errors == []
        assert [one.number for one in store.entries("fraud")] == list(range(1, wanted + 1))
        assert [(n, len(b)) for n, b in store.decisions("fraud", 0, schema)] == [
            (n, 20) for n in range(1, wanted + 1)
        ]


@pytest.mark.postgres
def test_an_answer_that_was_lost_is_not_asked_for_again(postgres: str, entry: Callable[..., Entry]) -> None:
    """The server kept the entry, but the connection broke before it said so."""
    import psycopg

    with Store.open(postgres) as store:
        claim = store.claim("fraud")
        database = store._database
        once = [psycopg.OperationalError("server closed the connection unexpectedly")]
        real = database._retry

        def lossy(work: Callable[[], Any]) -> Any:
            def broken() -> Any:
                result = work()
                if once:
                    raise once.pop()
                return result

            return real(broken)

        claim.commit(entry(1))
        database._retry = lossy  # type: ignore[method-assign]
        claim.commit(entry(2))
        assert not once
        assert [one.number for one in store.entries("fraud")] == [1, 2]
        with Store.open(postgres) as other:
            store.claim("other").release()
            claim.release()
            other.claim("fraud")
        with pytest.raises(LeaseLostError):
            claim.commit(entry(3))
