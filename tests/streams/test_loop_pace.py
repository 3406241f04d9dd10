"""The loop where records come a few at a time: when it asks for more, and when it takes them."""

from __future__ import annotations

import threading
from queue import Queue
from typing import Any

from tallystick.streams.loop import Loop


class Steps:
    """What stands in for a committer and a reader, and notes what it is asked."""

    def __init__(self, *, rests: bool = True) -> None:
        self.said: list[str] = []
        self.rests = rests
        self.wanted = threading.Event()
        self.wanted.set = lambda: self.said.append("asked")  # type: ignore[method-assign]

    def rest(self, wait: float) -> bool:
        self.said.append("committed")
        return self.rests


class Taken:
    labels = False

    def __init__(self, rows: int) -> None:
        self.taken = rows


def loop(steps: Steps, *reads: Taken) -> Loop:
    inbox: Queue[Any] = Queue()
    for one in reads:
        inbox.put([one])
    anything: Any = None
    both: Any = steps
    return Loop(anything, anything, anything, inbox, [both], both, anything, 0)


def test_few_are_asked_for_once_all_is_committed() -> None:
    steps = Steps()
    assert len(loop(steps, Taken(1), Taken(2))._next()) == 2
    assert steps.said == ["committed", "asked"]


def test_nothing_is_asked_for_while_something_is_not_committed() -> None:
    steps = Steps(rests=False)
    assert loop(steps, Taken(1))._next() == []
    assert steps.said == ["committed"]


def test_many_wait_for_nobody() -> None:
    steps = Steps()
    one = loop(steps, Taken(100_000), Taken(1))
    assert len(one._next()) == 1
    steps.said.clear()
    assert len(one._next()) == 1
    assert steps.said == []
