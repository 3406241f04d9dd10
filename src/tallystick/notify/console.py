"""Console channel: writes a line to the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tallystick.contracts.yaml_lines import Lines
from tallystick.notify.channel import Say
from tallystick.notify.message import Message

__all__ = ["Console"]


@dataclass(frozen=True)
class Console:
    """Shows each message as one line."""

    KEYS: ClassVar = ()
    NEEDED: ClassVar = ()
    waits: ClassVar[bool] = False

    name: str

    @classmethod
    def read(cls, name: str, parts: Mapping[str, Any], lines: Lines) -> Console:  # noqa: ARG003 - nothing to set
        """Read what was declared: nothing."""
        return cls(name)

    def send(self, message: Message, say: Say) -> None:
        """Say it."""
        say(f"{self.name}: {message.line()}")

    def describe(self) -> dict[str, Any]:
        """Return what was declared."""
        return {"kind": "console"}
