"""Where an input or an output is, taken apart: scheme, path, format, compression, options."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from tallystick.connectors.databases import found_databases
from tallystick.connectors.formats import found_formats
from tallystick.connectors.signature import SPREADSHEET
from tallystick.errors import UsageError, did_you_mean

__all__ = ["COMPRESSIONS", "Location", "shown", "split_suffix", "suffixes"]

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
#: Endings of what is no format here → what to do.
_ELSEWHERE = {
    **dict.fromkeys((".xlsx", ".xlsm", ".xls", ".ods", ".numbers"), SPREADSHEET),
    **dict.fromkeys((".txt", ".dat"), "Text whose values are separated by a sign may be called .csv."),
    **dict.fromkeys((".pkl", ".pickle"), "A pickle may run code when it is read; write it as Parquet."),
    **dict.fromkeys((".feather", ".arrow", ".orc", ".avro", ".h5"), "Write it as Parquet."),
    **dict.fromkeys((".rds", ".sav", ".dta", ".sas7bdat"), "Write it as Parquet or CSV."),
    ".xml": "Write its records as JSON lines or CSV, one for each entry.",
}
_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]+)://")  # two letters at least: C:\\ is a drive
_OTHER_NAMES = {"postgres": "postgresql"}
_USER = re.compile(r"^(?P<user>[^:/@?]*)(?P<secret>:[^/?]*)?@")
_CARELESS = re.compile(r"^(?P<user>[^:/@?]*)(?P<secret>:(?!\d+/)[^?]*)@")  # a password with a / in it
_HOST = re.compile(r"^(?P<host>\[[^\]]*\]|[^:/]*):(?P<port>[^/]*)")


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
    secret: str = field(default="", repr=False)

    @property
    def shown(self) -> str:
        """What may be shown of it: its path, and its table in a database; never a password."""
        table = self.options.get("table", "") if self.scheme in found_databases() else ""
        return f"{self.path}?table={table}" if table else self.path

    @classmethod
    def parse(cls, text: str) -> Location:
        """Take a path or a URI apart; an unknown scheme is a UsageError when its file system is asked for."""
        if text == "-":
            return cls("stdin", "-")
        options: dict[str, str] = {}
        scheme, path = "file", text
        if match := _SCHEME.match(text):
            scheme = _OTHER_NAMES.get(match[1], match[1])
            if scheme == "file":
                parts = urlsplit(text)
                options = dict(parse_qsl(parts.query, keep_blank_values=True))
                path = unquote(parts.path)
            else:
                return _of_uri(scheme, text[match.end() :])
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
            if hint := _ELSEWHERE.get(ending.lower()):
                raise UsageError(f"{self.path}: {ending} is not read.", hint)
            near = did_you_mean(ending, endings) if ending else "There are: " + ", ".join(endings) + "."
            raise UsageError(f"{self.path}: {asked}.", near + " Text formats may end in .gz or .zst too.")
        return self.format


def _of_uri(scheme: str, rest: str) -> Location:
    """Take a URI apart, its secret away from what is shown."""
    secret = ""
    database = scheme in found_databases()
    if match := _USER.match(rest) or (_CARELESS.match(rest) if database else None):
        secret = unquote((match["secret"] or ":")[1:])
        rest = f"{match['user']}@{rest[match.end() :]}"
    path, _, query = rest.partition("?")
    options = _options(query)
    secret = options.pop("password", secret)
    if database:
        who, at, where = path.rpartition("@")
        if (host := _HOST.match(where)) and not host["port"].isdecimal():
            # A password with a ? in it, as it stands: no part of it may be shown.
            path = f"{who}{at}{host['host']}:***{where[host.end() :]}"
        return Location(scheme, f"{scheme}://{path}", options=options, secret=secret)
    form, compression = split_suffix(path) or ("", "")
    return Location(scheme, f"{scheme}://{path}", form, compression, options, secret)


def _options(text: str) -> dict[str, str]:
    """Read what follows the question mark; a query with blanks in it is taken as it stands, to the end."""
    before, mark, query = text.partition("query=")
    if mark and (not before or before.endswith("&")) and re.search(r"\s", query):
        return {**dict(parse_qsl(before, keep_blank_values=True)), "query": query}
    return dict(parse_qsl(text, keep_blank_values=True))


def shown(path: object) -> str:
    """Say where something is, for people: a path as it stands, a URI without its password.

    >>> shown("postgresql://me:secret@host/db?table=payments")
    'postgresql://me@host/db?table=payments'
    """
    text = str(path)
    return Location.parse(text).shown if _SCHEME.match(text) else text


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
