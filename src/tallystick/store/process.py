"""A process as others can tell it from all others: where it runs, its number, and when that number began."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

__all__ = ["Process", "this"]

PROC = Path("/proc")
GONE = ("Z", "X", "x")  # ended, only not yet asked for its result


@dataclass(frozen=True, slots=True)
class Process:
    """A process. host: as people know it; machine: what must agree for `pid` to mean the same."""

    host: str
    machine: str
    pid: int
    started: str

    def gone(self) -> bool:
        """Say whether it has ended for certain: False also where that cannot be seen from here."""
        if not self.machine or self.machine != _machine():
            return False
        began = _started(self.pid)
        return began is None or bool(began and self.started and began != self.started)


def this() -> Process:
    """Return the process that asks.

    >>> this().pid == os.getpid(), this().gone()
    (True, False)
    """
    pid = os.getpid()
    return Process(socket.gethostname(), _machine(), pid, _started(pid) or "")


@lru_cache(maxsize=1)
def _machine() -> str:
    """Name this boot of this machine, and in a container the container; empty where that is not to be had."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{(PROC / 'self/ns/pid').stat().st_ino}"
    except OSError:
        return socket.gethostname() if sys.platform == "darwin" else ""


def _started(pid: int) -> str | None:
    """Say when a process began, in ticks since boot; empty where nobody can know, None when it is gone."""
    try:
        # Its name stands in brackets, and may hold brackets and spaces itself.
        fields = (
            (PROC / str(pid) / "stat")
            .read_text(encoding="utf-8", errors="replace")
            .rpartition(")")[2]
            .split()
        )
        return None if fields[0] in GONE else fields[19]
    except (FileNotFoundError, ProcessLookupError):
        if (PROC / "self").exists():
            return None
    except OSError:
        return ""
    if sys.platform == "win32":
        return ""  # there a signal of zero is no question
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        return ""
    return ""
