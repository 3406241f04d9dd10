"""Standard output as a sink: JSON lines, at least once."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pyarrow as pa

from tallystick.config import Settings
from tallystick.connectors.render import json_lines
from tallystick.errors import TallystickError, UsageError
from tallystick.streams.sink import Mark

__all__ = ["SCHEMES", "StandardOutput", "open_stream"]

SCHEMES = ("-",)


def open_stream(uri: str, schema: pa.Schema, settings: Settings, *, stream: str) -> StandardOutput:  # noqa: ARG001
    """Open standard output."""
    if uri != "-":
        raise UsageError("Standard output takes no option.", 'Write it as "-".')
    if sys.stdout is None:
        raise UsageError("Standard output is closed.", "Name a file, or leave it open.")
    return StandardOutput()


class StandardOutput:
    """Writes lines as they come; what was written before a kill may come again."""

    name = "-"

    def resume(self, number: int, mark: Mark | None) -> int:  # noqa: ARG002
        """Begin; what was printed before is not known."""
        return number

    def deliver(self, number: int, batches: Sequence[pa.RecordBatch]) -> Mark | None:  # noqa: ARG002
        """Print the rows; TallystickError where nobody reads them any more."""
        try:
            for batch in batches:
                sys.stdout.buffer.write(json_lines(batch))
            sys.stdout.buffer.flush()
        except OSError as error:
            broken = isinstance(error, BrokenPipeError)
            why = f"Standard output could not be written: {error.strerror or error}."
            raise TallystickError(
                "Nobody reads standard output any more." if broken else why,
                "What was not delivered comes again at the next start.",
            ) from None
        return None

    def close(self) -> None:
        """Standard output stays open."""
