"""Location of a store: parsed URI and password."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from tallystick.errors import UsageError
from tallystick.secrets import read_secret_text

__all__ = ["StoreLocation", "parse_uri"]

SQLITE, POSTGRES = "sqlite:///", ("postgresql://", "postgres://")
FORMS = "A store is sqlite:///FILE.db, sqlite:////FULL/PATH.db or postgresql://USER@HOST:PORT/DATABASE."
VARIABLE = "TALLYSTICK_STORE_PASSWORD"


@dataclass(frozen=True, slots=True)
class StoreLocation:
    """Location of a store. shown: the URI without secrets; path: SQLite file; url: server."""

    shown: str
    path: Path | None = None
    url: URL | None = field(default=None, repr=False)


def parse_uri(uri: str, environment: Mapping[str, str] = os.environ) -> StoreLocation:
    """Parse a URI; a server's password comes from it, else from the environment or a file.

    Raises UsageError, which never shows the URI where it may hold a password.

    >>> parse_uri("postgresql://ann:secret@db:5432/bank?sslmode=require", {}).shown
    'postgresql://ann@db:5432/bank'
    """
    if uri.startswith(SQLITE):
        return _file(uri)
    if uri.startswith(POSTGRES):
        return _server(uri, environment)
    scheme = uri.partition(":")[0] if "://" in uri else uri[:40]
    raise UsageError(f'"{scheme}" is no store.', FORMS)


def _file(uri: str) -> StoreLocation:
    name = uri.removeprefix(SQLITE)
    if name in ("", ":memory:"):
        raise UsageError(f'"{uri}" names no file; a store in memory would be lost.', FORMS)
    if option := re.search(r"\?\w+=", name):
        raise UsageError(
            f'"{uri}": a store takes no options, and this has "{option.group()[1:-1]}".',
            "The store makes its own tables. To read or write a table, name it as input or output.",
        )
    return StoreLocation(uri, path=Path(name).absolute())


def _server(uri: str, environment: Mapping[str, str]) -> StoreLocation:
    try:
        url = make_url("postgresql://" + uri.partition("://")[2]).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError):
        raise UsageError("The URI of the store cannot be read (postgresql://…).", FORMS) from None
    if not url.database:
        raise UsageError("The URI of the store names no database.", FORMS)
    query_password = url.query.get("password")
    password = (
        url.password
        or (query_password if isinstance(query_password, str) else None)
        or read_secret_text(VARIABLE, environment)
    )
    # Without a password, libpq reads PGPASSWORD and ~/.pgpass.
    url = url.difference_update_query(["password"]).set(password=password)
    display_uri = URL.create(
        "postgresql", username=url.username, host=url.host, port=url.port, database=url.database
    ).render_as_string()
    return StoreLocation(display_uri, url=url)
