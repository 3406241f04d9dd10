"""Sources and sinks of streams by the scheme of their URI."""

from __future__ import annotations

import functools
import re
from typing import Any

from tallystick import plugins

__all__ = ["openers", "scheme_of"]

_GROUP = "tallystick.streams"
_SCHEME = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]+)://")  # two letters at least: C:\\ is a drive


@functools.cache
def openers(package: str, attribute: str) -> dict[str, Any]:
    """Return the opener of each scheme: modules of a package, then what entry points hold under a name.

    >>> "kafka" in openers("tallystick.streams.sources", "SOURCES")
    True
    """
    ours, others = plugins.holders(package, _GROUP)
    holders = [*ours, *(holder for other in others for holder in getattr(other, attribute, ()))]
    return {
        scheme: holder
        for holder in holders
        if hasattr(holder, "open_stream")
        for scheme in getattr(holder, "SCHEMES", ())
    }


def scheme_of(uri: str) -> str:
    """Return the scheme of a URI; a path is a file's, `-` is standard input or output.

    >>> scheme_of("kafka://host/topic"), scheme_of("a/b.csv"), scheme_of("-?format=csv")
    ('kafka', 'file', '-')
    """
    if uri == "-" or uri.startswith("-?"):
        return "-"
    match = _SCHEME.match(uri)
    return match[1].lower() if match else "file"
