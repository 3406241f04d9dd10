"""What of a database is meant: its place, a table or a query in it, and the names in SQL."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tallystick.connectors.location import Location
from tallystick.errors import UsageError, did_you_mean
from tallystick.secrets import read_secret_text

__all__ = ["OWN_TABLES", "Address", "no_table", "password", "quoted"]

#: What the tables of Tallystick itself begin with; no output takes their place.
OWN_TABLES = "ts_"

_IDENTIFIER = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')
_OPTION = re.compile(r"[a-z_]+")
_VARIABLE = "TALLYSTICK_DATABASE_PASSWORD"


@dataclass(frozen=True, slots=True)
class Address:
    """One table, or one query, of a database.

    place: the URI without options and secrets; schema: empty where none was named.

    >>> Address.of(Location.parse("sqlite:///a.db?table=main.pay%20ments"), ()).name
    'pay ments'
    """

    location: Location
    schema: str
    name: str
    query: str

    @classmethod
    def of(cls, location: Location, options: Collection[str], *, default: str = "") -> Address:
        """Take the table apart, and refuse options that the database does not know."""
        known = {"table", "query", *options}
        for name in location.options:
            if name not in known:
                if not _OPTION.fullmatch(name):  # perhaps a part of a password with a ? in it
                    raise UsageError(
                        f"{location.path}: what follows the ? is not NAME=VALUE.",
                        "Write signs such as / ? # @ & in a password as %2F %3F %23 %40 %26.",
                    )
                raise UsageError(
                    f'{location.shown}: there is no option "{name}".', did_you_mean(name, sorted(known))
                )
        query = location.options.get("query", "").strip().rstrip(";").strip()
        table = location.options.get("table", "") or ("" if query else default)
        if table and query:
            raise UsageError(f"{location.shown} has both a table and a query.", "Leave one out.")
        if "\0" in table + query:
            raise UsageError(f"{location.path}: a name or query holds a NUL character.", "Leave it out.")
        schema, name = _parts(table)
        return cls(location, schema, name, query)

    @property
    def place(self) -> str:
        """The URI without options and secrets."""
        return self.location.path

    @property
    def shown(self) -> str:
        """What to call it in a sentence; a query by its beginning."""
        if self.query:
            words = " ".join(self.query.split())
            return f"{self.place}?query={words if len(words) <= 60 else words[:59] + '…'}"
        return f"{self.place}?table={self.table}" if self.name else self.place

    @property
    def key(self) -> str:
        """What positions and marks are kept under: nothing of who asks, or how."""
        return f"{re.sub('//[^/@]*@', '//', self.place)}?table={self.table}"

    @property
    def table(self) -> str:
        """The table's name as people write it: with its schema where one was named."""
        return f"{self.schema}.{self.name}" if self.schema else self.name

    @property
    def sql(self) -> str:
        """The table's name in SQL."""
        return f"{quoted(self.schema)}.{quoted(self.name)}" if self.schema else quoted(self.name)

    def for_output(self) -> Address:
        """Return it, or raise UsageError where nothing can be written."""
        if self.query:
            raise UsageError(f"{self.shown}: a query cannot be written to.", "Name a table: ?table=NAME.")
        if self.name.lower().startswith((OWN_TABLES, "sqlite_", "pg_")):
            raise UsageError(
                f'{self.shown}: tables that begin with "ts_", "sqlite_" or "pg_" are not for outputs.',
                "Name another table.",
            )
        return self


def _parts(text: str) -> tuple[str, str]:
    """Split `schema.table`; a name with a dot in it is written in double quotes.

    >>> _parts("payments"), _parts("bank.payments"), _parts('"a.b"')
    (('', 'payments'), ('bank', 'payments'), ('', 'a.b'))
    """
    parts: list[str] = []
    at = 0
    while at < len(text):
        match = _IDENTIFIER.match(text, at)
        if match is None or len(parts) == 2 or text[match.end() : match.end() + 1] not in ("", "."):
            return "", text  # whatever it is, it is looked for as it stands
        parts.append(match[1].replace('""', '"') if match[1] else match[2])
        at = match.end() + 1
    return (parts[0], parts[1]) if len(parts) == 2 else ("", parts[0] if parts else "")


def quoted(name: str) -> str:
    """Write a name in SQL, whatever it holds.

    >>> quoted('say "x"; drop table y')
    '"say ""x""; drop table y"'
    """
    return '"' + name.replace('"', '""') + '"'


def no_table(address: Address, tables: Iterable[str]) -> UsageError:
    """Return the error for a table that is not there, or was not named."""
    names = [name for name in tables if not name.startswith(OWN_TABLES)]
    if not address.name:
        listed = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
        there = f"Its tables: {listed}." if names else "It has no tables."
        return UsageError(f"{address.place} names no table.", f"Add ?table=NAME. {there}")
    return UsageError(f'{address.place} has no table "{address.table}".', did_you_mean(address.table, names))


def password(location: Location) -> str:
    """Give the password of a database: from the URI, the environment, or a file that it names.

    Empty where there is none; the database's own client then looks where it always does.
    """
    if location.secret:
        return location.secret
    return read_secret_text(_VARIABLE) or ""
