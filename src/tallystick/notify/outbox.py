"""Outbox protocol: gives the notices that are due, and records their outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

__all__ = ["Notice", "Outbox"]


class Notice(Protocol):
    """One decision that somebody is to hear of.

    tries: how often it was put off, by a failure or to be grouped; created: microseconds UTC.
    """

    @property
    def id(self) -> int: ...  # noqa: D102 - said above

    @property
    def channel(self) -> str: ...  # noqa: D102

    @property
    def payload(self) -> Mapping[str, Any]: ...  # noqa: D102

    @property
    def tries(self) -> int: ...  # noqa: D102

    @property
    def created(self) -> int: ...  # noqa: D102


class Outbox(Protocol):
    """Keeps notices over restarts. One thread uses it."""

    def due(self, now: int, most: int) -> Sequence[Notice]:
        """Give the notices whose time has come at `now` (microseconds UTC), at most `most` of them."""

    def settle(
        self,
        done: Sequence[int] = (),
        failed: Sequence[tuple[int, int, str]] = (),
        dead: Sequence[tuple[int, str]] = (),
    ) -> None:
        """Keep what came of notices, by their ids.

        failed: (id, when it is due again in microseconds, what went wrong), the last empty where a notice is
        only held back; dead: (id, what went wrong), kept and not tried again.
        """
