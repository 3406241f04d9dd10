"""Memory limits of a stream's process."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

__all__ = ["limit_heaps", "trim_memory"]

_HEAPS = 2
_M_ARENA_MAX = -8  # of malloc.h


def limit_heaps() -> None:
    """Let all threads of this process share two heaps; does nothing where there is no glibc.

    Left to itself glibc makes eight for each core, and each comes to hold pages that are hardly used. For a
    process that is a stream's alone, before it has many threads; MALLOC_ARENA_MAX goes before.
    """
    choose = _glibc("mallopt")
    if choose is not None and "MALLOC_ARENA_MAX" not in os.environ:
        choose(_M_ARENA_MAX, _HEAPS)


def trim_memory() -> None:
    """Return the free memory of all heaps to the system; does nothing where there is no glibc.

    Left to itself glibc keeps it unless it lies at a heap's end: after millions of records, a fifth of all.
    """
    trim = _glibc("malloc_trim")
    if trim is not None:
        trim(0)


def _glibc(name: str) -> Any:
    return getattr(ctypes.CDLL(None), name, None) if sys.platform.startswith("linux") else None
