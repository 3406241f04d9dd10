"""Identity of a process: host, machine, process id and start time."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

__all__ = ["Process", "current_process"]

PROC = Path("/proc")
ENDED_STATES = ("Z", "X", "x")  # ended, but not yet waited for


@dataclass(frozen=True, slots=True)
class Process:
    """A process. host: host name; machine: identifies the boot or container in which `pid` is valid."""

    host: str
    machine: str
    pid: int
    started: str

    def has_ended(self) -> bool:
        """Return whether the process has certainly ended; False if that cannot be determined."""
        if not self.machine or self.machine != _machine():
            return False
        started = _started(self.pid)
        return started is None or bool(started and self.started and started != self.started)


def current_process() -> Process:
    """Return the current process.

    >>> current_process().pid == os.getpid(), current_process().has_ended()
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
        # The process name is in brackets, and may contain brackets and spaces.
        fields = (
            (PROC / str(pid) / "stat")
            .read_text(encoding="utf-8", errors="replace")
            .rpartition(")")[2]
            .split()
        )
        return None if fields[0] in ENDED_STATES else fields[19]
    except (FileNotFoundError, ProcessLookupError):
        if (PROC / "self").exists():
            return None
    except OSError:
        return ""
    if sys.platform == "win32":
        return ""  # signal 0 would end the process there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        return ""
    return ""
