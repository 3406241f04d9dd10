"""Open the INPUT of a verb for a solution; the log of a stream is an input as well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tallystick.connectors.database import is_state
from tallystick.inputs.context import RunContext
from tallystick.inputs.reader import InputReader
from tallystick.tasks import Solution

__all__ = ["open_input"]


def open_input(
    solution: Solution,
    source: Any,
    context: RunContext,
    *,
    labels_wanted: bool | tuple[str, ...],
    needs: dict[str, str] | None = None,
) -> InputReader:
    """Open a path, a frame or the log of a stream, without reading it yet; UsageError when it is not there.

    labels_wanted, needs: as in `InputReader`.
    """
    if isinstance(source, (str, Path)) and is_state(str(source)):
        from tallystick.streams.log_input import log_table  # few inputs are logs

        source = log_table(str(source), solution, context.settings)
    return InputReader.open(
        solution.contract,
        source,
        context,
        horizon=solution.horizon_us,
        labels_wanted=labels_wanted,
        needs=needs,
    )
