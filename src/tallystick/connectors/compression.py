"""Compressed bytes: all before a break is given, and writing twice gives the same bytes."""

from __future__ import annotations

import gzip
import zlib
from typing import IO, Any, Protocol, cast

import pyarrow as pa

__all__ = ["ByteStream", "TornStreamError", "compressed", "decompressed"]

_STEP = 1 << 16


class TornStreamError(Exception):
    """The bytes end, or make no sense, before the file says that it is over."""


class ByteStream(Protocol):
    """What is read from; after the bytes before a break, `read` raises TornStreamError."""

    def read(self, size: int, /) -> bytes:
        """Give up to `size` bytes, none at the end."""


def decompressed(file: IO[bytes], compression: str, size: int | None = None) -> ByteStream:
    """Give the plain bytes of a file; compression is `gzip`, `zstd` or empty, and then `size` may end it."""
    if compression == "gzip":
        return _Gzip(file)
    if compression == "zstd":
        return _Zstd(file)
    return _Plain(file, size)


class _Plain:
    """Bytes as they are; a failing disk is a break."""

    def __init__(self, file: IO[bytes], left: int | None = None) -> None:
        self._file, self._left = file, left

    def read(self, size: int) -> bytes:
        try:
            if self._left is None:
                return self._file.read(size)
            data = self._file.read(min(size, self._left))
        except OSError as error:
            raise TornStreamError(f"it cannot be read on: {error}") from None
        self._left -= len(data)
        return data


class _Gzip:
    """Members of a gzip file in turn. Python's own reader drops up to a buffer before a break."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = _Plain(file)
        self._member = zlib.decompressobj(wbits=31)
        self._held = b""
        self._inside = False
        self._torn = ""

    def read(self, size: int) -> bytes:
        parts: list[bytes] = []
        wanted = size
        while wanted and not self._torn:
            data, self._held = self._held or self._file.read(_STEP), b""
            if not data:
                if self._inside:
                    self._torn = "the gzip data stops before its end"
                break
            if not self._inside:
                data = data.lstrip(b"\0")  # tapes and some writers fill up with zeros after a member
                if not data:
                    continue
            before = self._member.copy()
            try:
                part = self._member.decompress(data, wanted)
            except zlib.error as error:
                self._torn = f"the gzip data is damaged: {error}"
                parts.append(_before_the_break(before, data))
                break
            self._inside = True
            self._held = self._member.unconsumed_tail
            if self._member.eof:
                self._held = self._member.unused_data
                self._member, self._inside = zlib.decompressobj(wbits=31), False
            parts.append(part)
            wanted -= len(part)
        given = b"".join(parts)
        if self._torn and not given:
            raise TornStreamError(self._torn)
        return given


def _before_the_break(member: Any, data: bytes) -> bytes:
    """Give what can still be read of data that ends in an error, byte by byte."""
    given = []
    for i in range(len(data)):
        try:
            given.append(member.decompress(data[i : i + 1]))
        except zlib.error:
            break
    return b"".join(given)


class _Zstd:
    """Frames of a zstd file through Arrow; after a break the last step is read again byte by byte."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._given = 0
        self._torn = ""
        self._stream = self._opened()

    def _opened(self) -> Any:
        return pa.CompressedInputStream(pa.PythonFile(_Lent(self._file), mode="r"), "zstd")

    def read(self, size: int) -> bytes:
        parts: list[bytes] = []
        wanted = size
        while wanted and not self._torn:
            try:
                part = self._stream.read(min(wanted, _STEP))
            except OSError as error:
                self._torn = f"the zstd data is damaged or stops before its end: {error}"
                part = self._rest()
            if not part:
                break
            parts.append(part)
            self._given += len(part)
            wanted -= len(part)
        given = b"".join(parts)
        if self._torn and not given:
            raise TornStreamError(self._torn)
        return given

    def _rest(self) -> bytes:
        """Give the bytes between the last good step and the break."""
        self._file.seek(0)
        self._stream = self._opened()
        skipped = 0
        rest = bytearray()
        try:
            while skipped < self._given:
                skipped += len(self._stream.read(min(_STEP, self._given - skipped)))
            while byte := self._stream.read(1):
                rest += byte
        except OSError:
            pass
        return bytes(rest)


def compressed(file: IO[bytes], compression: str) -> IO[bytes]:
    """Give a stream that compresses into a file, and leaves that open when it is closed itself."""
    if compression == "gzip":
        # No name and no time in the header: running twice gives the same bytes.
        return cast(IO[bytes], gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=6))
    if compression == "zstd":
        return cast(IO[bytes], pa.CompressedOutputStream(_Lent(file), "zstd"))
    return cast(IO[bytes], _Lent(file))


class _Lent:
    """A file whose end is not this reader's or writer's to decide: Arrow closes what it lets go."""

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def write(self, data: Any) -> int:
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        """Leave the file open."""

    def tell(self) -> int:
        return self._file.tell()

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False
