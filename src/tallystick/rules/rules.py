"""Rules beside the model: conditions on a payment and its behaviour, each with an action and a reason.

The file says the order, and **the first rule that holds decides**:

- `accept` (an allow list) goes before the model: whatever the model says, the payment is accepted;
- `review` and `decline` raise the model's action to theirs and never lower it: what the model declines stays
  declined under a `review` rule, and where no rule holds the model alone decides.

So exceptions come first in the file, and of two rules that may hold together the stricter. `rules_file.py`
reads the file and describes its form.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.conditions.condition import Condition
from tallystick.errors import UsageError

__all__ = ["ACTIONS", "Applied", "Reason", "Rule", "Rules", "combine"]

#: What a rule may do; an action's code is its place here, and a greater one is stricter.
ACTIONS = ("accept", "review", "decline")
UNKNOWN = "unknown"
HINT = "Rules are read for the columns and features of one model; load them for the one that is used."
LONGEST_VALUE = 100  # characters of a text in a reason

Values = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence with places for values: (text, name, form) in order, name None behind the last text."""

    text: str
    parts: tuple[tuple[str, str | None, str], ...]

    @property
    def columns(self) -> frozenset[str]:
        """The names whose values it tells."""
        return frozenset(name for _, name, _ in self.parts if name is not None)

    def say(self, values: Values, row: int) -> str:
        """Put the values of one row into the sentence; what is not known is called unknown."""
        said = []
        for text, name, form in self.parts:
            said.append(text)
            if name is not None:
                column = values.get(name)
                said.append(UNKNOWN if column is None else _written(column[row], form))
        return "".join(said)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: when it holds, what it does then (one of ACTIONS), and why, in words."""

    name: str
    when: Condition
    action: str
    reason: Reason
    line: int = 0

    def say(self, values: Values, row: int) -> str:
        """Return the reason for one row."""
        return self.reason.say(values, row)


@dataclass(frozen=True, slots=True)
class Applied:
    """What the rules said of rows.

    first: int64 (rows,), the deciding rule or -1; hits: bool (rows, rules), every rule that holds; action:
    int64 (rows,), the code of the deciding rule's action or -1.
    """

    first: NDArray[np.int64]
    hits: NDArray[np.bool_]
    action: NDArray[np.int64]


@dataclass(frozen=True)
class Rules:
    """Rules in their order; `lists` are those that conditions ask for, by name.

    >>> rules = Rules.load('''
    ... rules:
    ...   - name: burst
    ...     when: customer_id__count__5m >= 8
    ...     action: review
    ...     reason: "{customer_id__count__5m:.0f} payments in 5 minutes"
    ... ''', known=["customer_id__count__5m"])
    >>> values = {"customer_id__count__5m": np.array([2.0, 11.0])}
    >>> applied = rules.apply(values)
    >>> applied.first.tolist(), rules.rules[0].say(values, 1)
    ([-1, 0], '11 payments in 5 minutes')
    >>> combine(np.array([2, 0]), applied).tolist()
    [2, 1]
    """

    rules: tuple[Rule, ...]
    lists: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...] = ()

    @classmethod
    def load(cls, source: str | Path, known: Collection[str]) -> Rules:
        """Read a rules file, or its text (more than one line); a UsageError names each line that is wrong.

        known: the columns, derived names and features there are; as a mapping to their kinds ("number",
        "text", "flag") the kinds are checked too.
        """
        from tallystick.rules.rules_file import read

        return read(source, known)

    @cached_property
    def needs(self) -> frozenset[str]:
        """The names that conditions and reasons look at."""
        return frozenset(self._looked_at) | self._told

    @property
    def names(self) -> tuple[str, ...]:
        """The rules by name, in their order."""
        return tuple(rule.name for rule in self.rules)

    @property
    def actions(self) -> tuple[str, ...]:
        """What each rule does, in their order."""
        return tuple(rule.action for rule in self.rules)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the content with the values of its lists; comments and layout do not count."""
        content = {
            "lists": {name: sorted(set(values)) for name, values in self.lists.items()},
            "rules": [[r.name, " ".join(r.when.text.split()), r.action, r.reason.text] for r in self.rules],
        }
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def apply(self, values: Values) -> Applied:
        """Say which rules hold of each row, and which of them decides.

        values: an array (rows,) for each name in `needs`, as conditions take them.
        """
        try:  # each is asked for once: looking a text up may cost more than the conditions do
            asked = {name: values[name] for name in self._looked_at}
        except KeyError as error:
            raise UsageError(f"The rules look at {error.args[0]}, which is not there.", HINT) from None
        held = [rule.when.holds(asked) for rule in self.rules]
        if len(held[0]) == 1:  # a row by itself, ten times as quick as with arrays
            flags = [bool(each[0]) for each in held]
            place = flags.index(True) if True in flags else -1
            return Applied(np.array([place]), np.array([flags]), self._codes[place : place + 1 or None])
        hits = np.column_stack(held)
        first = np.full(len(hits), -1, np.int64)
        for i in range(len(held) - 1, -1, -1):
            first[held[i]] = i
        return Applied(first, hits, self._codes[first])

    def say(self, values: Values, applied: Applied) -> dict[int, str]:
        """Return the reason of each row that a rule decides, by row; each column is asked for once."""
        decided = np.flatnonzero(applied.first >= 0).tolist()
        if not decided:
            return {}
        asked = {name: values[name] for name in self._told.intersection(values)}
        return {row: self.rules[applied.first[row]].say(asked, row) for row in decided}

    @cached_property
    def _told(self) -> frozenset[str]:
        return frozenset[str]().union(*(rule.reason.columns for rule in self.rules))

    @cached_property
    def _looked_at(self) -> tuple[str, ...]:
        return tuple(sorted({name for rule in self.rules for name in rule.when.columns}))

    @cached_property
    def _codes(self) -> NDArray[np.int64]:
        """The action of each rule; last, where -1 finds it, that of none."""
        return np.array([*(ACTIONS.index(action) for action in self.actions), -1], np.int64)


def combine(action: NDArray[np.int64], applied: Applied) -> NDArray[np.int64]:
    """Join the model's actions (codes of ACTIONS, (rows,)) and the rules': the codes of what is done.

    An `accept` rule wins over the model; `review` and `decline` raise its action and never lower it.
    """
    joined: NDArray[np.int64] = np.where(applied.action == 0, 0, np.maximum(action, applied.action))
    return joined


def _written(value: Any, form: str) -> str:
    """Write one value as a person reads it; no value of a row can make this fail."""
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return value if len(value) <= LONGEST_VALUE else value[: LONGEST_VALUE - 1] + "…"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    number = float(value)
    if math.isnan(number):
        return UNKNOWN
    return format(number, form or ".10g")
