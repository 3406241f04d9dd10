"""What a run of a verb works with: settings, engine, moment, progress and the options of its inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tallystick.config import Settings
from tallystick.connectors import TablePlace
from tallystick.contracts.column import fold

if TYPE_CHECKING:
    from tallystick.engines import Engine  # Narwhals, which a start does not need

__all__ = ["OTHER_INPUTS", "ColumnNames", "Progress", "Quiet", "RunContext"]


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


#: Inputs beside INPUT, as `--map` names them: `--map history:THEIRS=OURS`.
OTHER_INPUTS = ("history", "labels")


@dataclass(frozen=True)
class ColumnNames:
    """Their names of columns → ours: those that must be there, and those that count where they are."""

    must: Mapping[str, str] = field(default_factory=dict)
    if_there: Mapping[str, str] = field(default_factory=dict)

    @property
    def paths(self) -> tuple[str, ...]:
        """Their names that may be paths into nested values."""
        return tuple(name for name in (*self.must, *self.if_there) if "." in name)

    def of(self, names: Sequence[str]) -> dict[str, str]:
        """Return what holds for a table with columns of these names.

        >>> ColumnNames({"a": "id"}, {"B": "amount", "c": "place"}).of(["a", "b"])
        {'B': 'amount', 'a': 'id'}
        """
        there = {fold(name) for name in names}
        return {**{name: ours for name, ours in self.if_there.items() if fold(name) in there}, **self.must}


@dataclass(frozen=True)
class RunContext:
    """The options of a verb, checked and resolved.

    mapping: their names of columns → ours, with what --map says of INPUT alone; mappings: the same of inputs
    beside it, by the name of the input; if_there: what applies to those columns that are there; tables: the
    inputs of joined tables by name.
    """

    settings: Settings
    engine: Engine
    as_of: datetime | None = None
    progress: Progress = field(default_factory=Quiet)
    mapping: Mapping[str, str] = field(default_factory=dict)
    quarantine: Path | TablePlace | None = None
    strict: bool = False
    max_quarantine: float | None = None
    mappings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    if_there: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> ColumnNames:
        """What --map says of the columns of this input."""
        return ColumnNames(self.mapping, self.if_there)

    def beside(self, name: str) -> RunContext:
        """Return the context of an input beside INPUT.

        What --map says of INPUT holds for its history where that has the same columns, unless --map says it
        of the history itself. Labels are another table, with a mapping of their own.
        """
        own = self.mappings.get(name, {})
        shared = self.mapping if name == "history" else {}
        left = {theirs: ours for theirs, ours in shared.items() if ours not in own.values()}
        others = {other: said for other, said in self.mappings.items() if other != name}
        return replace(self, quarantine=None, mapping=own, mappings=others, if_there=left, tables={})
