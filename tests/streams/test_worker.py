from __future__ import annotations

import threading

import pytest

from tallystick.streams.worker import Worker


class Adding(Worker[int]):
    def __init__(self) -> None:
        super().__init__("adding", 2)
        self.go, self.total = threading.Event(), 0

    def run(self) -> None:
        try:
            self.go.wait(10)
            while (one := self.queue.get()) is not None:
                self.total += 100 // one
        except ZeroDivisionError as error:
            self.error = error


def test_it_works_off_what_is_left_and_ends() -> None:
    worker = Adding()
    worker.hand(1)
    worker.hand(2)
    worker.start()
    threading.Timer(0.2, worker.go.set).start()
    worker.hand(4)  # waits until there is room
    assert worker.go.is_set()
    worker.finish()
    assert (worker.total, worker.is_alive(), worker.error) == (175, False, None)


def test_what_stopped_it_is_raised_to_who_puts_and_it_still_ends() -> None:
    worker = Adding()
    worker.hand(0)
    worker.go.set()
    worker.start()
    worker.join()
    with pytest.raises(ZeroDivisionError):
        worker.hand(1)
    worker.finish()
