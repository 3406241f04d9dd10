"""Maps the columns of an input to the columns of a contract."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from tallystick.contracts.column import Column, fold
from tallystick.contracts.formats import Format, recognised
from tallystick.contracts.near_names import nearest
from tallystick.contracts.values import ValueParser, value_parser
from tallystick.errors import DataError, UsageError, did_you_mean

__all__ = ["ColumnMapping", "ColumnMatch", "resolve"]


SHOWN = 30  # names of columns in a message
#: What is a number or a date rather than the name of a column.
_VALUE = re.compile(r"[-+]?[\d.,]*\d(e[-+]?\d+)?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ColumnMatch:
    """One of our columns, what they call it, its place in their table, from 0; `look` judges a value.

    `step`: microseconds of what a time counts in this make of file, 0 where it counts nothing. `money`: the
    column holds the currency of an amount. `currency`: which match holds that of this amount, -1 for none.
    """

    column: Column
    theirs: str
    place: int
    parse: ValueParser
    step: int = 0
    money: bool = False
    currency: int = -1


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """The columns of one table as the contract understands them, in the contract's order."""

    matches: tuple[ColumnMatch, ...]
    schema: pa.Schema = field(default_factory=lambda: pa.schema([]))  # of the clean rows
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    format: Format | None = None
    #: Of the schema met last, where each match's column stands: batches of a source have one schema.
    _met: list[tuple[pa.Schema, tuple[int, ...]]] = field(
        default_factory=list, init=False, repr=False, compare=False
    )

    def places(self, schema: pa.Schema) -> tuple[int, ...]:
        """Return where each match's column stands in batches of a schema, -1 where it has none.

        That is its place, or, where a batch has another order, that of its name.
        """
        for known, places in self._met:
            if known.equals(schema):
                return places
        names = schema.names
        found = tuple(
            match.place if names[match.place : match.place + 1] == [match.theirs]
            else schema.get_field_index(match.theirs)
            for match in self.matches
        )  # fmt: skip
        self._met[:] = [(schema, found)]
        return found

    def require(self, needs: Mapping[str, str]) -> None:
        """Raise DataError where columns are missing; needs: our name of each → what it is wanted for."""
        ours = set(self.ours)
        missing = [column for column in needs if column not in ours]
        if not missing:
            return
        wanted = "; ".join(f"{column}, {needs[column]}" for column in missing)
        names = [*(match.theirs for match in self.matches), *self.ignored]
        unknown = ", ".join(f'"{name}"' for name in self.ignored[:SHOWN])
        near = [note for note in self.notes if any(f"Did you mean {column}?" in note for column in missing)]
        hints = near or [f'Say which column it is: --map "THEIRS={missing[0]}".']
        if unknown:
            hints.append(f"Not recognised: {unknown}{', …' if len(self.ignored) > SHOWN else ''}.")
        raise DataError(
            f"What is needed is missing: {wanted}. Found: {', '.join(names) or 'no columns'}.",
            " ".join(hints),
        )

    @property
    def ours(self) -> tuple[str, ...]:
        """Return our names of the columns that are there."""
        return tuple(match.column.name for match in self.matches)

    @property
    def theirs(self) -> dict[str, str]:
        """Return our name → their name."""
        return {match.column.name: match.theirs for match in self.matches}


def resolve(
    title: str,
    columns: Sequence[Column],
    names: Sequence[str],
    mapping: Mapping[str, str] | None = None,
    formats: Sequence[Format] = (),
    open_: bool = False,
) -> ColumnMapping:
    """Find our columns among their names; `mapping` (theirs → ours, from --map) decides before any alias.

    Names are compared by their letters and digits alone; what a recognised format means by them comes before
    the aliases. Raises UsageError for a mapping of what is not
    there, and DataError where two of theirs are one of ours, or none is known. open_: the contract may do
    without any column that it names.

    >>> text = Column("narrative", "text", "What happened", aliases=("complaint_text",))
    >>> resolve("complaints", [text], ["Complaint text", "colour"]).theirs
    {'narrative': 'Complaint text'}
    """
    mapped = _mapped(columns, names, mapping or {})
    known = {fold(spelling): column for column in columns for spelling in (column.name, *column.aliases)}
    made = recognised(formats, names)
    if made is not None:
        of_name = {column.name: column for column in columns}
        known |= {fold(theirs): of_name[ours] for theirs, ours in made.names}
    taken = {column.name for column in mapped.values()}
    found: dict[str, list[int]] = {column.name: [] for column in columns}
    ignored: list[str] = []
    notes: list[str] = []
    for place, name in enumerate(names):
        if place in mapped:
            found[mapped[place].name].append(place)
            continue
        column = known.get(fold(name))
        if column is None:
            ignored.append(name)
        elif column.name in taken:
            ignored.append(name)
            notes.append(f'"{name}" is ignored: --map names another column as {column.name}.')
        else:
            found[column.name].append(place)
    for column in columns:
        if column.ranked:
            _first(column, found, names, ignored, notes)
    _refuse_doubles(found, names)
    matches = _matches(columns, found, names, made)
    if not matches and (not open_ or _is_record(names)):
        raise _nothing_known(title, columns, names)
    there = {match.column.name for match in matches}
    notes += _near_misses(ignored, [column for column in columns if column.name not in there])
    schema = pa.schema([(match.column.name, match.column.arrow) for match in matches])
    return ColumnMapping(matches, schema, tuple(ignored), tuple(notes), made)


def _matches(
    columns: Sequence[Column], found: Mapping[str, Sequence[int]], names: Sequence[str], made: Format | None
) -> tuple[ColumnMatch, ...]:
    """Pair our columns with theirs, and say what else each needs to be read."""
    currencies = {column.currency for column in columns if column.currency}
    counts = fold(made.time) if made is not None and made.time else None
    matches: list[ColumnMatch] = []
    for column in columns:
        if found[column.name]:
            place = found[column.name][0]
            money = column.name in currencies
            step = made.micros if made is not None and fold(names[place]) == counts else 0
            matches.append(ColumnMatch(column, names[place], place, value_parser(column, money), step, money))
    at = {match.column.name: number for number, match in enumerate(matches)}
    return tuple(
        replace(match, currency=at.get(match.column.currency, -1)) if match.column.currency else match
        for match in matches
    )


def _first(
    column: Column, found: dict[str, list[int]], names: Sequence[str], ignored: list[str], notes: list[str]
) -> None:
    """Keep the first in rank of several names for one column; two that are spelt alike stay a double."""
    places = found[column.name]
    if len(places) < 2:
        return
    rank = {fold(name): n for n, name in reversed(list(enumerate((column.name, *column.aliases))))}
    best = min(rank.get(fold(names[place]), -1) for place in places)
    kept = [place for place in places if rank.get(fold(names[place]), -1) == best]
    for place in places:
        if place not in kept:
            ignored.append(names[place])
            notes.append(
                f'"{names[place]}" is ignored: {column.name} is "{names[kept[0]]}". '
                f'To take it: --map "{names[place]}={column.name}"'
            )
    found[column.name] = kept


def _mapped(columns: Sequence[Column], names: Sequence[str], mapping: Mapping[str, str]) -> dict[int, Column]:
    """Turn --map THEIRS=OURS into place → column."""
    ours = {fold(column.name): column for column in columns}
    mapped: dict[int, Column] = {}
    for theirs, name in mapping.items():
        column = ours.get(fold(name))
        if column is None:
            raise UsageError(
                f'--map {theirs}={name}: there is no column "{name}" to map to.',
                did_you_mean(name, (c.name for c in columns)),
            )
        places = [i for i, n in enumerate(names) if n == theirs]
        places = places or [i for i, n in enumerate(names) if fold(n) == fold(theirs)]
        if len(places) != 1:
            many = f"there are {len(places)} columns" if places else "there is no column"
            raise UsageError(f'--map {theirs}={name}: {many} "{theirs}".', did_you_mean(theirs, names))
        twice = [names[i] for i, c in mapped.items() if c is column or i == places[0]]
        if twice:
            raise UsageError(
                f'--map {theirs}={name}: --map has used "{twice[0]}" or {name} before.',
                "Map each column once.",
            )
        mapped[places[0]] = column
    return mapped


def _refuse_doubles(found: Mapping[str, Sequence[int]], names: Sequence[str]) -> None:
    for ours, places in found.items():
        if len(places) > 1:
            both = " and ".join(f'"{names[place]}"' for place in places)
            raise DataError(
                f"The columns {both} both mean {ours}.", f'Say which one: --map "{names[places[0]]}={ours}".'
            )


def _near_misses(ignored: Sequence[str], missing: Sequence[Column]) -> list[str]:
    """Propose a mapping for each ignored name that is nearly one of ours which is missing."""
    return [
        f'"{name}" is ignored. Did you mean {column.name}? --map "{name}={column.name}"'
        for name in ignored
        if (column := nearest(name, missing))
    ]


def _is_record(names: Sequence[str]) -> bool:
    """Say whether a header looks like a record: half of it are numbers or dates."""
    values = sum(_VALUE.fullmatch(name.strip()) is not None for name in names)
    return bool(names) and values >= len(names) / 2


def _nothing_known(title: str, columns: Sequence[Column], names: Sequence[str]) -> DataError:
    shown = [f'"{name}"' for name in names[:30]] + (["…"] if len(names) > 30 else [])
    if _is_record(names):
        return DataError(
            f"The first line is no header but looks like a record: {', '.join(shown)}.",
            "Name the columns in it. Or read it with --set header=no, which calls them column_1, column_2 …, "
            f'and say which is which: --map "column_1={columns[0].name}".',
        )
    theirs, ours = (names[0] if names else "THEIRS"), columns[0].name
    for name in names:
        if column := nearest(name, columns):
            theirs, ours = name, column.name
            break
    return DataError(
        f"No column is one that {title} knows. Found: {', '.join(shown) or 'none'}.",
        f"Known: {', '.join(column.name for column in columns)}. "
        f'Say which is which, for example --map "{theirs}={ours}".',
    )
