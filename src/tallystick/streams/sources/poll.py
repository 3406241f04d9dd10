"""Polling with an adaptive interval: short while something arrives, longer when it is quiet."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tallystick.streams.source import SourceBatch

__all__ = ["Poll"]

_LEAST, _MOST = 0.001, 0.05
_GROWTH = 1.25
# Reading one record costs as much as reading a hundred: what comes drop by drop is gathered for so long.
_GATHER = 0.002


class Poll:
    """Sleeps between looks: 1 ms after something came, longer and longer up to 50 ms while nothing does."""

    def __init__(self) -> None:
        self._pause = _LEAST
        self._next = 0.0

    def take(
        self, look: Callable[[int], Sequence[SourceBatch]], most: int, wait: float
    ) -> Sequence[SourceBatch]:
        """Poll until something arrives, for up to `wait` seconds; `look` gets how many records may come."""
        until = time.monotonic() + wait
        if (early := min(self._next, until) - time.monotonic()) > 0:  # little came before: gather
            time.sleep(early)
        while True:
            if taken := look(most):
                rows = sum(one.chunk.rows.num_rows + len(one.chunk.broken) for one in taken)
                self._pause = _LEAST
                self._next = time.monotonic() + _GATHER if rows < most else 0.0
                return taken
            if (left := until - time.monotonic()) <= 0:
                return []
            time.sleep(min(self._pause, left))
            self._pause = min(self._pause * _GROWTH, _MOST)
