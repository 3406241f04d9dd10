"""Waiting for what nobody announces: often while something comes, seldom when it is quiet."""

from __future__ import annotations

import time

__all__ = ["Poll"]

_LEAST, _MOST = 0.001, 0.05
_GROWTH = 1.25
# Reading one record costs as much as reading a hundred: what comes drop by drop is gathered for so long.
_GATHER = 0.002


class Poll:
    """Sleeps between looks: 1 ms after something came, longer and longer up to 50 ms while nothing does."""

    def __init__(self) -> None:
        self._pause = _LEAST
        self._until = self._next = 0.0

    def begin(self, wait: float) -> None:
        """Start to wait for up to so many seconds; not to look again at once where little came before."""
        now = time.monotonic()
        self._until = now + wait
        if (early := min(self._next, self._until) - now) > 0:
            time.sleep(early)

    def found(self, *, all_of_it: bool) -> None:
        """Hear that something came, and whether nothing is left."""
        self._pause = _LEAST
        self._next = time.monotonic() + _GATHER if all_of_it else 0.0

    def rest(self) -> bool:
        """Sleep before the next look; False where the time is over."""
        left = self._until - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(self._pause, left))
        self._pause = min(self._pause * _GROWTH, _MOST)
        return True
