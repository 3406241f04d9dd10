"""Rate limits and grouping of the messages of one rule."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from tallystick.notify.limits import Limit
from tallystick.notify.outbox import Notice

__all__ = ["RateLimiter"]


class RateLimiter:
    """Groups the due notices of one rule into messages.

    The first is sent at once. With a group, notices of the time after it are sent as one message. With a
    limit, the last allowed message has all remaining notices, and later ones wait. Times are in microseconds.
    """

    def __init__(self, group: int = 0, limit: Limit | None = None) -> None:
        self._group, self._limit = group, limit
        self._sent: deque[int] = deque(maxlen=limit.count if limit else 1)
        self._not_before = 0

    @property
    def horizon(self) -> int:
        """The longest possible delay."""
        return max(self._group, self._limit.period if self._limit else 0)

    def next_allowed(self, now: int) -> int:
        """Return when a message may be sent; at most `horizon` away, even if the clock was set back."""
        allowed_at = self._not_before
        if self._sent and self._group:
            allowed_at = max(allowed_at, self._sent[-1] + self._group)
        if self._limit and len(self._sent) == self._limit.count:
            allowed_at = max(allowed_at, self._sent[0] + self._limit.period)
        return min(allowed_at, now + self.horizon)

    def plan(self, due: Sequence[Notice], now: int) -> tuple[list[tuple[Notice, ...]], int]:
        """Return messages to send now; if none may be sent, the time until which all wait."""
        if (allowed_at := self.next_allowed(now)) > now:
            return [], allowed_at
        if self._group:
            return [tuple(due)], 0
        remaining = len(due)
        if self._limit:
            remaining = self._limit.count - sum(now - self._limit.period < at <= now for at in self._sent)
        if len(due) <= remaining:
            return [(notice,) for notice in due], 0
        single_count = max(remaining - 1, 0)
        return [*((notice,) for notice in due[:single_count]), tuple(due[single_count:])], 0

    def sent(self, now: int) -> None:
        """Record that a message was sent."""
        self._sent.append(now)

    def wait(self, until: int) -> None:
        """Send nothing before a time."""
        self._not_before = until
