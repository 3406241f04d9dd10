"""Rate limits and grouping of the messages of one rule."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from tallystick.notify.outbox import Notice
from tallystick.notify.terms import Limit

__all__ = ["Pace"]


class Pace:
    """Turns what is due into messages.

    The first goes at once. With a group, what comes in the time after it waits, and goes as one. With a
    limit, the last message that is free tells of all that is beyond, and what comes then waits in the same
    way. Times are in microseconds.
    """

    def __init__(self, group: int = 0, limit: Limit | None = None) -> None:
        self._group, self._limit = group, limit
        self._sent: deque[int] = deque(maxlen=limit.count if limit else 1)
        self._not_before = 0

    @property
    def horizon(self) -> int:
        """The longest time for which something may be held."""
        return max(self._group, self._limit.period if self._limit else 0)

    def opens(self, now: int) -> int:
        """Return from when on a message may go; at most `horizon` away, though a clock was set back."""
        opens = self._not_before
        if self._sent and self._group:
            opens = max(opens, self._sent[-1] + self._group)
        if self._limit and len(self._sent) == self._limit.count:
            opens = max(opens, self._sent[0] + self._limit.period)
        return min(opens, now + self.horizon)

    def plan(self, due: Sequence[Notice], now: int) -> tuple[list[tuple[Notice, ...]], int]:
        """Return what goes now, message by message, and until when all of it waits where nothing may go."""
        if (opens := self.opens(now)) > now:
            return [], opens
        if self._group:
            return [tuple(due)], 0
        free = len(due)
        if self._limit:
            free = self._limit.count - sum(now - self._limit.period < at <= now for at in self._sent)
        if len(due) <= free:
            return [(notice,) for notice in due], 0
        singles = max(free - 1, 0)
        return [*((notice,) for notice in due[:singles]), tuple(due[singles:])], 0

    def sent(self, now: int) -> None:
        """Hear that a message went out."""
        self._sent.append(now)

    def wait(self, until: int) -> None:
        """Let nothing go before a time."""
        self._not_before = until
