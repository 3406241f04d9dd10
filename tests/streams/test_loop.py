"""The loop at its end: nothing that was taken is left behind, and no thread is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import Queue
from types import SimpleNamespace
from typing import Any

import pytest
from tests.streams.test_reading import CONTRACT, SCHEMA, Partitions

from tallystick.config import Settings
from tallystick.streams.loop import Loop
from tallystick.streams.reading import CheckedBatches, SourceReader


class Committing:
    """A committer that is behind when `rests` says so."""

    error = None

    def __init__(self, rests: Iterator[bool]) -> None:
        self.rests = rests

    def rest(self, wait: float) -> bool:
        return next(self.rests)


def loop(inbox: Queue[Any], readers: list[Any], rests: list[bool]) -> Any:
    parts: list[Any] = [None] * 3
    return Loop(*parts, inbox, readers, Committing(iter(rests)), None, 0)  # type: ignore[arg-type]


def ended(labels: bool) -> Any:
    return SimpleNamespace(
        labels=labels, ended=True, error=None, lag=0, quiet=9.0, wanted=threading.Event(),
        source=SimpleNamespace(close=lambda: None), start=lambda: None, stop=lambda **_: None,
        join=lambda _: None, is_alive=lambda: False,
    )  # fmt: skip


def test_labels_that_wait_for_a_slow_commit_are_worked_on_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    inbox: Queue[Any] = Queue()
    for labels in (False, True):
        inbox.put([SimpleNamespace(labels=labels, taken=1)])
    worked: list[list[bool]] = []
    monkeypatch.setattr(Loop, "_process", lambda _, reads: worked.append([read.labels for read in reads]))
    loop(inbox, [ended(False), ended(True)], [True, False, True, True, True]).run()
    assert worked == [[False], [True]]


class Pipe(Partitions):
    """A source that gives nothing twice: its reader insists on handing it on."""

    comes_again = False


def test_what_waits_to_be_handed_on_goes_with_a_loop_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: Loop, reads: CheckedBatches) -> None:
        raise ZeroDivisionError

    inbox: Queue[CheckedBatches | SourceReader] = Queue(1)
    reader = SourceReader(Pipe(), CONTRACT, SCHEMA, Settings(), inbox)
    monkeypatch.setattr(Loop, "_process", failing)
    with pytest.raises(ZeroDivisionError):
        loop(inbox, [reader], [True] * 100).run()
    assert not reader.is_alive()
