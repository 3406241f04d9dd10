"""A ZIP archive of one table, such as public data is often given out as: read without unpacking it."""

from __future__ import annotations

import zipfile
import zlib
from typing import IO, cast

from tallystick.connectors.filesystem import FileSystem
from tallystick.errors import DataError

__all__ = ["ARCHIVE", "member_of", "open_member"]

ARCHIVE = ".zip"


def member_of(system: FileSystem, path: str, name: str) -> str:
    """Return the one file in an archive; DataError where there are others, or it cannot be read.

    What systems and editors leave behind (`__MACOSX/`, hidden files) does not count.
    """
    with system.open_read(path) as file, _opened(file, name) as archive:
        held = [one for one in archive.infolist() if not one.is_dir() and not _left_behind(one.filename)]
        if len(held) != 1:
            names = ", ".join(one.filename for one in held[:5]) + (", …" if len(held) > 5 else "")
            raise DataError(
                f"{name} holds {len(held)} files{': ' + names if names else ''}; an archive of one is read.",
                "Unpack it, and name a file or the folder.",
            )
        if held[0].flag_bits & 1:
            raise DataError(f"{name} is encrypted.", "Unpack it with its password, and read what it holds.")
        return held[0].filename


def open_member(system: FileSystem, path: str, name: str, member: str) -> IO[bytes]:
    """Open a file in an archive from its start, as plain bytes."""
    file = system.open_read(path)
    try:
        return cast(IO[bytes], _Member(_opened(file, name), member, file))
    except BaseException:
        file.close()
        raise


def _left_behind(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in name.split("/"))


def _opened(file: IO[bytes], name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except zipfile.BadZipFile as error:
        raise DataError(f"{name} is no whole ZIP archive: {error}.", "Fetch it again.") from None


class _Member:
    """Bytes of a file in an archive; damage is an OSError, as it is of a failing disk."""

    def __init__(self, archive: zipfile.ZipFile, member: str, file: IO[bytes]) -> None:
        self._archive, self._file = archive, file
        try:
            self._member = archive.open(member)
        except NotImplementedError as error:
            raise DataError(f"{member} is packed in an unusual way: {error}.", "Unpack it.") from None

    def __enter__(self) -> _Member:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, size: int = -1) -> bytes:
        try:
            return self._member.read(size)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise OSError(f"the ZIP data is damaged: {error}") from None

    def seek(self, place: int) -> int:
        return self._member.seek(place)

    def tell(self) -> int:
        return self._member.tell()

    def close(self) -> None:
        self._member.close()
        self._archive.close()
        self._file.close()
