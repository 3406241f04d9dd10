"""The windows that a verb uses: those of a file, or the solution's own, as far as their columns are there."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from tallystick.errors import UsageError, did_you_mean
from tallystick.tasks import Solution
from tallystick.windows import Windows

__all__ = ["declared_windows"]


def declared_windows(solution: Solution, path: str | Path | None, held: Collection[str]) -> Windows | None:
    """Read a declaration of windows and keep what its columns allow; None without any.

    path: a file; the solution's own declaration when None; held: columns that hold anything. Raises
    UsageError for a column that windows may not read.
    """
    chosen = path or solution.windows
    if path is not None and solution.windows is None:
        raise UsageError(f"{solution.name} reads no windows.", "Leave --windows out.")
    if chosen is None:
        return None
    whole = Windows.read(chosen, solution.window_roles)
    ours = solution.contract.known_at_event
    for name in whole.columns:
        if name not in ours:
            if name in {column.name for column in solution.contract.columns}:
                raise UsageError(
                    f"{chosen}: {name} is known only after the event: windows may not look at it.",
                    f"Labels enter by `{whole.roles.main_label}`, once they are known.",
                )
            raise UsageError(f'{chosen}: there is no column "{name}".', did_you_mean(name, ours))
    windows = whole.restrict(held)
    return windows if windows.names else None
