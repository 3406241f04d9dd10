"""Notices and the ends of a process: stopped, or killed, none is lost."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.notify.conftest import NOW, Hook, MemoryOutbox, Notifier, drain, keys, notices, webhook


def test_it_runs_until_it_is_stopped_and_sends_what_is_due_before(hook: Hook) -> None:
    box = MemoryOutbox()
    clock = lambda: time.time_ns() // 1000  # noqa: E731
    notifier = Notifier(webhook(hook), box)
    stop = threading.Event()
    thread = threading.Thread(target=notifier.run, args=(stop,))
    thread.start()
    box.put(clock(), notices(1))
    began = time.monotonic()
    notifier.wake()
    while not box.done and time.monotonic() < began + 10:
        time.sleep(0.005)
    assert box.done == [1]
    hook.wait.clear()
    box.put(clock(), notices(3))
    threading.Timer(0.3, hook.wait.set).start()
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert sorted(box.done) == [1, 2, 3, 4]
    assert not [t for t in threading.enumerate() if t.name.startswith("notify ")]


def test_stopped_amid_many_it_leaves_the_others_for_another_time(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tallystick.notify.notifier.GRACE", 0.1)
    hook.wait.clear()
    box = MemoryOutbox()
    box.put(0, notices(300))
    notifier = Notifier(webhook(hook), box)
    stop = threading.Event()
    thread = threading.Thread(target=notifier.run, args=(stop,))
    thread.start()
    while not hook.got:
        time.sleep(0.005)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    hook.wait.set()
    time.sleep(0.2)
    assert len(hook.got) == 1
    assert len(box.rows) == 300


def test_keys_tell_notices_of_one_store_from_those_of_another(hook: Hook) -> None:
    for created in (NOW, NOW + 1):
        box = MemoryOutbox()
        box.put(created, notices(1))
        drain(Notifier(webhook(hook), box, source="pay\r\nments"), NOW + 1)
    assert len(set(keys(hook))) == 2
    assert keys(hook)[0].startswith("pay-ments-1-")


KILLED = """
import sys, sqlite3, json, threading, time
from tests.notify.conftest import StoredNotice
from tallystick.notify import Notifier, Notify
from tallystick.notify import Notifier as Plain

class Box:
    def __init__(self): self.base = sqlite3.connect(sys.argv[2])
    def due(self, now, most):
        rows = self.base.execute("select id, payload from t where state is null and at <= ?", [now])
        return [StoredNotice(i, "hook", json.loads(p), 0, 1000) for i, p in rows.fetchall()[:most]]
    def settle(self, done=(), failed=(), dead=()):
        if sys.argv[3] == "stuck":
            print("sent", flush=True)
            time.sleep(60)
        for i in done: self.base.execute("update t set state = 'done' where id = ?", [i])
        for i, at, why in failed: self.base.execute("update t set at = ? where id = ?", [at, i])
        self.base.commit()

notifier = Notifier(Notify.read(sys.argv[1]), Box(), source="s")
while notifier.step(2_000_000) == 0 or notifier._busy: pass
"""


def test_killed_between_sending_and_settling_it_sends_again_with_the_same_key(
    hook: Hook, tmp_path: Path
) -> None:
    text = f"channels: {{hook: {{kind: webhook, url: '{hook.url}'}}}}\n"
    text += "rules: [{name: r, channel: hook, group: 60s}]\n"
    path = tmp_path / "box.db"
    base = sqlite3.connect(path)
    base.execute("create table t (id integer primary key, payload text, at int, state text)")
    rows = [(i, json.dumps(payload)) for i, (_, payload) in enumerate(notices(3), start=1)]
    base.executemany("insert into t values (?, ?, 1000, null)", rows)
    base.commit()
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", KILLED, text, str(path)]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    first = subprocess.Popen([*command, "stuck"], stdout=subprocess.PIPE, cwd=root, env=environment)
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == b"sent\n"
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert first.stdout is not None
        first.stdout.close()
    assert len(hook.got) == 1
    subprocess.run([*command, "well"], cwd=root, env=environment, check=True, timeout=60)
    assert len(hook.got) == 2
    assert hook.got[0][1] == hook.got[1][1]
    assert len(set(keys(hook))) == 1
    assert [state for (state,) in base.execute("select state from t")] == ["done"] * 3
    base.close()
