"""Sending: retries, what is given up, grouping, limits, restarts, and slow channels beside quick ones."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

import pytest
from tests.notify.conftest import (
    NOW,
    SECOND,
    Hook,
    MemoryOutbox,
    Notifier,
    bodies,
    drain,
    keys,
    notices,
    webhook,
)

from tallystick.connectors.http_post import SIGNATURE, signature
from tallystick.notify import Notify

DAY = 86_400 * SECOND


def test_a_notice_is_posted_signed_and_settled(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_KEY", "s3cret")
    notify = Notify.read(
        f"channels:\n  hook: {{kind: webhook, url: '{hook.url}', secret_env: HOOK_KEY}}\n"
        "rules:\n  - {name: r, channel: hook}\n"
    )
    box = MemoryOutbox()
    box.put(NOW, notices(1, department="Legal"))
    notifier = Notifier(notify, box, source="payments")
    drain(notifier, NOW)
    headers, body = hook.got[0]
    stamp = int(headers[SIGNATURE.lower()].partition(",")[0].removeprefix("t="))
    assert headers[SIGNATURE.lower()] == signature(b"s3cret", stamp, body)
    assert abs(stamp - time.time()) < 60
    document = json.loads(body)
    assert document["count"] == 1
    assert document["notice"] == "r"
    assert document["decisions"] == [notices(1, department="Legal")[0][1]]
    assert document["text"] == "r: P0: fraud yes, decline, Legal"
    assert box.done == [1]
    assert notifier.counts == {"hook": {"sent": 1, "failed": 0, "dead": 0}}


def test_what_fails_is_tried_again_later_and_later_with_the_same_key(hook: Hook) -> None:
    hook.statuses = [500, 503, 429, 200]
    box = MemoryOutbox()
    box.put(NOW, notices(1))
    notifier = Notifier(webhook(hook), box)
    now, blocking = NOW, []
    for tries in range(1, 4):
        drain(notifier, now)
        assert len(hook.got) == tries
        drain(notifier, box.times[1] - 1)
        assert len(hook.got) == tries
        blocking.append((box.times[1] - now) / SECOND)
        now = box.times[1]
    drain(notifier, now)
    assert 0.5 <= blocking[0] <= 1
    assert 1 <= blocking[1] <= 2
    assert 2 <= blocking[2] <= 4
    assert len(set(keys(hook))) == 1
    assert len({body for _, body in hook.got}) == 1
    assert box.done == [1]
    assert "status 500" in box.errors[0][1]
    assert notifier.counts["hook"] == {"sent": 1, "failed": 3, "dead": 0}


def test_a_receiver_may_say_when(hook: Hook) -> None:
    hook.statuses, hook.headers = [503, 200], {"Retry-After": "77"}
    box = MemoryOutbox()
    box.put(NOW, notices(1))
    drain(Notifier(webhook(hook), box), NOW)
    assert box.times[1] == NOW + 77 * SECOND


def test_what_is_refused_is_dead_at_once_and_kept(hook: Hook, caplog: pytest.LogCaptureFixture) -> None:
    hook.statuses = [404, 200]
    box = MemoryOutbox()
    box.put(NOW, notices(2))
    notifier = Notifier(webhook(hook), box)
    with caplog.at_level(logging.WARNING, "tallystick"):
        drain(notifier, NOW)
    assert "status 404" in box.dead[1]
    assert box.done == [2]
    assert notifier.counts["hook"] == {"sent": 1, "failed": 0, "dead": 1}
    assert "will not be sent; they are kept" in caplog.text


def test_what_is_a_day_old_is_given_up_but_not_before_it_was_tried_for_long(hook: Hook) -> None:
    hook.statuses = [500]
    box = MemoryOutbox()
    box.put(NOW - 2 * DAY, notices(1))
    notifier = Notifier(webhook(hook), box)
    now = NOW
    while not box.dead:
        drain(notifier, now)
        now = max(now + 61 * SECOND, box.times[1])
    assert len(hook.got) == 12
    assert "status 500" in box.dead[1]
    young = MemoryOutbox()
    young.put(NOW, notices(1))
    young.rows[1] = type(young.rows[1])(1, "hook", notices(1)[0][1], 400, NOW)
    drain(Notifier(webhook(hook), young), NOW + DAY // 2)
    assert not young.dead
    assert young.times[1] - NOW - DAY // 2 <= 600 * SECOND


def test_nobody_there_is_no_answer_and_is_tried_again() -> None:
    hook = Hook(url="http://127.0.0.1:1/")
    box = MemoryOutbox()
    box.put(NOW, notices(1))
    drain(Notifier(webhook(hook), box), NOW)
    assert "gave no answer" in box.errors[0][1]
    assert box.times[1] > NOW


def test_a_channel_that_is_gone_from_the_file_leaves_its_notices_dead() -> None:
    box = MemoryOutbox()
    box.put(NOW, notices(1, channel="old"))
    notify = Notify.read("channels:\n  a: {kind: console}\nrules:\n  - {channel: a}\n")
    drain(Notifier(notify, box), NOW)
    assert "no longer has this channel" in box.dead[1]


def test_a_group_goes_at_once_then_together(hook: Hook) -> None:
    box = MemoryOutbox()
    notifier = Notifier(webhook(hook, ", group: 60s"), box)
    box.put(NOW, notices(1))
    drain(notifier, NOW)
    for second in range(1, 60):
        box.put(NOW + second * SECOND, notices(2))
        drain(notifier, NOW + second * SECOND)
    assert [body["count"] for body in bodies(hook)] == [1]
    drain(notifier, NOW + 60 * SECOND)
    assert [body["count"] for body in bodies(hook)] == [1, 118]
    assert len(bodies(hook)[1]["decisions"]) == 10
    assert "and 108 more" in bodies(hook)[1]["text"]
    box.put(NOW + 119 * SECOND, notices(1))
    drain(notifier, NOW + 119 * SECOND)
    assert len(hook.got) == 2
    drain(notifier, NOW + 120 * SECOND)
    assert [body["count"] for body in bodies(hook)] == [1, 118, 1]
    assert len(box.done) == 120
    assert not box.rows


def test_a_group_that_fails_is_tried_again_before_its_time_is_over(hook: Hook) -> None:
    hook.statuses = [500, 200]
    box = MemoryOutbox()
    notifier = Notifier(webhook(hook, ", group: 60s"), box)
    box.put(NOW, notices(3))
    drain(notifier, NOW)
    drain(notifier, NOW + 2 * SECOND)
    assert [body["count"] for body in bodies(hook)] == [3, 3]
    assert len(set(keys(hook))) == 1


def test_held_notices_stay_held_over_a_restart(hook: Hook) -> None:
    box = MemoryOutbox()
    first = Notifier(webhook(hook, ", group: 60s"), box)
    box.put(NOW, notices(1))
    drain(first, NOW)
    box.put(NOW + SECOND, notices(4))
    drain(first, NOW + SECOND)
    second = Notifier(webhook(hook, ", group: 60s"), box)
    box.put(NOW + 20 * SECOND, notices(1))
    for at in (20, 40, 59):
        drain(second, NOW + at * SECOND)
    assert len(hook.got) == 1
    drain(second, NOW + 61 * SECOND)
    assert [body["count"] for body in bodies(hook)] == [1, 5]


def test_a_limit_counts_what_is_beyond_it_in_the_next_message(hook: Hook) -> None:
    box = MemoryOutbox()
    notifier = Notifier(webhook(hook, ", limit: 5 per minute"), box)
    box.put(NOW, notices(3))
    drain(notifier, NOW)
    box.put(NOW + SECOND, notices(10))
    drain(notifier, NOW + SECOND)
    assert [body["count"] for body in bodies(hook)] == [1, 1, 1, 1, 9]
    for second in range(2, 60):
        box.put(NOW + second * SECOND, notices(1))
        drain(notifier, NOW + second * SECOND)
    assert len(hook.got) == 5
    drain(notifier, NOW + 60 * SECOND)
    assert [body["count"] for body in bodies(hook)] == [1, 1, 1, 1, 9, 1, 1, 56]
    assert not box.rows


def test_rules_of_a_channel_are_grouped_each_for_itself(hook: Hook) -> None:
    box = MemoryOutbox()
    notify = webhook(hook, ", group: 60s}\n  - {name: other, channel: hook")
    notifier = Notifier(notify, box)
    box.put(NOW, [*notices(2), *notices(2, notice="other")])
    drain(notifier, NOW)
    assert [(body["notice"], body["count"]) for body in bodies(hook)] == [
        ("r", 2),
        ("other", 1),
        ("other", 1),
    ]


def test_more_than_a_look_holds_goes_on_at_once(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallystick.notify.notifier.MAX_NOTICES", 20)
    box = MemoryOutbox()
    notifier = Notifier(webhook(hook, ", group: 60s"), box)
    box.put(NOW, notices(50))
    drain(notifier, NOW)
    assert [body["count"] for body in bodies(hook)] == [20, 20, 10]


def test_a_slow_channel_keeps_nobody_waiting(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallystick.notify.notifier.PATIENCE", 0.02)
    monkeypatch.setattr("tallystick.notify.notifier.MAX_NOTICES", 30)
    hook.wait.clear()
    lines: list[str] = []
    notify = webhook(hook, "}\n  - {name: seen, channel: screen", "  screen: {kind: console}\n")
    box = MemoryOutbox()
    notifier = Notifier(notify, box, print_line=lines.append)
    box.put(NOW, [*notices(200), *notices(100, channel="screen", notice="seen")])
    for i in range(60):
        notifier.step(NOW + i * SECOND // 100)
    assert len(lines) == 100
    assert len(hook.got) == 1
    hook.wait.set()
    for i in range(400):
        notifier.step(NOW + 10 * SECOND + i * SECOND // 10)
        if not box.rows:
            break
    assert sorted(box.done) == list(range(1, 301))
    assert len(hook.got) == 200


def test_a_dead_channel_is_not_tried_with_each_of_many_notices(hook: Hook) -> None:
    hook.statuses = [500]
    box = MemoryOutbox()
    notifier = Notifier(webhook(hook), box)
    box.put(NOW, notices(1000))
    drain(notifier, NOW)
    assert len(hook.got) == 1
    assert min(box.times.values()) > NOW


def test_a_console_says_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    notify = Notify.read(
        "channels: {screen: {kind: console}}\nrules: [{name: r, channel: screen, group: 1m}]\n"
    )
    box = MemoryOutbox()
    box.put(NOW, notices(12, channel="screen", score=0.5, reasons=[{"feature": "rule:burst"}]))
    drain(Notifier(notify, box), NOW)
    line = capsys.readouterr().err
    assert line.startswith("screen: r: 12 decisions: P0: fraud yes, decline, score .500 (rule burst) | P1: ")
    assert line.endswith(" | and 2 more\n")
    assert line.count("\n") == 1


def test_a_console_that_cannot_be_written_to_loses_nothing() -> None:
    def broken(line: str) -> None:
        raise OSError("no space left")

    notify = Notify.read("channels:\n  screen: {kind: console}\nrules:\n  - {name: r, channel: screen}\n")
    box = MemoryOutbox()
    box.put(NOW, notices(1, channel="screen"))
    drain(Notifier(notify, box, print_line=broken), NOW)
    assert box.errors == [(1, "OSError: no space left")]


def test_an_outbox_that_fails_to_settle_gets_no_message_twice(hook: Hook) -> None:
    class Failing(MemoryOutbox):
        trouble = 2

        def settle(self, *args: Any, **more: Any) -> None:
            if self.trouble:
                self.trouble -= 1
                raise OSError("the database is locked")
            super().settle(*args, **more)

    box = Failing()
    box.put(NOW, notices(3))
    notifier = Notifier(webhook(hook), box)
    for _ in range(2):
        with pytest.raises(OSError, match="locked"):
            drain(notifier, NOW)
    drain(notifier, NOW)
    assert len(hook.got) == 3
    assert sorted(box.done) == [1, 2, 3]
