"""Files as sources: followed where they can grow, read once where not, replayed where a pace is given."""

from __future__ import annotations

import glob
import re
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from tallystick.config import Settings
from tallystick.connectors import Location, open_source
from tallystick.connectors.formats import Reading
from tallystick.connectors.notes import Notes
from tallystick.errors import UsageError, did_you_mean
from tallystick.streams.source import StreamSource
from tallystick.streams.sources.folder import FollowedFolder
from tallystick.streams.sources.follow import FollowedFile
from tallystick.streams.sources.replay import Replay
from tallystick.streams.sources.text_records import GROWING

__all__ = ["SCHEMES", "open_stream"]

SCHEMES = ("file",)
_OPTIONS = ("delimiter", "wait")
# Of a path, where a ? may also stand for a letter of names.
_ASKED = re.compile(r"\?[a-z]+=[^/]*$")


def open_stream(
    uri: str, settings: Settings, *, known: Collection[str] = (), rate: float | None = None
) -> StreamSource:
    """Open a file, a folder or a glob: followed, or replayed at a rate (records a second).

    It may say `delimiter`, and `wait=true` for a file that is not there yet, after a `?`.
    """
    if "://" not in uri and (asked := _ASKED.search(uri)):
        uri = f"{Path(uri[: asked.start()]).absolute().as_uri()}{asked[0]}"
    location = Location.parse(uri)
    for option in location.options:
        if option not in _OPTIONS:
            raise UsageError(f'A file has no option "{option}".', did_you_mean(option, _OPTIONS))
    delimiter = location.options.get("delimiter", "")
    path = Path(location.path)
    several = path.is_dir() or (not path.exists() and glob.has_magic(location.path))
    if rate is not None or (not several and location.format not in ("", *GROWING)) or location.compression:
        if rate is not None:
            # Small pieces: reading ahead is not to keep the records that are due from being scored.
            settings = replace(settings, batch_rows=min(settings.batch_rows, max(64, int(rate / 20))))
        source = open_source(uri, settings, known=known, delimiter=delimiter)
        return Replay(source, path.absolute().as_uri(), rate)
    base = Reading("", _unopened, settings, known=frozenset(known), delimiter=delimiter, notes=Notes())
    if several:
        return FollowedFolder(location.path, base)
    location.need_format()
    wait = location.options.get("wait", "").lower() in ("1", "true", "yes")
    return FollowedFile(location.path, location.format, base, wait=wait)


def _unopened() -> NoReturn:
    raise RuntimeError("a reading was used before its bytes were known")
