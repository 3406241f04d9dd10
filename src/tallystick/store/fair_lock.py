"""Fair lock: first come, first served, with priority for one kind of caller.

Python's lock is not fair: a thread that marks in a loop would starve the commits.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["FairLock"]


class FairLock:
    """A fair lock.

    >>> lock = FairLock()
    >>> with lock.acquire():
    ...     pass
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    @contextmanager
    def acquire(self, *, first: bool = False) -> Iterator[None]:
        """Acquire the lock; `first` goes before all waiting threads."""
        own: threading.Lock | None = None
        with self._guard:
            if self._taken:
                own = threading.Lock()
                own.acquire()
                (self._waiting.appendleft if first else self._waiting.append)(own)
            self._taken = True
        if own is not None:
            self._wait(own)
        try:
            yield
        finally:
            self._pass_on()

    def _wait(self, own: threading.Lock) -> None:
        try:
            own.acquire()
        except BaseException:  # interrupted: the lock may have been passed on already
            with self._guard:
                is_waiting = own in self._waiting
                if is_waiting:
                    self._waiting.remove(own)
            if not is_waiting:
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
