"""Stream sources: records as they arrive, and the position after them, to resume from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tallystick.connectors import Chunk
from tallystick.connectors.notes import Notes

__all__ = ["Position", "SourceBase", "SourceBatch", "StreamSource"]

#: Where a source stands, as JSON: an offset of each partition, the length that was read of each file.
Position = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SourceBatch:
    """Records of one read.

    chunk: the rows as they were found, their place, and what could not be read; arrived: int64 (rows,),
    microseconds UTC, when each could first be had (what the transport says, else when it was taken);
    position: where the source stands after these records, all partitions and files of it.
    """

    chunk: Chunk
    arrived: NDArray[np.int64]
    position: Position


class StreamSource(Protocol):
    """A source of records without a known end. One thread uses it.

    name: what its positions are kept under: its URI without secrets or settings; comes_again: whether what
    was taken and not committed is given once more after a restart. `SourceBase` has the usual answers.
    """

    name: str
    comes_again: bool

    def seek(self, position: Position | None) -> None:
        """Begin after a committed position, or from the first record there is; called once, before `take`.

        Raises DataError where the position is no longer to be had (a file cut short, an offset removed).
        """

    def take(self, most: int, wait: float) -> Sequence[SourceBatch]:
        """Return what has arrived, at most about `most` records; wait up to `wait` seconds for the first.

        An empty list says that nothing came in that time. Nothing is read ahead beyond what it gives, except
        what the transport itself keeps within a bound.
        """

    def take_rest(self, most: int) -> Sequence[SourceBatch]:
        """Return what has no end of its own, such as a last line, where nothing more is expected."""

    @property
    def ended(self) -> bool:
        """Whether no record will ever come again: a closed pipe, a replay at its end."""

    def lag(self) -> int | None:
        """Return how many records wait to be taken; None where that cannot be known cheaply."""

    @property
    def notes(self) -> Sequence[str]:
        """Notes about the source so far: a file that was cut, a partition that joined."""

    def committed(self, position: Position) -> None:
        """Called after all up to a position is committed, by the thread that calls `take`."""

    def close(self) -> None:
        """Release what is held; may be called twice."""


class SourceBase:
    """Defaults for sources: no end, nothing to do at a commit."""

    comes_again = True
    _notes: Notes

    @property
    def notes(self) -> Sequence[str]:
        """Notes about the input so far."""
        return self._notes.lines()

    @property
    def ended(self) -> bool:
        """Whether no record will ever come again."""
        return False

    def take_rest(self, most: int) -> Sequence[SourceBatch]:  # noqa: ARG002
        """Return nothing: each record has an end of its own."""
        return ()

    def committed(self, position: Position) -> None:
        """Do nothing."""
