"""Where something is written: a path, or a table, which is asked and told the same things."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from tallystick.connectors.database_address import Address
from tallystick.connectors.databases import found_databases
from tallystick.connectors.location import Location

__all__ = ["TablePlace", "beside", "inside", "place", "resolved"]


@dataclass(frozen=True, eq=False)
class TablePlace:
    """A table that is written; as text it is shown without its password, so `open_sink` takes it as it is."""

    location: Location

    def __str__(self) -> str:
        return self.location.shown

    def unlink(self, missing_ok: bool = False) -> None:  # noqa: ARG002 - as of a path
        """Take the table away, if it is there."""
        found_databases()[self.location.scheme].remove(self.location)

    def named(self, table: str) -> TablePlace:
        """Give another table of the same database."""
        return TablePlace(replace(self.location, options={**self.location.options, "table": table}))


def place(path: str | Path | TablePlace, table: str = "decisions") -> Path | TablePlace:
    """Turn what was asked for into a path or a table; table: for a database where none is named.

    >>> str(place("postgresql://me:secret@host/db", "quarantine"))
    'postgresql://me@host/db?table=quarantine'
    >>> place("a.csv").name
    'a.csv'
    """
    if isinstance(path, TablePlace):
        return path
    location = Location.parse(str(path)) if "://" in str(path) else None
    if location is None or location.scheme not in found_databases():
        return Path(path)
    if {"table", "query"} & set(location.options):
        return TablePlace(location)
    return TablePlace(location).named(table)


def beside(path: str | Path | TablePlace, what: str) -> Path | TablePlace:
    """Name the place beside an output where something of its own goes: a file, or a table.

    >>> beside("out/decisions.csv", "quarantine").as_posix()
    'out/decisions.csv.quarantine.jsonl'
    >>> str(beside("sqlite:///a.db", "quarantine"))
    'sqlite:///a.db?table=decisions_quarantine'
    """
    output = place(path)
    if isinstance(output, Path):
        return Path(f"{path}.{what}.jsonl")
    table = output.location.options.get("table", "")
    # A name in quotes keeps its last quote at the end.
    return output.named(f'{table[:-1]}_{what}"' if table.endswith('"') else f"{table}_{what}")


def inside(path: str | Path | TablePlace, name: str) -> Path | TablePlace:
    """Name one of several tables: a CSV file in a folder, or a table of a database.

    >>> inside("folder", "rates").as_posix(), str(inside("sqlite:///a.db", "rates"))
    ('folder/rates.csv', 'sqlite:///a.db?table=rates')
    """
    output = place(path)
    return output / f"{name}.csv" if isinstance(output, Path) else output.named(name)


def resolved(path: str | Path | TablePlace) -> str:
    """Give the one name of a place, whichever way it was written.

    >>> resolved("sqlite:///x/../a.db?table=main.t") == resolved("sqlite:///a.db?table=t")
    True
    """
    output = place(path)
    if isinstance(output, Path):
        return str(output.resolve())
    location = output.location
    if "query" in location.options:
        return f"{location.path}?query={location.options['query']}"
    address = Address.of(location, location.options)
    if location.scheme != "sqlite":
        return address.key
    from tallystick.connectors.database_sqlite_connection import file_of

    return f"sqlite:///{os.path.realpath(file_of(location))}?table={address.name.lower()}"
