"""Which characters the bytes of a text file are; every reader works on UTF-8.

`auto`: a byte order mark decides; without one it is UTF-8, and a record that is not is read as Windows-1252,
bytes that it leaves undefined as Latin-1. That is a property of the record alone, so that one row reads as a
million do. A named encoding is used as said: a record that breaks it is broken.
"""

from __future__ import annotations

import codecs
import re

from tallystick.connectors.compression import ByteStream, TornStreamError

__all__ = ["BLOCK", "LONGEST", "Feed", "as_utf8", "from_windows"]

BLOCK = 4 << 20
# A record longer than this is not believed to be one: memory stays bounded.
LONGEST = 64 << 20

_MARKS = [
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: it begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
]

_LINE_END = re.compile(rb"[\r\n]")

_WINDOWS = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256))


def from_windows(record: bytes) -> str:
    """Read bytes as Windows-1252, those that it leaves undefined as Latin-1.

    >>> from_windows(b"caf\\xe9 \\x80 \\x81")
    'café € \\x81'
    """
    return codecs.charmap_decode(record, "strict", _WINDOWS)[0]


def _mark_undecodable(error: UnicodeError) -> tuple[str, int]:
    """Stand in for bytes that an encoding does not have: a lone surrogate is no valid UTF-8 later on."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udc80", error.end


codecs.register_error("tallystick_mark", _mark_undecodable)


def as_utf8(record: bytes, encoding: str) -> bytes:
    """Turn a record of a named encoding into UTF-8; what cannot be decoded becomes bytes that are no UTF-8.

    >>> as_utf8(b"caf\\xe9", "latin-1").decode()
    'café'
    """
    return record.decode(encoding, "tallystick_mark").encode("utf-8", "surrogatepass")


class Feed:
    """The bytes of one text file as UTF-8, as many at a time as asked for.

    `buffer` holds what was read and not dropped yet; `ended` says that no more comes; `torn` says why, if the
    file broke off; `falls_back` says that a record that is not valid may be read as Windows-1252; begun: the
    stream does not start where the file does, so that no byte order mark is looked for.
    """

    def __init__(self, stream: ByteStream, encoding: str = "auto", *, begun: bool = False) -> None:
        self.buffer = b""
        self.ended = False
        self.torn = ""
        self.falls_back = encoding == "auto"
        self._stream = stream
        self._encoding = "" if encoding == "auto" else codecs.lookup(encoding).name
        self._decoder: codecs.IncrementalDecoder | None = None
        self._begun = begun

    @property
    def as_read(self) -> bool:
        """Whether the buffer holds the bytes as they stand in the file, which is UTF-8."""
        return self._decoder is None

    def fill(self, wanted: int) -> None:
        """Read on until the buffer holds `wanted` bytes or the file is over."""
        parts = [self.buffer]
        held = len(self.buffer)
        while held < wanted and not self.ended:
            part = self._text(self._read(wanted - held))
            parts.append(part)
            held += len(part)
        self.buffer = b"".join(parts) if len(parts) > 1 else self.buffer

    def drop(self, size: int) -> None:
        """Forget the first bytes of the buffer."""
        self.buffer = self.buffer[size:]

    def skip_line(self) -> None:
        """Read to the end of a line without keeping it."""
        while True:
            found = _LINE_END.search(self.buffer)
            self.drop(found.end() if found else len(self.buffer))
            if found or self.ended:
                return
            self.fill(BLOCK)

    def _read(self, size: int) -> bytes:
        try:
            data = self._stream.read(size)
            while not self._begun and 0 < len(data) < 4:
                more = self._stream.read(4)
                data += more
                if not more:
                    break
        except TornStreamError as error:
            self.torn, self.ended = str(error), True
            return b""
        self.ended = not data
        return data if self._begun else self._begin(data)

    def _begin(self, data: bytes) -> bytes:
        """Look for a byte order mark, take it off, and choose the decoder."""
        self._begun = True
        for mark, name in _MARKS:
            if data.startswith(mark) and self._encoding in ("", name, name[:6], "utf-8-sig"):
                data, self._encoding = data[len(mark) :], name
                self.falls_back = self.falls_back and name == "utf-8"
                break
        if self._encoding not in ("", "utf-8", "utf-8-sig"):
            self._decoder = codecs.getincrementaldecoder(self._encoding)("tallystick_mark")
        return data

    def _text(self, data: bytes) -> bytes:
        """Turn what was read into UTF-8; what cannot be decoded becomes bytes that are no valid UTF-8."""
        if self._decoder is None:
            return data
        return self._decoder.decode(data, final=self.ended).encode("utf-8", "surrogatepass")
