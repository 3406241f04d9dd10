"""A real PostgreSQL for tests: started once where its programs are, on a free port, in a folder of its own.

`postgres` gives the URI of an empty database on a shared server, `postgres_server` a server of its own, with
fsync on, that may be stopped and started. Without the programs tests are skipped, and fail where CI=true.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

__all__ = ["Server", "postgres", "postgres_server", "shared_postgres"]

READY = 30.0  # seconds; shared machines stall


def _programs() -> Path | None:
    """Find the newest server's programs."""
    known = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parents[1].name))
    if known:
        return known[-1].parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


class Server:
    """A server of this process, run as the packaged user where this one is root: initdb refuses root."""

    def __init__(self, programs: Path, *, fsync: bool) -> None:
        self._programs, self._fsync = programs, fsync
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="tallystick-pg-"))
        self.port = _free_port()
        self._run_as: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres", "postgres")
            self._run_as = ["runuser", "-u", "postgres", "--"]
        made = [programs / "initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        subprocess.run(
            [*self._run_as, *made, "--locale=C.UTF-8", "--no-sync"],
            check=True, capture_output=True, cwd=self._folder,
        )  # fmt: skip

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def uri(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self._folder),
            "fsync": "on" if self._fsync else "off",
            "logging_collector": "off",
        }
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._run_as, self._programs / "postgres", "-D", self._data, "-p", str(self.port)]
                + [part for name, value in options.items() for part in ("-c", f"{name}={value}")],
                cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        until = time.monotonic() + READY
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                self.stop(signal.SIGKILL)
                raise RuntimeError("PostgreSQL did not start:\n" + (self._folder / "log").read_text()[-2000:])
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT drops sessions and shuts down, SIGKILL is a crash. Waits until it is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        for pid in self._pids() if how == signal.SIGKILL else [self._pid()]:
            if pid:
                _send(pid, how)
        try:
            process.wait(READY)
        except subprocess.TimeoutExpired:
            for pid in self._pids():
                _send(pid, signal.SIGKILL)
            process.kill()
            process.wait()
        if how == signal.SIGKILL:  # a backend that outlives its parent holds the shared memory
            until = time.monotonic() + READY
            while any(Path(f"/proc/{pid}").exists() for pid in self._last) and time.monotonic() < until:
                time.sleep(0.01)

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    _last: list[int] = []  # noqa: RUF012 (set anew whenever the processes are looked up)

    def _pid(self) -> int | None:
        try:
            return int((self._data / "postmaster.pid").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return None

    def _pids(self) -> list[int]:
        """Name the server and its children, and no other process."""
        parent = self._pid()
        if parent is None:
            return []
        children = Path(f"/proc/{parent}/task/{parent}/children")
        found = [int(pid) for pid in children.read_text().split()] if children.exists() else []
        self._last = [parent, *found]
        return self._last

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.uri(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _send(pid: int, how: signal.Signals) -> None:
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _server(*, fsync: bool) -> Iterator[Server]:
    programs = _programs()
    if programs is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
            "no PostgreSQL: sh scripts/postgres.sh, or sudo apt-get install postgresql"
        )
    pytest.importorskip("psycopg")
    server = Server(programs, fsync=fsync)
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def shared_postgres() -> Iterator[Server]:
    """One server for the whole run; without fsync, since no test of durability uses it."""
    yield from _server(fsync=False)


@pytest.fixture
def postgres(shared_postgres: Server) -> Iterator[str]:
    """The URI of an empty database, dropped afterwards."""
    import psycopg

    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(shared_postgres.uri(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield shared_postgres.uri(name)
    with psycopg.connect(shared_postgres.uri(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_server() -> Iterator[Server]:
    """A server of its own, as durable as one that is in use: `.stop(signal)`, `.start()`, `.uri()`."""
    yield from _server(fsync=True)
