"""Stream sinks: each entry of the log is delivered once, or at least once where that is impossible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import pyarrow as pa

__all__ = ["Mark", "StreamSink"]

#: What a sink needs after a restart, as JSON, such as the committed length of a file.
Mark = dict[str, Any]


class StreamSink(Protocol):
    """A sink of decisions. One thread uses it, in the order of the log.

    name: what its marks are kept under: its URI without secrets or settings.
    """

    name: str

    def resume(self, number: int, mark: Mark | None) -> int:
        """Begin, and say up to which entry of the log all is already there; called once, before `deliver`.

        number and mark: of the last delivery that the store knows of, 0 and None when there was none. A sink
        that knows better (a database, a topic) says what it holds; one that does not (a file) takes itself
        back to the mark and returns `number`.
        """

    def deliver(self, number: int, batches: Sequence[pa.RecordBatch]) -> Mark | None:
        """Take what was decided in all entries up to `number` since the last call, for good, and mark that.

        All of it is there when this returns, or nothing counts: after an error, or a kill, the same entries
        come again, perhaps grouped in another way. An empty list moves the number on.
        """

    def close(self) -> None:
        """Release what is held; may be called twice."""
