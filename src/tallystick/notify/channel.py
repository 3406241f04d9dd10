"""Channel: delivers a message, or raises why it cannot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from tallystick.errors import TallystickError
from tallystick.notify.message import Message

__all__ = ["Channel", "RefusedError", "Say", "TryLaterError"]

#: Shows a line to the person in front of the screen.
Say = Callable[[str], None]


class TryLaterError(TallystickError):
    """It did not get through now; after `pause` seconds, or later, it may."""

    def __init__(self, message: str, pause: float = 0.0) -> None:
        super().__init__(message)
        self.pause = pause


class RefusedError(TallystickError):
    """It will not be taken, however often it is tried."""


class Channel(Protocol):
    """A way to somebody. Its secrets are in no repr, no error and no description.

    waits: whether sending waits for somebody else, and so needs a thread of its own.
    """

    @property
    def name(self) -> str:
        """What rules call it."""

    @property
    def waits(self) -> bool: ...  # noqa: D102 - said above

    def send(self, message: Message, say: Say) -> None:
        """Hand a message over for good, or raise TryLaterError or RefusedError; one thread calls it."""

    def describe(self) -> dict[str, Any]:
        """Return what was declared, without what is secret."""
