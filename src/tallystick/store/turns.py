"""Fair lock: first come, first served, with priority for one kind of caller.

Python's lock is not fair: a thread that marks in a loop would starve the commits.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Turns"]


class Turns:
    """A fair lock.

    >>> turns = Turns()
    >>> with turns.take():
    ...     pass
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    @contextmanager
    def take(self, *, first: bool = False) -> Iterator[None]:
        """Acquire the lock; `first` goes before all waiting threads."""
        mine: threading.Lock | None = None
        with self._guard:
            if self._taken:
                mine = threading.Lock()
                mine.acquire()
                (self._waiting.appendleft if first else self._waiting.append)(mine)
            self._taken = True
        if mine is not None:
            self._wait(mine)
        try:
            yield
        finally:
            self._hand_on()

    def _wait(self, mine: threading.Lock) -> None:
        try:
            mine.acquire()
        except BaseException:  # interrupted: a turn that comes after all goes to the next
            with self._guard:
                waits = mine in self._waiting
                if waits:
                    self._waiting.remove(mine)
            if not waits:
                self._hand_on()
            raise

    def _hand_on(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
