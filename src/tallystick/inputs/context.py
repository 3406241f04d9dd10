"""What a run of a verb works with: settings, engine, moment, progress and the options of its input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tallystick.config import Settings
from tallystick.connectors import TablePlace

if TYPE_CHECKING:
    from tallystick.engines import Engine  # Narwhals, which a start does not need

__all__ = ["Progress", "Quiet", "RunContext"]


class Progress(Protocol):
    """Receives the progress of a verb; interfaces show it, jobs never print."""

    def stage(self, words: str, total: int | None = None) -> None:
        """Begin a stage, of `total` steps when that is known."""

    def step(self, done: int = 1) -> None:
        """Count further steps that are done."""


class Quiet:
    """Ignores progress."""

    def stage(self, words: str, total: int | None = None) -> None:
        """Ignore a stage."""

    def step(self, done: int = 1) -> None:
        """Ignore steps."""


@dataclass(frozen=True)
class RunContext:
    """The options of a verb, checked and resolved."""

    settings: Settings
    engine: Engine
    as_of: datetime | None = None
    progress: Progress = field(default_factory=Quiet)
    mapping: Mapping[str, str] = field(default_factory=dict)
    quarantine: Path | TablePlace | None = None
    strict: bool = False
    max_quarantine: float | None = None
