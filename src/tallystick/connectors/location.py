"""Where an input or an output is, taken apart: scheme, path, format, compression, options."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from tallystick.connectors.formats import found_formats
from tallystick.errors import UsageError, did_you_mean

__all__ = ["COMPRESSIONS", "Location", "split_suffix", "suffixes"]

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]+)://")  # two letters at least: C:\\ is a drive


@dataclass(frozen=True, slots=True)
class Location:
    """What was asked for, in parts; `format` is empty where the suffix says nothing (a folder, a glob, `-`).

    >>> Location.parse("2024/jan.csv.gz")
    Location(scheme='file', path='2024/jan.csv.gz', format='csv', compression='gzip', options={})
    >>> Location.parse("-").scheme
    'stdin'
    """

    scheme: str
    path: str
    format: str = ""
    compression: str = ""
    options: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Location:
        """Take a path or a URI apart; an unknown scheme is a UsageError when its file system is asked for."""
        if text == "-":
            return cls("stdin", "-")
        options: dict[str, str] = {}
        scheme, path = "file", text
        if match := _SCHEME.match(text):
            scheme = match[1]
            parts = urlsplit(text)
            options = dict(parse_qsl(parts.query, keep_blank_values=True))
            path = unquote(parts.path) if scheme == "file" else text.split("?", 1)[0]
        if not path:
            raise UsageError("An input or output has an empty path.", "Name a file, a folder, a glob or -.")
        form, compression = split_suffix(path) or ("", "")
        return cls(scheme, path, form, compression, options)

    def need_format(self) -> str:
        """Give the format, or raise UsageError with those that exist."""
        if not self.format:
            endings = suffixes()
            ending = "".join(re.findall(r"\.[^./\\]+", self.path.replace("\\", "/").rsplit("/", 1)[-1])[-2:])
            asked = f'"{ending}" is no known format' if ending else "it has no ending that names its format"
            near = did_you_mean(ending, endings) if ending else "There are: " + ", ".join(endings) + "."
            raise UsageError(f"{self.path}: {asked}.", near + " Text formats may end in .gz or .zst too.")
        return self.format


def suffixes() -> list[str]:
    """List the file endings of all formats, without compression."""
    return sorted(suffix for form in found_formats().values() for suffix in form.suffixes)


def split_suffix(path: str) -> tuple[str, str] | None:
    """Say format and compression from a file's name, or None for an ending that no format has."""
    name = path.lower()
    compression = ""
    for ending, kind in COMPRESSIONS.items():
        if name.endswith(ending):
            name, compression = name.removesuffix(ending), kind
    for form in found_formats().values():
        if name.endswith(form.suffixes) and (form.is_text or not compression):
            return form.name, compression
    return None
