"""Declarations of window features: conditions and features, in a YAML file or in Python."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from tallystick.conditions.condition import DERIVED, Condition
from tallystick.errors import UsageError, did_you_mean
from tallystick.windows.file import Spots, load, refuse
from tallystick.windows.groups import AGGREGATES, DEFAULTS, Group
from tallystick.windows.passes import WindowPass
from tallystick.windows.plan import Plan
from tallystick.windows.roles import TableRoles

__all__ = ["Windows"]

#: Changes when the state or the meaning of a word does, so that no old state is read as new.
_VERSION: Final = 1
_WORDS: Final = (*DEFAULTS, "money", "conditions", "features")
#: Where a declaration in Python stands.
PYTHON: Final = Spots()
#: Conditions that need no words, beside those that ask for a label.
_PLAIN: Final = ("night", "weekend")


class _Columns(Collection[str]):
    """Any name is a column here: which there are is for the contract to say."""

    def __init__(self, labels: Collection[str]) -> None:
        self._shown = (*DERIVED, *labels)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and "+" not in name

    def __iter__(self) -> Any:
        return iter(self._shown)

    def __len__(self) -> int:
        return len(self._shown)


@dataclass(frozen=True)
class Windows:
    """Features over trailing windows of each entity's events, as declared.

    names: the features in order; columns: what they read (the currency only where it is there); entities: the
    single columns that number their events, those of pairs too; horizon_us: after how long without an event
    an entity surely reads as new; fingerprint: changes with any word. UsageError names the entry and the
    word.

    >>> windows = Windows.of({"features": [
    ...     {"entity": "user", "windows": ["1d", "7d"], "aggregates": ["count", "mean price"]}]},
    ...     TableRoles("at", money={"price": "currency"}))
    >>> windows.names[0], windows.names[3], windows.entities
    ('user__count__1d', 'user__mean_price__7d', ('user',))
    """

    document: Mapping[str, Any]
    groups: tuple[Group, ...] = field(repr=False)
    conditions: Mapping[str, Condition] = field(repr=False, compare=False)
    roles: TableRoles
    money: tuple[str, ...]

    @classmethod
    def read(cls, path: str | Path, roles: TableRoles) -> Windows:
        """Read a declaration from a YAML file; UsageError names the file and what is wrong in it."""
        document, spots = load(path)
        return cls.of(document, roles, spots)

    @classmethod
    def of(cls, document: Mapping[str, Any], roles: TableRoles, spots: Spots = PYTHON) -> Windows:
        """Take a declaration in Python: the words of the file, for tables of those roles.

        spots: what errors call its parts; without a list `money` in it, money is what the roles say.
        UsageError names all that is wrong.
        """
        name = spots.name
        if not isinstance(document, Mapping):
            raise UsageError(f"{name}: `features` and their words are wanted, not {type(document).__name__}.")
        problems = [
            UsageError(f'{name}: there is no word "{word}".', did_you_mean(str(word), _WORDS))
            for word in document
            if word not in _WORDS
        ]
        columns = _Columns(roles.label_codes)
        conditions = {text: Condition.parse(text, columns) for text in (*_PLAIN, *roles.label_codes)}
        written = document.get("conditions") or {}
        if not isinstance(written, Mapping):
            raise UsageError(f"{name}, conditions: names with a condition each are wanted.")
        for key, text in written.items():
            if not isinstance(text, str) or not str(key).isidentifier():
                problems.append(
                    UsageError(f"{spots.of(str(key))} needs a plain name and a condition in quotes.")
                )
                continue
            try:
                conditions[str(key)] = Condition.parse(text, columns)
            except UsageError as error:
                problems.append(UsageError(f"{spots.of(str(key))}: {error.message}", error.hint))
        entries = document.get("features") or []
        money = document.get("money", list(roles.money))
        for word, given in (("features", entries), ("money", money)):
            if not isinstance(given, list | tuple):
                raise UsageError(f"{name}, {word}: a list is wanted.")
        defaults = {word: document.get(word, value) for word, value in DEFAULTS.items()}
        found = [
            Group.of(entry, defaults, conditions, spots.of(i), problems) for i, entry in enumerate(entries, 1)
        ]
        refuse(problems, name)
        groups = tuple(group for group in found if group is not None)
        _unique(groups, name)
        made = cls(_copy(document), groups, conditions, roles, tuple(str(m) for m in money))
        made._check(spots)
        for i, group in enumerate(groups, 1):
            for other in groups:
                chained = made._looks_at(group) & {feature for feature, _, _ in other.names()}
                if chained and made._looks_at(other):
                    raise UsageError(
                        f"{spots.of(i)}, where: {group.where} looks at {min(chained)}, "
                        "whose own condition looks at a feature.",
                        "A condition may look at features whose conditions look at columns alone.",
                    )
        return made

    def _check(self, spots: Spots) -> None:
        """Refuse what the table lacks a role for."""
        name = spots.name
        if self.groups and self.roles.event_time is None:
            raise UsageError(f"{name}: records without an event time lie in no window.")
        for i, group in enumerate(self.groups, 1):
            where = spots.of(i)
            if self.roles.event_time in group.entity:
                raise UsageError(f"{where}, entity: the event time cannot be one.", "Name other columns.")
            if self.roles.main_label is None and any(one.kind == "risk" for one in group.aggregates):
                raise UsageError(f"{where}: risk needs a label, and the table has none.")
        if len(self._currencies) > 1:
            raise UsageError(
                f"{name}: amounts have currencies in different columns ({', '.join(self._currencies)}).",
                "Use amounts of one currency column in a declaration.",
            )

    @cached_property
    def _currencies(self) -> tuple[str, ...]:
        """The columns of the currencies of all money that is read."""
        read = {one.column for group in self.groups for one in group.aggregates}
        read |= {c for g in self.groups if g.where for c in self.conditions[g.where].columns}
        return tuple(sorted({self.roles.currency(column) for column in read & set(self.money)}))

    @property
    def currency(self) -> str | None:
        """Return the column of the currency of amounts; None where the table has no amounts."""
        return next(iter(self._currencies or sorted(set(self.roles.money.values()))), None)

    def to_dict(self) -> dict[str, Any]:
        """Return the declaration in the words that it was given in."""
        copied: dict[str, Any] = _copy(self.document)
        return copied

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the features' names, in order."""
        return tuple(name for group in self.groups for name, _, _ in group.names())

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that are read; `currency` may be missing in a table."""
        found: set[str] = set()
        for group in self.groups:
            for one in group.aggregates:
                found |= self._needs(group, one.column)
                if one.column in self.money and AGGREGATES[one.kind] == "value":
                    found.add(self.roles.currency(one.column))
        return tuple(sorted(found))

    def columns_of(self, names: Collection[str]) -> tuple[str, ...]:
        """Return the columns that some features read, without the currency of amounts.

        >>> declared = {"features": [{"entity": "user", "windows": "1d", "aggregates": ["mean price"]}]}
        >>> Windows.of(declared, TableRoles("at")).columns_of(["user__mean_price__1d"])
        ('at', 'price', 'user')
        """
        wanted, found = set(names), set[str]()
        for group in self.groups:
            for name, one, _ in group.names():
                if name in wanted:
                    found |= self._needs(group, one.column)
        return tuple(sorted(found))

    @cached_property
    def entity_of(self) -> Mapping[str, tuple[str, ...]]:
        """Return the columns of each feature's entity."""
        return {name: group.entity for group in self.groups for name, _, _ in group.names()}

    @cached_property
    def entities(self) -> tuple[str, ...]:
        """Return the single columns that number their events, in the order in which they are named."""
        return tuple(dict.fromkeys(part for group in self.groups for part in group.entity))

    @cached_property
    def horizon_us(self) -> int:
        """Return the longest window with its delay, in microseconds."""
        return max((length + g.delay for g in self.groups for _, length in g.windows), default=0)

    @cached_property
    def fingerprint(self) -> str:
        """Return a name of the declaration, hexadecimal."""
        used = {g.where: self.conditions[g.where].text for g in self.groups if g.where}
        known = [_VERSION, [asdict(g) for g in self.groups], used, list(self.money)]
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:32]

    @cached_property
    def condition_inputs(self) -> Mapping[str, int]:
        """Return the features that conditions read: name → place among `names`."""
        place = {name: i for i, name in enumerate(self.names)}
        looked_at = {c for g in self.groups if g.where for c in self.conditions[g.where].columns}
        return {name: place[name] for name in self.names if name in looked_at}

    @cached_property
    def _stages(self) -> tuple[list[Group], ...]:
        """The entries by stage: those whose conditions look at features come after those."""
        later = [g for g in self.groups if self._looks_at(g)]
        first = [g for g in self.groups if not self._looks_at(g)]
        return (first, later) if later else (first,)

    def _looks_at(self, group: Group) -> set[str]:
        """The features that an entry's condition looks at."""
        return (
            set(self.conditions[group.where].columns) & self.condition_inputs.keys() if group.where else set()
        )

    @cached_property
    def _numbered_in(self) -> dict[str, int]:
        """The stage that numbers each of `entities`: the first that has it."""
        found: dict[str, int] = {}
        for stage, groups in enumerate(self._stages):
            for part in (part for group in groups for part in group.entity):
                found.setdefault(part, stage)
        return found

    @cached_property
    def plans(self) -> tuple[Plan, ...]:
        """Return the tables that the kernel works by: one for each stage."""
        places = {name: i for i, name in enumerate(self.names)}
        plans = []
        for stage in range(len(self._stages)):
            numbers = {e: i for i, e in enumerate(self.entities) if self._numbered_in[e] == stage}
            plans.append(self._plan(stage, places, numbers))
        return tuple(plans)

    def _plan(
        self, stage: int, places: Mapping[str, int], numbered: Mapping[str, int], leader: str | None = None
    ) -> Plan:
        """Return the tables of one stage, or of those of its entities that begin with `leader`."""
        groups = tuple(self._stages[stage])
        return Plan.of(
            groups, self.conditions, self.roles, self.money, self.condition_inputs, places, numbered, leader
        )

    def passes(self) -> tuple[WindowPass, ...]:
        """Return the passes in their order: each reads columns, and outputs of those before it."""
        found = []
        for stage, groups in enumerate(self._stages):
            for leader in dict.fromkeys(part for group in groups for part in group.entity):
                mine = (group for group in groups if group.entity[0] == leader)
                names = tuple(name for group in mine for name, _, _ in group.names())
                numbers = self._numbered_in[leader] == stage
                if names or numbers:
                    places = {name: i for i, name in enumerate(names)}
                    plan = self._plan(stage, places, {leader: 0} if numbers else {}, leader)
                    inputs = tuple(name for name in self.condition_inputs if name in plan.looked_at)
                    outputs = tuple(name for name in names if name in self.condition_inputs)
                    roles = str(self.roles.event_time), self.currency
                    found.append(WindowPass(leader, names, inputs, outputs, numbers, *roles, plan))
        return tuple(found)

    def restrict(self, columns: Collection[str]) -> Windows:
        """Return the features whose columns are there; one that lacks a column is left out.

        >>> declared = {"features": [{"entity": "user", "windows": "1d", "aggregates": ["count"]}]}
        >>> Windows.of(declared, TableRoles("at")).restrict(["at", "place"]).names
        ()
        """
        there = set(columns)
        entries = []
        for group, entry in zip(self.groups, self.document.get("features") or [], strict=True):
            kept = [
                text
                for one, text in zip(group.aggregates, _listed(entry["aggregates"]), strict=True)
                if self._needs(group, one.column) <= there
            ]
            if kept:
                entries.append({**entry, "aggregates": kept})
        return Windows.of({**self.document, "features": entries}, self.roles)

    def _needs(self, group: Group, column: str) -> set[str]:
        looked_at = self.conditions[group.where].columns if group.where else frozenset[str]()
        looked_at = looked_at - DERIVED.keys() - self.roles.label_codes.keys()
        where = set(looked_at - self.condition_inputs.keys())
        for other in self.groups:
            for name, one, _ in other.names():
                if name in looked_at:
                    where |= self._needs(other, one.column)
        return {str(self.roles.event_time), *group.entity, *where, *([column] if column else [])}

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the document; the rest is made of it."""
        return Windows.of, (self.document, self.roles)


def _listed(value: Any) -> list[Any]:
    return [value] if isinstance(value, str) else list(value)


def _copy(value: Any) -> Any:
    """Copy a document of plain values; tuples become lists, as a file has them."""
    if isinstance(value, Mapping):
        return {str(key): _copy(one) for key, one in value.items()}
    return [_copy(one) for one in value] if isinstance(value, list | tuple) else value


def _unique(groups: tuple[Group, ...], name: str) -> None:
    """Refuse two features of one name."""
    seen: dict[str, int] = {}
    for number, group in enumerate(groups, 1):
        for feature, _, _ in group.names():
            if feature in seen:
                where = (
                    f"entries {seen[feature]} and {number}" if seen[feature] != number else f"entry {number}"
                )
                raise UsageError(
                    f'{name}, features: "{feature}" is declared twice, in {where}.',
                    "Leave one out, or give an entry a `suffix`, which ends its features' names.",
                )
            seen[feature] = number
