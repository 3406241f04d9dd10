"""Identity of a process: host, machine, process id and start time."""

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
    """A process. host: host name; machine: identifies the boot or container in which `pid` is valid."""

    host: str
    machine: str
    pid: int
    started: str

    def gone(self) -> bool:
        """Return whether the process has certainly ended; False if that cannot be determined."""
        if not self.machine or self.machine != _machine():
            return False
        began = _started(self.pid)
        return began is None or bool(began and self.started and began != self.started)


def this() -> Process:
    """Return the current process.

    >>> this().pid == os.getpid(), this().gone()
    (True, False)
    """
    pid = os.getpid()
    return Process(socket.gethostname(), _machine(), pid, _started(pid) or "")


@lru_cache(maxsize=1)
def _machine() -> str:
    """Return an identifier of this boot and container; empty where unavailable."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{(PROC / 'self/ns/pid').stat().st_ino}"
    except OSError:
        return socket.gethostname() if sys.platform == "darwin" else ""


def _started(pid: int) -> str | None:
    """Return a process's start time in ticks since boot; empty if unavailable, None if it has ended."""
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
