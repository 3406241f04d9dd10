"""File systems by scheme: what lists, reads, and writes beside so that nothing half-written stays.

A module of this package with a `FILE_SYSTEMS` tuple brings one, as does an entry point of the group
`tallystick.connectors`; `s3://` or `hdfs://` join that way.
"""

from __future__ import annotations

import functools
import glob
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn, Protocol

from tallystick.connectors.formats import found
from tallystick.errors import UsageError, did_you_mean

__all__ = [
    "FILE_SYSTEMS",
    "FileSystem",
    "FoundFile",
    "LocalFileSystem",
    "PendingFile",
    "file_system",
    "found_file_systems",
]


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of an input: its path, and its name relative to the folder that the input is or lies in."""

    name: str
    path: str


class PendingFile(Protocol):
    """A file that is being written and does not stand at its place yet."""

    file: IO[bytes]

    def commit(self) -> None:
        """Make it last and put it at its place, over what stood there."""

    def abort(self) -> None:
        """Take it away; what stood at the place stays."""


class FileSystem(Protocol):
    """What a scheme has to offer."""

    scheme: str

    def list(self, path: str) -> list[FoundFile]:
        """List the files of a file, folder or glob by name; UsageError when nothing is there."""

    def open_read(self, path: str) -> IO[bytes]:
        """Open a file from its start."""

    def open_write_beside(self, path: str) -> PendingFile:
        """Begin a file that appears at `path` only when it is committed."""

    def exists(self, path: str) -> bool:
        """Say whether something is there."""

    def is_folder(self, path: str) -> bool:
        """Say whether a folder is there."""

    def size(self, path: str) -> int:
        """Give the bytes of a file."""

    def resolve(self, path: str) -> str:
        """Give the one name of a file, whichever way it was written."""


class LocalFileSystem:
    """Files of this machine."""

    scheme = "file"

    def list(self, path: str) -> list[FoundFile]:
        """List the files of a file, folder or glob, sorted by name."""
        place = Path(path)
        try:
            if place.is_dir():
                found_files = [
                    FoundFile(str(one.relative_to(place).as_posix()), str(one)) for one in _walk(place)
                ]
            elif place.exists():
                found_files = [FoundFile(place.name, path)]
            elif glob.has_magic(path):
                found_files = _matching(path)
            else:
                _missing(place)
        except OSError as error:
            _refused(path, error)
        return sorted(found_files, key=lambda one: one.name.encode("utf-8", "surrogateescape"))

    def open_read(self, path: str) -> IO[bytes]:
        """Open a file from its start."""
        try:
            return Path(path).open("rb")
        except OSError as error:
            _refused(path, error)

    def open_write_beside(self, path: str) -> PendingFile:
        """Begin a file in the same folder, which is made if it is not there."""
        target = Path(self.resolve(path))  # through a link, the file it names is replaced, not the link
        if target.is_dir():
            raise UsageError(f"{path} is a folder.", "Name a file in it to write.")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            return _LocalPending(target)
        except OSError as error:
            raise UsageError(
                f"{path} cannot be written: {error.strerror or error}.", "Name another place."
            ) from None

    def exists(self, path: str) -> bool:
        """Say whether something is there."""
        return Path(path).exists()

    def is_folder(self, path: str) -> bool:
        """Say whether a folder is there."""
        return Path(path).is_dir()

    def size(self, path: str) -> int:
        """Give the bytes of a file."""
        return Path(path).stat().st_size

    def resolve(self, path: str) -> str:
        """Give the path without links and dots."""
        return os.path.realpath(path)


class _LocalPending:
    """A hidden file beside its target."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._path = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
        self.file: IO[bytes] = self._path.open("xb")

    def commit(self) -> None:
        """Make it last and put it at its place."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        self._path.replace(self._target)
        if hasattr(os, "O_DIRECTORY"):  # the new name lasts only when its folder does
            folder = os.open(self._target.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def abort(self) -> None:
        """Take it away."""
        try:
            self.file.close()
        except OSError:  # what is held cannot be written either; it is not wanted any more
            pass
        finally:
            self._path.unlink(missing_ok=True)


def _walk(folder: Path) -> Iterator[Path]:
    """Give every file in a folder and the folders in it."""
    for parent, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        yield from (Path(parent, name) for name in files)


def _raise(error: OSError) -> NoReturn:
    raise error


def _matching(pattern: str) -> list[FoundFile]:
    """Give the files that a glob names; its folder is what stands before the first sign."""
    parts = Path(pattern).parts
    plain = next((i for i, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    base = Path(*parts[:plain]) if plain else Path()
    matches = [one for one in base.glob(str(Path(*parts[plain:]))) if one.is_file()]
    found_files = [FoundFile(one.relative_to(base).as_posix(), str(one)) for one in matches]
    if not found_files:
        raise UsageError(f'No file matches "{pattern}".', f"{base.resolve()} is where it was looked for.")
    return found_files


def _missing(place: Path) -> NoReturn:
    """Say that a path is not there, and what is near it."""
    folder = place.parent
    if folder.is_dir():
        names = sorted(one.name for one in folder.iterdir() if not one.name.startswith("."))
        near = did_you_mean(place.name, names) if names else "The folder is empty."
        if near.startswith("There are:") and len(names) > 12:
            near = f"{folder.resolve()} holds {len(names)} others."
        raise UsageError(f"{place} is not there.", near)
    standing = next((up for up in place.parents if up.is_dir()), Path())
    raise UsageError(
        f"{place} is not there: there is no folder {folder}.", f"{standing.resolve()} is as far as it goes."
    )


def _refused(path: str, error: OSError) -> NoReturn:
    """Say why the system does not let a path be read."""
    raise UsageError(
        f"{error.filename or path} cannot be read: {error.strerror or error}.",
        "Check its permissions, or name another path.",
    ) from None


FILE_SYSTEMS: tuple[FileSystem, ...] = (LocalFileSystem(),)


@functools.cache
def found_file_systems() -> dict[str, FileSystem]:
    """Give every file system by scheme, sorted."""
    return dict(sorted((one.scheme, one) for one in found("FILE_SYSTEMS")))


def file_system(scheme: str) -> FileSystem:
    """Give the file system of a scheme; UsageError with those that exist."""
    systems = found_file_systems()
    if scheme not in systems:
        raise UsageError(f'There is no connector for "{scheme}://".', did_you_mean(scheme, systems))
    return systems[scheme]
