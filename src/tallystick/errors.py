"""Exceptions and their exit codes.

    TallystickError            1  anything else
    ├── UsageError             2  an option, a name or a path is wrong
    │   └── MissingExtraError  2  an optional package is not installed
    ├── DataError              3  the data is refused
    └── BundleError            1  a model folder is altered, incomplete or of another kind

Functions that return a frame warn with DataWarning where it lacks rows of their input.

Every message says what was requested, what exists and what to do next; it is printed without a stack trace.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "BundleError",
    "DataError",
    "DataWarning",
    "MissingExtraError",
    "TallystickError",
    "UsageError",
    "did_you_mean",
]


class TallystickError(Exception):
    """Base of all errors that a user can act on; `hint` says how."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class UsageError(TallystickError):
    """An option, a name or a path is wrong."""

    exit_code = 2


class MissingExtraError(UsageError):
    """An optional package is not installed; the hint holds the command that installs it."""


class DataError(TallystickError):
    """The data is refused: nothing usable in it, or more bad rows than allowed."""

    exit_code = 3


class DataWarning(UserWarning):
    """Rows of an input are not in what came of it: they are in quarantine, or duplicates."""


class BundleError(TallystickError):
    """A model folder is altered, incomplete or made for another solution, task or format."""


def did_you_mean(requested: str, known: Iterable[str]) -> str:
    """Suggest known names close to the requested one, or list all names.

    >>> did_you_mean("complaint", ["complaints", "fraud"])
    'Did you mean "complaints"?'
    >>> did_you_mean("zebra", ["complaints", "fraud"])
    'There are: complaints, fraud.'
    """
    names = sorted(set(known))
    near = difflib.get_close_matches(requested, names, n=3, cutoff=0.6)
    if near:
        return "Did you mean " + " or ".join(f'"{name}"' for name in near) + "?"
    return "There are: " + ", ".join(names) + "." if names else "There are none."
