"""Console channel: writes a line to the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tallystick.contracts.yaml_lines import Lines
from tallystick.notify.channel import PrintLine
from tallystick.notify.message import Message

__all__ = ["Console"]


@dataclass(frozen=True)
class Console:
    """Shows each message as one line."""

    KEYS: ClassVar = ()
    NEEDED: ClassVar = ()
    blocking: ClassVar[bool] = False

    name: str

    @classmethod
    def read(cls, name: str, parts: Mapping[str, Any], lines: Lines) -> Console:  # noqa: ARG003 - nothing to set
        """Create the channel; there are no settings."""
        return cls(name)

    def send(self, message: Message, print_line: PrintLine) -> None:
        """Print the message."""
        print_line(f"{self.name}: {message.line()}")

    def describe(self) -> dict[str, Any]:
        """Return the declaration."""
        return {"kind": "console"}
