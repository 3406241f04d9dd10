"""Standard input as a file that can be looked at before it is read, once."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import weakref
from collections.abc import Callable
from typing import IO, TextIO, cast

from tallystick.errors import UsageError

__all__ = ["StandardInput", "standard_input"]

_LOOK = 1 << 16
# Nothing to be told apart from text here: what these begin with is no character of a table.
_GZIP, _ZSTD, _PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1"


def standard_input() -> TextIO:
    """Return what comes in; UsageError where a process was started without it."""
    if sys.stdin is None:
        raise UsageError("Standard input is closed.", "Pipe records into it, or name a file.")
    return sys.stdin


class StandardInput:
    """What comes in on `-`; its form is told from its first bytes, as nothing else says it."""

    def __init__(self, stream: IO[bytes] | None = None) -> None:
        self._stream = stream
        self._head: bytes | None = None
        self._given = False
        self._file: IO[bytes] | None = None

    def _look(self) -> bytes:
        """Read the first bytes and keep them for whoever reads it all."""
        if self._head is None:
            self._stream = self._stream or standard_input().buffer
            parts: list[bytes] = []
            while sum(map(len, parts)) < _LOOK and (part := self._stream.read(_LOOK)):
                parts.append(part)
            self._head = b"".join(parts)
        return self._head

    def format(self) -> tuple[str, str]:
        """Tell format and compression: CSV, unless the bytes say otherwise."""
        head = self._look()
        if head.startswith(_PARQUET):
            return "parquet", ""
        compression = "gzip" if head.startswith(_GZIP) else "zstd" if head.startswith(_ZSTD) else ""
        if compression:
            from tallystick.connectors.compression import TornStreamError, decompressed

            try:
                head = decompressed(io.BytesIO(head), compression).read(_LOOK)
            except TornStreamError:
                head = b""
        first = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        # A document of one object also begins with {: its reader tells lines from a document.
        return {b"{": "json", b"[": "json"}.get(first, "csv"), compression

    def open_look(self, seekable: bool) -> IO[bytes]:
        """Open it for the header alone; without `seekable` those are its first bytes."""
        return self._kept() if seekable else io.BytesIO(self._look())

    def open_read(self, seekable: bool) -> IO[bytes]:
        """Open it all, once; `seekable` keeps it in a temporary file."""
        if self._given:
            raise UsageError(
                "Standard input can be read only once.", "Write it to a file first, and name that."
            )
        self._given = True
        if seekable:
            return self._kept()
        head = self._look()
        return cast(IO[bytes], _Joined(head, (self._stream or standard_input().buffer).read))

    def _kept(self) -> IO[bytes]:
        """Open the temporary file in which it is kept, from its start."""
        if self._file is None:
            head, stream = self._look(), self._stream or standard_input().buffer
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this
            weakref.finalize(self, self._file.close)
            self._file.write(head)
            while part := stream.read(1 << 20):
                self._file.write(part)
            self._file.flush()
        self._file.seek(0)
        return os.fdopen(os.dup(self._file.fileno()), "rb")


class _Joined(io.RawIOBase):
    """Bytes that were looked at, then those that follow."""

    def __init__(self, head: bytes, read: Callable[[int], bytes]) -> None:
        self._head = head
        self._following = read

    def read(self, size: int = -1) -> bytes:
        """Give up to `size` bytes."""
        if self._head:
            part, self._head = self._head[:size], self._head[size:]
            return part
        return self._following(size)

    def readable(self) -> bool:
        """Say that it can be read."""
        return True
