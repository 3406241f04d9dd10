"""Waiting for what nobody announces: often while something comes, seldom when it is quiet."""

from __future__ import annotations

import time

__all__ = ["Poll"]

_LEAST, _MOST = 0.001, 0.05
_GROWTH = 1.25


class Poll:
    """Sleeps between looks: 1 ms after something came, longer and longer up to 50 ms while nothing does."""

    def __init__(self) -> None:
        self._pause = _LEAST
        self._until = 0.0

    def begin(self, wait: float) -> None:
        """Start to wait for up to so many seconds."""
        self._until = time.monotonic() + wait

    def found(self) -> None:
        """Hear that something came."""
        self._pause = _LEAST

    def rest(self) -> bool:
        """Sleep before the next look; False where the time is over."""
        left = self._until - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(self._pause, left))
        self._pause = min(self._pause * _GROWTH, _MOST)
        return True
