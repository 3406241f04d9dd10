"""Channel: delivers a message, or raises an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from tallystick.errors import TallystickError
from tallystick.notify.message import Message

__all__ = ["Channel", "PrintLine", "RefusedError", "TryLaterError"]

#: Prints a line to the terminal.
PrintLine = Callable[[str], None]


class TryLaterError(TallystickError):
    """The message could not be sent now; retry after `pause` seconds or later."""

    def __init__(self, message: str, pause: float = 0.0) -> None:
        super().__init__(message)
        self.pause = pause


class RefusedError(TallystickError):
    """The receiver rejects the message for good; do not retry."""


class Channel(Protocol):
    """Delivers messages to a receiver. Secrets appear in no repr, error or description.

    blocking: whether sending waits for a server, and so needs a thread.
    """

    @property
    def name(self) -> str:
        """Name that rules use."""

    @property
    def blocking(self) -> bool: ...  # noqa: D102 - see above

    def send(self, message: Message, print_line: PrintLine) -> None:
        """Send a message, or raise TryLaterError or RefusedError; called by one thread."""

    def describe(self) -> dict[str, Any]:
        """Return the declaration without secrets."""
