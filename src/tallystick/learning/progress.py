"""How long work says where it is; interfaces show it, jobs never print."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress", "Quiet"]


class Progress(Protocol):
    """What shows progress."""

    def stage(self, words: str, total: int | None = None) -> None:
        """Begin a stage, of `total` steps when that is known."""

    def step(self, done: int = 1) -> None:
        """Say that this many steps more are done."""


class Quiet:
    """Shows nothing."""

    def stage(self, words: str, total: int | None = None) -> None:
        """Begin a stage in silence."""

    def step(self, done: int = 1) -> None:
        """Go on in silence."""
