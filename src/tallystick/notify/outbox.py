"""Outbox protocol: returns due notices, and records their outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

__all__ = ["Notice", "Outbox"]


class Notice(Protocol):
    """A decision to send over a channel.

    tries: number of failures and delays; created: microseconds UTC.
    """

    @property
    def id(self) -> int: ...  # noqa: D102 - see above

    @property
    def channel(self) -> str: ...  # noqa: D102

    @property
    def payload(self) -> Mapping[str, Any]: ...  # noqa: D102

    @property
    def tries(self) -> int: ...  # noqa: D102

    @property
    def created(self) -> int: ...  # noqa: D102


class Outbox(Protocol):
    """Stores notices over restarts. Used by one thread."""

    def due(self, now: int, most: int) -> Sequence[Notice]:
        """Return notices due at `now` (microseconds UTC), at most `most`."""

    def settle(
        self,
        done: Sequence[int] = (),
        failed: Sequence[tuple[int, int, str]] = (),
        dead: Sequence[tuple[int, str]] = (),
    ) -> None:
        """Record the outcome of notices, by id.

        failed: (id, next try in microseconds UTC, error), with an empty error for a delay; dead: (id, error),
        kept and not retried.
        """
