"""Routing: the department, priority and due time of a decision, by rules that a person can edit.

The rules come from a YAML file (`routing_file.py` reads it). What a rule asks for becomes a condition; all
conditions are asked together (`conditions/table.py`), so that one row is as quick as a batch is.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.conditions import ConditionTable
from tallystick.rules import routing_file
from tallystick.rules.matching import paired
from tallystick.rules.routing_rule import RoutingRule

__all__ = ["ROUTE", "Routing"]

ROUTE = pa.struct(
    [
        ("department", pa.string()),
        ("priority", pa.string()),
        ("due", pa.timestamp("us", "UTC")),
        ("rule", pa.string()),
    ]
)
FIELDS = list(ROUTE)
DUE = ROUTE.field("due").type
MICROSECONDS = {
    "minutes": 60_000_000,
    "hours": 3_600_000_000,
    "days": 86_400_000_000,
    "weeks": 604_800_000_000,
}
DAY = MICROSECONDS["days"]


@dataclass(frozen=True)
class Routing:
    """Rules in their order, and the default for what no rule meets.

    >>> routing = Routing.load('''
    ... version: 1
    ... default: {department: Complaint desk, priority: normal, due: 15 days}
    ... rules:
    ...   - name: Lawyers
    ...     when: {words: [attorney, law suit]}
    ...     then: {department: Legal, due: 4 hours}
    ... ''')
    >>> routing.apply(narrative=pa.array(["My attorney wrote to you.", "Hello."])).to_pylist()[0]
    {'department': 'Legal', 'priority': 'normal', 'due': None, 'rule': 'Lawyers'}
    """

    document: Mapping[str, Any]
    rules: tuple[RoutingRule, ...]
    default: RoutingRule
    label: str = "label"
    zone: str = "UTC"
    notes: tuple[str, ...] = ()

    @classmethod
    def load(
        cls,
        source: str | Path,
        *,
        label: str = "label",
        columns: Iterable[str] = (),
        known: Mapping[str, Iterable[str]] | None = None,
        several: Iterable[str] = (),
        decimals: int = 2,
        zone: str = "UTC",
    ) -> Routing:
        """Read a routing file, or its text (more than one line); UsageError names what is wrong, and where.

        label: what the file calls the decided class (`product`, say); columns: what a rule may look at
        besides that, words, amount, certainty and action; known: values that a column is known to have,
        any other makes a note; several: columns that may hold several values; decimals: of the currency;
        zone: says which day is a weekend.
        """
        content = routing_file.read(
            source, label=label, columns=columns, known=known or {}, several=several, decimals=decimals
        )
        return cls(content.document, content.rules, content.default, label, zone, content.notes)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], **context: Any) -> Routing:
        """Bring back what `to_dict` gave; context: the arguments of `load` that were used."""
        return cls.load(routing_file.write(document), **context)

    def to_dict(self) -> dict[str, Any]:
        """Return the file's content as plain values, for a bundle."""
        return copy.deepcopy(dict(self.document))

    @property
    def known_values(self) -> dict[str, list[str]]:
        """What a route can say: departments, priorities, names of rules."""
        every = [self.default, *self.rules]
        return {
            "department": [rule.department for rule in every],
            "priority": [rule.priority for rule in every],
            "rule": [rule.name for rule in every],
        }

    def for_classes(self, classes: Sequence[str]) -> Routing:
        """Return the routing for a model with these classes, whose names may be spelt in another way.

        Notes say which class stands for which name, which rules never apply, and which classes no rule names.
        """
        named = dict.fromkeys(
            value for rule in self.rules for value in rule.values.get(self.label, ()) if value is not None
        )
        spelt = {value.casefold() for value in named}
        strangers = [one for one in classes if one.casefold() not in spelt]
        there = {one.casefold() for one in classes}
        missing = [name for name in named if name.casefold() not in there]
        pairs = paired(strangers, missing)
        document, rules, dead = self.to_dict(), [], []
        for written, rule in zip(document.get("rules", ()), self.rules, strict=True):
            if self.label in rule.values:
                values = list(rule.values[self.label])
                values += [one for one, name in pairs.items() if name in values]
                if not any(value is None or value in pairs or value.casefold() in there for value in values):
                    dead.append(rule.name)
                written["when"][self.label] = values
                rule = replace(rule, values={**rule.values, self.label: tuple(values)})
            rules.append(rule)
        notes = [f'"{one}" is routed as "{name}".' for one, name in pairs.items()]
        if dead:
            notes.append(f"Rules that never apply, for classes that the model does not have: {_list(dead)}.")
        if rest := [one for one in strangers if one not in pairs]:
            notes.append(f"Classes that no rule names: {_list(rest)}.")
        if notes and strangers:
            notes.append("A routing file of your own (--set routing=FILE) can name the model's classes.")
        said = tuple(f"Routing: {note}" for note in notes)
        return replace(self, document=document, rules=tuple(rules), notes=(*self.notes, *said))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the content: the same for two files that differ in comments and layout only."""
        text = json.dumps(self.document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def needs(self) -> frozenset[str]:
        """What the rules look at: `certainty`, `amount`, `words`, and names of columns."""
        return frozenset[str]().union(*(c.columns for c in self._machine.conditions if c is not None))

    def apply(
        self,
        *,
        narrative: pa.Array,
        label: pa.Array | None = None,
        score: pa.Array | None = None,
        amount: pa.Array | None = None,
        received_at: pa.Array | None = None,
        columns: Mapping[str, pa.Array] | None = None,
    ) -> pa.StructArray:
        """Route decisions: struct (department, priority, due in UTC or null, rule), one for each row.

        narrative: string; label: string; score: float64, how sure the label is; amount: int64 minor units, -1
        where none is named; received_at: timestamp, UTC; columns: text by name (`tags` may name several, with
        commas; `action`; …). What is not given counts as missing. `rule` is null where the default applied.
        """
        rows = len(narrative)
        machine = self._machine
        given = {**(columns or {}), self.label: label, "words": narrative, "certainty": score}
        if "amount" in self.needs and amount is not None:
            given["amount"] = _known_amounts(amount)
        rule = machine.table.first(given.get, rows)
        outcomes = machine.outcomes  # a slice of one is ten times as quick as a take of one
        met = outcomes.slice(rule[0], 1) if rows == 1 else outcomes.take(pa.array(rule))
        department, priority, name = met.flatten()
        return pa.StructArray.from_arrays(
            [department, priority, self._due(rule, received_at), name], fields=FIELDS
        )

    def _due(self, rule: NDArray[np.int32], received_at: pa.Array | None) -> pa.Array:
        """Count each row's time from when it was received."""
        machine = self._machine
        if received_at is None:
            return pa.nulls(len(rule), DUE)
        if received_at.type != DUE:
            received_at = received_at.cast(DUE)
        received_at = _flat(received_at)
        without = machine.endless[rule]
        start = received_at.view(pa.int64())
        if start.null_count:
            without = without | start.is_null().to_numpy(zero_copy_only=False)
            start = start.fill_null(0)
        start = start.to_numpy()
        due = start + machine.spell[rule]
        counts = machine.business_days[rule]
        for count in set(counts.tolist()) - {0}:
            chosen = counts == count
            due[chosen] = _business_days(start[chosen], count, self.zone)
        return pa.array(due, pa.int64(), mask=without if without.any() else None).view(DUE)

    def __getstate__(self) -> dict[str, Any]:
        """Travel without what can be built again."""
        return {k: v for k, v in self.__dict__.items() if k not in ("_machine", "needs")}

    @cached_property
    def _machine(self) -> _Machine:
        return _Machine((*self.rules, self.default))


class _Machine:
    """Rules as arrays, the default last."""

    def __init__(self, rules: Sequence[RoutingRule]) -> None:
        self.conditions = [rule.condition() for rule in rules]
        self.table = ConditionTable(self.conditions)
        self.outcomes = pa.StructArray.from_arrays(
            [
                pa.array([rule.department for rule in rules]),
                pa.array([rule.priority for rule in rules]),
                pa.array([*(rule.name for rule in rules[:-1]), None], pa.string()),
            ],
            names=["department", "priority", "rule"],
        )
        dues = [rule.due for rule in rules]
        self.endless = np.array([due is None for due in dues])
        self.spell = np.array([due.count * MICROSECONDS.get(due.unit, 0) if due else 0 for due in dues])
        self.business_days = np.array(
            [due.count if due and due.unit == "business days" else 0 for due in dues]
        )


def _flat(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _list(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _known_amounts(amount: pa.Array) -> pa.Array:
    """Return amounts in minor units with null where none is named, which -1 says."""
    amount = _flat(amount)
    if len(amount) == 1:  # a row by itself, without arrays
        value = amount[0].as_py()
        return pa.nulls(1, amount.type) if value is not None and value < 0 else amount
    found = (amount.fill_null(-1) if amount.null_count else amount).to_numpy(zero_copy_only=False)
    unknown = found < 0
    return pa.array(found, mask=unknown) if unknown.any() else amount


def _business_days(start: NDArray[np.int64], count: int, zone: str) -> NDArray[np.int64]:
    """Count working days from times in microseconds; the hour stays, Saturday and Sunday do not count."""
    if zone == "UTC":
        local = start
    else:
        aware = pa.array(start, pa.timestamp("us", zone))
        local = pc.local_timestamp(aware).cast(pa.int64()).to_numpy(zero_copy_only=False)
    days, hour = np.divmod(local, DAY)
    moved = (
        np.busday_offset(days.astype("datetime64[D]"), count, roll="backward").astype(np.int64) * DAY + hour
    )
    if zone == "UTC":
        return moved
    naive = pa.array(moved, pa.timestamp("us"))
    aware = pc.assume_timezone(naive, zone, ambiguous="earliest", nonexistent="latest")
    return np.asarray(aware.cast(pa.int64()).to_numpy(zero_copy_only=False))
