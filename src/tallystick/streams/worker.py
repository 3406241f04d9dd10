"""A thread that processes a bounded queue in order."""

from __future__ import annotations

import threading
from queue import Full, Queue
from typing import Generic, TypeVar

__all__ = ["Worker"]

T = TypeVar("T")
WAIT = 0.1


class Worker(threading.Thread, Generic[T]):
    """Takes items from `queue` in `run`, which ends at None; error: what stopped it before that."""

    def __init__(self, name: str, most: int) -> None:
        super().__init__(name=f"tallystick-{name}", daemon=True)
        self.queue: Queue[T | None] = Queue(most)
        self.error: BaseException | None = None

    def hand(self, item: T) -> None:
        """Queue an item; waits while the queue is full. Raises the error that stopped the thread."""
        while self.error is None:
            try:
                return self.queue.put(item, timeout=WAIT)
            except Full:
                continue
        raise self.error

    def finish(self) -> None:
        """Process what is left, and end."""
        while self.is_alive():
            try:
                self.queue.put(None, timeout=WAIT)
                break
            except Full:
                continue
        self.join()
