"""Stream sources, found by the scheme of a URI.

A module of this package with `SCHEMES` and `open_stream` brings some; so does an object with both that is
named in `SOURCES` of what an entry point of the group `tallystick.streams` loads, which is how a stranger's
package adds its own.
"""

from __future__ import annotations

from collections.abc import Collection

from tallystick.config import Settings
from tallystick.errors import UsageError, did_you_mean
from tallystick.streams.schemes import openers, scheme_of
from tallystick.streams.source import StreamSource

__all__ = ["open_stream"]


def open_stream(
    uri: str, settings: Settings, *, known: Collection[str] = (), rate: float | None = None
) -> StreamSource:
    """Open a source: a file or folder that grows, `-`, or a URI such as `kafka://…`.

    known: column names that decide between delimiters that fit a header alike; rate: records a second at
    which what is there is replayed. Raises UsageError for an unknown scheme, or what cannot be opened.

    >>> open_stream("kafak://host/topic", Settings())
    Traceback (most recent call last):
    ...
    tallystick.errors.UsageError: There is no source for "kafak://".
    Did you mean "kafka"?
    """
    if rate is not None and not 0 < rate < 1e9:
        raise UsageError(f"A rate of {rate:g} cannot be kept.", "Give records a second, such as --rate 1000.")
    places = openers(__name__, "SOURCES")
    scheme = scheme_of(uri)
    if scheme not in places:
        raise UsageError(f'There is no source for "{scheme}://".', did_you_mean(scheme, places))
    source: StreamSource = places[scheme].open_stream(uri, settings, known=known, rate=rate)
    return source
