"""Connectors: an input, whatever its form, as Arrow batches with the place of each record; batches as a file.

They know no column name. `open_source` reads, `open_sink` writes; a format is one file here with a `FORMATS`
tuple, a file system one with `FILE_SYSTEMS`, a database one with `DATABASES`, and strangers bring theirs by
the entry point `tallystick.connectors`.
"""

from __future__ import annotations

from tallystick.connectors.chunk import Broken, Chunk
from tallystick.connectors.database import Database, is_state
from tallystick.connectors.database_place import TablePlace, beside, inside, place, resolved
from tallystick.connectors.databases import found_databases
from tallystick.connectors.filesystem import FileSystem, LocalFileSystem, found_file_systems
from tallystick.connectors.formats import Format, found_formats
from tallystick.connectors.location import Location, shown
from tallystick.connectors.sink import Sink, open_sink
from tallystick.connectors.source import Source, open_source
from tallystick.connectors.splits import Split

__all__ = [
    "Broken",
    "Chunk",
    "Database",
    "FileSystem",
    "Format",
    "LocalFileSystem",
    "Location",
    "Sink",
    "Source",
    "Split",
    "TablePlace",
    "beside",
    "found_databases",
    "found_file_systems",
    "found_formats",
    "inside",
    "is_state",
    "open_sink",
    "open_source",
    "place",
    "resolved",
    "shown",
]
