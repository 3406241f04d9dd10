"""An input, whatever its form, as chunks of rows with the place of each."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, NoReturn

from tallystick.config import Settings
from tallystick.connectors.archive import ARCHIVE, member_of, open_member
from tallystick.connectors.chunk import Chunk
from tallystick.connectors.databases import found_databases
from tallystick.connectors.filesystem import FileSystem, FoundFile, file_system
from tallystick.connectors.formats import Reading, found_formats
from tallystick.connectors.location import Location, split_suffix, suffixes
from tallystick.connectors.notes import Notes
from tallystick.connectors.signature import refuse_other_content
from tallystick.connectors.splits import Split, splits_of
from tallystick.connectors.standard_input import StandardInput
from tallystick.errors import DataError, UsageError

__all__ = ["Source", "open_source"]


class Source:
    """One input of one or more files; files can be read again, standard input once.

    Between files columns may differ: each chunk carries its own schema, and its `name` says the file.
    """

    def __init__(
        self, location: Location, readings: list[tuple[str, Reading]], paths: list[str], notes: Notes
    ) -> None:
        self.location = location
        self._readings = readings
        self._paths = paths
        self._notes = notes

    @property
    def names(self) -> tuple[str, ...]:
        """The place names of its files, in the order in which they are read."""
        return tuple(reading.name for _, reading in self._readings)

    @property
    def notes(self) -> tuple[str, ...]:
        """What should be said about the input so far: files passed over, records read as Windows-1252."""
        return self._notes.lines()

    def headers(self) -> dict[str, tuple[str, ...]]:
        """Give the column names of each file, for errors; JSON has those of its first records."""
        return {reading.name: found_formats()[form].columns(reading) for form, reading in self._readings}

    def splits(self) -> Iterator[Split]:
        """Give its files in the order of their names, cut where their formats allow it."""
        for form, reading in self._readings:
            yield from splits_of(form, reading, alone=len(self._readings) == 1)

    def chunks(self) -> Iterator[Chunk]:
        """Give the rows in order, in bounded memory.

        Raises DataError when there is no record at all, or a single file cannot be read from its start.
        """
        records = 0
        for split in self.splits():
            for chunk in split.chunks():
                records += len(chunk.records) + len(chunk.broken)
                self._notes.add(chunk.notes)
                yield chunk
        if not records:
            self.refuse_empty()

    def refuse_empty(self) -> NoReturn:
        """Raise the DataError for an input without any record."""
        what = "a header but no row" if len(self.names) == 1 else "no row in any of its files"
        if self._readings and {form for form, _ in self._readings} <= {"json", "jsonl"}:
            what = "no record"
        raise DataError(f"{self.location.shown} has {what}.", "At least one record is wanted.")

    def is_read_by(self, other: Location) -> bool:
        """Say whether a location is one of its files, or lies in the folder that it reads."""
        if other.scheme != self.location.scheme or other.scheme == "stdin":
            return False
        system = file_system(other.scheme)
        target = system.resolve(other.path)
        if target in {system.resolve(path) for path in self._paths}:
            return True
        return system.is_folder(self.location.path) and target.startswith(
            system.resolve(self.location.path) + "/"
        )


def open_source(
    path: str | Path, settings: Settings, *, known: Collection[str] = (), delimiter: str = ""
) -> Source:
    """Open a file, a folder, a glob, `-`, or a table or query of a database.

    `known` are column names that decide between delimiters that fit a header alike; `delimiter` names one.
    Raises UsageError for a path that is not there, may not be read, or has no known format.

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.csv").write_text("x;y\\n1;2\\n")
    >>> chunk = next(open_source(folder, Settings()).chunks())
    >>> chunk.name, chunk.records.tolist(), chunk.rows.to_pylist()
    ('a.csv', [1], [{'x': '1', 'y': '2'}])
    """
    location = Location.parse(str(path))
    if database := found_databases().get(location.scheme):
        return database.open_source(location, settings)
    notes = Notes()
    base = Reading(
        "-",
        _unopened,
        settings,
        known=frozenset(known),
        delimiter=delimiter or location.options.get("delimiter", ""),
        notes=notes,
    )
    if location.scheme == "stdin":
        return Source(location, [_standard_input(base)], [], notes)
    system = file_system(location.scheme)
    found_files = system.list(location.path)
    if [one.path for one in found_files] == [location.path]:
        if not location.path.lower().endswith(ARCHIVE):
            location.need_format()
    else:
        found_files = _readable(found_files, location, notes)
    readings = []
    for one in found_files:
        form, compression, opener = _opened_as(system, one)
        readings.append((form, replace(base, name=one.name, open=opener, compression=compression)))
    return Source(location, readings, [one.path for one in found_files], notes)


def _opened_as(system: FileSystem, one: FoundFile) -> tuple[str, str, Callable[[], IO[bytes]]]:
    """Return the format and compression of a file, and what opens it; DataError for an archive of others."""
    if one.path.lower().endswith(ARCHIVE):
        member = member_of(system, one.path, one.name)
        form, compression = split_suffix(member) or ("", "")
        if not form or compression or form == "parquet":
            raise DataError(f"{one.name} holds {member}, which is not read from an archive.", "Unpack it.")
        return form, "zip", functools.partial(open_member, system, one.path, one.name, member)
    form, compression = split_suffix(one.path) or ("", "")
    return form, compression, functools.partial(_open, system, one, form, compression)


def _open(system: FileSystem, one: FoundFile, form: str, compression: str) -> IO[bytes]:
    """Open a file from its start; DataError where it is something else than its name says."""
    file = system.open_read(one.path)
    try:
        refuse_other_content(file, one.name, form, compression)
    except BaseException:
        file.close()
        raise
    return file


def _unopened() -> IO[bytes]:
    raise RuntimeError("a reading was used before its file was known")


def _standard_input(base: Reading) -> tuple[str, Reading]:
    stream = StandardInput()
    form, compression = stream.format()
    # Parquet and a damaged zstd are gone back in, and a document is held as a whole in any case.
    seekable = compression == "zstd" or form in ("json", "parquet")
    opener, looker = (functools.partial(how, seekable) for how in (stream.open_read, stream.open_look))
    return form, replace(base, open=opener, look=looker, compression=compression)


def _readable(found_files: list[FoundFile], location: Location, notes: Notes) -> list[FoundFile]:
    """Leave out hidden files and those of no known format, and say so."""
    hidden = [one for one in found_files if any(part.startswith((".", "_")) for part in one.name.split("/"))]
    shown = [one for one in found_files if one not in hidden]
    readable = [one for one in shown if _is_readable(one)]
    if not readable:
        what = (
            f"holds {len(found_files)} files, none of a known format" if found_files else "is an empty folder"
        )
        raise UsageError(
            f"{location.path} {what}.", "Formats: " + ", ".join(suffixes()) + " (text also .gz, .zst)."
        )
    if hidden:
        notes.say(f"passed over {len(hidden)} hidden files: {_some(hidden)}")
    if others := [one for one in shown if not _is_readable(one)]:
        notes.say(f"passed over {len(others)} files of no known format: {_some(others)}")
    return readable


def _is_readable(one: FoundFile) -> bool:
    return split_suffix(one.path) is not None or one.path.lower().endswith(ARCHIVE)


def _some(files: list[FoundFile]) -> str:
    names = ", ".join(one.name for one in files[:5])
    return names + (", …" if len(files) > 5 else "")
