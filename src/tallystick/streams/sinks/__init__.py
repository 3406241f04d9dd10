"""Stream sinks, found by the scheme of a URI.

A module of this package with `SCHEMES` and `open_stream` brings some; so does an object with both that is
named in `SINKS` of what an entry point of the group `tallystick.streams` loads.
"""

from __future__ import annotations

import pyarrow as pa

from tallystick.config import Settings
from tallystick.errors import UsageError, did_you_mean
from tallystick.streams.schemes import openers, scheme_of
from tallystick.streams.sink import StreamSink

__all__ = ["open_stream"]


def open_stream(uri: str, schema: pa.Schema, settings: Settings, *, stream: str) -> StreamSink:
    """Open a sink: a file that is appended to, `-`, or a URI such as `https://…`.

    schema: of the decisions; stream: the name of the stream, for sinks that tell streams apart. Raises
    UsageError for an unknown scheme, or what cannot be written to.

    >>> open_stream("htps://host/hook", pa.schema([]), Settings(), stream="orders")
    Traceback (most recent call last):
    ...
    tallystick.errors.UsageError: There is no sink for "htps://".
    Did you mean "https" or "http"?
    """
    places = openers(__name__, "SINKS")
    scheme = scheme_of(uri)
    if scheme not in places:
        raise UsageError(f'There is no sink for "{scheme}://".', did_you_mean(scheme, places))
    sink: StreamSink = places[scheme].open_stream(uri, schema, settings, stream=stream)
    return sink
